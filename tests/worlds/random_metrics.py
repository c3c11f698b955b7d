"""Random cases of the kind `aggregate`, and what the witness says of them."""

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from witness.clocks import first_instant
from witness.events import Event, Metric
from witness.expressions import decimal_text
from witness.metrics import Span, Usage, usage

Case = dict[str, Any]

ZONES = ("Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
         "America/Santiago", "Pacific/Apia")  # fmt: skip

NUMBERS = ("0", "1", "-1", "2.5", "-0.25", "+7", "007", "1e2", "1.5E-3", "0.000000000000000001",
           "99999999999999999999", "12345678901234567890.123456789012345678", "-3", "10", "3.0",
           "0.1", "123456789.987654321", "1000000")  # fmt: skip
SHORT_NUMBERS = tuple(number for number in NUMBERS if len(number) < 20)
ODD = ("", "x", "1e-19", "1e20", "5.", ".5", "0x1", "1_0", "NaN", " 1",
       "\u0661", "0e9")  # fmt: skip
EXPRESSIONS = ("v", "w", "v + w", "v - w * 2", "(v + 1) * 3 - w", "-v", "v / w", "v / 3",
               "round(v, 2)", "round(v / 7, 3) + w", "ceil(v)", "floor(v)", "coalesce(v, w, 0)",
               "coalesce(v, 5) * 0.5", '"odd name" + 1', "v * w", "v / (w - 1)", "round(v, -1)",
               "- - v", "2 * (v - (w - (1 - v)))", "v / w / 2", "v * 3 / 4 * w", "'7' * v",
               "ceil(v * 10) / 10")  # fmt: skip
TEXTS = ("v", "w", "concat(v, '/', w)", "coalesce(w, v)", "concat(v, 1.50)", "v", "coalesce(v, 2)")
FILTERS: tuple[Any, ...] = (
    {}, {}, {}, {"r": ["eu", "us"]}, {"r": {"not_in": ["eu"]}}, {"r": {"exists": True}},
    {"r": {"exists": False}}, {"v": {"gt": "0"}}, {"v": {"gte": "-1", "lt": "1e2"}},
    {"w": {"lte": "2.50"}, "r": "eu"}, {"v": {"lt": "-0.3"}}, {"w": {"gt": "0.0"}},
)  # fmt: skip


def random_case(dice: random.Random) -> tuple[Case, Metric]:
    """A case, and its metric as the witness takes it."""
    options = random_options(dice)
    zone = dice.choice(ZONES)
    first = datetime(2026, dice.choice([3, 4, 9, 10]), dice.randint(1, 28))  # noqa: DTZ001
    days = dice.choice([1, 1, 2, 7, 31])
    start, end = first, first + timedelta(days=days)
    if dice.random() < 0.2:
        start += timedelta(minutes=dice.randint(0, 600))
        end += timedelta(minutes=dice.randint(0, 600))
    bounds = [first_instant(zone, at) for at in (start, end)]
    full = [first_instant(zone, first - timedelta(days=dice.choice([0, 0, 3]))), bounds[1]]
    period = dict(zip(("start", "end", "full_start", "full_end"), bounds + full, strict=True))
    events = [_event(dice, bounds, options) for _ in range(dice.choice([0, 1, 3, 6, 15]))]
    case = {
        "kind": "aggregate",
        "metric": options,
        "time_zone": zone,
        "period": {name: _text(at) for name, at in period.items()},
        "events": events,
    }
    return case, Metric(**options)


def random_options(dice: random.Random) -> Case:
    """Options of a metric that are not refused."""
    kind = dice.choice(("count", "sum", "min", "max", "average", "latest", "unique_count",
                        "weighted_sum", "percentile"))  # fmt: skip
    options: Case = {"aggregation": kind} | _random_choice(dice)
    if kind == "unique_count":
        options["value"] = dice.choice(TEXTS)
        options["operation"] = dice.choice([None, "op"])
    elif kind != "count" or dice.random() < 0.2:
        options["value"] = dice.choice(EXPRESSIONS)
    if kind == "weighted_sum":
        options["values"] = dice.choice(["changes", "levels"])
    is_inner = dice.random() < 0.3
    if is_inner:
        options |= _random_bucket(dice, kind)
    elif kind in ("sum", "unique_count") and dice.random() < 0.3:
        options["by_days"] = True
    if not is_inner and kind not in ("count", "average", "percentile"):
        options["recurring"] = dice.random() < 0.5
    if "percentile" in (kind, options.get("combine")):
        options["percentile"] = dice.choice(["50", "95", "100", "0.5", "33.3"])
    if dice.random() < 0.3:
        options["fraction_digits"] = dice.choice([0, 2, 6])
        options["round_values"] = dice.random() < 0.6
    if dice.random() < 0.3:
        options["round"] = dice.choice(["round", "ceil", "floor"])
        options["round_digits"] = dice.choice([-2, -1, 0, 1, 3])
    return options


