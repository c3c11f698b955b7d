"""Hostile lines of time: wrong instants, and verdicts at the bounds of the rules.

Lateness and future skew are tested to the microsecond, and so are keys that come twice.

Days of the calendar are tested in Orb's dialect. Its source has no limit of lateness, so year 1 is
accepted like yesterday. An instant without a zone is UTC there, so it is tested as a rejection in
Metronome's dialect.

Source of each verdict: design §3, timestamps and verdicts.
"""

from datetime import UTC, datetime, timedelta

from pipelines.vocabulary.verdicts import Reason
from tests.hostile.cases import (
    DEDUPE_WINDOWS,
    FUTURE_SKEW,
    RECEIVED_AT,
    HostileLine,
    accepted,
    contradicts,
    line_of,
    malformed,
    metronome,
    rejected,
    repeats,
)

BACKDATED_CUSTOMER = "cut-when-received"
"""A customer whose period was cut at `RECEIVED_AT`, so that usage of it is just too late."""

STILL_OPEN_CUSTOMER = "cut-a-microsecond-later"
"""A customer whose period was cut a microsecond after `RECEIVED_AT`, so that usage is in time."""

_MICROSECOND = timedelta(microseconds=1)
_LATENESS = DEDUPE_WINDOWS["metronome"] - FUTURE_SKEW


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _orb(timestamp: object) -> bytes:
    return line_of("orb", timestamp=timestamp)


_READ = {
    "epoch": ("1970-01-01T00:00:00Z", "1970-01-01 00:00:00"),
    "before-the-epoch": ("1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"),
    "small-letters": ("2025-06-01t12:00:00z", "2025-06-01 12:00:00"),
    "space-for-t": ("2025-06-01 12:00:00Z", "2025-06-01 12:00:00"),
    "zone-14": ("2025-06-01T14:00:00+14:00", "2025-06-01 00:00:00"),
    "zone-minus-14": ("2025-06-01T00:00:00-14:00", "2025-06-01 14:00:00"),
    "zone-of-half-an-hour": ("2025-06-01T05:30:00+05:30", "2025-06-01 00:00:00"),
    "zone-of-45-minutes": ("2025-06-01T05:45:00+05:45", "2025-06-01 00:00:00"),
    "zone-minus-zero": ("2025-06-01T00:00:00-00:00", "2025-06-01 00:00:00"),
    "zone-into-the-year-before": ("2025-01-01T00:00:00+00:01", "2024-12-31 23:59:00"),
    "leap-day": ("2024-02-29T23:59:59Z", "2024-02-29 23:59:59"),
    "leap-day-of-2000": ("2000-02-29T00:00:00Z", "2000-02-29 00:00:00"),
    "leap-day-by-its-zone": ("2024-03-01T00:30:00+01:00", "2024-02-29 23:30:00"),
    "year-1": ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00"),
    "year-1-in-the-east": ("0001-01-01T14:00:00+14:00", "0001-01-01 00:00:00"),
    "second-before-a-leap-second": ("2016-12-31T23:59:59.999999Z", "2016-12-31 23:59:59.999999"),
    "never-rounded-up": ("2025-12-31T23:59:59.9999999999Z", "2025-12-31 23:59:59.999999"),
    "1000-digits": ("2025-06-01T00:00:00." + "3" * 1_000 + "Z", "2025-06-01 00:00:00.333333"),
    # Orb documents "no timezone offset (i.e. UTC)".
    "no-zone-is-utc": ("2025-06-01T12:00:00", "2025-06-01 12:00:00"),
    "no-zone-with-a-fraction-is-utc": ("2025-06-01T12:00:00.5", "2025-06-01 12:00:00.500000"),
    "no-zone-after-a-space-is-utc": ("2025-06-01 12:00:00", "2025-06-01 12:00:00"),
    "no-zone-year-1": ("0001-01-01T00:00:00", "0001-01-01 00:00:00"),
}
_ISO_READ = {
    "no-zone-and-no-seconds": ("2025-06-01T12:00", "2025-06-01 12:00:00"),
    "no-seconds": ("2025-06-01T12:00Z", "2025-06-01 12:00:00"),
    "no-minutes": ("2025-06-01T12Z", "2025-06-01 12:00:00"),
    "week-date": ("2025-W23-1T00:00:00Z", "2025-06-02 00:00:00"),
    "day-of-the-year": ("2025-152T00:00:00Z", "2025-06-01 00:00:00"),
    "basic-form": ("20250601T120000Z", "2025-06-01 12:00:00"),
    "of-go": ("2025-06-01 12:00:00 +0000 UTC", "2025-06-01 12:00:00"),
    "zone-of-hours": ("2025-06-01T00:00:00+01", "2025-05-31 23:00:00"),
    "zone-without-colon": ("2025-06-01T00:00:00+0100", "2025-05-31 23:00:00"),
    "zone-utc": ("2025-06-01T00:00:00UTC", "2025-06-01 00:00:00"),
    "zone-after-a-space": ("2025-06-01T00:00:00 Z", "2025-06-01 00:00:00"),
    "zone-with-a-unicode-minus": ("2025-06-01T00:00:00\u221201:00", "2025-06-01 01:00:00"),
    "fraction-after-a-comma": ("2025-06-01T00:00:00,5Z", "2025-06-01 00:00:00.500000"),
    "fraction-of-a-minute": ("2025-06-01T00:00.5Z", "2025-06-01 00:00:30"),
    "of-bigquery": ("2025-06-01 12:00:00 UTC", "2025-06-01 12:00:00"),
    "of-postgres": ("2025-06-01 12:00:00.5+00", "2025-06-01 12:00:00.500000"),
    "of-snowflake": ("2025-06-01 12:00:00.000 +0000", "2025-06-01 12:00:00"),
    "of-java-in-utc": ("2025-06-01T12:00Z[UTC]", "2025-06-01 12:00:00"),
}
"""Forms of ISO 8601 that RFC 3339 does not have."""

