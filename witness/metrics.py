"""Quantities: the events of one subscription in one period, counted by a metric (billing.md §3)."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from witness.clocks import DAY, first_instant, midnight, shown
from witness.events import Event, Metric, Valued, matches, valued_of
from witness.expressions import FRACTION_DIGITS, Nothing, half_away

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """A billing period, and the full period of which it is all or a part."""

    start: datetime
    end: datetime
    full_start: datetime
    full_end: datetime
    time_zone: str = "Etc/UTC"


@dataclass(frozen=True)
class Usage:
    """The quantity of a group; None is no value."""

    group: Mapping[str, str | None]
    quantity: Fraction | None
    event_count: int
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None

    @property
    def billed_quantity(self) -> Fraction:
        """What is priced: never less than 0."""
        return max(self.quantity or Fraction(0), Fraction(0))


def usage(
    metric: Metric, events: Sequence[Event], span: Span
) -> tuple[list[Usage], dict[int, str]]:
    """The quantity of each group, and why an event of the period has none, by its place.

    Args:
        metric: what is counted.
        events: of the subscription, from all of its life, in any order.
        span: the period.
    """
    groups = defaultdict[tuple[str | None, ...], list[Valued]](list)
    unmetered = dict[int, str]()
    for event in sorted(events, key=lambda each: (each.occurred_at, each.place)):
        if not matches(metric, event) or event.occurred_at >= span.end:
            continue
        if event.occurred_at < span.start and not metric.recurring:
            continue
        valued = valued_of(metric, event)
        if isinstance(valued, Nothing):
            if event.occurred_at >= span.start:
                unmetered[event.place] = valued.reason
            continue
        groups[tuple(event.properties.get(name) for name in metric.group_by)].append(valued)
    if not metric.group_by:
        groups.setdefault((), [])
    # Null comes first, then texts by code point.
    ordered = sorted(groups, key=lambda key: [(text is not None, text or "") for text in key])
    return [_usage(metric, key, groups[key], span) for key in ordered], unmetered


def _usage(
    metric: Metric, key: tuple[str | None, ...], history: Sequence[Valued], span: Span
) -> Usage:
    before = [each for each in history if each.at < span.start]
    inside = [each for each in history if each.at >= span.start]
    quantity = quantity_of(metric, before, inside, span)
    if quantity is not None and metric.round is not None:
        quantity = rounded(quantity, metric.round, metric.round_digits)
    return Usage(
        dict(zip(metric.group_by, key, strict=True)),
        quantity,
        len(inside),
        inside[0].at if inside else None,
        inside[-1].at if inside else None,
    )


def rounded(number: Fraction, how: str, digits: int) -> Fraction:
    """A result by `round`, `ceil` or `floor`; negative digits are tens, hundreds and so on."""
    if how == "round":
        return half_away(number, digits)
    units = Fraction(10) ** digits
    counted = number * units
    whole = counted.numerator // counted.denominator
    if how == "ceil" and whole != counted:
        whole += 1
    return Fraction(whole) / units


def quantity_of(
    metric: Metric, before: Sequence[Valued], inside: Sequence[Valued], span: Span
) -> Fraction | None:
    """The quantity of one group.

    Args:
        metric: what is counted.
        before: valued events before the period, in order; none unless the metric is recurring.
        inside: those of the period, in order.
        span: the period.
    """
    if metric.bucket is not None:
        return _bucketed(metric, inside, span)
    if metric.by_days:
        return _by_days(metric, before, inside, span)
    return AGGREGATIONS[metric.aggregation](metric, before, inside, span)


def _count(_: Metric, __: Sequence[Valued], inside: Sequence[Valued], ___: Span) -> Fraction:
    return Fraction(len(inside))


def _sum(_: Metric, before: Sequence[Valued], inside: Sequence[Valued], __: Span) -> Fraction:
    return sum((each.number for each in [*before, *inside]), Fraction(0))


def _extreme(choose: Callable[[list[Fraction]], Fraction]) -> "Aggregation":
    def result(
        _: Metric, before: Sequence[Valued], inside: Sequence[Valued], __: Span
    ) -> Fraction | None:
        # A gauge persists: its last level before the period counts as an event at its start.
        numbers = [each.number for each in [*before[-1:], *inside]]
        return choose(numbers) if numbers else None

    return result


def _average(
    _: Metric, __: Sequence[Valued], inside: Sequence[Valued], ___: Span
) -> Fraction | None:
    if not inside:
        return None
    total = sum((each.number for each in inside), Fraction(0))
    return half_away(total / len(inside), FRACTION_DIGITS)


def _latest(
    _: Metric, before: Sequence[Valued], inside: Sequence[Valued], __: Span
) -> Fraction | None:
    history = [*before, *inside]
    return history[-1].number if history else None


def _unique(_: Metric, before: Sequence[Valued], inside: Sequence[Valued], __: Span) -> Fraction:
    added = dict[str, bool]()
    for each in [*before, *inside]:
        added[each.text] = each.adds
    return Fraction(sum(added.values()))


def _weighted(
    metric: Metric, before: Sequence[Valued], inside: Sequence[Valued], span: Span
) -> Fraction:
    level, at, area = Fraction(0), span.start, Fraction(0)
    for each in before:
        level = each.number if metric.values == "levels" else level + each.number
    for each in inside:
        area += level * _microseconds(each.at - at)
        level, at = each.number if metric.values == "levels" else level + each.number, each.at
    area += level * _microseconds(span.end - at)
    return half_away(area / _microseconds(span.full_end - span.full_start), FRACTION_DIGITS)


def _microseconds(time: timedelta) -> int:
    return time // MICROSECOND


def _percentile(
    metric: Metric, _: Sequence[Valued], inside: Sequence[Valued], __: Span
) -> Fraction | None:
    return nearest_rank([each.number for each in inside], str(metric.percentile))


def nearest_rank(numbers: Sequence[Fraction], percent: str) -> Fraction | None:
    """The least of the numbers that so many percent of them do not exceed."""
    if not numbers:
        return None
    share = Fraction(percent) * len(numbers) / 100
    rank = -((-share.numerator) // share.denominator)
    return sorted(numbers)[rank - 1]


Aggregation = Callable[[Metric, Sequence[Valued], Sequence[Valued], Span], Fraction | None]

AGGREGATIONS: dict[str, Aggregation] = {
    "count": _count,
    "sum": _sum,
    "min": _extreme(min),
    "max": _extreme(max),
    "average": _average,
    "latest": _latest,
    "unique_count": _unique,
    "weighted_sum": _weighted,
    "percentile": _percentile,
}


def _by_days(
    metric: Metric, before: Sequence[Valued], inside: Sequence[Valued], span: Span
) -> Fraction:
    """The result weighted by local days: a seat of half the days of the full period is half."""
    days = [*_days(span.start, span.end, span.time_zone)]
    of = len([*_days(span.full_start, span.full_end, span.time_zone)])
    if metric.aggregation == "sum":
        area = sum((each.number for each in before), Fraction(0)) * len(days)
        for each in inside:
            own = shown(span.time_zone, each.at).date()
            area += each.number * len([day for day in days if day >= own])
        return half_away(area / of, FRACTION_DIGITS)
    assert metric.aggregation == "unique_count"
    by_text = defaultdict[str, list[Valued]](list)
    for each in [*before, *inside]:
        by_text[each.text].append(each)
    held = sum(
        _held_on(day, of_text, span.time_zone) for of_text in by_text.values() for day in days
    )
    return half_away(Fraction(held, of), FRACTION_DIGITS)


def _held_on(day: date, history: Sequence[Valued], time_zone: str) -> bool:
    """True if a text is added at any instant of a local day."""
    start = first_instant(time_zone, midnight(day))
    end = first_instant(time_zone, midnight(day + DAY))
    earlier = [each for each in history if each.at <= start]
    later = [each for each in history if start < each.at < end]
    return bool(earlier and earlier[-1].adds) or any(each.adds for each in later)


def _days(start: datetime, end: datetime, time_zone: str) -> Iterator[date]:
    """The local days of a period: the day of a bound belongs to the period that begins there."""
    day, last = shown(time_zone, start).date(), shown(time_zone, end).date()
    while day < last:
        yield day
        day += DAY


def _bucketed(metric: Metric, inside: Sequence[Valued], span: Span) -> Fraction | None:
    assert metric.bucket is not None
    numbers = list[Fraction]()
    for start, end in buckets(metric.bucket, span):
        clipped = Span(max(start, span.start), min(end, span.end), start, end, span.time_zone)
        parts = defaultdict[tuple[str | None, ...], list[Valued]](list)
        for each in inside:
            if clipped.start <= each.at < clipped.end:
                key = tuple(each.event.properties.get(name) for name in metric.bucket_by)
                parts[key].append(each)
        for part in parts.values():
            number = AGGREGATIONS[metric.aggregation](metric, [], part, clipped)
            assert number is not None
            numbers.append(number)
        if not parts and metric.empty_buckets == "zero":
            numbers.append(Fraction(0))
    if metric.combine == "sum":
        return sum(numbers, Fraction(0))
    if not numbers:
        return None
    if metric.combine == "average":
        return half_away(sum(numbers, Fraction(0)) / len(numbers), FRACTION_DIGITS)
    if metric.combine == "percentile":
        return nearest_rank(numbers, str(metric.percentile))
    return {"min": min, "max": max}[metric.combine](numbers)


def buckets(width: str, span: Span) -> Iterator[tuple[datetime, datetime]]:
    """The buckets that overlap a period, not clipped.

    Days are local. Others are multiples of their width from the UTC hour, or from the UTC day if
    they are wider than an hour.
    """
    if width == "day":
        day = shown(span.time_zone, span.start).date()
        start = first_instant(span.time_zone, midnight(day))
        while start < span.end:
            day += DAY
            end = first_instant(span.time_zone, midnight(day))
            if end > max(start, span.start):
                yield start, end
            start = max(start, end)
        return
    step = _width(width)
    start = EPOCH + (span.start - EPOCH) // step * step
    while start < span.end:
        yield start, start + step
        start += step


def _width(text: str) -> timedelta:
    found = re.fullmatch(r"(?:(\d+) )?(minute|hour)s?", text)
    if found is None:
        raise ValueError(f"no width of a bucket: {text}")
    return int(found[1] or 1) * timedelta(**{f"{found[2]}s": 1})
