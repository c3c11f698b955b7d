"""Settle cases: lines and what stands around their prices, read strictly."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import CODE, NAMES, PRICE, QUANTITY, TEXT, YES_NO, one_of, shown
from pipelines.catalog.tables.credits import Credit
from pipelines.catalog.tables.discounts import Discount
from pipelines.catalog.tables.taxes import Tax
from pipelines.preview.catalog_rows import ALWAYS, note_problems, read_row
from pipelines.preview.discount_rows import OWNED, read_discounts
from pipelines.preview.faults import Code
from pipelines.preview.fields import Fields, When
from pipelines.preview.shares import read_share
from pipelines.vocabulary.money import (
    HALF_AWAY,
    ROUNDINGS,
    minor_unit_digits,
    plain_decimal,
    round_half_away,
)

LINE_KINDS = (
    "usage",
    "flat",
    "maximum",
    "minimum",
    "overage",
    "true_up",
    "unused_advance",
    "adjustment",
)
"""Kinds of lines of an invoice, without its rows for discounts, taxes and credits."""

BOUNDS = ("minimum", "maximum")
"""Kinds and ids of the lines by which a plan's bounds change an invoice."""

_NO_OWNER = {"customer_id": "", "name": ""}
"""Columns of a credit that say whose it is."""

_NO_DATE = {"valid_from": ALWAYS, "name": ""}
"""Columns of a tax that a case does not have."""


@dataclass(frozen=True)
class SettleLine:
    """A line, with the amount as the case gives it; without tax codes it bears all taxes."""

    line_id: str
    kind: str
    charge_code: str | None
    amount: Decimal
    tax_codes: Sequence[str]


@dataclass(frozen=True)
class PlanBounds:
    """The least and the most that all lines come to, for `days` of `of_days`; None is no bound."""

    minimum_amount: Decimal | None = None
    maximum_amount: Decimal | None = None
    days: int = 1
    of_days: int = 1


@dataclass(frozen=True)
class SettleCase:
    """A case without faults, but that its instants are not compared yet.

    Attributes:
        lines: in the order of the invoice.
        discounts: in the order of the case; with each what it gave before.
        period_end: None: all credits are in time.
    """

    lines: list[SettleLine]
    plan: PlanBounds
    discounts: list[tuple[Discount, Decimal]]
    taxes: list[Tax]
    credits: list[Credit]
    period_end: When | None
    time_zone: str
    is_tax_exempt: bool
    currency: str
    rounding: str


def read_settle_case(fields: Fields) -> SettleCase:
    """The fields of a case of the kind `settle`; what is wrong with them is noted."""
    fields.require("lines")
    currency = fields.currency()
    rounding = str(fields.text("rounding", one_of(*ROUNDINGS), HALF_AWAY))
    plan = _read_plan(fields)
    taxes = _read_taxes(fields)
    return SettleCase(
        lines=_read_lines(fields, plan, [tax.tax_code for tax in taxes]),
        plan=plan,
        discounts=_read_discounts(fields, currency),
        taxes=taxes,
        credits=_read_credits(fields, currency),
        period_end=fields.when("period_end"),
        time_zone=fields.time_zone(),
        is_tax_exempt=bool(fields.text("tax_exempt", YES_NO, False)),
        currency=currency,
        rounding=rounding,
    )


def _read_plan(fields: Fields) -> PlanBounds:
    plan = fields.inner("plan", "plans")
    least, most = plan.text("minimum_amount", PRICE), plan.text("maximum_amount", PRICE)
    days, of_days = read_share(plan)
    plan.close()
    if least is not None and most is not None and least > most:
        plan.note(
            Code.CONTRADICTION,
            "minimum_amount",
            f"{plain_decimal(least)} is above maximum_amount {plain_decimal(most)}; lower it, or "
            "raise the other",
        )
    return PlanBounds(least, most, days, of_days)


