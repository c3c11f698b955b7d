"""Random filters of charges: dbt reads and judges them as the catalog and the witness do.

`RANDOM_FILTERS=5000 pytest tests/properties/test_random_filters.py` tries as many.
"""

import os
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from json import dumps

from pipelines.catalog.filters import parse_filter
from tests.worlds.dbt_macros import ask, macro_sql
from witness.events import Event, Metric, matches

FILTERS = int(os.environ.get("RANDOM_FILTERS") or "400")

NAMES = ("region", "ms", "a b", "x;y", "e=f", "p%q", "n!", "o|", "q?", "l<g>", "größe", "雪")
TEXTS = ("", "eu", "us", "EU", "a;b", "a|b", "50%", "a=b", "no!", "why?", "<5>", "é", "雪", '"q"',
         "back\\slash", "it's", "{}", "[]", "null", "*")  # fmt: skip
NUMBERS = ("5", "05", "5.0", "+5", "-5", "-0", "0", "4.999999999999999999999", "5e0", "50e-1",
           "5.00000000000000000000000001", "1e400", "-1e400", "1e-400", ".5", "5.",
           "0x5")  # fmt: skip
BOUNDS = ("5", "5.0", "0", "-5", "0.000000000000000001", "123456789012345678901234567890")

HOLD = macro_sql("conditions_hold(conditions_of('filters'), properties_of_group('properties'))")
"""SQL: whether properties meet a filter."""

Judged = tuple[str, str, tuple[str, ...]]
"""Name, operator and texts of a condition."""

SIGNS = {
    "in": "=", "not_in": "!=", "exists": "?", "absent": "!?", "gt": ">", "gte": ">=", "lt": "<",
    "lte": "<=",
}  # fmt: skip


def encoded(draw: random.Random, text: str, special: str) -> str:
    """The text as a cell may have it: what must be percent-encoded is, and now and then more."""
    return "".join(
        "".join(draw.choice((f"%{byte:02X}", f"%{byte:02x}")) for byte in char.encode())
        if char in special or draw.random() < 0.1
        else char
        for char in text
    )


def drawn(draw: random.Random) -> tuple[str, list[Judged]]:
    """The cell of a filter, and its conditions."""
    parts, conditions = list[str](), list[Judged]()
    for _ in range(draw.randint(1, 3)):
        name, operator = draw.choice(NAMES), draw.choice(list(SIGNS))
        texts, written = list[str](), ""
        if operator in {"in", "not_in"}:
            texts = draw.sample(TEXTS + NUMBERS, draw.randint(1, 3))
            # A space at the end of a cell would not be seen.
            written = "|".join(encoded(draw, text, ";|%=! ") for text in texts)
        elif operator not in {"exists", "absent"}:
            written = draw.choice(BOUNDS)
            texts = [written]
        parts.append(encoded(draw, name, ";|%=!?<> ") + SIGNS[operator] + written)
        conditions.append((name, operator, tuple(texts)))
    return ";".join(parts), conditions


def rule_of(condition: Judged) -> Mapping[str, object]:
    """The condition as a metric of the witness has it."""
    name, operator, texts = condition
    rules: Mapping[str, object] = {
        "in": list(texts),
        "not_in": {"not_in": list(texts)},
        "exists": {"exists": True},
        "absent": {"exists": False},
    }
    return {name: rules.get(operator, {operator: "".join(texts)})}


def properties_of(draw: random.Random, conditions: Sequence[Judged]) -> dict[str, str]:
    """Properties of an event, some of which are near the conditions."""
    found = {name: draw.choice(TEXTS + NUMBERS) for name in draw.sample(NAMES, 4)}
    for name, _, texts in conditions:
        if texts and draw.random() < 0.5:
            found[name] = draw.choice(texts)
    return found


def test_dbt_reads_and_judges_filters_as_catalog_and_witness_do() -> None:
    draw = random.Random(1)  # noqa: S311
    filters = [drawn(draw) for _ in range(FILTERS)]
    events = [properties_of(draw, conditions) for _, conditions in filters]
    conditions_of = macro_sql("conditions_of('filters')")

    found = ask(
        {"filters": "varchar", "properties": "varchar"},
        [(cell, dumps(event)) for (cell, _), event in zip(filters, events, strict=True)],
        conditions_of,
        HOLD,
    )

    at, judged = datetime(2026, 1, 1, tzinfo=UTC), set[bool]()
    for (cell, conditions), event, (read, holds) in zip(filters, events, found, strict=True):
        parsed = [(each.name, each.operator, each.texts) for each in parse_filter(cell)]
        assert parsed == conditions
        in_sql = [(each["name"], each["operator"], tuple(each["texts"])) for each in read]
        assert in_sql == conditions, cell
        expected = all(
            matches(Metric("count", filters=rule_of(each)), Event(at, 0, event))
            for each in conditions
        )
        assert holds == expected, (cell, event)
        judged.add(expected)
    assert judged == {True, False}


def test_without_filter_everything_is_taken() -> None:
    cases = [(None, "{}"), ("", '{"region":null}'), (None, '{"region":"eu"}')]

    found = ask({"filters": "varchar", "properties": "varchar"}, cases, HOLD)

    assert found == [(True,)] * 3


def test_a_null_in_a_group_is_a_property_that_is_absent() -> None:
    cells = ("region=eu", "region!=eu", "region?", "region!?", "region>=0")
    cases = [(cell, group) for cell in cells for group in ('{"region":null}', "{}")]

    found = ask({"filters": "varchar", "properties": "varchar"}, cases, HOLD)

    of_absent = {"region=eu": False, "region!=eu": True, "region?": False, "region!?": True,
                 "region>=0": False}  # fmt: skip
    assert [value for (value,) in found] == [of_absent[cell] for cell, _ in cases]