_FRACTION = "123456789012345678901234567890"
_NOT_THE_FORM = {
    "nothing": "",
    "space": " ",
    "word": "yesterday",
    "now": "now",
    "infinity": "infinity",
    "minus-infinity": "-infinity",
    "epoch-by-name": "epoch",
    "word-null": "null",
    "date-alone": "2025-06-01",
    "date-with-zone": "2025-06-01Z",
    "time-alone": "12:00:00Z",
    "no-zone-and-second-60": "2016-12-31T23:59:60",
    "no-zone-and-a-fraction-empty": "2025-06-01T12:00:00.",
    "no-zone-and-a-space-after": "2025-06-01T12:00:00 ",
    "leap-second": "2016-12-31T23:59:60Z",
    "leap-second-with-a-fraction": "2016-12-31T23:59:60.5Z",
    "leap-second-in-a-zone": "2017-01-01T05:29:60+05:30",
    "second-61": "2025-06-01T00:00:61Z",
    "minute-60": "2025-06-01T00:60:00Z",
    "hour-24": "2025-06-01T24:00:00Z",
    "hour-25": "2025-06-01T25:00:00Z",
    "year-10000": "10000-01-01T00:00:00Z",
    "year-of-two-digits": "25-06-01T00:00:00Z",
    "year-with-a-plus": "+2025-06-01T00:00:00Z",
    "year-below-zero": "-0001-06-01T00:00:00Z",
    "single-digits": "2025-6-1T1:2:3Z",
    "slashes": "2025/06/01T12:00:00Z",
    "american": "06/01/2025 12:00:00 PM",
    "rfc-2822": "Sun, 01 Jun 2025 12:00:00 +0000",
    "http-date": "Sun, 01 Jun 2025 12:00:00 GMT",
    "of-c": "Sun Jun  1 12:00:00 2025",
    "of-java": "2025-06-01T12:00:00+02:00[Europe/Zurich]",
    "zone-99": "2025-06-01T00:00:00+99:99",
    "zone-24": "2025-06-01T00:00:00+24:00",
    "zone-15": "2025-06-01T00:00:00-15:00",
    "zone-of-60-minutes": "2025-06-01T00:00:00+01:60",
    "zone-with-seconds": "2025-06-01T00:00:00+01:00:00",
    "zone-by-name": "2025-06-01T00:00:00 Europe/Zurich",
    "zone-twice": "2025-06-01T00:00:00ZZ",
    "fraction-empty": "2025-06-01T00:00:00.Z",
    "fraction-of-letters": "2025-06-01T00:00:00.5eZ",
    "space-before": " 2025-06-01T00:00:00Z",
    "space-after": "2025-06-01T00:00:00Z ",
    "line-end-after": "2025-06-01T00:00:00Z\\n",
    "zero-width-space-after": "2025-06-01T00:00:00Z\u200b",
    "byte-order-mark-before": "\ufeff2025-06-01T00:00:00Z",
    "two-instants": "2025-06-01T00:00:00Z/2025-06-02T00:00:00Z",
    "arabic-digits": "٢٠٢٥-٠٦-٠١T٠٠:٠٠:٠٠Z",
    "full-width-digits": "２０２５-06-01T00:00:00Z",
    "seconds-as-text": "1748736000",
    "milliseconds-as-text": "1748736000000",
    "sql": "2025-06-01'; DROP TABLE x; --",
    "jinja": "{{ modules.datetime.datetime.now() }}",
    "100000-characters": "9" * 100_000,
}
_NO_ZONE = {
    "no-zone": "2025-06-01T12:00:00",
    "no-zone-with-a-fraction": "2025-06-01T12:00:00.5",
}
_NO_DAY = {
    "month-0": "2025-00-01T00:00:00Z",
    "month-13": "2025-13-01T00:00:00Z",
    "day-0": "2025-06-00T00:00:00Z",
    "day-32": "2025-01-32T00:00:00Z",
    "february-29": "2023-02-29T00:00:00Z",
    "february-29-of-1900": "1900-02-29T00:00:00Z",
    "february-30": "2024-02-30T00:00:00Z",
    "april-31": "2025-04-31T00:00:00Z",
    "year-0": "0000-01-01T00:00:00Z",
}
_OUTSIDE = {
    "before-year-1-by-its-zone": "0001-01-01T00:00:00+00:01",
    "after-year-9999-by-its-zone": "9999-12-31T23:59:59.999999-00:01",
}
_OTHER_TYPES = {
    "seconds": (b"1748736000", "found a number"),
    "milliseconds": (b"1748736000000", "found a number"),
    "true": (b"true", "found a boolean"),
    "object": (b'{"seconds":1748736000}', "found an object"),
    "mongo": (b'{"$date":"2025-06-01T00:00:00Z"}', "found an object"),
    "array": (b"[2025,6,1]", "found an array"),
}

