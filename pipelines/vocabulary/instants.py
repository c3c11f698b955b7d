"""Instants as microseconds since 1970-01-01T00:00:00Z, and the parsers of senders' texts.

The parsers cut off digits beyond the microsecond, towards the past. Such digits still count in the
payload digest, which covers the text itself.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_RFC3339 = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt ]"
    r"((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d)(?:\.(\d+))?"
    r"(?:([Zz])|([+-])(0\d|1[0-4]):([0-5]\d))",
    re.ASCII,
)
_WITHOUT_ZONE = re.compile(r"[^TtZz ]{10}[Tt ][^Zz+-]*", re.ASCII)
_UNIX_SECONDS = re.compile(
    r"(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?",
    re.ASCII,
)
_MICROSECOND_DIGITS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_MINUTES_MAX = 14 * 60
_LAST_MICROSECOND = 253402300799999999  # 9999-12-31T23:59:59.999999Z
_FIRST_MICROSECOND = -62135596800000000  # 0001-01-01T00:00:00Z
_LEAST_FROM_MILLISECONDS = 100_000_000_000_000  # 1973-03-03T09:46:40Z


class TimestampError(ValueError):
    """The text is not an instant that is accepted. Its message says why."""


def microseconds_of(instant: datetime) -> int:
    """Microseconds since 1970 of an instant with a zone. Before 1970 they are negative."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(microseconds: int) -> datetime:
    """The instant in UTC that is `microseconds` after 1970-01-01T00:00:00Z."""
    return _EPOCH + timedelta(microseconds=microseconds)


def parse_rfc3339(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 instant with a zone.

    A leap second, `24:00`, a date alone and a zone beyond ±14:00 are refused.

    Example: `2026-01-31T14:45:00.25+01:00` is 2026-01-31T13:45:00.25Z.

    Raises:
        TimestampError: the text is not such an instant, or lies outside the years 1 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise TimestampError(
            f"{text[:64]!a} is not an RFC 3339 instant with zone, like 2026-01-31T13:45:00Z"
        )
    date, minute, second, fraction, zulu, sign, zone_hours, zone_minutes = match.groups()
    instant = _minute_microseconds(date, minute) + int(second) * 1_000_000
    if fraction:
        instant += int(fraction[:6].ljust(6, "0"))
    if not zulu:
        offset = int(zone_hours) * 60 + int(zone_minutes)
        if offset > _ZONE_MINUTES_MAX:
            raise TimestampError(f"{text[:64]!a} has a zone beyond ±14:00")
        instant += offset * (60_000_000 if sign == "-" else -60_000_000)
    if not _FIRST_MICROSECOND <= instant <= _LAST_MICROSECOND:
        raise TimestampError(f"{text[:64]!a} lies outside the years 1 to 9999 in UTC")
    return instant


def parse_iso8601_utc(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 instant, which is in UTC if it has no zone.

    For dialects whose vendor documents that. Otherwise as `parse_rfc3339`.

    Example: `2026-01-31T13:45:00` is 2026-01-31T13:45:00Z.

    Raises:
        TimestampError: the text is not such an instant, or lies outside the years 1 to 9999.
    """
    return parse_rfc3339(f"{text}Z" if _WITHOUT_ZONE.fullmatch(text) else text)


def parse_unix_seconds(text: str) -> int:
    """Microseconds since 1970 of a decimal number of seconds since 1970.

    The result is exact, since the digits are shifted as text. A number of milliseconds lies
    outside the years 1 to 9999, so it is refused and never guessed at.

    Example: `1767225600.25` is 2026-01-01T00:00:00.25Z. `1767225600250` is refused.

    Raises:
        TimestampError: the text is not such a number, or lies outside the years 1 to 9999.
    """
    instant = _unix_microseconds(text, _MICROSECOND_DIGITS)
    if instant is None:
        raise TimestampError(f"{text[:64]!a} is not a number of seconds, like 1767225600.25")
    if not _FIRST_MICROSECOND <= instant <= _LAST_MICROSECOND:
        raise TimestampError(
            f"{text[:64]!a} lies outside the years 1 to 9999; "
            "it must count seconds since 1970, not milliseconds"
        )
    return instant


def parse_unix_milliseconds(text: str) -> int:
    """Microseconds since 1970 of a decimal number of milliseconds since 1970.

    The result is exact, as in `parse_unix_seconds`. A number within three years of 1970 can only
    be meant as seconds, so it is refused and never guessed at.

    Example: `1767225600250` is 2026-01-01T00:00:00.25Z. `1767225600.25` is refused.

    Raises:
        TimestampError: the text is not such a number, lies within three years of 1970, or lies
            outside the years 1 to 9999.
    """
    instant = _unix_microseconds(text, _MICROSECOND_DIGITS - 3)
    if instant is None:
        raise TimestampError(f"{text[:64]!a} is not a number of milliseconds, like 1767225600250")
    if abs(instant) < _LEAST_FROM_MILLISECONDS:
        raise TimestampError(
            f"{text[:64]!a} lies within three years of 1970; "
            "it must count milliseconds since 1970, not seconds"
        )
    if not _FIRST_MICROSECOND <= instant <= _LAST_MICROSECOND:
        raise TimestampError(
            f"{text[:64]!a} lies outside the years 1 to 9999; it must count milliseconds since 1970"
        )
    return instant


def _unix_microseconds(text: str, shift: int) -> int | None:
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
def _minute_microseconds(date: str, minute: str) -> int:
    # The events of a file share few minutes, so most calls are answered by the cache.
    try:
        instant = datetime.fromisoformat(f"{date}T{minute}:00+00:00")
    except ValueError as error:
        raise TimestampError(f"{date!a} is not a day of the calendar: {error}") from None
    return microseconds_of(instant)
