"""Price cases: a charge, its tiers, cells and discounts, and what was used of it, read strictly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from pipelines.catalog.cells import YES_NO, one_of, shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.flat import Flat
from pipelines.catalog.charge_models.matrix import Matrix
from pipelines.catalog.charge_models.percentage import Percentage
from pipelines.catalog.charge_models.tiered_charge import TieredCharge
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.filters import MATCH, match_text
from pipelines.catalog.rows import Problem, columns_of
from pipelines.catalog.tables.charge_cells import ChargeCell, ambiguities, groups_without_cell
from pipelines.catalog.tables.charge_tiers import Tier, from_the_lowest, gaps_between
from pipelines.catalog.tables.charges import MODELS, TERMS, term_of_other_models, terms_of
from pipelines.catalog.tables.discounts import Discount
from pipelines.preview.catalog_rows import ALWAYS, note_problems, read_row
from pipelines.preview.discount_rows import read_discounts
from pipelines.preview.faults import Code
from pipelines.preview.fields import Fields, Members
from pipelines.preview.priced_usage import (
    QUANTITY,
    SOURCES,
    UsageLine,
    is_note,
    lines_of,
    note_too_great,
    read_group,
    read_usage,
    shown_group,
)
from pipelines.preview.shares import read_share
from pipelines.vocabulary.money import (
    HALF_AWAY,
    ROUNDINGS,
    exact_sum,
    minor_unit_digits,
    round_half_away,
)

CHARGE_CODE = "charge0"
"""The code of a charge that has none."""

_WHOSE = {
    "plan_code": "",
    "metric_code": "",
    "valid_from": ALWAYS,
    "subscription_id": None,
}
"""Columns of a charge that say where it stands, and which a case does not have."""

_PRICE_OF = {
    "plan_code": "",
    "charge_code": CHARGE_CODE,
    "valid_from": ALWAYS,
    "subscription_id": None,
}
"""Columns by which tiers and cells name their charge."""

_AMOUNT_DIGITS = 15
"""Most digits of an amount after its point."""


@dataclass(frozen=True)
class PriceCase:
    """A case without faults.

    Attributes:
        tiers: from the lowest on.
        discounts: in the order in which they apply.
        lines: in the order of an invoice; a flat charge has one.
        days: service days of the period, of `of_days`.
        already_amount: what was billed before; None if nothing is said of that.
        minor_unit_digits: of the currency.
    """

    charge: Charge
    tiers: list[Tier]
    cells: list[ChargeCell]
    discounts: list[Discount]
    lines: list[UsageLine]
    days: int
    of_days: int
    is_final: bool
    already_amount: Decimal | None
    minor_unit_digits: int
    rounding: str


def read_price_case(fields: Fields) -> PriceCase | None:
    """The fields of a case of the kind `price`.

    What is wrong with them is noted. None where a part that others need is ill-formed.
    """
    fields.require("charge")
    currency = fields.currency()
    rounding = str(fields.text("rounding", one_of(*ROUNDINGS), HALF_AWAY))
    is_final = bool(fields.text("is_final", YES_NO, True))
    days, of_days = read_share(fields)
    already = _read_already(fields)
    given = read_usage(fields)
    about = fields.inner("charge", "charges")
    if not _is_object(fields, "charge"):
        fields.know("discounts")
        return None
    charge = _read_charge(about, given.names)
    tiers, cells = _read_tiers(about), _read_cells(about, charge)
    discounts = _read_discounts(fields, charge, currency)
    about.close()
    if charge is None or tiers is None or cells is None:
        if issubclass(MODELS.get(str(about.members.get("charge_model")), Flat), UsageCharge):
            fields.one_of(*SOURCES)
        return None
    is_right = _judge(about, charge, tiers, cells)
    lines = lines_of(fields, charge, given)
    if is_right and isinstance(charge, Matrix) and charge.unit_price is None:
        _note_unpriced(fields, cells, lines)
    lines = _with_already(fields, charge, lines, already)
    return PriceCase(
        charge,
        from_the_lowest(tiers),
        cells,
        sorted(discounts, key=lambda discount: discount.place),
        lines,
        days,
        of_days,
        is_final,
        already[1] if already else None,
        minor_unit_digits(currency),
        rounding,
    )


def _is_object(fields: Fields, name: str) -> bool:
    return isinstance(fields.members.get(name), Members)


def _read_already(fields: Fields) -> tuple[Decimal, Decimal] | None:
    """The quantity and the amount that were billed before; None if nothing is said of that."""
    already = fields.inner("already_billed")
    if not _is_object(fields, "already_billed"):
        return None
    already.require("amount")
    quantity, amount = already.decimal("quantity"), already.decimal("amount")
    already.close()
    if amount is not None and amount != round_half_away(amount, _AMOUNT_DIGITS):
        reason = f"{amount} has more than {_AMOUNT_DIGITS} digits after its point; round it"
        already.note(Code.BAD_VALUE, "amount", reason)
    return quantity or Decimal(0), amount or Decimal(0)


def _read_charge(about: Fields, names: list[str]) -> Charge | None:
    """The charge; `names` are the properties of the case's groups."""
    name = about.needed("charge_model", one_of(*MODELS))
    if name is None:
        # Nobody knows which columns it may have.
        about.know(*(each for each in (*columns_of(Charge), *TERMS) if each not in _WHOSE))
        return None
    model = MODELS[name]
    own = terms_of(model)
    for term in TERMS:
        if term not in own and term not in _WHOSE:
            about.know(term)
            if about.has(term) and about.members[term] != []:
                about.note(Code.CONTRADICTION, term, term_of_other_models(term, name))
    usual: dict[str, object] = {"charge_code": CHARGE_CODE}
    if issubclass(model, UsageCharge):
        usual["group_by"] = names
    given = _WHOSE | {"charge_model": name}
    return read_row(about, model, given, usual)