_CALENDAR = [
    *(
        accepted(f"instant-{name}", _orb(text), "orb", occurred_at=_at(read))
        for name, (text, read) in {**_READ, **_ISO_READ}.items()
    ),
    *(
        rejected(
            f"instant-of-rfc-3339-{name}",
            Reason.INVALID_TIMESTAMP,
            "is not an RFC 3339 instant with zone",
            metronome(timestamp=text),
        )
        for name, (text, _) in _ISO_READ.items()
    ),
    *(
        accepted(
            f"instant-fraction-of-{digits}-digits",
            _orb(f"2025-06-01T00:00:00.{_FRACTION[:digits]}Z"),
            "orb",
            occurred_at=_at("2025-06-01 00:00:00." + _FRACTION[: min(digits, 6)].ljust(6, "0")),
        )
        for digits in range(1, 31)
    ),
    *(
        rejected(
            f"instant-{name}",
            Reason.INVALID_TIMESTAMP,
            "is not an ISO 8601 instant, like 2026-01-31T13:45:00Z",
            _orb(f'"{text}"'.encode()),
            "orb",
        )
        for name, text in _NOT_THE_FORM.items()
    ),
    *(
        rejected(
            f"instant-{name}",
            Reason.INVALID_TIMESTAMP,
            "with zone, like 2026-01-31T13:45:00Z; declare it as iso8601_utc",
            metronome(timestamp=text),
        )
        for name, text in _NO_ZONE.items()
    ),
    *(
        rejected(
            f"instant-{name}",
            Reason.INVALID_TIMESTAMP,
            f"'{text[:10]}' is not a day of the calendar",
            _orb(text),
            "orb",
        )
        for name, text in _NO_DAY.items()
    ),
    *(
        rejected(
            f"instant-zone-{zone}",
            Reason.INVALID_TIMESTAMP,
            "a zone beyond ±14:00",
            _orb(f"2025-06-01T00:00:00{zone}"),
            "orb",
        )
        for zone in ("+14:01", "-14:01", "+14:59")
    ),
    *(
        rejected(
            f"instant-{name}",
            Reason.INVALID_TIMESTAMP,
            "outside the years 1 to 9999",
            _orb(text),
            "orb",
        )
        for name, text in _OUTSIDE.items()
    ),
    *(
        rejected(
            f"instant-of-type-{name}",
            Reason.INVALID_TIMESTAMP,
            f"'timestamp' must be an ISO 8601 string, {found}",
            _orb(value),
            "orb",
        )
        for name, (value, found) in _OTHER_TYPES.items()
    ),
    rejected("instant-null", Reason.MISSING_FIELD, "'timestamp' is missing", _orb(b"null"), "orb"),
    rejected("instant-absent", Reason.MISSING_FIELD, "'timestamp' is missing", _orb(None), "orb"),
    rejected(
        "last-instant",
        Reason.FUTURE,
        "occurred at 9999-12-31T23:59:59.999999Z",
        _orb("9999-12-31T23:59:59.999999Z"),
        "orb",
    ),
]

