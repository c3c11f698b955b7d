"""Instants as microseconds since 1970-01-01T00:00:00Z, and the parsers of senders' texts.

The parsers cut off digits beyond the microsecond, towards the past. Such digits still count in the
payload digest, which covers the text itself.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from pipelines.vocabulary.visible import beginning

_RFC3339 = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt ]"
    r"((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d)(?:\.(\d+))?"
    r"(?:([Zz])|([+-])(0\d|1[0-4]):([0-5]\d))",
    re.ASCII,
)
_ISO8601 = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-W\d\d-[1-7]|\d{4}W\d\d[1-7]|\d{4}-?\d{3})[Tt ]"
    r"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d))?)?(?:[.,](\d+))?"
    r"( ?(?:[Zz](?:\[(?:Etc/)?UTC\])?|UTC|GMT|[+-]0000 UTC"
    r"|([+\-\u2212])(0\d|1[0-4])(?::?([0-5]\d))?))?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)", re.ASCII)
_UNIX_SECONDS = re.compile(
    r"(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_MINUTES_MAX = 14 * 60
_LAST_MICROSECOND = 253402300799999999  # 9999-12-31T23:59:59.999999Z
_FIRST_MICROSECOND = -62135596800000000  # 0001-01-01T00:00:00Z
_LEAST_OF_ITS_UNIT = 100_000_000_000_000  # 1973-03-03T09:46:40Z
_FRACTION_DIGITS = 30  # More of them cannot change the microsecond.


class TimestampError(ValueError):
    """The text is not an instant that is accepted. Its message says why."""


class ZonelessError(TimestampError):
    """The text would be an instant if it had a zone."""


def microseconds_of(instant: datetime) -> int:
    """Microseconds since 1970 of an instant with a zone. Before 1970 they are negative."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(microseconds: int) -> datetime:
    """The instant in UTC that is `microseconds` after 1970-01-01T00:00:00Z."""
    return _EPOCH + timedelta(microseconds=microseconds)


def rfc3339_text(instant: datetime) -> str:
    """The instant in UTC, as in "2026-06-01T00:00:00Z"; a fraction only where it is not 0.

    Digests follow from it, so it is never changed.
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 instant with a zone.

    A leap second, `24:00`, a date alone and a zone beyond ±14:00 are refused.

    Example: `2026-01-31T14:45:00.25+01:00` is 2026-01-31T13:45:00.25Z.

    Raises:
        ZonelessError: the text has no zone.
        TimestampError: the text is not such an instant, or lies outside the years 1 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        kind = ZonelessError if _RFC3339.fullmatch(f"{text}Z") else TimestampError
        raise kind(
            f"{beginning(text)} is not an RFC 3339 instant with zone, like 2026-01-31T13:45:00Z"
        )
    day, minute, second, fraction, zulu, sign, zone_hours, zone_minutes = match.groups()
    instant = _minute_microseconds(day, minute) + int(second) * 1_000_000
    if fraction:
        instant += int(fraction[:6].ljust(6, "0"))
    if not zulu:
        offset = int(zone_hours) * 60 + int(zone_minutes)
        if offset > _ZONE_MINUTES_MAX:
            raise TimestampError(f"{beginning(text)} has a zone beyond ±14:00")
        instant += offset * (60_000_000 if sign == "-" else -60_000_000)
    return _within_the_calendar(text, instant)


def parse_iso8601(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 instant with a zone.

    Every text that names one instant without doubt is read: a calendar date, week date or day of
    the year, with or without separators, and an hour that may have minutes, seconds and a fraction
    of the last of them. The zone is `Z`, `UTC`, `GMT` or an offset such as `+01`, `+0100` or
    `+01:00`. A space may stand before the time and before the zone. Otherwise as `parse_rfc3339`.

    Example: `2026-01-31 13:45:00 UTC` and `20260131T1445+01` are 2026-01-31T13:45:00Z.

    Raises:
        ZonelessError: the text has no zone.
        TimestampError: the text is not such an instant, or lies outside the years 1 to 9999.
    """
    return _iso8601(text, None)


