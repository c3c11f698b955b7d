"""Lines that their source calls no usage: counted apart, with a place, and without a key."""

import pytest

from pipelines.reading.dialects import DIALECTS, NotUsageError, read_event, reader_of
from pipelines.reading.hold_rule import HoldRule, RejectionTally
from pipelines.reading.strict_json import parse_object
from tests.worlds.file_lines import event_line, parse_content

BEATS = ["event_type=heartbeat|1.50", "properties.test=true"]
BEATING = reader_of(
    {
        "dialect": "metronome",
        "key_fields": [],
        "fields": [],
        "event_schemas": [],
        "not_usage": BEATS,
    }
)
"""A source of Metronome that also sends heartbeats and tests."""


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"event_type": "heartbeat"}, "field 'event_type' is 'heartbeat'"),
        ({"event_type": b"1.50"}, "field 'event_type' is '1.50'"),
        ({"properties": {"test": True}}, "field 'properties.test' is 'true'"),
        ({"properties": {"test": "true"}}, "field 'properties.test' is 'true'"),
        # A line is no usage before anything else is read of it.
        ({"event_type": "heartbeat", "transaction_id": None}, "'heartbeat'"),
        ({"event_type": "heartbeat", "timestamp": "never"}, "'heartbeat'"),
        ({"event_type": "heartbeat", "amendment": "void", "target_key": "k"}, "'heartbeat'"),
    ],
)
def test_a_declared_value_shows_that_a_line_is_no_usage(
    overrides: dict[str, object], sentence: str
) -> None:
    with pytest.raises(NotUsageError, match=sentence):
        read_event(BEATING, parse_object(event_line(**overrides)))


@pytest.mark.parametrize(
    "overrides",
    [
        {"event_type": "Heartbeat"},
        {"event_type": "heartbeat "},
        {"properties": {"test": False}},
        {"properties": {"test": None}},
        {"properties": {"test": ["true"]}},
        {"properties": None},
    ],
)
def test_another_value_is_an_event(overrides: dict[str, object]) -> None:
    line = parse_object(event_line(**overrides))

    assert read_event(BEATING, line) == read_event(DIALECTS["metronome"], line)


def test_what_stands_around_the_field_is_judged_as_in_any_event() -> None:
    parsed = parse_content(event_line(properties=[1]), dialect=BEATING)

    assert parsed.reasons == {1: "invalid_property"}


def test_the_line_has_a_place_and_no_reason_code() -> None:
    beat = event_line(event_type="heartbeat")
    content = b"\n".join([event_line(), beat, b"{"])

    parsed = parse_content(content, dialect=BEATING)

    assert (parsed.lines, parsed.blank, parsed.event_lines) == (3, 0, [1])
    assert parsed.reasons == {2: None, 3: "malformed"}
    row = parsed.rejections.row(0, named=True)
    assert (row["byte_offset"], row["byte_length"]) == (len(event_line()) + 1, len(beat))
    assert (row["idempotency_key"], row["customer_ref"]) == (None, None)
    assert row["reason"] == "field 'event_type' is 'heartbeat', which is no usage of this source"


def _tally(beats: int, bad: int) -> RejectionTally:
    tally = RejectionTally()
    lines = [event_line(event_type="heartbeat")] * beats + [b"{"] * bad
    tally.add(parse_content(b"\n".join(lines), dialect=BEATING).rejections)
    return tally


def test_lines_that_are_no_usage_hold_no_file() -> None:
    tally = _tally(beats=100, bad=0)

    assert (tally.rejected, tally.not_usage) == (0, 100)
    assert tally.hold_reason(HoldRule(), lines=101, blank=0) is None


@pytest.mark.parametrize(("events", "is_held"), [(18, False), (17, True)])
def test_lines_that_are_no_usage_are_no_part_of_the_share(events: int, is_held: bool) -> None:
    tally = _tally(beats=100, bad=2)

    # 2 of 20 lines are 10 %, which is accepted. 2 of 19 are more. Of 119 they would be 1.7 %.
    reason = tally.hold_reason(HoldRule(), lines=events + 102, blank=0)

    assert (reason is not None) == is_held
    if reason:
        assert reason.startswith("2 of 19 lines (10.5 %) are rejected")


def test_the_scanner_leaves_such_a_source_to_the_strict_reader() -> None:
    from pipelines.reading.scanner.forms import scan_form

    assert scan_form(DIALECTS["metronome"].form, "s") is not None
    assert scan_form(BEATING.form, "s") is None