_SECONDS_READ = {
    "zero": ("0", "1970-01-01 00:00:00"),
    "minus-zero": ("-0", "1970-01-01 00:00:00"),
    "below-zero": ("-1.5", "1969-12-31 23:59:58.500000"),
    "cut-towards-the-past": ("-0.0000001", "1969-12-31 23:59:59.999999"),
    "fraction": ("1748736000.25", "2025-06-01 00:00:00.250000"),
    "thirty-digits": (f"1748736000.{_FRACTION}", "2025-06-01 00:00:00.123456"),
    "never-rounded-up": ("1748735999.9999999", "2025-05-31 23:59:59.999999"),
    "exponent": ("1.748736E9", "2025-06-01 00:00:00"),
    "milliseconds-by-exponent": ("1748736000250e-3", "2025-06-01 00:00:00.250000"),
    "first-second": ("-62135596800", "0001-01-01 00:00:00"),
}
_SECONDS_OUTSIDE = {
    "milliseconds": "1748736000000",
    "microseconds": "1748736000000000",
    "nanoseconds": "1748736000000000000",
    "year-10000": "253402300800",
    "before-year-1": "-62135596800.0000001",
    "exponent-of-400": "1e400",
    "5000-digits": "9" * 5_000,
}
_SECONDS_NO_NUMBER = {
    "space-before": " 1748736000",
    "plus": "+1748736000",
    "leading-zero": "01748736000",
    "no-fraction": "1748736000.",
    "hexadecimal": "0x683B9780",
    "exponent-of-four-digits": "1e1000",
    "nan": "NaN",
    "infinity": "Infinity",
    "unit": "1748736000s",
    "arabic-digits": "١٧٤٨٧٣٦٠٠٠",
    "nothing": "",
    "date-alone": "2025-06-01",
}

_UNIX_SECONDS = [
    *(
        accepted(
            f"{dialect}-seconds-{name}-as-{form}",
            line_of(dialect, timestamp=raw.encode()),
            dialect,
            occurred_at=_at(read),
        )
        for dialect in ("lago", "stripe")
        for name, (text, read) in _SECONDS_READ.items()
        for form, raw in {"number": text, "text": f'"{text}"'}.items()
    ),
    *(
        rejected(
            f"{dialect}-seconds-{name}-as-{form}",
            Reason.INVALID_TIMESTAMP,
            "it must count seconds since 1970, not milliseconds",
            line_of(dialect, timestamp=raw.encode()),
            dialect,
        )
        for dialect in ("lago", "stripe")
        for name, text in _SECONDS_OUTSIDE.items()
        for form, raw in {"number": text, "text": f'"{text}"'}.items()
    ),
    *(
        rejected(
            f"{dialect}-seconds-{name}",
            Reason.INVALID_TIMESTAMP,
            "field 'timestamp'",
            line_of(dialect, timestamp=f'"{text}"'.encode()),
            dialect,
        )
        for dialect in ("lago", "stripe")
        for name, text in _SECONDS_NO_NUMBER.items()
    ),
    malformed(
        "lago-seconds-bare-nan", "NaN is not JSON", line_of("lago", timestamp=b"NaN"), "lago"
    ),
]


