"""Plan prices: what a plan comes to in metered periods, by the SQL that bills."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import polars as pl

from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.flat import Flat
from pipelines.catalog.charge_models.percentage import Percentage
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.table import Tables
from pipelines.catalog.tables.charge_cells import ChargeCell
from pipelines.catalog.tables.charge_tiers import PriceVersion, Tier, tiers_by_price
from pipelines.catalog.tables.charges import charges_by_model
from pipelines.catalog.tables.plans import Plan
from pipelines.operations.charged_usage import WHOLE, GroupUsed, charged_usage
from pipelines.operations.metered_history import MeteredHistory
from pipelines.preview.price_tables import cell_row, frame_of, price_row, tier_row
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.money import exact_sum, minor_unit_digits
from pipelines.warehouse.rating import (
    CHARGE_DISCOUNTS,
    CHARGE_LINES,
    CHARGES,
    LINE_BUCKETS,
    LINE_EVENTS,
    PRICE_CELLS,
    PRICE_TIERS,
    PRICES,
    ToRate,
    rated,
)

_LINES_AT_ONCE = 100_000
"""Lines that are rated in one call, which bounds its memory."""


@dataclass(frozen=True)
class Version:
    """A price version of a charge, with its tiers from the lowest on, and its cells."""

    charge: Charge
    tiers: Sequence[Tier]
    cells: Sequence[ChargeCell]


@dataclass
class PlanBill:
    """What a plan comes to, before its own bounds, discounts, taxes and credits.

    Attributes:
        amounts: by invoice_id of each period with a price in force.
        faults: why the amount of a period does not hold, by invoice_id.
        left_out: events that the plan would not bill, by metric and reason.
        metric_codes: what its charges in force price.
        totals_priced: charges of single events that are priced by their total.
    """

    amounts: dict[str, Decimal]
    faults: dict[str, str] = field(default_factory=dict)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    metric_codes: set[str] = field(default_factory=set)
    totals_priced: set[str] = field(default_factory=set)


def versions_of(tables: Tables, plan_code: str) -> list[Version]:
    """All price versions of the charges of a plan."""
    of_plan = pl.col("plan_code") == plan_code
    tiers, cells = tiers_by_price(tables), defaultdict[PriceVersion, list[ChargeCell]](list)
    for cell in tables.whole(ChargeCell).where(of_plan):
        cells[cell.price].append(cell)
    return [
        Version(charge, tiers.get(charge.price, []), cells[charge.price])
        for rows in charges_by_model(tables)
        for charge in rows.where(of_plan)
    ]


def bill_of(versions: Sequence[Version], history: MeteredHistory, plan: Plan) -> PlanBill:
    """What the charges in force come to in each period.

    Args:
        versions: see `versions_of`.
        history: the periods, and their usage.
        plan: whose charges they are.

    Raises:
        MeterlineError: a charge in force prices what published marts do not hold.
    """
    applied = _in_force(versions, history.periods)
    bill = PlanBill(dict.fromkeys(applied["invoice_id"], Decimal(0)))
    groups = dict[int, list[GroupUsed]]()
    taken = Counter[str]()
    for (number,), rows in applied.group_by("price_number", maintain_order=True):
        version, invoices = versions[number], rows["invoice_id"]
        charge = version.charge
        if not isinstance(charge, UsageCharge):
            groups[number] = [GroupUsed(each, WHOLE, Decimal(1), 0) for each in invoices]
            continue
        _require_held(charge, history)
        bill.metric_codes.add(charge.metric_code)
        if isinstance(charge, Percentage):
            bill.totals_priced.add(charge.charge_code)
        used = charged_usage(charge, version.cells, invoices, history)
        groups[number] = used.groups
        bill.faults |= used.faults
        taken[charge.metric_code] += used.event_count
        bill.left_out.update(
            {(charge.metric_code, reason): count for reason, count in used.left_out.items()}
        )
    bill.left_out.update(_untaken(versions, applied, history.usage, taken))
    _add_amounts(bill, _to_rate(versions, applied, groups, history.periods, plan), applied)
    return bill


def _untaken(
    versions: Sequence[Version], applied: pl.DataFrame, usage: pl.DataFrame, taken: Counter[str]
) -> dict[tuple[str, str], int]:
    """Events that no charge takes, by metric and reason.

    Where charges of the period price the metric, their filters leave them out.
    """
    metrics = pl.DataFrame(
        {
            "price_number": range(len(versions)),
            "metric_code": [version.charge.metric_code for version in versions],
        },
        {"price_number": pl.Int64(), "metric_code": pl.String()},
    )
    charged = applied.join(metrics, on="price_number")
    found = dict[tuple[str, str], int]()
    of_plan = usage.join(applied, on="invoice_id", how="semi")
    key = ["invoice_id", "metric_code"]
    for metric_code, count in _events(of_plan.join(charged, on=key, how="anti")):
        found[metric_code, "not_charged"] = count
    for metric_code, count in _events(of_plan.join(charged, on=key, how="semi")):
        found[metric_code, "filtered_out"] = count - taken[metric_code]
    return found


def _events(usage: pl.DataFrame) -> Iterable[tuple[str, int]]:
    return usage.group_by("metric_code").agg(pl.sum("event_count")).iter_rows()


def currencies(periods: pl.DataFrame, plan: Plan) -> pl.Series:
    """The currency in which a plan bills each period: its own, or that of the customer."""
    if plan.currency is None:
        return periods["customer_currency"]
    return pl.repeat(plan.currency, periods.height, eager=True)


def _in_force(versions: Sequence[Version], periods: pl.DataFrame) -> pl.DataFrame:
    """The versions that price each period: `invoice_id`, `price_number`; by invoice and charge.

    The newest of the period's first local day counts, and one that was negotiated for the
    subscription before all others. What is billed once is of the subscription's first period.
    """
    numbered = pl.DataFrame(
        {
            "price_number": range(len(versions)),
            "charge_code": [each.charge.charge_code for each in versions],
            "negotiated_for": [each.charge.subscription_id for each in versions],
            "valid_from": [each.charge.valid_from for each in versions],
            "is_once": [
                isinstance(each.charge, Flat) and each.charge.billed == "once" for each in versions
            ],
        },
        _VERSIONS,
    )
    is_own = pl.col("negotiated_for").is_null() | (
        pl.col("negotiated_for") == pl.col("subscription_id")
    )
    return (
        periods.join(numbered, how="cross")
        .filter(pl.col("valid_from") <= pl.col("period_start_date"), is_own)
        .sort(pl.col("negotiated_for").is_not_null(), "valid_from")
        .group_by("invoice_id", "charge_code")
        .last()
        .filter(pl.col("is_first") | ~pl.col("is_once"))
        .sort("invoice_id", "charge_code")
        .select("invoice_id", "price_number")
    )


_VERSIONS = pl.Schema(
    {
        "price_number": pl.Int64(),
        "charge_code": pl.String(),
        "negotiated_for": pl.String(),
        "valid_from": pl.Date(),
        "is_once": pl.Boolean(),
    }
)


def _require_held(charge: UsageCharge, history: MeteredHistory) -> None:
    """Raises if the marts do not hold what the charge prices."""
    reason = None
    if charge.metric_code not in history.adds_up:
        reason = (
            f"prices {charge.metric_code}, which the published marts do not know yet; run "
            "`meterline run` first"
        )
    elif charge.priced_each == "bucket":
        reason = (
            "prices each bucket, and the published marts hold quantities of whole periods; ask "
            "`meterline preview`"
        )
    elif isinstance(charge, Percentage) and charge.per_event:
        reason = (
            f"has {' and '.join(charge.per_event)}, which price single events, and the published "
            "marts hold quantities of whole periods; ask `meterline preview`"
        )
    if reason:
        raise MeterlineError(f"charge {charge.charge_code} of plan {charge.plan_code} {reason}")


def _to_rate(
    versions: Sequence[Version],
    applied: pl.DataFrame,
    groups: Mapping[int, Sequence[GroupUsed]],
    periods: pl.DataFrame,
    plan: Plan,
) -> ToRate:
    """The tables of rating; a charge has the number of its row in `applied`."""
    priced = list(enumerate(versions))
    numbers = {row: number for number, row in enumerate(applied.iter_rows())}
    lines = sorted(
        (
            (numbers[each.invoice_id, price_number], each)
            for price_number, used in groups.items()
            for each in used
        ),
        key=lambda line: (line[0], line[1].group_key),
    )
    digits = [minor_unit_digits(currency) for currency in currencies(periods, plan)]
    terms = periods.select(
        "invoice_id",
        pl.Series("minor_unit_digits", digits, pl.Int64()),
        rounding=pl.lit(plan.rounding),
        days="service_days",
        of_days="full_days",
        is_final=pl.lit(True),
        already_amount=pl.lit(None, CHARGES["already_amount"]),
    )
    charges = applied.join(terms, on="invoice_id", how="left", maintain_order="left")
    return ToRate(
        prices=frame_of((price_row(n, each.charge) for n, each in priced), PRICES),
        tiers=frame_of((tier_row(n, tier) for n, v in priced for tier in v.tiers), PRICE_TIERS),
        cells=frame_of((cell_row(n, cell) for n, v in priced for cell in v.cells), PRICE_CELLS),
        charges=charges.with_row_index("charge_number").cast({"charge_number": pl.Int64()}),
        lines=frame_of(
            (
                {"line_key": key, "charge_number": number, "group_key": each.group_key}
                | {"quantity": each.quantity, "event_count": each.event_count}
                for key, (number, each) in enumerate(lines)
            ),
            CHARGE_LINES,
        ),
        buckets=pl.DataFrame(schema=LINE_BUCKETS),
        events=pl.DataFrame(schema=LINE_EVENTS),
        discounts=pl.DataFrame(schema=CHARGE_DISCOUNTS),
    )


def _add_amounts(bill: PlanBill, given: ToRate, applied: pl.DataFrame) -> None:
    """Adds to each period what its charges come to."""
    invoices = applied["invoice_id"]
    for part in _parts(given):
        for number, amount in rated(part).totals.select("charge_number", "amount").iter_rows():
            invoice_id = invoices[number]
            if amount is None:
                bill.faults[invoice_id] = "an amount has more digits than one may have"
            else:
                bill.amounts[invoice_id] = exact_sum((bill.amounts[invoice_id], Decimal(amount)))


def _parts(given: ToRate) -> Iterator[ToRate]:
    """The charges with their lines, a part at a time; a charge is in one part."""
    line_counts = given.lines.group_by("charge_number").len()
    sized = given.charges.join(line_counts, on="charge_number", how="left").sort("charge_number")
    # A charge without lines is worked out, too.
    part = (1 + pl.col("len").fill_null(0)).cum_sum() // _LINES_AT_ONCE
    for charges in sized.with_columns(part=part).partition_by("part", maintain_order=True):
        lines = given.lines.join(charges, on="charge_number", how="semi", maintain_order="left")
        yield replace(given, charges=charges.select(*CHARGES), lines=lines)
