"""`price`: quantities to lines, by the SQL that bills."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from pipelines.catalog.charge_models.flat import Flat
from pipelines.catalog.charge_models.percentage import Percentage
from pipelines.preview.faults import CaseError, Code, Fault
from pipelines.preview.kinds.kind import Key, Kind, Result
from pipelines.preview.price_cases import PriceCase, read_price_case
from pipelines.preview.price_tables import numbered, to_rate
from pipelines.preview.priced_usage import UsageLine, shown_group
from pipelines.vocabulary.money import plain_decimal
from pipelines.warehouse import rating

_BOUND_KINDS = ("maximum", "minimum", "overage", "true_up")
"""Kinds of lines of a charge as a whole, in the order of an invoice."""

_AMOUNTS = ("amount_unrounded", "amount", "discount_amount", "net_amount")

Row = dict[str, Any]
RowsBy = Mapping[int, list[Row]]
"""Rows by the number of a line or charge."""


def _answer(cases: Mapping[Key, PriceCase]) -> dict[Key, Result | CaseError]:
    lines = numbered(cases)
    rated = rating.rated(to_rate(cases, lines))
    rows = {row["line_key"]: row for row in rated.lines.iter_rows(named=True)}
    tiers, events = _by(rated.tiers, "line_key"), _by(rated.events, "line_key")
    bounds = _by(rated.bound_lines, "charge_number")
    totals = {row["charge_number"]: row for row in rated.totals.iter_rows(named=True)}
    numbers: dict[Key, list[int]] = {key: [] for key in cases}
    for number, (key, _) in lines.items():
        numbers[key].append(number)
    found: dict[Key, Result | CaseError] = {}
    for key, case in cases.items():
        own = {number: rows[number] for number in numbers[key]}
        faults = [*_overflows(case, own.values(), bounds.get(key, []), totals[key])]
        if faults:
            found[key] = CaseError(faults)
            continue
        rated_lines = [
            _line(case, line, own[number], tiers.get(number, []), events.get(number, []))
            for number, line in zip(numbers[key], case.lines, strict=True)
        ]
        found[key] = _result(case, rated_lines, bounds.get(key, []), totals[key])
    return found


def _by(rows: pl.DataFrame, number: str) -> RowsBy:
    found: dict[int, list[Row]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row.pop(number), []).append(row)
    return found


def _overflows(
    case: PriceCase, rows: Iterable[Row], bounds: Iterable[Row], total: Row
) -> Iterator[Fault]:
    """What has more digits than an amount holds."""
    for line, row in zip(case.lines, rows, strict=True):
        if any(row[name] is None for name in _AMOUNTS):
            group = shown_group(line)
            yield _overflow(line.place, f"the amount of {group}" if group else "the amount")
    for row in bounds:
        if row["amount"] is None or row["amount_unrounded"] is None:
            yield _overflow("charge", f"the amount of the line {row['kind']}")
    if total["amount"] is None or total["amount_unrounded"] is None:
        yield _overflow("", "the amount of all lines")
    elif case.already_amount is not None and total["difference"] is None:
        yield _overflow("already_billed", "the difference")


def _overflow(path: str, what: str) -> Fault:
    reason = f"{what} has more digits than an amount may have; price less, or larger units"
    return Fault(Code.OVERFLOW, path, reason)


def _line(
    case: PriceCase, line: UsageLine, row: Row, tiers: list[Row], events: list[Row]
) -> dict[str, Any]:
    charge = case.charge
    shows_events = isinstance(charge, Percentage) and charge.per_event
    quantity = charge.quantity if isinstance(charge, Flat) else line.quantity
    return {
        "kind": "flat" if isinstance(charge, Flat) else "usage",
        "group": line.group,
        "quantity": plain_decimal(quantity),
        "billed_quantity": row["billed_quantity"],
        "event_count": line.event_count,
        "unit_price": row["unit_price"],
        **{name: row[name] for name in _AMOUNTS},
        "tiers": tiers,
        "events": [_event(event) for event in events] if shows_events else [],
    }


def _event(row: Row) -> dict[str, Any]:
    return {
        "index": row["position"],
        "free": row["free"],
        "charged": row["charged"],
        "amount_unrounded": row["amount_unrounded"],
    }


def _bound_line(row: Row) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "group": {},
        "quantity": None,
        "billed_quantity": None,
        "event_count": 0,
        "unit_price": None,
        "amount_unrounded": row["amount_unrounded"],
        "amount": row["amount"],
        "discount_amount": "0",
        "net_amount": row["amount"],
        "tiers": [],
        "events": [],
    }


def _result(case: PriceCase, lines: list[Row], bounds: list[Row], total: Row) -> Result:
    already = case.already_amount
    ordered = sorted(bounds, key=lambda row: _BOUND_KINDS.index(row["kind"]))
    return {
        "lines": [*lines, *map(_bound_line, ordered)],
        "amount_unrounded": total["amount_unrounded"],
        "amount": total["amount"],
        "already_billed": None if already is None else plain_decimal(already),
        "difference": total["difference"],
    }


KIND = Kind("price", read_price_case, _answer)
