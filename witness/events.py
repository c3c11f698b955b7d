"""Events: which of them a metric is about, and the value of each (billing.md §3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from witness.expressions import (
    FRACTION_DIGITS,
    Nothing,
    decimal_text,
    half_away,
    number_of,
    value_of,
)

WHOLE_DIGITS = 20


@dataclass(frozen=True)
class Metric:
    """What is counted, and how; options as the contract names them."""

    aggregation: str
    value: str | None = None
    event_name: str | Sequence[str] | None = None
    filters: Mapping[str, object] = field(default_factory=dict)
    exclude: Sequence[Mapping[str, object]] = ()
    group_by: Sequence[str] = ()
    recurring: bool = False
    operation: str | None = None
    values: str = "changes"
    percentile: str | None = None
    bucket: str | None = None
    combine: str = "sum"
    empty_buckets: str = "skip"
    bucket_by: Sequence[str] = ()
    by_days: bool = False
    fraction_digits: int = FRACTION_DIGITS
    round_values: bool = False
    round: str | None = None
    round_digits: int = 0


@dataclass(frozen=True)
class Event:
    """An event as it was accepted. The order of events is by instant, then by `place`."""

    occurred_at: datetime
    place: int
    properties: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True)
class Valued:
    """An event with its value: a number, or the text of a distinct count."""

    event: Event
    number: Fraction = Fraction(0)
    text: str = ""
    adds: bool = True

    @property
    def at(self) -> datetime:
        """When it occurred."""
        return self.event.occurred_at


def matches(metric: Metric, event: Event) -> bool:
    """True if the metric is about the event."""
    names = metric.event_name
    if names is not None and event.name not in ([names] if isinstance(names, str) else names):
        return False
    if not all(_holds(event, name, rule) for name, rule in metric.filters.items()):
        return False
    # An empty entry excludes nothing.
    return not any(
        entry and all(_holds(event, name, rule) for name, rule in entry.items())
        for entry in metric.exclude
    )


def _holds(event: Event, name: str, rule: object) -> bool:
    text = event.properties.get(name)
    if isinstance(rule, str):
        return text == rule
    if isinstance(rule, Mapping):
        return all(_holds_one(text, operator, operand) for operator, operand in rule.items())
    assert isinstance(rule, Sequence)
    return text in rule


def _holds_one(text: str | None, operator: str, operand: object) -> bool:
    if operator == "exists":
        return (text is not None) == operand
    if operator == "not_in":
        assert isinstance(operand, Sequence)
        return text is None or text not in operand
    number, bound = number_of(text or ""), number_of(str(operand))
    assert isinstance(bound, Fraction)
    if isinstance(number, Nothing):
        return False
    return {
        "gt": number > bound,
        "gte": number >= bound,
        "lt": number < bound,
        "lte": number <= bound,
    }[operator]


def valued_of(metric: Metric, event: Event) -> Valued | Nothing:
    """The event with its value, or why it has none."""
    word = "add" if metric.operation is None else event.properties.get(metric.operation, "add")
    if word not in ("add", "remove"):
        return Nothing("unknown_operation")
    value = Fraction(1) if metric.value is None else value_of(metric.value, event.properties)
    if isinstance(value, Nothing):
        return value
    if metric.aggregation == "unique_count":
        text = value if isinstance(value, str) else decimal_text(value)
        return Valued(event, text=text, adds=word == "add")
    number = _kept(metric, number_of(value) if isinstance(value, str) else value)
    return number if isinstance(number, Nothing) else Valued(event, number)


def _kept(metric: Metric, number: Fraction | Nothing) -> Fraction | Nothing:
    """A number with the digits that the metric keeps."""
    if isinstance(number, Nothing):
        return number
    if abs(number) >= 10**WHOLE_DIGITS:
        return Nothing("too_large")
    kept = half_away(number, metric.fraction_digits)
    return Nothing("too_precise") if kept != number and not metric.round_values else kept