def _read_tiers(about: Fields) -> list[Tier] | None:
    """The tiers in the order of the case; None if one is ill-formed, which is noted."""
    noted = len(about.faults)
    tiers, ends = list[Tier](), Decimal(0)
    before: Fields | None = None
    for row in about.rows("tiers", "charge_tiers"):
        if before is not None and not before.has("up_to_units") and not row.has("from_units"):
            reason = "is open, and another tier follows; write where it ends"
            before.note(Code.CONTRADICTION, "up_to_units", reason)
        tier = read_row(row, Tier, _PRICE_OF, {"from_units": ends})
        row.close()
        if tier is not None:
            tiers.append(tier)
            ends = ends if tier.up_to_units is None else tier.up_to_units
        before = row
    return tiers if len(about.faults) == noted else None


def _read_cells(about: Fields, charge: Charge | None) -> list[ChargeCell] | None:
    """The cells in the order of the case; None if one is ill-formed, which is noted."""
    noted = len(about.faults)
    cells = list[ChargeCell]()
    for row in about.rows("cells", "charge_cells"):
        given: dict[str, object] = dict(_PRICE_OF)
        if isinstance(row.members.get("match"), Members):
            given["match"] = _match(row, charge.group_by if charge else ())
        cell = read_row(row, ChargeCell, given, {})
        row.close()
        if cell is not None:
            cells.append(cell)
    return cells if len(about.faults) == noted else None


def _match(cell: Fields, group_by: Sequence[str]) -> str:
    """The member `match` of a cell, an object, as the catalog writes it."""
    texts = {
        name: text
        for name, text in read_group(cell.inner("match"))
        if text is not None and (name in group_by or not is_note(name))
    }
    written = match_text(texts)
    try:
        MATCH.read(written)
    except ValueError as error:
        cell.note(Code.BAD_VALUE, "match", str(error))
    return written


def _read_discounts(fields: Fields, charge: Charge | None, currency: str) -> list[Discount]:
    """The discounts in the order of the case, without those that are ill-formed."""
    code = charge.charge_code if charge else CHARGE_CODE
    rows = fields.rows("discounts", "discounts")
    found = read_discounts(rows, currency, {"charge_codes": [code]})
    for row, discount in found:
        row.close()
        if discount.kind == "units" and isinstance(charge, Flat | Percentage):
            reason = f"units are not taken off a {charge.charge_model} charge; write another kind"
            row.note(Code.CONTRADICTION, "kind", reason)
        if code not in (CHARGE_CODE, *discount.charge_codes):
            reason = f"do not name {shown(code)}, which is priced; leave the discount out"
            row.note(Code.CONTRADICTION, "charge_codes", reason)
    discounts = [discount for _, discount in found]
    note_problems((problem for each in discounts for problem in each.problems()), rows)
    return discounts


def _judge(
    about: Fields, charge: Charge, tiers: Sequence[Tier], cells: Sequence[ChargeCell]
) -> bool:
    """True if the charge, its tiers and cells go together; else what is wrong is noted."""
    problems = [*_problems(charge, from_the_lowest(tiers), cells)]
    rows = [about], about.rows("tiers", "charge_tiers"), about.rows("cells", "charge_cells")
    note_problems(problems, *rows)
    return not problems


def _problems(
    charge: Charge, tiers: Sequence[Tier], cells: Sequence[ChargeCell]
) -> Iterator[Problem]:
    yield from charge.problems()
    of_tiers = charge.tier_problems(tiers)
    # In a case, tiers are within their charge and do not name it.
    if not tiers:
        yield from (replace(problem, column="tiers") for problem in of_tiers)
    else:
        yield from map(_without_code, of_tiers)
        yield from gaps_between(tiers) if isinstance(charge, TieredCharge) else ()
    for cell in cells:
        yield from map(_without_code, cell.problems(charge))
    if isinstance(charge, Matrix):
        yield from ambiguities(cells)


def _without_code(problem: Problem) -> Problem:
    return replace(problem, column="") if problem.column == "charge_code" else problem


def _note_unpriced(fields: Fields, cells: Sequence[ChargeCell], lines: Sequence[UsageLine]) -> None:
    for place in groups_without_cell(cells, [line.group for line in lines]):
        reason = (
            f"{shown_group(lines[place])} has no cell, and the charge no unit_price, so a bill "
            "would only list such usage; add a cell, or a unit_price"
        )
        fields.note(Code.CONTRADICTION, lines[place].place, reason)


def _with_already(
    fields: Fields,
    charge: Charge,
    lines: list[UsageLine],
    already: tuple[Decimal, Decimal] | None,
) -> list[UsageLine]:
    """The lines with the quantity that was billed before."""
    if already is None:
        return lines
    others = [name for name in SOURCES if name != QUANTITY and fields.has(name)]
    if others:
        reason = f"goes with quantity or a flat charge, and the case has {others[0]}; leave one"
        fields.note(Code.CONTRADICTION, "already_billed", reason)
        return lines
    quantity, _ = already
    if not isinstance(charge, UsageCharge):
        if quantity:
            reason = f"is {quantity}, and a {charge.charge_model} charge has no usage; leave it out"
            fields.note(Code.CONTRADICTION, "already_billed.quantity", reason)
        return lines
    return [_whole(fields, line, quantity) for line in lines]


def _whole(fields: Fields, line: UsageLine, before: Decimal) -> UsageLine:
    quantity = exact_sum((before, line.quantity))
    note_too_great(fields, "already_billed.quantity", quantity)
    return replace(line, quantity=quantity, priced=quantity)
