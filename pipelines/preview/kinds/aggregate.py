"""`aggregate`: events to quantities, by the SQL that bills."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.periods.lives import NOTHING_CLOSED, WHEN, resolved, when_cell
from pipelines.periods.local_days import local_days
from pipelines.periods.zones import labels_at
from pipelines.preview.faults import CaseError, Code, Fault
from pipelines.preview.kinds.kind import Key, Kind, Result
from pipelines.preview.usage_cases import BOUNDS, CaseEvent, UsageCase, read_usage_case
from pipelines.preview.windows import Window, windows_of
from pipelines.vocabulary.frames import LOCAL_DAYS, ZONE_SPANS
from pipelines.vocabulary.instants import rfc3339_text
from pipelines.vocabulary.money import plain_decimal
from pipelines.warehouse.metric_counts import (
    EARLIER,
    OWN,
    CaseCounts,
    Counted,
    GivenEvent,
    GivenSpan,
    MetricCase,
    metric_counts,
)
from pipelines.warehouse.metric_macros import Definition

WINDOWS_MAX = 100_000
"""Most windows of a case, over all of its groups."""


@dataclass(frozen=True)
class _Period:
    """The bounds of a case's period, as instants."""

    start: datetime
    end: datetime
    full_start: datetime
    full_end: datetime


def _answer(cases: Mapping[Key, UsageCase]) -> dict[Key, Result | CaseError]:
    periods = _periods(cases)
    found: dict[Key, Result | CaseError] = {}
    windows: dict[Key, list[Window]] = {}
    for key, case in cases.items():
        faults = [*_period_faults(periods[key])]
        if not faults and case.definition["by_days"]:
            faults = [*_day_faults(case.time_zone, periods[key])]
        if not faults and case.windows is not None:
            windows[key] = windows_of(
                case.windows, case.time_zone, periods[key].start, periods[key].end, WINDOWS_MAX + 1
            )
            if len(windows[key]) > WINDOWS_MAX:
                reason = f"there are more than {WINDOWS_MAX}; ask for wider ones"
                faults.append(Fault(Code.TOO_LARGE, "windows", reason))
        if faults:
            found[key] = CaseError(faults)
    asked = {key: case for key, case in cases.items() if key not in found}
    counts = metric_counts(
        {key: _metric_case(case, periods[key]) for key, case in asked.items()},
        _days(asked, periods),
    )
    of_windows = metric_counts(
        {key: _window_case(asked[key], periods[key], each) for key, each in windows.items()
         if key in asked}, LOCAL_DAYS.to_frame()
    )  # fmt: skip
    for key, case in asked.items():
        found[key] = _result(case, counts[key], windows.get(key, []), of_windows.get(key))
    return found


def _days(cases: Mapping[Key, UsageCase], periods: Mapping[Key, _Period]) -> pl.DataFrame:
    """The local days of the cases that count them; schema `LOCAL_DAYS`."""
    instants = [
        (case.time_zone, at, at)
        for key, case in cases.items()
        if _needs_days(case.definition)
        for at in _instants(case, periods[key])
    ]
    return local_days(pl.DataFrame(instants, ZONE_SPANS, orient="row"))


def _needs_days(definition: Definition) -> bool:
    return bool(definition["by_days"]) or definition["bucket"] == "day"


def _instants(case: UsageCase, period: _Period) -> Iterator[datetime]:
    yield from (period.start, period.end, period.full_start, period.full_end)
    if case.events:
        yield min(event.occurred_at for event in case.events)


def _periods(cases: Mapping[Key, UsageCase]) -> dict[Key, _Period]:
    rows = [
        {"key": key, "time_zone": case.time_zone, "subscription_id": str(key)}
        | {name: when_cell(bound) for name, bound in zip(BOUNDS, case.bounds, strict=True)}
        for key, case in cases.items()
    ]
    schema = pl.Schema(
        {"key": pl.Int64(), "time_zone": pl.String(), "subscription_id": pl.String(),
         **dict.fromkeys(BOUNDS, WHEN)}
    )  # fmt: skip
    frame = resolved(pl.DataFrame(rows, schema), NOTHING_CLOSED, *BOUNDS)
    return {
        row["key"]: _Period(
            row["start_at"],
            row["end_at"],
            row["full_start_at"] or row["start_at"],
            row["full_end_at"] or row["end_at"],
        )
        for row in frame.iter_rows(named=True)
    }


def _period_faults(period: _Period) -> Iterator[Fault]:
    for start, end, name in (
        (period.start, period.end, "end"),
        (period.full_start, period.full_end, "full_end"),
    ):
        if end <= start:
            reason = "expected later than the start, found an end before or at it; correct one"
            yield Fault(Code.CONTRADICTION, f"period.{name}", reason)


