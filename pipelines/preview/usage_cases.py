"""Usage cases: the events, the metric and the period of a case, read strictly."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from pipelines.catalog.cells import YEARS
from pipelines.preview.faults import Code
from pipelines.preview.fields import Fields, Members, Number, When, is_unicode, property_text
from pipelines.preview.windows import WINDOWS
from pipelines.vocabulary.instants import instant_of, parse_rfc3339
from pipelines.warehouse.metric_macros import Definition, is_sql_text, metric_definition

EVENTS_MAX = 100_000
"""Most events of a case."""

BOUNDS = ("start", "end", "full_start", "full_end")
_WHOLE_NUMBERS = ("fraction_digits", "round_digits")
_CODES = {
    "unknown": Code.UNKNOWN_FIELD,
    "missing": Code.MISSING_FIELD,
    "bad": Code.BAD_VALUE,
    "contradiction": Code.CONTRADICTION,
    "unsupported": Code.NOT_SUPPORTED,
}


@dataclass(frozen=True)
class CaseEvent:
    """An event of a case; `key` is what `dedupe` goes by."""

    occurred_at: datetime
    place: int
    properties: dict[str, str]
    name: str | None
    key: str | None


@dataclass(frozen=True)
class UsageCase:
    """A case as it is read.

    Attributes:
        definition: without faults.
        bounds: start, end, full_start and full_end of the period; the last two may be left out.
        level: the state before the period, in place of events.
        windows: the unit of windows, if any are asked for.
    """

    definition: Definition
    events: list[CaseEvent]
    bounds: tuple[When | None, ...]
    dedupes: bool
    level: Decimal | None
    windows: str | None
    time_zone: str


def read_usage_case(fields: Fields) -> UsageCase:
    """The fields of a case of the kind `aggregate`; what is wrong with them is noted."""
    fields.require("metric", "period")
    zone = fields.time_zone()
    definition = _read_metric(fields)
    period = fields.inner("period")
    if fields.has("period"):
        period.require("start", "end")
    bounds = tuple(period.when(name) for name in BOUNDS)
    period.close()
    events = _read_events(fields)
    level = fields.decimal("level_at_start")
    dedupe, windows = _word(fields, "dedupe", ("none", "first")), _word(fields, "windows", WINDOWS)
    if definition is not None:
        _check_level(fields, definition, level)
        _check_windows(fields, definition, windows)
    return UsageCase(definition or {}, events, bounds, dedupe == "first", level, windows, zone)


def _read_metric(fields: Fields) -> Definition | None:
    metric = fields.inner("metric")
    options = _options(metric.members)
    metric.know(*(name for name in metric.members if not name.startswith("_")))
    metric.close()
    if not isinstance(fields.members.get("metric"), Members):
        return None
    wrong = [name for name in options if not is_sql_text(json.dumps(options[name]) + name)]
    for name in wrong:
        metric.note(Code.BAD_VALUE, name, "has a sign that is no part of a text; remove it")
    if wrong:
        return None
    definition = _defined(json.dumps(options, sort_keys=True))
    for fault in definition["faults"]:
        metric.note(_CODES[fault["kind"]], fault["option"], fault["reason"])
    return definition if not definition["faults"] else None


@cache
def _defined(options: str) -> Definition:
    return metric_definition(json.loads(options))


def _options(members: Members) -> dict[str, object]:
    """The options of a metric as the macro takes them: numbers are texts."""
    return {
        name: _number(value) if name in _WHOLE_NUMBERS else _option(value)
        for name, value in members.items()
        if not name.startswith("_")
    }


def _number(value: object) -> object:
    if isinstance(value, Number) and value.text.lstrip("-").isdecimal() and len(value.text) < 4:
        return int(value.text)
    return _option(value)


def _option(value: object) -> object:
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Members):
        return {name: _option(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [("true" if each else "false") if isinstance(each, bool) else _option(each)
                for each in value]  # fmt: skip
    return value


def _word(fields: Fields, name: str, words: tuple[str, ...]) -> str | None:
    fields.know(name)
    value = fields.members.get(name)
    if value is None:
        return None
    if value not in words:
        fields.note(Code.BAD_VALUE, name, f"expected one of {', '.join(words)}; write one of them")
        return None
    return str(value)


def _check_level(fields: Fields, definition: Definition, level: Decimal | None) -> None:
    if level is None:
        return
    if not definition["recurring"]:
        reason = "goes with a recurring metric; remove it, or add recurring"
        fields.note(Code.CONTRADICTION, "level_at_start", reason)
    for what, is_there in (
        ("unique_count, whose state is texts", definition["aggregation"] == "unique_count"),
        ("group_by, where each group has a state", bool(definition["group_by"])),
    ):
        if is_there:
            reason = f"is refused with {what}; write earlier events instead"
            fields.note(Code.NOT_SUPPORTED, "level_at_start", reason)


def _check_windows(fields: Fields, definition: Definition, windows: str | None) -> None:
    if windows is None:
        return
    wrong = [name for name in ("recurring", "by_days", "bucket") if definition[name]]
    if definition["aggregation"] == "weighted_sum":
        wrong.append("weighted_sum")
    if wrong:
        reason = f"do not go with {' and '.join(wrong)}; leave them out"
        fields.note(Code.NOT_SUPPORTED, "windows", reason)


def _read_events(fields: Fields) -> list[CaseEvent]:
    fields.know("events")
    given = fields.members.get("events")
    if given is None:
        return []
    if not isinstance(given, list):
        fields.note(Code.BAD_VALUE, "events", "expected a list; write one")
        return []
    if len(given) > EVENTS_MAX:
        reason = f"has {len(given)} events; at most {EVENTS_MAX} are taken"
        fields.note(Code.TOO_LARGE, "events", reason)
        return []
    events = []
    for place, value in enumerate(given):
        path = f"events[{place}]"
        if not isinstance(value, Members):
            fields.note(Code.BAD_VALUE, path, "expected an object; write one")
            continue
        event = _read_event(Fields(value, path, faults=fields.faults), place)
        if event is not None:
            events.append(event)
    return events


def _read_event(event: Fields, place: int) -> CaseEvent | None:
    faults = len(event.faults)
    event.require("occurred_at")
    event.know("occurred_at", "event_name", "key", "properties")
    at = event.members.get("occurred_at")
    occurred_at = None
    try:
        if event.has("occurred_at"):
            occurred_at = _instant(at)
    except ValueError as error:
        event.note(Code.BAD_VALUE, "occurred_at", str(error))
    properties = event.members.get("properties")
    if properties is None:
        event.note(Code.MISSING_FIELD, "properties", "is missing; write it, {} if there is none")
    elif not isinstance(properties, Members):
        event.note(Code.BAD_VALUE, "properties", "expected an object; write one")
    texts = dict(_properties(event, properties)) if isinstance(properties, Members) else {}
    names = []
    for name in ("event_name", "key"):
        value = event.members.get(name)
        if value is not None and not (isinstance(value, str) and is_unicode(value)):
            event.note(Code.BAD_VALUE, name, "expected a text; write one")
        names.append(value if isinstance(value, str) else None)
    event.close()
    if occurred_at is None or len(event.faults) > faults:
        return None
    return CaseEvent(occurred_at, place, texts, names[0], names[1])


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("expected an instant such as 2026-03-01T00:00:00Z; write one")
    at = instant_of(parse_rfc3339(value))
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise ValueError(f"{value} lies outside the years {YEARS[0]} to {YEARS[1]}; correct it")
    return at.astimezone(UTC)


def _properties(event: Fields, properties: Members) -> Iterator[tuple[str, str]]:
    for name in properties.repeated:
        event.note(Code.BAD_VALUE, f"properties.{name}", "is there twice; write it once")
    for name, value in properties.items():
        if not is_unicode(name) or (isinstance(value, str) and not is_unicode(value)):
            reason = "has half of a character; write the whole one"
            event.note(Code.BAD_VALUE, f"properties.{name}", reason)
        elif (text := property_text(value)) is not None:
            yield name, text
        else:
            reason = "expected a text, a number, true or false; write one, or leave it out"
            event.note(Code.BAD_VALUE, f"properties.{name}", reason)