def _metronome_at(instant: datetime, **overrides: object) -> bytes:
    return metronome(timestamp=instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **overrides)


_EDGES = [
    accepted(
        "exactly-24-hours-ahead",
        _metronome_at(RECEIVED_AT + FUTURE_SKEW),
        occurred_at=RECEIVED_AT + FUTURE_SKEW,
    ),
    accepted(
        # 24 hours and 900 nanoseconds: digits beyond the microsecond are cut off.
        "24-hours-and-nanoseconds-ahead",
        metronome(timestamp="2026-01-02T00:00:00.0000009Z"),
        occurred_at=RECEIVED_AT + FUTURE_SKEW,
    ),
    rejected(
        "24-hours-and-a-microsecond-ahead",
        Reason.FUTURE,
        "more than 1d after it was received",
        _metronome_at(RECEIVED_AT + FUTURE_SKEW + _MICROSECOND),
    ),
    accepted(
        "a-microsecond-less-than-33-days-late",
        _metronome_at(RECEIVED_AT - _LATENESS + _MICROSECOND),
        occurred_at=RECEIVED_AT - _LATENESS + _MICROSECOND,
    ),
    rejected(
        "exactly-33-days-late",
        Reason.TOO_LATE,
        "33d or more after it occurred",
        _metronome_at(RECEIVED_AT - _LATENESS),
    ),
    rejected(
        "2000-years-late",
        Reason.TOO_LATE,
        "occurred at 0001-01-01T00:00:00",
        metronome(timestamp="0001-01-01T00:00:00Z"),
    ),
    rejected(
        "8000-years-ahead",
        Reason.FUTURE,
        "occurred at 9999-12-31T23:59:59.999999Z",
        metronome(timestamp="9999-12-31T23:59:59.999999Z"),
    ),
    rejected(
        "received-exactly-at-the-cut",
        Reason.BACKDATED,
        "in a billing period that was cut by",
        metronome(customer_id=BACKDATED_CUSTOMER),
    ),
    accepted(
        "received-a-microsecond-before-the-cut",
        metronome(customer_id=STILL_OPEN_CUSTOMER),
        customer_ref=STILL_OPEN_CUSTOMER,
    ),
    rejected(
        # Both reasons apply, and the first one in the list is given.
        "future-and-backdated",
        Reason.FUTURE,
        "after it was received",
        _metronome_at(RECEIVED_AT + FUTURE_SKEW + _MICROSECOND, customer_id=BACKDATED_CUSTOMER),
    ),
]


def _keyed(key: str, **overrides: object) -> bytes:
    return metronome(transaction_id=key, **overrides)


def _first(name: str, key: str, **overrides: object) -> HostileLine:
    return accepted(name, _keyed(key, **overrides), idempotency_key=key)


_FIRST_OF_TWICE = metronome(transaction_id="twice", properties=b'{"n":1,"t":"x"}')

