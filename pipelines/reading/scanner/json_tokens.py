"""JSON tokens, compiled: reads strings, numbers and flat objects as places in a byte buffer.

A reader accepts only what the strict reader accepts. It returns `NO` for anything unusual.

Every reader takes the buffer `text`, the place `at` where it starts, and the `end` of the chunk.
It also takes the place `free` behind the used part of the buffer. The text of a string with
escapes is written there without them, so that each text is one range of the buffer.
"""

from typing import Any

import numpy as np

from pipelines.reading.scanner.compiled import (
    WORD_BYTES,
    byte_at,
    compiled,
    lowest_bit,
    put_word,
    word_at,
)
from pipelines.vocabulary.limits import NAME_BYTES_MAX

NO = -1
"""The result where nothing can be read. The line is then left to the strict reader."""

MEMBERS_USUAL = 32
"""Members of an object, at most. A line with more is left to the strict reader."""

STRING, NUMBER, BOOLEAN, NULL = 115, 110, 98, 48
"""The types of values, by their letters in a payload. A payload never holds null."""

QUOTE, COMMA, COLON, OPEN, CLOSE, LINE_END = 34, 44, 58, 123, 125, 10
"""The bytes of JSON's structure."""

_EACH_BYTE = np.uint64(0x0101010101010101)
_HIGH_BITS = np.uint64(0x8080808080808080)
_QUOTES = _EACH_BYTE * np.uint64(34)
_BACKSLASHES = _EACH_BYTE * np.uint64(92)
_SPACES = _EACH_BYTE * np.uint64(32)
_BACKSLASH, _ZERO, _NINE, _MINUS, _PLUS, _POINT = 92, 48, 57, 45, 43, 46


@compiled
def after_space(text: Any, at: int, end: int) -> int:
    """The first place from `at` on that is not white space within a line."""
    while at < end and (
        byte_at(text, at) == 32 or byte_at(text, at) == 9 or byte_at(text, at) == 13
    ):
        at += 1
    return at


@compiled
def _after_sequence(text: Any, at: int, end: int) -> int:
    """The end of the UTF-8 sequence of several bytes at `at`, or `NO` if there is none."""
    lead = byte_at(text, at)
    if lead < 0xC2 or lead > 0xF4:
        return NO
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if at + length > end:
        return NO
    second = byte_at(text, at + 1)
    low = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    high = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    if second < low or second > high:
        return NO
    for place in range(at + 2, at + length):
        if byte_at(text, place) < 0x80 or byte_at(text, place) > 0xBF:
            return NO
    return at + length


@compiled
def _hex(text: Any, at: int, end: int) -> int:
    """The value of the four hex digits at `at`, or `NO` if there are none."""
    if at + 4 > end:
        return NO
    code = 0
    for place in range(at, at + 4):
        digit = byte_at(text, place)
        if _ZERO <= digit <= _NINE:
            code = code * 16 + (digit - _ZERO)
        elif 97 <= (digit | 32) <= 102:
            code = code * 16 + ((digit | 32) - 87)
        else:
            return NO
    return code


@compiled
def _put_utf8(text: Any, at: int, code: int) -> int:
    """Writes one character at `at`. Returns the place behind it."""
    if code < 0x80:
        text[at] = code
        return at + 1
    if code < 0x800:
        text[at] = 0xC0 | (code >> 6)
        text[at + 1] = 0x80 | (code & 0x3F)
        return at + 2
    if code < 0x10000:
        text[at] = 0xE0 | (code >> 12)
        text[at + 1] = 0x80 | ((code >> 6) & 0x3F)
        text[at + 2] = 0x80 | (code & 0x3F)
        return at + 3
    text[at] = 0xF0 | (code >> 18)
    text[at + 1] = 0x80 | ((code >> 12) & 0x3F)
    text[at + 2] = 0x80 | ((code >> 6) & 0x3F)
    text[at + 3] = 0x80 | (code & 0x3F)
    return at + 4