def parse_iso8601_utc(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 instant, which is in UTC if it has no zone.

    For dialects whose vendor documents that. Otherwise as `parse_iso8601`.

    Example: `2026-01-31T13:45:00` is 2026-01-31T13:45:00Z.

    Raises:
        TimestampError: the text is not such an instant, or lies outside the years 1 to 9999.
    """
    return _iso8601(text, 0)


@dataclass(frozen=True)
class LocalIso8601:
    """Reads ISO 8601 instants, which have a fixed offset from UTC if they have no zone.

    Example: with 120 minutes, `2026-01-31T13:45:00` is 2026-01-31T11:45:00Z.

    Attributes:
        offset_minutes: minutes by which the sender's clock is ahead of UTC.
    """

    offset_minutes: int

    def __call__(self, text: str) -> int:
        """Microseconds since 1970. Raises `TimestampError`."""
        return _iso8601(text, self.offset_minutes)


def parse_offset(text: str) -> int:
    """The minutes of an offset from UTC, such as `+05:30` or `-08:00`.

    Raises:
        TimestampError: the text is not such an offset, or goes beyond ±14:00.
    """
    match = _OFFSET.fullmatch(text)
    minutes = int(match[2]) * 60 + int(match[3]) if match else _ZONE_MINUTES_MAX + 1
    if match is None or minutes > _ZONE_MINUTES_MAX:
        raise TimestampError(
            f"{beginning(text)} is not an offset from -14:00 to +14:00, like +01:00"
        )
    return -minutes if match[1] == "-" else minutes


def _iso8601(text: str, offset_minutes: int | None) -> int:
    # `offset_minutes`: that of a text without a zone. None: the text must have one.
    if _RFC3339.fullmatch(text):
        return parse_rfc3339(text)
    match = _ISO8601.fullmatch(text)
    if match is None:
        raise TimestampError(
            f"{beginning(text)} is not an ISO 8601 instant, like 2026-01-31T13:45:00Z"
        )
    day, hour, minute, second, fraction, zone, sign, zone_hours, zone_minutes = match.groups()
    if zone is None and offset_minutes is None:
        raise ZonelessError(
            f"{beginning(text)} is not an ISO 8601 instant with zone, like 2026-01-31T13:45:00Z"
        )
    instant = _minute_microseconds(_calendar_day(day), f"{hour}:{minute or '00'}")
    instant += int(second or 0) * 1_000_000
    if fraction:
        unit = 1_000_000 if second else 60_000_000 if minute else 3_600_000_000
        digits = fraction[:_FRACTION_DIGITS]
        instant += int(digits) * unit // 10 ** len(digits)
    offset = offset_minutes or 0
    if zone is not None:
        minutes = int(zone_hours or 0) * 60 + int(zone_minutes or 0)
        if minutes > _ZONE_MINUTES_MAX:
            raise TimestampError(f"{beginning(text)} has a zone beyond ±14:00")
        offset = minutes if sign == "+" else -minutes
    return _within_the_calendar(text, instant - offset * 60_000_000)


def _calendar_day(text: str) -> str:
    """The day as `2026-01-31`, of a week date or a day of the year too."""
    digits = text.replace("-", "")
    try:
        if "W" in digits or len(digits) == len("20260131"):
            return date.fromisoformat(text).isoformat()
        first = date.fromisoformat(f"{digits[:4]}-01-01")
        day = first + timedelta(days=int(digits[4:]) - 1)
    except (ValueError, OverflowError) as error:
        raise TimestampError(f"{text!a} is not a day of the calendar: {error}") from None
    if day.year != first.year:
        raise TimestampError(f"{text!a} is not a day of the calendar: day is out of range for year")
    return day.isoformat()


def _within_the_calendar(text: str, instant: int) -> int:
    if not _FIRST_MICROSECOND <= instant <= _LAST_MICROSECOND:
        raise TimestampError(f"{beginning(text)} lies outside the years 1 to 9999 in UTC")
    return instant


def parse_unix_seconds(text: str) -> int:
    """Microseconds since 1970 of a decimal number of seconds since 1970.

    The result is exact, since the digits are shifted as text. A number of milliseconds lies
    outside the years 1 to 9999, so it is refused and never guessed at.

    Example: `1767225600.25` is 2026-01-01T00:00:00.25Z. `1767225600250` is refused.

    Raises:
        TimestampError: the text is not such a number, or lies outside the years 1 to 9999.
    """
    return _unix(text, _SECONDS)


def parse_unix_milliseconds(text: str) -> int:
    """Microseconds since 1970 of a decimal number of milliseconds since 1970.

    The result is exact, as in `parse_unix_seconds`. A number that can only be meant as seconds is
    refused and never guessed at (see `_unix`).

    Example: `1767225600250` is 2026-01-01T00:00:00.25Z. `1767225600.25` is refused.

    Raises:
        TimestampError: the text is not such a number, counts seconds, or lies outside the years 1
            to 9999.
    """
    return _unix(text, _MILLISECONDS)


def parse_unix_microseconds(text: str) -> int:
    """Microseconds since 1970 of a decimal number of microseconds since 1970.

    A number that can only be meant as seconds or milliseconds is refused (see `_unix`).

    Example: `1767225600250000` is 2026-01-01T00:00:00.25Z. `1767225600250` is refused.

    Raises:
        TimestampError: the text is not such a number, counts a longer unit, or lies outside the
            years 1 to 9999.
    """
    return _unix(text, _MICROSECONDS)


@dataclass(frozen=True)
class _UnixUnit:
    """A unit of Unix time.

    Attributes:
        name: its name.
        digits: decimal digits by which a number of it is shifted to microseconds.
        example: a number of it.
        shorter: the unit that a number beyond the calendar may count instead.
        longer: the units that a number close to 1970 may count instead.
    """

    name: str
    digits: int
    example: str
    shorter: str
    longer: str


_SECONDS = _UnixUnit("seconds", 6, "1767225600.25", "milliseconds", "minutes")
_MILLISECONDS = _UnixUnit("milliseconds", 3, "1767225600250", "microseconds", "seconds")
_MICROSECONDS = _UnixUnit(
    "microseconds", 0, "1767225600250000", "nanoseconds", "seconds or milliseconds"
)


def _unix(text: str, unit: _UnixUnit) -> int:
    """Microseconds since 1970 of a number of the unit.

    One rule about 1970 holds for every unit: a number that lies before 3 March 1973, but on or
    after that day if it counted seconds, is refused. So is the same distance before 1970.

    Example: `1767225600` is 2026 in seconds. As milliseconds it would be 21 January 1970, so it is
    refused. `0` is 1970-01-01T00:00:00Z in every unit.
    """
    instant = _shifted(text, unit.digits)
    if instant is None:
        raise TimestampError(
            f"{beginning(text)} is not a number of {unit.name}, like {unit.example}"
        )
    if not _FIRST_MICROSECOND <= instant <= _LAST_MICROSECOND:
        raise TimestampError(
            f"{beginning(text)} lies outside the years 1 to 9999; "
            f"it must count {unit.name} since 1970, not {unit.shorter}"
        )
    if abs(instant) < _LEAST_OF_ITS_UNIT <= abs(_shifted(text, _SECONDS.digits) or 0):
        raise TimestampError(
            f"{beginning(text)} lies within three years of 1970; "
            f"it must count {unit.name} since 1970, not {unit.longer}"
        )
    return instant


def _shifted(text: str, shift: int) -> int | None:
    # None: the text is not a number. A number with too many digits gives an instant beyond year
    # 9999, which the caller refuses.
    match = _UNIX_SECONDS.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, exponent = match.groups(default="")
    digits = whole + fraction
    point = len(whole) + int(exponent or 0) + shift
    digits = digits.ljust(point, "0")
    microseconds = digits[: max(point, 0)].lstrip("0")
    if len(microseconds) > len(str(-_FIRST_MICROSECOND)) + 1:
        return _LAST_MICROSECOND + 1
    instant = int(microseconds or 0)
    return -instant - bool(digits[max(point, 0) :].strip("0")) if sign else instant


def parse_unix_seconds_or_rfc3339(text: str) -> int:
    """Microseconds since 1970 of a number of seconds or of an RFC 3339 instant.

    No text has both forms.

    Raises:
        TimestampError: the text has neither form, or lies outside the years 1 to 9999.
    """
    return parse_unix_seconds(text) if _UNIX_SECONDS.fullmatch(text) else parse_rfc3339(text)


@lru_cache(maxsize=100_000)
def _minute_microseconds(day: str, minute: str) -> int:
    # The events of a file share few minutes, so most calls are answered by the cache.
    try:
        instant = datetime.fromisoformat(f"{day}T{minute}:00+00:00")
    except ValueError as error:
        raise TimestampError(f"{day!a} is not a day of the calendar: {error}") from None
    return microseconds_of(instant)
