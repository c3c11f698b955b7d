"""Instants at the edges of the day, the zone, the calendar and the fraction."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipelines.vocabulary.instants import (
    LocalIso8601,
    TimestampError,
    ZonelessError,
    instant_of,
    microseconds_of,
    parse_iso8601,
    parse_iso8601_utc,
    parse_offset,
    parse_rfc3339,
    parse_unix_microseconds,
    parse_unix_milliseconds,
    parse_unix_seconds,
    parse_unix_seconds_or_rfc3339,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z
LAST = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        pytest.param("1970-01-01T00:00:00Z", 0, id="epoch"),
        pytest.param("1970-01-01T00:00:00.000001Z", 1, id="a-microsecond-after"),
        pytest.param("1969-12-31T23:59:59.999999Z", -1, id="a-microsecond-before"),
        # 56 years with 14 leap days: (56 * 365 + 14) * 86 400 s.
        pytest.param("2026-01-01T00:00:00Z", 1_767_225_600_000_000, id="new-year-2026"),
        pytest.param("2026-01-01t00:00:00z", 1_767_225_600_000_000, id="lowercase"),
        pytest.param("2026-01-01 00:00:00Z", 1_767_225_600_000_000, id="space-for-t"),
        pytest.param("2026-01-01T00:00:00+00:00", 1_767_225_600_000_000, id="zone-of-zero"),
        pytest.param("2026-01-01T00:00:00-00:00", 1_767_225_600_000_000, id="zone-unknown"),
        pytest.param("2026-01-01T05:30:00+05:30", 1_767_225_600_000_000, id="east"),
        pytest.param("2025-12-31T20:30:00-03:30", 1_767_225_600_000_000, id="west"),
        pytest.param("2026-01-01T14:00:00+14:00", 1_767_225_600_000_000, id="as-far-east-as-any"),
        pytest.param("2025-12-31T10:00:00-14:00", 1_767_225_600_000_000, id="as-far-west-as-any"),
        pytest.param("0001-01-01T00:00:00Z", FIRST, id="first-instant"),
        pytest.param("0001-01-01T14:00:00+14:00", FIRST, id="first-instant-in-the-east"),
        pytest.param("9999-12-31T23:59:59.999999Z", LAST, id="last-instant"),
        pytest.param("9999-12-31T09:59:59.999999-14:00", LAST, id="last-instant-in-the-west"),
    ],
)
def test_instant_is_exact(text: str, microseconds: int) -> None:
    assert parse_rfc3339(text) == microseconds


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [
        pytest.param(".5", 500_000, id="one-digit"),
        pytest.param(".000", 0, id="zeros"),
        pytest.param(".123456", 123_456, id="all-that-is-kept"),
        pytest.param(".1234567", 123_456, id="one-digit-more"),
        pytest.param(".999999999", 999_999, id="never-rounded-into-the-next-second"),
        pytest.param("." + "9" * 1_000, 999_999, id="1000-digits"),
    ],
)
def test_digits_beyond_the_microsecond_are_cut_off(fraction: str, microseconds: int) -> None:
    assert parse_rfc3339(f"1970-01-01T00:00:00{fraction}Z") == microseconds


def test_cutting_off_goes_to_the_past_before_1970_too() -> None:
    assert parse_rfc3339("1969-12-31T23:59:59.9999999Z") == -1


@pytest.mark.parametrize("day", ["2024-02-29", "2000-02-29", "2026-04-30", "2026-12-31"])
def test_last_day_of_a_month_is_a_day(day: str) -> None:
    microseconds = parse_rfc3339(f"{day}T23:59:59.999999Z")

    # The next microsecond is the midnight after it.
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00") - EPOCH
    assert microseconds + 1 == (midnight.days + 1) * 86_400_000_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2016-12-31T23:59:60Z", id="leap-second"),
        pytest.param("2017-01-01T05:29:60+05:30", id="leap-second-in-a-zone"),
        pytest.param("2026-01-01T00:00:61Z", id="second-61"),
        pytest.param("2026-01-01T24:00:00Z", id="hour-24"),
        pytest.param("2026-01-01T12:60:00Z", id="minute-60"),
        pytest.param("2026-01-01T00:00:00+15:00", id="zone-of-15-hours"),
        pytest.param("2026-01-01T00:00:00+99:00", id="zone-of-99-hours"),
        pytest.param("2026-01-01T00:00:00+05:60", id="zone-of-60-minutes"),
        pytest.param("2026-01-01T00:00:00+0530", id="zone-without-colon"),
        pytest.param("2026-01-01T00:00:00+05", id="zone-of-hours-alone"),
        pytest.param("2026-01-01T00:00:00 UTC", id="zone-by-name"),
        pytest.param("2026-01-01T00:00:00Z+00:00", id="two-zones"),
        pytest.param("2026-01-01T00:00:00", id="no-zone"),
        pytest.param("2026-01-01", id="date-alone"),
        pytest.param("2026-01-01Z", id="date-with-zone"),
        pytest.param("2026-01-01T00:00Z", id="no-seconds"),
        pytest.param("2026-01-01T00:00:00.Z", id="empty-fraction"),
        pytest.param("2026-01-01T00:00:00,5Z", id="comma"),
        pytest.param("2026-1-1T00:00:00Z", id="single-digits"),
        pytest.param("20260101T000000Z", id="basic-format"),
        pytest.param("2026-W01-1T00:00:00Z", id="week-date"),
        pytest.param("2026-13-01T00:00:00Z", id="month-13"),
        pytest.param("2026-00-01T00:00:00Z", id="month-0"),
        pytest.param("2026-01-00T00:00:00Z", id="day-0"),
        pytest.param("2026-01-32T00:00:00Z", id="day-32"),
        pytest.param("10000-01-01T00:00:00Z", id="year-of-five-digits"),
        pytest.param("-2026-01-01T00:00:00Z", id="negative-year"),
        pytest.param(" 2026-01-01T00:00:00Z", id="space-before"),
        pytest.param("2026-01-01T00:00:00Z ", id="space-after"),
        pytest.param("2026-01-01T00:00:00Z\n", id="line-end-after"),
        pytest.param("2026-01-01TT00:00:00Z", id="two-letters"),
        pytest.param("٢٠٢٦-01-01T00:00:00Z", id="arabic-digits"),
        pytest.param("2026-01-01T00:00:0０Z", id="full-width-digit"),
        pytest.param("1767225600", id="unix-seconds"),
        pytest.param("infinity", id="infinity"),
        pytest.param("epoch", id="epoch-by-name"),
        pytest.param("now", id="now"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_instant_with_zone_is_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="is not an RFC 3339 instant with zone, like 2026-"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2023-02-29T00:00:00Z", id="february-29-of-a-usual-year"),
        pytest.param("1900-02-29T00:00:00Z", id="february-29-of-a-century"),
        pytest.param("2024-02-30T00:00:00Z", id="february-30"),
        pytest.param("2026-04-31T00:00:00Z", id="april-31"),
        pytest.param("0000-01-01T00:00:00Z", id="year-0"),
    ],
)
def test_day_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(TimestampError, match=f"'{text[:10]}' is not a day of the calendar"):
        parse_rfc3339(text)


@pytest.mark.parametrize("zone", ["+14:01", "-14:01", "+14:59", "-14:59"])
def test_zone_beyond_14_hours_is_refused(zone: str) -> None:
    with pytest.raises(TimestampError, match="has a zone beyond ±14:00"):
        parse_rfc3339(f"2026-01-01T00:00:00{zone}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0001-01-01T00:00:00+00:01", id="a-minute-before-the-first"),
        pytest.param("0001-01-01T13:59:59.999999+14:00", id="a-microsecond-before-the-first"),
        pytest.param("9999-12-31T23:59:59.999999-00:01", id="a-minute-after-the-last"),
        pytest.param("9999-12-31T10:00:00-14:00", id="a-microsecond-after-the-last"),
    ],
)
def test_instant_outside_the_calendar_in_utc_is_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="outside the years 1 to 9999 in UTC"):
        parse_rfc3339(text)


def test_sentence_about_a_long_text_stays_short() -> None:
    with pytest.raises(TimestampError) as refusal:
        parse_rfc3339("9" * 100_000)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        pytest.param("0", 0, id="epoch"),
        pytest.param("-0", 0, id="minus-zero"),
        pytest.param("1", 1_000_000, id="a-second"),
        pytest.param("1767225600", 1_767_225_600_000_000, id="new-year-2026"),
        pytest.param("1767225600.0", 1_767_225_600_000_000, id="as-python-writes-it"),
        pytest.param("1.7672256E9", 1_767_225_600_000_000, id="as-java-writes-it"),
        pytest.param("1.767225600123456E9", 1_767_225_600_123_456, id="exponent-and-fraction"),
        pytest.param("1767225600250e-3", 1_767_225_600_250_000, id="exponent-below-zero"),
        pytest.param("1767225600.123456", 1_767_225_600_123_456, id="all-that-is-kept"),
        pytest.param("1767225600.1234569", 1_767_225_600_123_456, id="one-digit-more"),
        pytest.param("0.0000009", 0, id="less-than-a-microsecond"),
        pytest.param("9e-999", 0, id="next-to-nothing"),
        pytest.param("0e999", 0, id="zero-of-any-size"),
        pytest.param("-1", -1_000_000, id="before-1970"),
        pytest.param("-0.0000001", -1, id="cut-towards-the-past"),
        pytest.param("-1.5", -1_500_000, id="exact-before-1970"),
        pytest.param("0." + "9" * 1_000_000, 999_999, id="a-million-digits"),
        pytest.param("-62135596800", FIRST, id="first-instant"),
        pytest.param("253402300799.999999", LAST, id="last-instant"),
    ],
)
def test_unix_seconds_are_exact(text: str, microseconds: int) -> None:
    assert parse_unix_seconds(text) == microseconds
    assert parse_unix_seconds_or_rfc3339(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1767225600000", id="milliseconds"),
        pytest.param("253402300800", id="just-after-the-last"),
        pytest.param("-62135596800.0000001", id="just-before-the-first"),
        pytest.param("1e999", id="large-exponent"),
        pytest.param("9" * 5_000, id="5000-digits"),
    ],
)
def test_unix_seconds_beyond_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="seconds since 1970, not milliseconds"):
        parse_unix_seconds_or_rfc3339(text)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "01", "1.", ".5", "1e", "1e1000", "0x1", "1_0", "١", "NaN", "Infinity"],
)
def test_what_is_no_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="is not a number of seconds"):
        parse_unix_seconds(text)
    with pytest.raises(TimestampError, match="is not an RFC 3339 instant"):
        parse_unix_seconds_or_rfc3339(text)


def test_either_form_may_stand_where_both_are_read() -> None:
    assert parse_unix_seconds_or_rfc3339("1970-01-01T00:00:01Z") == 1_000_000


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        pytest.param("1970-01-01T00:00:01", 1_000_000, id="no-zone"),
        pytest.param("1970-01-01 00:00:01.123", 1_123_000, id="no-zone-and-a-space"),
        pytest.param("1970-01-01T00:00:01Z", 1_000_000, id="zulu"),
        pytest.param("1970-01-01t00:00:01z", 1_000_000, id="small-letters"),
        pytest.param("1970-01-01T05:30:01+05:30", 1_000_000, id="east"),
        pytest.param("1969-12-31T20:30:01-03:30", 1_000_000, id="west"),
        pytest.param("1970-01-01T00:01", 60_000_000, id="no-seconds"),
        pytest.param("19700101T000001", 1_000_000, id="basic-form"),
        pytest.param("1970-01-01 01", 3_600_000_000, id="hour-alone"),
    ],
)
def test_an_instant_without_zone_is_utc_where_the_vendor_says_so(
    text: str, microseconds: int
) -> None:
    assert parse_iso8601_utc(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1970-01-01", id="date-alone"),
        pytest.param("1970-01-01Z", id="date-with-zone"),
        pytest.param("1970-01-01T24:00:00", id="hour-24"),
        pytest.param("2016-12-31T23:59:60", id="leap-second"),
        pytest.param("1970-01-01T00:00:00+14:01", id="zone-too-far"),
        pytest.param("", id="empty"),
    ],
)
def test_a_missing_zone_excuses_nothing_else(text: str) -> None:
    with pytest.raises(TimestampError):
        parse_iso8601_utc(text)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1767225600000", 1_767_225_600_000_000),
        ("1767225600000.1239", 1_767_225_600_000_123),
        ("1.7672256e12", 1_767_225_600_000_000),
        ("100000000000", 100_000_000_000_000),
        ("-100000000000", -100_000_000_000_000),
        ("-100000000000.0001", -100_000_000_000_001),
        ("253402300799999.999", 253_402_300_799_999_999),
        ("-62135596800000", -62_135_596_800_000_000),
    ],
)
def test_unix_milliseconds_are_exact(text: str, microseconds: int) -> None:
    assert parse_unix_milliseconds(text) == microseconds


@pytest.mark.parametrize("text", ["99999999999.999999", "1767225600", "-99999999999", "100000000"])
def test_seconds_are_not_taken_for_milliseconds(text: str) -> None:
    with pytest.raises(TimestampError, match="must count milliseconds since 1970, not seconds"):
        parse_unix_milliseconds(text)


@pytest.mark.parametrize(
    "text", ["99999999999999.9", "1767225600000", "1767225600", "-99999999999999", "100000000"]
)
def test_longer_units_are_not_taken_for_microseconds(text: str) -> None:
    with pytest.raises(TimestampError, match="count microseconds since 1970, not seconds or milli"):
        parse_unix_microseconds(text)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1767225600250000", 1_767_225_600_250_000),
        ("1767225600250000.9", 1_767_225_600_250_000),
        ("100000000000000", 100_000_000_000_000),
        ("-100000000000000.1", -100_000_000_000_001),
        ("253402300799999999", 253_402_300_799_999_999),
        ("-62135596800000000", -62_135_596_800_000_000),
    ],
)
def test_unix_microseconds_are_exact(text: str, microseconds: int) -> None:
    assert parse_unix_microseconds(text) == microseconds


@pytest.mark.parametrize("text", ["253402300800000000", "-62135596800000001", "1e999"])
def test_unix_microseconds_beyond_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="outside the years 1 to 9999"):
        parse_unix_microseconds(text)


@pytest.mark.parametrize("text", ["0", "-0", "1e-9", "1", "-1", "99999999", "99999999.999999"])
def test_one_rule_about_1970_holds_for_every_unit(text: str) -> None:
    # Read as seconds, these too lie before 3 March 1973. So no unit is more likely than another.
    found = [
        parse(text)
        for parse in (parse_unix_seconds, parse_unix_milliseconds, parse_unix_microseconds)
    ]

    assert all(abs(instant) < 100_000_000_000_000 for instant in found)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-10 10:00:00 UTC", "2026-01-10T10:00:00"),
        ("2026-01-10 10:00:00.25 GMT", "2026-01-10T10:00:00.25"),
        ("2026-01-10 10:00:00UTC", "2026-01-10T10:00:00"),
        ("2026-01-10 10:00:00+00", "2026-01-10T10:00:00"),
        ("2026-01-10 10:00:00 +0000", "2026-01-10T10:00:00"),
        ("2026-01-10 10:00:00 +0000 UTC", "2026-01-10T10:00:00"),
        ("2026-01-10T10:00Z[UTC]", "2026-01-10T10:00:00"),
        ("2026-01-10T10:00:00 Z", "2026-01-10T10:00:00"),
        ("2026-01-10 10:00:00.123456-0530", "2026-01-10T15:30:00.123456"),
        ("2026-01-10T10:00:00\u221201:00", "2026-01-10T11:00:00"),
        ("2026-01-10T10:00:00+14", "2026-01-09T20:00:00"),
        ("20260110T100000Z", "2026-01-10T10:00:00"),
        ("20260110 1000+01", "2026-01-10T09:00:00"),
        ("2026-01-10T10Z", "2026-01-10T10:00:00"),
        ("2026-01-10T10.5Z", "2026-01-10T10:30:00"),
        ("2026-01-10T10:00,5Z", "2026-01-10T10:00:30"),
        ("2026-01-10T10:00:00,5Z", "2026-01-10T10:00:00.5"),
        ("2026-01-10T10:00:00.1234569+00", "2026-01-10T10:00:00.123456"),
        ("2026-W02-6T10:00:00Z", "2026-01-10T10:00:00"),
        ("2026W026T100000Z", "2026-01-10T10:00:00"),
        ("2026-010T10:00:00Z", "2026-01-10T10:00:00"),
        ("2024366T23Z", "2024-12-31T23:00:00"),
        ("2026-W01-1T00Z", "2025-12-29T00:00:00"),
    ],
)
def test_iso_8601_names_one_instant_in_many_forms(text: str, instant: str) -> None:
    expected = microseconds_of(datetime.fromisoformat(instant).replace(tzinfo=UTC))

    assert parse_iso8601(text) == expected
    assert parse_iso8601_utc(text) == expected
    assert LocalIso8601(90)(text) == expected
    with pytest.raises(TimestampError, match="is not an RFC 3339 instant"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-10T24:00:00Z",
        "2026-01-10T24Z",
        "2016-12-31T23:59:60 UTC",
        "2026-01-10T10:60Z",
        "2026-01-10T1Z",
        "2026-1-10T10:00:00Z",
        "2026-0110T10:00:00Z",
        "2026-01-10",
        "2026-01T10:00:00Z",
        "2026-W02T10:00:00Z",
        "2026-W02-0T10:00:00Z",
        "2026-W02-8T10:00:00Z",
        "10:00:00Z",
        "2026-01-10T10:00:00.Z",
        "2026-01-10T10:00:00  UTC",
        "2026-01-10T10:00:00 utc",
        "2026-01-10T10:00:00 CET",
        "2026-01-10T10:00:00 +0200 UTC",
        "2026-01-10T10:00:00+2",
        "2026-01-10T10:00:00+15",
        "2026-01-10T10:00:00+01:00[Europe/Berlin]",
        "2026-01-10T10:00:00+01:00:00",
        "2026-01-10T10:00:00Z UTC",
        " 2026-01-10T10:00:00Z",
        "2026-01-10T10:00:00Z\n",
        "2026-01-10T10:00:00 UTC ",
        "٢٠٢٦-01-10T10:00:00 UTC",
        "Sat, 10 Jan 2026 10:00:00 GMT",
        "1767225600",
        "now",
        "",
    ],
)
def test_what_is_no_iso_8601_instant_is_shown_as_it_was_sent(text: str) -> None:
    for parse in (parse_iso8601, parse_iso8601_utc):
        with pytest.raises(TimestampError) as error:
            parse(text)
        assert str(error.value) == (
            f"{text!a} is not an ISO 8601 instant, like 2026-01-31T13:45:00Z"
        )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-02-30T10Z", "'2026-02-30' is not a day of the calendar"),
        ("20260230T10Z", "'20260230' is not a day of the calendar"),
        ("2026-W54-1T10Z", "'2026-W54-1' is not a day of the calendar"),
        ("2026-000T10Z", "'2026-000' is not a day of the calendar"),
        ("2026-366T10Z", "'2026-366' is not a day of the calendar"),
        ("9999366T10Z", "'9999366' is not a day of the calendar"),
        ("0000-001T10Z", "'0000-001' is not a day of the calendar"),
        ("2026-01-10T10+14:01", "has a zone beyond ±14:00"),
        ("2026-01-10T10-1459", "has a zone beyond ±14:00"),
        ("0001-01-01T00+01", "outside the years 1 to 9999"),
        ("9999-12-31T23-01", "outside the years 1 to 9999"),
    ],
)
def test_an_iso_8601_instant_lies_in_the_calendar(text: str, sentence: str) -> None:
    with pytest.raises(TimestampError, match=sentence):
        parse_iso8601(text)


@pytest.mark.parametrize("text", ["2026-01-10T10:00:00", "2026-01-10 10:00:00.5"])
def test_a_missing_zone_is_said(text: str) -> None:
    for parse, form in ((parse_rfc3339, "RFC 3339"), (parse_iso8601, "ISO 8601")):
        with pytest.raises(ZonelessError, match=f"is not an {form} instant with zone"):
            parse(text)


@pytest.mark.parametrize(
    ("offset", "minutes"),
    [("+01:00", 60), ("-08:00", -480), ("+05:45", 345), ("+14:00", 840), ("-14:00", -840)],
)
def test_a_local_time_has_the_declared_offset(offset: str, minutes: int) -> None:
    assert parse_offset(offset) == minutes
    local = LocalIso8601(minutes)

    assert local("2026-01-10T10:00:00") == parse_rfc3339(f"2026-01-10T10:00:00{offset}")
    assert local("2026-01-10T10:00:00Z") == parse_rfc3339("2026-01-10T10:00:00Z")


@pytest.mark.parametrize("text", ["", "+1:00", "+0100", "01:00", "+14:01", "-15:00", "+01:60"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="is not an offset from -14:00 to"):
        parse_offset(text)


@pytest.mark.parametrize("text", ["253402300800000", "-62135596800000.001", "9" * 400, "1e999"])
def test_unix_milliseconds_beyond_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="outside the years 1 to 9999"):
        parse_unix_milliseconds(text)


@pytest.mark.parametrize("text", ["", "now", "01", "+1767225600000", "1767225600000 ", "NaN"])
def test_what_is_no_number_of_milliseconds_is_refused(text: str) -> None:
    with pytest.raises(TimestampError, match="is not a number of milliseconds"):
        parse_unix_milliseconds(text)


@pytest.mark.parametrize(
    ("instant", "microseconds"),
    [
        pytest.param(EPOCH, 0, id="epoch"),
        pytest.param(EPOCH + timedelta(microseconds=1), 1, id="a-microsecond-after"),
        pytest.param(EPOCH - timedelta(microseconds=1), -1, id="a-microsecond-before"),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), FIRST, id="first"),
        pytest.param(datetime.max.replace(tzinfo=UTC), LAST, id="last"),
        # Beyond 2^53 microseconds (the year 2255) a float would round.
        pytest.param(datetime(2300, 1, 1, 0, 0, 0, 1, UTC), 10_413_792_000_000_001, id="exact"),
    ],
)
def test_instants_and_their_microseconds_are_the_same(instant: datetime, microseconds: int) -> None:
    assert microseconds_of(instant) == microseconds
    assert instant_of(microseconds) == instant


def test_microseconds_are_counted_in_utc_whatever_the_zone() -> None:
    east = datetime(1970, 1, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    assert microseconds_of(east) == 0
    assert instant_of(0).tzinfo is UTC
