"""Charged usage: what a charge would take of the usage that was metered, period by period.

Groups, missing properties and quantities below 0 are as in billing. Quantities come from published
marts, which hold them by all properties that a metric keeps.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from pipelines.catalog.charge_models.matrix import Matrix
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.tables.charge_cells import ChargeCell, groups_without_cell
from pipelines.operations.metered_history import MeteredHistory
from pipelines.preview.group_keys import group_key
from pipelines.preview.priced_usage import TOO_GREAT
from pipelines.vocabulary.money import exact_sum
from pipelines.warehouse.charge_filters import groups_taken

WHOLE = "{}"
"""The group of a charge without `group_by`."""


@dataclass(frozen=True)
class GroupUsed:
    """What was used of a group of a charge in a period.

    Attributes:
        invoice_id: of the period.
        group_key: canonical JSON of the charge's `group_by`.
        quantity: exact.
        event_count: of the events behind it.
    """

    invoice_id: str
    group_key: str
    quantity: Decimal
    event_count: int


@dataclass
class ChargedUsage:
    """What a charge takes.

    Attributes:
        groups: what it prices, by invoice_id and group_key.
        faults: why it cannot be priced in a period, by invoice_id.
        left_out: events of groups that no line would bill, by the reason that
            `rpt_unbilled_usage` would give.
        event_count: of all that it is for, billed or not, and of what cannot be told.
    """

    groups: list[GroupUsed] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    event_count: int = 0


def charged_usage(
    charge: UsageCharge, cells: Sequence[ChargeCell], invoices: pl.Series, history: MeteredHistory
) -> ChargedUsage:
    """What a charge takes in some periods.

    Args:
        charge: a version of it.
        cells: those of the version.
        invoices: ids of the invoices of the periods.
        history: what was metered in them.
    """
    found = ChargedUsage()
    of_metric = history.usage.filter(pl.col("metric_code") == charge.metric_code)
    usage = of_metric.join(pl.DataFrame({"invoice_id": invoices}), on="invoice_id", how="semi")
    placed = _placed(charge, usage, found)
    lines = {} if charge.filters else _quantities_of_lines(charge, placed, history.lines)
    adds_up = history.adds_up[charge.metric_code]
    groups = list[GroupUsed]()
    for invoice_id, key, quantities, counts in _by_group(placed).iter_rows():
        quantity: Decimal | None = exact_sum(quantities)
        if len(quantities) > 1 and not adds_up:
            quantity = lines.get((invoice_id, key)) if min(counts) > 0 else None
        if quantity is None:
            found.faults[invoice_id] = _not_held(charge)
        elif quantity.copy_abs() >= TOO_GREAT:
            found.faults[invoice_id] = _beyond(charge)
        else:
            groups.append(GroupUsed(invoice_id, key, quantity, sum(counts)))
    found.groups = _billed(charge, cells, groups, found)
    if not charge.group_by:
        used = {each.invoice_id for each in found.groups}
        unused = (invoice_id for invoice_id in invoices if invoice_id not in used)
        found.groups += [GroupUsed(each, WHOLE, Decimal(0), 0) for each in unused]
    return found


def _placed(charge: UsageCharge, usage: pl.DataFrame, found: ChargedUsage) -> pl.DataFrame:
    """The usage that the charge prices, with `own_key`: the group of the charge that it is in."""
    keys = usage["group_key"].unique()
    asked = {*charge.group_by, *(condition.name for condition in charge.conditions)}
    texts: dict[str, dict[str, str | None]] = {key: json.loads(key) for key in keys}
    lacking = [key for key in keys if asked - texts[key].keys()]
    unkept = usage.filter(pl.col("group_key").is_in(lacking))
    for invoice_id in unkept["invoice_id"]:
        found.faults[invoice_id] = (
            f"charge {charge.charge_code} needs {' and '.join(sorted(asked))}, and "
            f"{charge.metric_code} was kept without"
        )
    known = pl.Series("group_key", [key for key in keys if key not in set(lacking)], pl.String())
    taken = groups_taken(charge.filters, known)
    own_keys = [_own_key(charge, texts[key]) for key in taken]
    mapping = pl.DataFrame({"group_key": taken, "own_key": pl.Series(own_keys, dtype=pl.String())})
    placed = usage.join(mapping, on="group_key")
    found.event_count = _events(placed) + _events(unkept)
    is_missing = pl.col("own_key").is_null()
    found.left_out["missing_dimension"] += _events(placed.filter(is_missing))
    placed = placed.filter(~is_missing)
    # Where all events came too late, there is nothing in time.
    is_late = (pl.col("event_count") == 0) & (pl.col("late_count") > 0)
    placed = placed.filter(pl.col("quantity").is_not_null() | ~is_late)
    for invoice_id in placed.filter(pl.col("quantity").is_null())["invoice_id"]:
        found.faults[invoice_id] = _beyond(charge)
    return placed.filter(pl.col("quantity").is_not_null())


def _events(usage: pl.DataFrame) -> int:
    return sum(usage["event_count"])


def _own_key(charge: UsageCharge, texts: Mapping[str, str | None]) -> str | None:
    """The group of a charge that a group of its metric is in; None: it lacks a property."""
    group = dict[str, str]()
    for name in charge.group_by:
        text = charge.missing_dimension if texts[name] is None else texts[name]
        if text is None:
            return None
        group[name] = text
    return group_key(group)


def _by_group(placed: pl.DataFrame) -> pl.DataFrame:
    """Lists of the quantities and event counts that are one group of the charge."""
    return (
        placed.group_by("invoice_id", "own_key")
        .agg("quantity", "event_count")
        .sort("invoice_id", "own_key")
    )


def _quantities_of_lines(
    charge: UsageCharge, placed: pl.DataFrame, lines: pl.DataFrame
) -> dict[tuple[str, str], Decimal]:
    """Quantities of lines that count the very same, by invoice_id and group.

    Groups of a maximum or of distinct texts do not add up. But where the invoice has a charge of
    the same metric by the same properties, its lines say what the groups come to. They count the
    same where they have all of the events.
    """
    names = sorted(charge.group_by)
    keys = [key for key in lines["group_key"].unique() if sorted(json.loads(key)) == names]
    same = lines.filter(
        pl.col("metric_code") == charge.metric_code, pl.col("group_key").is_in(keys)
    )
    events = placed.group_by("invoice_id").agg(pl.col("event_count").sum())
    whole = (
        same.group_by("invoice_id", "charge_code")
        .agg(pl.col("event_count").sum())
        .join(events, on=["invoice_id", "event_count"])
    )
    rows = same.join(whole, on=["invoice_id", "charge_code"])
    return {
        (invoice_id, key): quantity
        for invoice_id, key, quantity in rows.select(
            "invoice_id", "group_key", "quantity"
        ).iter_rows()
    }


def _billed(
    charge: UsageCharge,
    cells: Sequence[ChargeCell],
    groups: Sequence[GroupUsed],
    found: ChargedUsage,
) -> list[GroupUsed]:
    """Those groups that have a line; the others are counted as left out."""
    billed = list(groups)
    if isinstance(charge, Matrix) and charge.unit_price is None:
        texts = [json.loads(each.group_key) for each in groups]
        unpriced = set(groups_without_cell(cells, texts))
        found.left_out["no_price"] += sum(groups[place].event_count for place in unpriced)
        billed = [each for place, each in enumerate(groups) if place not in unpriced]
    below = [each for each in billed if each.quantity < 0]
    found.left_out["negative_quantity"] += sum(each.event_count for each in below)
    return [each for each in billed if each.quantity >= 0]


def _not_held(charge: UsageCharge) -> str:
    by = f"by {', '.join(sorted(charge.group_by))}" if charge.group_by else "as a whole"
    return (
        f"charge {charge.charge_code} prices {charge.metric_code} {by}, and the marts hold it by "
        "more properties, whose quantities do not add up"
    )


def _beyond(charge: UsageCharge) -> str:
    return f"the quantity of {charge.metric_code} has more than 20 digits before its point"