def _read_lines(fields: Fields, plan: PlanBounds, tax_codes: Sequence[str]) -> list[SettleLine]:
    """The lines in the order of the case, without those that are ill-formed."""
    lines = list[SettleLine]()
    taken = {name for name in BOUNDS if getattr(plan, f"{name}_amount") is not None}
    for row in fields.rows("lines"):
        line_id = str(row.text("id", TEXT, f"line{row.row}"))
        kind = str(row.text("kind", one_of(*LINE_KINDS), "usage"))
        charge_code = row.text("charge_code", CODE)
        row.require("amount")
        amount = row.decimal("amount")
        codes = row.text("tax_codes", NAMES, ()) or ()
        row.close()
        if line_id in taken:
            reason = f"{shown(line_id)} is the id of another line; write another"
            row.note(Code.CONTRADICTION, "id", reason)
        taken.add(line_id)
        for code in codes:
            if code not in tax_codes and _are_read(fields, "taxes", len(tax_codes)):
                reason = f"{shown(code)} is not in taxes; add it there or correct it here"
                row.note(Code.CONTRADICTION, "tax_codes", reason)
        if amount is not None:
            lines.append(SettleLine(line_id, kind, charge_code, amount, codes))
    return lines


def _are_read(fields: Fields, name: str, count: int) -> bool:
    """True if that many rows are all that the case has."""
    rows = fields.members.get(name)
    return len(rows if isinstance(rows, list) else ()) == count


def _read_discounts(fields: Fields, currency: str) -> list[tuple[Discount, Decimal]]:
    """The discounts in the order of the case, without those that are ill-formed."""
    rows = fields.rows("discounts", "discounts")
    used = {}
    for row in rows:
        row.know(*OWNED)
        used[row.row] = row.text("used", QUANTITY, Decimal(0))
    found = read_discounts(rows, currency, {})
    discounts = list[tuple[Discount, Decimal]]()
    for row, discount in found:
        row.close()
        if discount.kind == "units":
            reason = "'units' are taken off usage before there is an amount; price the usage"
            row.note(Code.NOT_SUPPORTED, "kind", reason)
            continue
        note_problems(discount.problems(), [row])
        given = used[row.row]
        if given is not None:
            _judge_used(row, discount, given, currency)
            discounts.append((discount, given))
    return discounts


def _judge_used(row: Fields, discount: Discount, used: Decimal, currency: str) -> None:
    digits = minor_unit_digits(currency)
    if row.has("used") and discount.spread != "once":
        reason = "is of an amount with spread 'once'; leave it out, or write that spread"
        row.note(Code.CONTRADICTION, "used", reason)
    elif used != round_half_away(used, digits):
        row.note(
            Code.CONTRADICTION,
            "used",
            f"{plain_decimal(used)} is not in whole minor units of {currency}, which has {digits} "
            "digits after the point; round it",
        )


def _read_taxes(fields: Fields) -> list[Tax]:
    """The taxes in the order of the case, without those that are ill-formed."""
    taxes = list[Tax]()
    for row in fields.rows("taxes", "taxes"):
        tax = read_row(row, Tax, _NO_DATE, {})
        row.close()
        if tax is None:
            continue
        if tax.tax_code in {each.tax_code for each in taxes}:
            reason = f"{shown(tax.tax_code)} is the code of another tax; write another"
            row.note(Code.CONTRADICTION, "tax_code", reason)
        taxes.append(tax)
    return taxes


def _read_credits(fields: Fields, currency: str) -> list[Credit]:
    """The blocks in the order of the case, without those that are ill-formed."""
    blocks = list[Credit]()
    for row in fields.rows("credits", "credits"):
        usual = {"credit_id": f"c{row.row}", "currency": currency, "effective_at": None}
        row.know(*_NO_OWNER)
        block = read_row(row, Credit, _NO_OWNER, usual)
        row.close()
        if block is None:
            continue
        if block.credit_id in {each.credit_id for each in blocks}:
            reason = f"{shown(block.credit_id)} is the id of another block; write another"
            row.note(Code.CONTRADICTION, "credit_id", reason)
        note_problems(block.problems(), [row])
        blocks.append(block)
    return blocks
