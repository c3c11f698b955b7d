"""Which objects are batches: those without a field that an event cannot do without."""

from collections.abc import Sequence

import pytest

from pipelines.reading.dialects import DIALECTS, Dialect, reader_of
from pipelines.reading.formats.field_names import field_names
from tests.hostile.cases import good_line
from tests.worlds.formats import parse_file


def _source(dialect: str, not_usage: Sequence[str] = ()) -> Dialect:
    row = {"dialect": dialect, "key_fields": [], "fields": [], "event_schemas": []}
    return reader_of(row | {"not_usage": list(not_usage)})


@pytest.mark.parametrize(
    ("dialect", "member"),
    [
        pytest.param("lago", b'"timestamp":1767225600', id="optional-timestamp"),
        pytest.param("stripe", b'"timestamp":1767225600', id="optional-timestamp-of-stripe"),
        pytest.param("cloudevents", b'"time":"2026-01-01T00:00:00Z"', id="optional-time"),
        pytest.param("segment", b'"type":"batch"', id="optional-fixed-text"),
        *(pytest.param(dialect, b'"count":1', id=f"unknown-{dialect}") for dialect in DIALECTS),
    ],
)
def test_a_field_that_an_event_may_lack_makes_no_event(dialect: str, member: bytes) -> None:
    batch = b"{" + member + b',"data":[' + good_line(dialect, "k1") + b"]}"

    parsed = parse_file("a", batch, dialect=dialect)

    assert (parsed.events.height, parsed.reasons) == (1, {})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_field_that_identifies_an_event_makes_no_batch(dialect: str) -> None:
    line = good_line(dialect, "k1")
    for name in field_names(DIALECTS[dialect]).own - {"attributes", "dimensions"}:
        member = f'{{"{name}":"x","data":['.encode() + line + b"]}"

        parsed = parse_file("a", member, dialect=dialect)

        assert (parsed.events.height, parsed.rejections.height) == (0, 1), name


PING = b'{"kind":"ping","hops":[{"a":1},{"a":2}]}'
GOOD = good_line("custom", "k1")


@pytest.mark.parametrize(
    ("content", "verdicts"),
    [
        pytest.param(PING, [None], id="alone"),
        pytest.param(GOOD + b"\n" + PING, ["event", None], id="among-lines"),
        pytest.param(PING + GOOD + PING, [None, "event", None], id="on-one-line"),
        pytest.param(PING.replace(b",", b",\n"), [None], id="over-lines"),
        pytest.param(b'{"kind":"ping","a":[{}],"b":[{}]}', [None], id="two-arrays"),
        pytest.param(b'{"data":[' + PING + b"," + GOOD + b"]}", [None, "event"], id="in-a-batch"),
        pytest.param(b'{"kind":"list","data":[' + GOOD + b"]}", ["event"], id="another-value"),
        pytest.param(b'{"kind":"ping","hops":[{]}', ["malformed"], id="no-json"),
    ],
)
def test_a_line_that_is_no_usage_is_no_batch(content: bytes, verdicts: list[str | None]) -> None:
    parsed = parse_file("a", content, dialect=_source("custom", ["kind=ping"]))

    found = dict.fromkeys(parsed.event_lines, "event") | parsed.reasons
    assert [found[line] for line in sorted(found)] == verdicts


def test_a_file_that_begins_with_no_usage_is_read_line_by_line() -> None:
    content = PING + b"\nno json\n" + GOOD

    parsed = parse_file("a", content, dialect=_source("custom", ["kind=ping"]))

    assert (parsed.event_lines, parsed.reasons) == ([3], {1: None, 2: "malformed"})


def test_names_of_what_is_no_usage_are_known_to_csv() -> None:
    names = field_names(_source("custom", ["context.kind=ping"]))

    assert "context" in names.all
    assert "context" not in names.own