@compiled
def _unescaped(text: Any, at: int, end: int, free: int) -> Any:
    """Writes the character of the escape at `at` to `free`. Returns where each ends, or `NO`."""
    if at + 1 >= end:
        return NO, free
    sign = byte_at(text, at + 1)
    if sign == QUOTE or sign == _BACKSLASH or sign == 47:
        text[free] = sign
    elif sign == 98:
        text[free] = 8
    elif sign == 102:
        text[free] = 12
    elif sign == 110:
        text[free] = 10
    elif sign == 114:
        text[free] = 13
    elif sign == 116:
        text[free] = 9
    elif sign == 117:
        code = _hex(text, at + 2, end)
        after = at + 6
        if 0xD800 <= code < 0xDC00 and after + 1 < end:
            low = NO
            if byte_at(text, after) == _BACKSLASH and byte_at(text, after + 1) == 117:
                low = _hex(text, after + 2, end)
            if low < 0xDC00 or low > 0xDFFF:
                return NO, free
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            after += 6
        if code <= 0 or 0xD800 <= code <= 0xDFFF:  # A NUL or a lone surrogate.
            return NO, free
        return after, _put_utf8(text, free, code)
    else:
        return NO, free
    return at + 2, free + 1


@compiled
def _after_plain(text: Any, at: int, end: int) -> int:
    """The end of the plain bytes from `at` on: no quote, backslash, control or non-ASCII byte."""
    while at < end:
        word = word_at(text, at)
        quote, backslash = word ^ _QUOTES, word ^ _BACKSLASHES
        # The high bit of a byte is set where the byte matches, is below a space, or beyond ASCII.
        # A carry from a lower byte may set a higher bit too, so only the lowest one is certain.
        found = (
            ((quote - _EACH_BYTE) & ~quote)
            | ((backslash - _EACH_BYTE) & ~backslash)
            | ((word - _SPACES) & ~word)
            | word
        ) & _HIGH_BITS
        if found:
            return min(at + (lowest_bit(found) >> 3), end)
        at += WORD_BYTES
    return end


@compiled
def read_text(text: Any, at: int, end: int, free: int) -> Any:
    """The string whose first byte is at `at`: place, length, the end of it and of `free`.

    A string without escapes stays in its place. One with escapes is written to `free`.
    """
    start = at
    while True:
        at = _after_plain(text, at, end)
        if at == end:
            return 0, 0, NO, free
        byte = byte_at(text, at)
        if byte == QUOTE:
            return start, at - start, at + 1, free
        if byte < 0x80:
            break
        at = _after_sequence(text, at, end)
        if at == NO:
            return 0, 0, NO, free
    if byte != _BACKSLASH:
        return 0, 0, NO, free
    written = free
    for place in range(start, at):
        text[free] = byte_at(text, place)
        free += 1
    while at < end:
        byte = byte_at(text, at)
        if byte == QUOTE:
            return written, free - written, at + 1, free
        if byte < 0x20:
            break
        if byte == _BACKSLASH:
            at, free = _unescaped(text, at, end, free)
            if at == NO:
                break
            continue
        after = at + 1 if byte < 0x80 else _after_sequence(text, at, end)
        if after == NO:
            break
        while at < after:
            text[free] = byte_at(text, at)
            free += 1
            at += 1
    return 0, 0, NO, free


@compiled
def _after_digits(text: Any, at: int, end: int) -> int:
    while at < end and _ZERO <= byte_at(text, at) <= _NINE:
        at += 1
    return at


@compiled
def _number(text: Any, at: int, end: int) -> int:
    """The end of the JSON number at `at`, or `NO`."""
    if at < end and byte_at(text, at) == _MINUS:
        at += 1
    digits = at
    at = _after_digits(text, at, end)
    if at == digits or (byte_at(text, digits) == _ZERO and at > digits + 1):
        return NO
    if at < end and byte_at(text, at) == _POINT:
        digits = at + 1
        at = _after_digits(text, digits, end)
        if at == digits:
            return NO
    if at < end and (byte_at(text, at) | 32) == 101:
        at += 1
        if at < end and (byte_at(text, at) == _PLUS or byte_at(text, at) == _MINUS):
            at += 1
        digits = at
        at = _after_digits(text, digits, end)
        if at == digits:
            return NO
    return at


