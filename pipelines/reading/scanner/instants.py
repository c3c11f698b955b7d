"""Instants, compiled: reads RFC 3339 and plain Unix seconds from bytes.

The results are those of `vocabulary.instants`. A text that is not plainly right gives `NO_INSTANT`,
and its line is left to the strict reader.
"""

from typing import Any

import numpy as np

from pipelines.reading.scanner.compiled import byte_at, compiled

NO_INSTANT = np.iinfo(np.int64).min
"""The result for a text that is left to the strict reader."""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_FIRST_YEAR, _LAST_YEAR = 2, 9998  # With any zone these stay within the years 1 to 9999.
_UNIX_DIGITS = 11  # Seconds have eleven digits from 2286-11-20 on. More are left over.


@compiled
def _digits(text: Any, at: int, count: int) -> int:
    value = 0
    for place in range(at, at + count):
        digit = byte_at(text, place) - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@compiled
def _days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a day of the Gregorian calendar."""
    # Years are counted from March, so that the leap day is the last day of a year.
    years = year - 1 if month <= 2 else year
    months = month + 9 if month <= 2 else month - 3
    era = years // 400
    year_of_era = years - era * 400
    day_of_year = (153 * months + 2) // 5 + day - 1
    return (
        era * 146_097
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + (day_of_year - 719_468)
    )


@compiled
def _last_day(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@compiled
def rfc3339_microseconds(text: Any, at: int, length: int) -> int:
    """Microseconds since 1970 of the RFC 3339 text of `length` bytes at `at`, or `NO_INSTANT`.

    Digits beyond the microsecond are cut off, as in `vocabulary.instants`.
    """
    end = at + length
    if length < 20 or byte_at(text, at + 4) != 45 or byte_at(text, at + 7) != 45:
        return NO_INSTANT
    between = byte_at(text, at + 10)
    if (between != 84 and between != 116 and between != 32) or byte_at(text, at + 13) != 58:
        return NO_INSTANT
    year, month, day = _digits(text, at, 4), _digits(text, at + 5, 2), _digits(text, at + 8, 2)
    hour, minute = _digits(text, at + 11, 2), _digits(text, at + 14, 2)
    second = _digits(text, at + 17, 2)
    if byte_at(text, at + 16) != 58 or not (_FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= 12):
        return NO_INSTANT
    if not (1 <= day <= _last_day(year, month) and 0 <= hour <= 23):
        return NO_INSTANT
    if not (0 <= minute <= 59 and 0 <= second <= 59):
        return NO_INSTANT
    instant = _days_before(year, month, day) * _DAY
    instant += ((hour * 60 + minute) * 60 + second) * _SECOND
    at += 19
    if byte_at(text, at) == 46:
        at += 1
        first, unit = at, _SECOND // 10
        while at < end and 48 <= byte_at(text, at) <= 57:
            instant += np.int64(byte_at(text, at) - 48) * unit
            unit //= 10
            at += 1
        if at == first:
            return NO_INSTANT
    if at + 1 == end and (byte_at(text, at) | 32) == 122:
        return instant
    if (
        at + 6 != end
        or byte_at(text, at + 3) != 58
        or (byte_at(text, at) != 43 and byte_at(text, at) != 45)
    ):
        return NO_INSTANT
    zone_hours, zone_minutes = _digits(text, at + 1, 2), _digits(text, at + 4, 2)
    if not (0 <= zone_minutes <= 59 and 0 <= zone_hours * 60 + zone_minutes <= 14 * 60):
        return NO_INSTANT
    if zone_hours < 0:
        return NO_INSTANT
    offset = (zone_hours * 60 + zone_minutes) * 60 * _SECOND
    return instant - offset if byte_at(text, at) == 43 else instant + offset


@compiled
def unix_microseconds(text: Any, at: int, length: int) -> int:
    """Microseconds since 1970 of the Unix seconds of `length` bytes at `at`, or `NO_INSTANT`.

    They may have a fraction, but no sign and no exponent.
    """
    end = at + length
    first = at
    seconds: Any = 0
    while at < end and 48 <= byte_at(text, at) <= 57:
        if at - first >= _UNIX_DIGITS:
            return NO_INSTANT
        seconds = seconds * 10 + np.int64(byte_at(text, at) - 48)
        at += 1
    if at == first or (byte_at(text, first) == 48 and at > first + 1):
        return NO_INSTANT
    instant = seconds * _SECOND
    if at < end and byte_at(text, at) == 46:
        at += 1
        fraction, unit = at, _SECOND // 10
        while at < end and 48 <= byte_at(text, at) <= 57:
            instant += np.int64(byte_at(text, at) - 48) * unit
            unit //= 10
            at += 1
        if at == fraction:
            return NO_INSTANT
    return instant if at == end else NO_INSTANT