def _day_faults(time_zone: str, period: _Period) -> Iterator[Fault]:
    bounds = pl.Series([period.full_start, period.full_end], dtype=pl.Datetime("us", "UTC"))
    first, last = labels_at(pl.Series([time_zone] * 2), bounds).dt.date()
    if first == last:
        reason = "holds no local day, so nothing is a share of it; write whole days"
        yield Fault(Code.CONTRADICTION, "period", reason)


def _kept(case: UsageCase) -> Iterator[CaseEvent]:
    """The events of a case, without those whose key came before."""
    keys = set()
    for event in case.events:
        if case.dedupes and event.key is not None:
            if event.key in keys:
                continue
            keys.add(event.key)
        yield event


def _metric_case(case: UsageCase, period: _Period) -> MetricCase:
    is_recurring = case.definition["recurring"] and case.level is None
    events = [
        GivenEvent(event.occurred_at, event.place, event.properties, event.name,
                   OWN if event.occurred_at >= period.start else EARLIER)
        for event in _kept(case)
        if event.occurred_at < period.end
        and (event.occurred_at >= period.start or is_recurring)
    ]  # fmt: skip
    span = GivenSpan(OWN, period.start, period.end, period.full_start, period.full_end)
    return MetricCase(case.definition, events, [span], case.time_zone, case.level)


def _window_case(case: UsageCase, period: _Period, windows: list[Window]) -> MetricCase:
    """The same, with a span for each window; what lies outside the period counts in none."""
    starts = pl.Series([window.start for window in windows], dtype=pl.Datetime("us", "UTC"))
    kept = [event for event in _kept(case) if period.start <= event.occurred_at < period.end]
    at = pl.Series([event.occurred_at for event in kept], dtype=pl.Datetime("us", "UTC"))
    slots = starts.search_sorted(at, side="right").to_list() if kept else []
    events = [
        GivenEvent(event.occurred_at, event.place, event.properties, event.name, slot)
        for event, slot in zip(kept, slots, strict=True)
    ]
    spans = [
        GivenSpan(slot, window.start, window.end, window.start, window.end)
        for slot, window in enumerate(windows, OWN)
    ]
    return MetricCase(case.definition, events, spans, case.time_zone)


def _result(
    case: UsageCase, counts: CaseCounts, windows: list[Window], of_windows: CaseCounts | None
) -> Result | CaseError:
    if counts.is_overflow or (of_windows is not None and of_windows.is_overflow):
        reason = "the quantity has more than 20 digits before its point; count larger units"
        return CaseError([Fault(Code.OVERFLOW, "metric", reason)])
    groups = {counted.group: counted for counted in counts.counted}
    if not case.definition["group_by"] and not groups:
        groups[()] = _nothing(case, OWN, ())
    # Null comes first, then texts by code point.
    ordered = sorted(groups, key=lambda group: [(text is not None, text or "") for text in group])
    if len(ordered) * len(windows) > WINDOWS_MAX:
        reason = f"there are more than {WINDOWS_MAX} over all groups; ask for wider ones"
        return CaseError([Fault(Code.TOO_LARGE, "windows", reason)])
    of_window = {(each.group, each.slot): each for each in of_windows.counted} if of_windows else {}
    return {
        "groups": [_group(case, groups[group]) for group in ordered],
        "unmetered": [
            {"index": place, "reason": reason} for place, reason in sorted(counts.unmetered.items())
        ],
        "windows": [
            _window(case, window, of_window.get((group, slot)) or _nothing(case, slot, group))
            for group in ordered
            for slot, window in enumerate(windows, OWN)
        ],
    }


def _nothing(case: UsageCase, slot: int, group: tuple[str | None, ...]) -> Counted:
    empty = case.definition["traits"]["empty"]
    return Counted(slot, group, None if empty is None else Decimal(empty), 0, None, None)


def _group(case: UsageCase, counted: Counted) -> dict[str, Any]:
    quantity = counted.quantity
    return {
        "group": _named(case, counted),
        "quantity": None if quantity is None else plain_decimal(quantity),
        "billed_quantity": plain_decimal(max(quantity or Decimal(0), Decimal(0))),
        "event_count": counted.event_count,
        "first_occurred_at": _instant_text(counted.first_at),
        "last_occurred_at": _instant_text(counted.last_at),
    }


def _window(case: UsageCase, window: Window, counted: Counted) -> dict[str, Any]:
    quantity = counted.quantity
    return {
        "group": _named(case, counted),
        "start": _instant_text(window.start),
        "end": _instant_text(window.end),
        "quantity": None if quantity is None else plain_decimal(quantity),
        "event_count": counted.event_count,
    }


def _named(case: UsageCase, counted: Counted) -> dict[str, str | None]:
    return dict(zip(case.definition["group_by"], counted.group, strict=True))


def _instant_text(at: datetime | None) -> str | None:
    return None if at is None else rfc3339_text(at)


KIND = Kind("aggregate", read_usage_case, _answer)