@compiled
def read_scalar(text: Any, at: int, end: int, free: int) -> Any:
    """The scalar value at `at`: type, place, length, the end of it and of `free`."""
    if at >= end:
        return 0, 0, 0, NO, free
    byte = byte_at(text, at)
    if byte == QUOTE:
        place, length, at, free = read_text(text, at + 1, end, free)
        return STRING, place, length, at, free
    if byte == _MINUS or _ZERO <= byte <= _NINE:
        after = _number(text, at, end)
        return NUMBER, at, after - at, after, free
    if at + 4 <= end:
        four = (
            byte_at(text, at),
            byte_at(text, at + 1),
            byte_at(text, at + 2),
            byte_at(text, at + 3),
        )
        if four == (116, 114, 117, 101):
            return BOOLEAN, at, 4, at + 4, free
        if four == (110, 117, 108, 108):
            return NULL, at, 4, at + 4, free
        if four == (102, 97, 108, 115) and at + 5 <= end and byte_at(text, at + 4) == 101:
            return BOOLEAN, at, 5, at + 5, free
    return 0, 0, 0, NO, free


@compiled
def byte_order(text: Any, place: int, length: int, other: int, other_length: int) -> int:
    """Compares two texts byte by byte: below 0 if the first is less, 0 if equal, else above 0."""
    shorter = min(length, other_length)
    at = 0
    while at < shorter:
        differing = word_at(text, place + at) ^ word_at(text, other + at)
        if differing:
            at += lowest_bit(differing) >> 3
            if at >= shorter:
                break
            return byte_at(text, place + at) - byte_at(text, other + at)
        at += WORD_BYTES
    return length - other_length


@compiled
def put_text(target: Any, at: int, text: Any, place: int, length: int) -> int:
    """Copies a text to `at`. Returns the place behind it. Overwrites up to a word there."""
    for byte in range(0, length, WORD_BYTES):
        put_word(target, at + byte, word_at(text, place + byte))
    return at + length


@compiled
def read_flat_object(text: Any, at: int, end: int, free: int, members: Any) -> Any:
    """Reads the flat object whose bracket is before `at` into `members`, by name.

    Returns:
        The number of members, the end of the object, and the end of `free`. The end is `NO` if a
        member is not flat, null or repeated.
    """
    count = 0
    at = after_space(text, at, end)
    if at < end and byte_at(text, at) == CLOSE:
        return 0, at + 1, free
    while at < end and byte_at(text, at) == QUOTE and count < MEMBERS_USUAL:
        name, name_length, at, free = read_text(text, at + 1, end, free)
        if at == NO or name_length > NAME_BYTES_MAX:
            break
        at = after_space(text, at, end)
        if at >= end or byte_at(text, at) != COLON:
            break
        kind, place, length, at, free = read_scalar(text, after_space(text, at + 1, end), end, free)
        if at == NO or kind == NULL:
            break
        row = count
        while row > 0:
            order = byte_order(text, members[row - 1, 0], members[row - 1, 1], name, name_length)
            if order == 0:
                return 0, NO, free
            if order < 0:
                break
            for field in range(5):
                members[row, field] = members[row - 1, field]
            row -= 1
        members[row, 0] = name
        members[row, 1] = name_length
        members[row, 2] = place
        members[row, 3] = length
        members[row, 4] = kind
        count += 1
        at = after_space(text, at, end)
        if at >= end:
            break
        if byte_at(text, at) == CLOSE:
            return count, at + 1, free
        if byte_at(text, at) != COMMA:
            break
        at = after_space(text, at + 1, end)
    return 0, NO, free