def _random_choice(dice: random.Random) -> Case:
    """Which events, and how they are grouped."""
    options: Case = {"filters": dice.choice(FILTERS)}
    if dice.random() < 0.3:
        options["exclude"] = [dice.choice(FILTERS)]
    if dice.random() < 0.3:
        options["event_name"] = dice.choice(["use", ["use", "more"]])
    if dice.random() < 0.4:
        options["group_by"] = dice.choice([["r"], ["r", "odd name"], ["none"]])
    return options


def _random_bucket(dice: random.Random, kind: str) -> Case:
    combine = dice.choice(["sum", "max", "min", "average", "percentile"])
    options: Case = {
        "bucket": dice.choice(["5 minutes", "hour", "6 hours", "day", "30 minute"]),
        "combine": "sum" if kind == combine == "percentile" else combine,
        "empty_buckets": dice.choice(["skip", "zero"]),
    }
    if dice.random() < 0.4:
        options["bucket_by"] = ["r"]
    return options


def _event(dice: random.Random, bounds: list[datetime], options: Case) -> Case:
    start, end = bounds
    length = (end - start) // timedelta(microseconds=1)
    roll = dice.random()
    if roll < 0.1:
        at = dice.choice(bounds)
    elif roll < 0.25:
        at = start - timedelta(microseconds=dice.randint(1, length))
    elif roll < 0.4:
        at = start + timedelta(hours=dice.randint(0, 24))
    elif roll < 0.45:
        at = end + timedelta(seconds=dice.randint(0, 5))
    else:
        at = start + timedelta(microseconds=dice.randrange(length))
    few = options["aggregation"] == "unique_count"
    # Between the steps of an expression a number has at most 38 digits.
    is_plain = options.get("value", "v") in ("v", "w")
    numbers = ("a", "b", "1", "1.0", "A") if few else NUMBERS if is_plain else SHORT_NUMBERS
    properties = {}
    for name, share in (("v", 0.95), ("w", 0.8), ("odd name", 0.5)):
        if dice.random() < share:
            properties[name] = dice.choice(ODD if dice.random() < 0.05 else numbers)
    if dice.random() < 0.8:
        properties["r"] = dice.choice(["eu", "us", "", "Z"])
    if dice.random() < 0.9:
        properties["op"] = dice.choice(["add", "add", "remove", "Remove"])
    return {"occurred_at": _text(at), "properties": properties,
            "event_name": dice.choice(["use", "use", "more"])}  # fmt: skip


def expected(case: Case, metric: Metric) -> Case:
    """The result that the witness gives."""
    groups, unmetered = usage(metric, events_of(case), span_of(case))
    return {
        "groups": [_group(each) for each in groups],
        "unmetered": [
            {"index": place, "reason": reason} for place, reason in sorted(unmetered.items())
        ],
        "windows": [],
    }


def events_of(case: Case) -> list[Event]:
    """The events of a case as the witness takes them."""
    return [
        Event(instant(event["occurred_at"]), place, event["properties"], event.get("event_name"))
        for place, event in enumerate(case["events"])
    ]


def span_of(case: Case) -> Span:
    """The period of a case."""
    period = {name: instant(text) for name, text in case["period"].items()}
    return Span(**period, time_zone=case["time_zone"])


def _group(found: Usage) -> Case:
    return {
        "group": dict(found.group),
        "quantity": None if found.quantity is None else decimal_text(found.quantity),
        "billed_quantity": decimal_text(found.billed_quantity),
        "event_count": found.event_count,
        "first_occurred_at": None if found.first_occurred_at is None
        else _text(found.first_occurred_at),
        "last_occurred_at": None if found.last_occurred_at is None
        else _text(found.last_occurred_at),
    }  # fmt: skip


def is_beyond(result: Case) -> bool:
    """True if a quantity has more digits before its point than a bill can hold."""
    most = Fraction(10) ** 20
    return any(
        each["quantity"] is not None and abs(Fraction(each["quantity"])) >= most
        for each in result["groups"]
    )


def instant(text: str) -> datetime:
    """The instant of a text such as `2026-04-01T00:00:00Z`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _text(at: datetime) -> str:
    utc = at.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds" if utc.microsecond else "seconds") + "Z"
