"""Billing periods and days, one subscription at a time (billing.md §5 and §6, books.md §1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from witness.clocks import DAY, first_instant, midnight, shown

When = date | datetime
"""A local date, or an instant with a zone."""

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True)
class Phase:
    """A change of plan; with `realign` the anchor moves to it."""

    start: When
    plan_code: str
    realign: bool = False


@dataclass(frozen=True)
class Closed:
    """A closed period, as it is stored."""

    start_label: datetime
    end_label: datetime
    start_at: datetime
    end_at: datetime
    cut_at: datetime
    time_zone: str


@dataclass(frozen=True)
class Life:
    """A subscription, with what its customer says of zone and grace, and its closed periods."""

    start: When
    interval: str
    time_zone: str
    end: When | None = None
    interval_count: int = 1
    anchor: str = "anniversary"
    anchor_day: str | None = None
    anchor_at: When | None = None
    trial_until: When | None = None
    grace_period_days: int = 0
    plan_code: str = "p"
    phases: Sequence[Phase] = ()
    pauses: Sequence[tuple[When, When]] = ()
    closed: Sequence[Closed] = ()


@dataclass
class Period:
    """A billing period of open time."""

    phase_index: int
    plan_code: str
    start_label: datetime
    end_label: datetime
    start_at: datetime
    end_at: datetime
    full_start_label: datetime
    full_end_label: datetime
    full_start_at: datetime
    full_end_at: datetime
    cut_at: datetime
    is_trial: bool = False
    service_days: int = 0
    full_days: int = 0


@dataclass(frozen=True)
class _Point:
    label: datetime
    at: datetime


@dataclass(frozen=True)
class _Stretch:
    """Time in which one plan and one anchor are in force."""

    phase_index: int
    plan_code: str
    start: _Point
    end: _Point | None
    anchor: datetime
    nominal_day: int
    is_stored: bool = field(default=False)


def point(life: Life, when: When) -> _Point:
    """The label and the instant of a date or an instant of the catalog."""
    if not isinstance(when, datetime):
        return _Point(midnight(when), first_instant(life.time_zone, midnight(when)))
    for closed in life.closed:
        if closed.start_at <= when < closed.end_at:
            return _Point(shown(closed.time_zone, when), when)
    return _Point(shown(life.time_zone, when), when)


def anchor_of(life: Life) -> tuple[datetime, int]:
    """The label that boundaries are counted from, and the day of the month that is meant."""
    start = point(life, life.start).label
    day = start.date()
    if life.anchor == "anniversary":
        return start, start.day
    if life.anchor == "at":
        assert life.anchor_at is not None
        at = point(life, life.anchor_at).label
        return at, at.day
    if life.anchor == "day" and life.interval == "week":
        monday = day - day.weekday() * DAY
        return midnight(monday + WEEKDAYS.index(str(life.anchor_day)) * DAY), 0
    if life.anchor == "day":
        wanted = int(str(life.anchor_day))
        return midnight(in_month(day.year * 12 + day.month - 1, wanted)), wanted
    first = {
        "day": day,
        "week": day - day.weekday() * DAY,
        "month": day.replace(day=1),
        "quarter": day.replace(month=day.month - (day.month - 1) % 3, day=1),
        "half_year": day.replace(month=day.month - (day.month - 1) % 6, day=1),
        "year": day.replace(month=1, day=1),
    }[life.interval]
    return midnight(first), first.day


def in_month(month: int, day: int) -> date:
    """A day of a month (months since year 0), or the month's last day if it has no such day."""
    year, number = divmod(month, 12)
    following = date(year + (number + 1) // 12, (number + 1) % 12 + 1, 1)
    last = (following - DAY).day
    return date(year, number + 1, min(day, last))


def boundary(life: Life, stretch: _Stretch, k: int) -> _Point:
    """The k-th boundary of the rhythm that is in force."""
    anchor = stretch.anchor
    if life.interval in DAYS:
        label = anchor + k * life.interval_count * DAYS[life.interval] * DAY
    else:
        months = anchor.year * 12 + anchor.month - 1
        months += k * life.interval_count * MONTHS[life.interval]
        label = datetime.combine(in_month(months, stretch.nominal_day), anchor.time())
    return _Point(label, first_instant(life.time_zone, label))


def stretches(life: Life) -> list[_Stretch]:
    """The phases of a life, in order, whatever is closed."""
    anchor, nominal = anchor_of(life)
    changes = sorted(life.phases, key=lambda phase: point(life, phase.start).at)
    starts = [point(life, life.start), *(point(life, phase.start) for phase in changes)]
    end = None if life.end is None else point(life, life.end)
    plans = [life.plan_code, *(phase.plan_code for phase in changes)]
    found = []
    for number, start in enumerate(starts):
        if number and changes[number - 1].realign:
            anchor, nominal = start.label, start.label.day
        following = starts[number + 1] if number + 1 < len(starts) else end
        found.append(_Stretch(number, plans[number], start, following, anchor, nominal))
    return found


def open_stretches(life: Life) -> Iterator[_Stretch]:
    """The stretches without closed time, compared by label; shared bounds are the stored ones."""
    end = None if life.end is None else point(life, life.end)
    start: _Point | None = point(life, life.start)
    is_stored = False
    gaps = list[tuple[_Point, _Point | None, bool]]()
    for closed in sorted(life.closed, key=lambda each: each.start_label):
        assert start is not None
        if start.label < closed.start_label:
            gaps.append((start, _Point(closed.start_label, closed.start_at), is_stored))
        start, is_stored = _Point(closed.end_label, closed.end_at), True
    assert start is not None
    if end is None or start.label < end.label:
        gaps.append((start, end, is_stored))
    for gap_start, gap_end, stored in gaps:
        for each in stretches(life):
            first, last, is_gap_start = each.start, each.end, False
            if first.label <= gap_start.label or first.at <= gap_start.at:
                first, is_gap_start = gap_start, stored
            if gap_end is not None and (
                last is None or last.label >= gap_end.label or last.at >= gap_end.at
            ):
                last = gap_end
            if last is not None and (last.label <= first.label or last.at <= first.at):
                continue
            yield _Stretch(
                each.phase_index,
                each.plan_code,
                first,
                last,
                each.anchor,
                each.nominal_day,
                is_gap_start,
            )


def open_periods(life: Life, until: datetime) -> list[Period]:
    """The periods of open time that start by an instant."""
    found = list[Period]()
    for stretch in open_stretches(life):
        found += _periods_of(life, stretch, until)
    for each in found:
        _count_days(life, each, found)
    return [each for each in found if each.start_at <= until]


def _periods_of(life: Life, stretch: _Stretch, until: datetime) -> Iterator[Period]:
    latest_closed = max((closed.cut_at for closed in life.closed), default=None)
    start, k = stretch.start, _early_k(life, stretch)
    is_first = True
    # One more than is asked for: it may take the day on which the last one ends.
    is_asked = True
    while is_asked or is_first:
        is_asked = start.at <= until
        while not _may_end(start, boundary(life, stretch, k)):
            k += 1
        before, end = boundary(life, stretch, k - 1), boundary(life, stretch, k)
        if is_first and not stretch.is_stored and before.at == start.at:
            # The zone skipped the day of the start: the day that follows names the period.
            start = _Point(max(before.label, start.label), start.at)
        elif not is_first:
            start = before
        full_end, is_first = end, False
        is_last = stretch.end is not None and (
            end.label >= stretch.end.label or end.at >= stretch.end.at
        )
        if is_last:
            assert stretch.end is not None
            end = stretch.end
        grace_label = end.label + life.grace_period_days * DAY
        cut_at = max(end.at, first_instant(life.time_zone, grace_label))
        trial = None if life.trial_until is None else point(life, life.trial_until)
        yield Period(
            phase_index=stretch.phase_index,
            plan_code=stretch.plan_code,
            start_label=start.label,
            end_label=end.label,
            start_at=start.at,
            end_at=end.at,
            full_start_label=before.label,
            full_end_label=full_end.label,
            full_start_at=before.at,
            full_end_at=full_end.at,
            cut_at=max(cut_at, latest_closed or cut_at),
            is_trial=trial is not None and end.at <= trial.at,
        )
        if is_last:
            return
        start = end


def _may_end(start: _Point, boundary: _Point) -> bool:
    return boundary.label.date() > start.label.date() and boundary.at > start.at


def _early_k(life: Life, stretch: _Stretch) -> int:
    """A k whose boundary lies before the stretch."""
    k = 0
    while boundary(life, stretch, k).label >= stretch.start.label - 3 * DAY:
        k -= 1
    while boundary(life, stretch, k + 1).label < stretch.start.label - 3 * DAY:
        k += 1
    return k


def _count_days(life: Life, period: Period, periods: Sequence[Period]) -> None:
    """Counts each local day for the period that is in force last on it."""
    day, last = period.full_start_label.date(), period.full_end_label.date()
    spans = [(each.start_label, each.end_label) for each in periods]
    spans += [(closed.start_label, closed.end_label) for closed in life.closed]
    while day < last:
        period.full_days += 1
        begin, end = midnight(day), midnight(day + DAY)
        last_span = max((span for span in spans if span[0] < end and span[1] > begin), default=None)
        if last_span == (period.start_label, period.end_label) and not _is_off(life, day):
            period.service_days += 1
        day += timedelta(days=1)


def _is_off(life: Life, day: date) -> bool:
    """True for a day of the trial or of a pause."""
    if life.trial_until is not None and day < point(life, life.trial_until).label.date():
        return True
    for start, end in life.pauses:
        if point(life, start).label.date() <= day < point(life, end).label.date():
            return True
    return False