_KEYS = [
    _first("first-of-three", "thrice"),
    repeats("second-of-three", "first-of-three", _keyed("thrice")),
    repeats("third-of-three", "first-of-three", _keyed("thrice")),
    accepted(
        "first-of-twice",
        _FIRST_OF_TWICE,
        idempotency_key="twice",
        properties={"n": "1", "t": "x"},
    ),
    contradicts("other-value", "first-of-twice", _FIRST_OF_TWICE.replace(b"1,", b"2,")),
    contradicts("the-other-value-again", "first-of-twice", _FIRST_OF_TWICE.replace(b"1,", b"2,")),
    contradicts(
        "same-number-written-otherwise", "first-of-twice", _FIRST_OF_TWICE.replace(b":1,", b":1.0,")
    ),
    contradicts("same-number-as-text", "first-of-twice", _FIRST_OF_TWICE.replace(b":1,", b':"1",')),
    contradicts("number-as-boolean", "first-of-twice", _FIRST_OF_TWICE.replace(b":1,", b":true,")),
    contradicts("other-customer", "first-of-twice", _FIRST_OF_TWICE.replace(b"acme", b"Acme")),
    contradicts("other-event-name", "first-of-twice", _FIRST_OF_TWICE.replace(b"http_", b"http-")),
    contradicts(
        "same-instant-written-otherwise",
        "first-of-twice",
        _FIRST_OF_TWICE.replace(b"00Z", b"00+00:00"),
    ),
    contradicts(
        "a-nanosecond-later", "first-of-twice", _FIRST_OF_TWICE.replace(b"00Z", b"00.000000001Z")
    ),
    contradicts(
        "one-property-more", "first-of-twice", _FIRST_OF_TWICE.replace(b'"n"', b'"":"","n"')
    ),
    contradicts("one-property-less", "first-of-twice", _FIRST_OF_TWICE.replace(b'"n":1,', b"")),
    contradicts(
        "conflict-out-of-time",
        "first-of-twice",
        _FIRST_OF_TWICE.replace(b"2026-01-01", b"2027-01-01"),
    ),
    contradicts(
        "conflict-too-late", "first-of-twice", _FIRST_OF_TWICE.replace(b"2026-01-01", b"2020-01-01")
    ),
    repeats("the-first-again-after-conflicts", "first-of-twice", _FIRST_OF_TWICE),
    repeats(
        "again-with-white-space",
        "first-of-twice",
        b" " + _FIRST_OF_TWICE.replace(b",", b" ,\t") + b"\r",
    ),
    repeats(
        "again-by-escapes",
        "first-of-twice",
        _FIRST_OF_TWICE.replace(b"twice", b"\\u0074wice").replace(b"acme", b"\\u0061cme"),
    ),
    repeats("again-in-an-envelope", "first-of-twice", b'{"event":' + _FIRST_OF_TWICE + b"}"),
    repeats("again-with-other-fields", "first-of-twice", _FIRST_OF_TWICE[:-1] + b',"sent_at":1}'),
    malformed("malformed-line-claims-no-key", "not JSON", _keyed("claimed-late")[:-1]),
    rejected(
        "future-event-claims-no-key",
        Reason.FUTURE,
        "after it was received",
        _keyed("claimed-late", timestamp="2026-01-09T00:00:00Z"),
    ),
    rejected(
        "late-event-claims-no-key",
        Reason.TOO_LATE,
        "or more after it occurred",
        _keyed("claimed-late", timestamp="2025-01-09T00:00:00Z"),
    ),
    _first("first-in-time-claims-the-key", "claimed-late"),
    accepted("key-in-small-letters", _keyed("letters"), idempotency_key="letters"),
    accepted("key-in-capitals", _keyed("LETTERS"), idempotency_key="LETTERS"),
    accepted("key-with-a-space-after", _keyed("letters "), idempotency_key="letters "),
    accepted("key-with-a-space-before", _keyed(" letters"), idempotency_key=" letters"),
    accepted("key-with-a-tab", _keyed("letters\t"), idempotency_key="letters\t"),
    accepted("key-with-a-line-end", _keyed("letters\n"), idempotency_key="letters\n"),
    accepted("key-with-a-mark", _keyed("\ufeffletters"), idempotency_key="\ufeffletters"),
    accepted("key-composed", _keyed("l\u00e9tters"), idempotency_key="l\u00e9tters"),
    accepted("key-combined", _keyed("le\u0301tters"), idempotency_key="le\u0301tters"),
    accepted("key-of-digits", _keyed("17"), idempotency_key="17"),
    accepted("key-of-digits-with-a-zero", _keyed("017"), idempotency_key="017"),
    accepted("key-of-digits-with-a-fraction", _keyed("17.0"), idempotency_key="17.0"),
]

LINES = (*_CALENDAR, *_UNIX_SECONDS, *_EDGES, *_KEYS)
"""All cases of this module."""
