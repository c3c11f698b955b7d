"""Lines, compiled: reads lines of a usual shape as places in the buffer and digests.

Invariant: a line is accepted only where the strict reader (`reading.parse`) accepts it with the
same row. Every other line is left to the strict reader: it is unusual, too long, nested or wrong.

1. `_line` reads the members of one line by role, and its properties by name.
2. `_keep` writes one event as places in the buffer, with the digests of its payload and key.
3. `scan_lines` does both for every line of a chunk.
"""

from typing import Any, NamedTuple

import numpy as np

from pipelines.reading.scanner.compiled import WORD_BYTES, byte_at, compiled, word_at
from pipelines.reading.scanner.instants import NO_INSTANT, rfc3339_microseconds, unix_microseconds
from pipelines.reading.scanner.json_tokens import (
    CLOSE,
    COLON,
    COMMA,
    LINE_END,
    MEMBERS_USUAL,
    NO,
    NUMBER,
    OPEN,
    QUOTE,
    STRING,
    after_space,
    byte_order,
    put_text,
    read_flat_object,
    read_scalar,
    read_text,
)
from pipelines.reading.scanner.xxh64 import xxh64
from pipelines.vocabulary.hashing import SEEDS
from pipelines.vocabulary.limits import NAME_BYTES_MAX

EVENT, BLANK, STRICT = 1, 2, 3
"""The kinds of lines: an event that is read here, blank, or left to the strict reader."""

KEY, CUSTOMER, SUBSCRIPTION, EVENT_NAME, INSTANT, PROPERTIES, UNUSUAL = 1, 2, 3, 4, 5, 6, 7
"""Roles of top-level members. A line with an `UNUSUAL` one is left to the strict reader."""

RFC3339, UNIX_OR_RFC3339 = 0, 1
"""The forms of an instant."""

LINE_BYTES_USUAL = 32 * 1024
"""Bytes of a line, at most. A longer line is left to the strict reader."""

DISTINCT_NAMES = 4096
"""Distinct names of events and properties in a chunk, at most. Lines with others are left over."""

ROWS, LINES, NAMES, PROPERTIES_KEPT = 0, 1, 2, 3
"""Positions in `Scanned.counts`."""

_SLOT_BITS = 14
SLOTS = 1 << _SLOT_BITS
"""Number of slots in the table of distinct names."""

_ODD = np.uint64(0x9E3779B97F4A7C15)
_CUSTOMER_FIELD, _INSTANT_KIND, _COUNT, FOUND = 16, 17, 18, 19  # After two places for each role.


class Form(NamedTuple):
    """The form of a dialect as the scanner needs it.

    Attributes:
        names: the declared names of top-level members, joined.
        name_ends: the end of each name in `names`.
        roles: the role of each name.
        instant: the form of the instant.
        instant_is_optional: True: an event without an instant happened at its `received_at`.
        names_customer_field: True: the payload holds the name of the customer's field and the type
            of the instant.
        scope_bytes: bytes of the dedupe scope and its separator, with which a hashed key begins.
    """

    names: Any
    name_ends: Any
    roles: Any
    instant: int
    instant_is_optional: bool
    names_customer_field: bool
    scope_bytes: int


class Room(NamedTuple):
    """Memory that is reused for each line, and the table of distinct names of the chunk."""

    found: Any
    others: Any
    members: Any
    payload: Any
    key: Any
    slots: Any


class Scanned(NamedTuple):
    """The lines, events, properties and names that were found in a chunk.

    `line_…`, `property_…` and `name_…` have one entry per line, property and distinct name. The
    arrays from `row_line` to `properties_end` have one per event. A text is a place and its bytes.

    Attributes:
        counts: the numbers of events, lines, distinct names and properties found so far.
        line_kind: `EVENT`, `BLANK` or `STRICT`.
        line_bytes: the length of a line without its line end.
        row_line: the line of an event, from 0.
        event_name: the number of the event's name among the distinct names.
        properties_end: the end of the event's properties. They begin where those before it end.
        property_name: the number of the property's name. Properties are sorted by name.
    """

    counts: Any
    line_kind: Any
    line_place: Any
    line_bytes: Any
    row_line: Any
    key_place: Any
    key_bytes: Any
    customer_place: Any
    customer_bytes: Any
    subscription_place: Any
    subscription_bytes: Any
    event_name: Any
    occurred_at: Any
    key_hash: Any
    payload_digest: Any
    properties_end: Any
    property_name: Any
    property_place: Any
    property_bytes: Any
    name_place: Any
    name_bytes: Any


@compiled
def _number_of(text: Any, place: int, length: int, form: Form) -> int:
    """The number of the name among the declared ones, or `NO`."""
    start = 0
    for number in range(len(form.name_ends)):
        stop = form.name_ends[number]
        if stop - start == length:
            at = 0
            while at < length:
                differing = word_at(form.names, start + at) ^ word_at(text, place + at)
                if differing & _mask(length - at):
                    break
                at += WORD_BYTES
            if at >= length:
                return number
        start = stop
    return NO


@compiled
def _line(text: Any, at: int, end: int, free: int, form: Form, room: Room) -> Any:
    """Reads the event in the line at `at` into `room`.

    Returns:
        The end of its object, or `NO` for the strict reader, and the end of `free`.
    """
    found, others = room.found, room.others
    found[:] = 0
    seen = np.int64(0)
    other_count = 0
    if at >= end or byte_at(text, at) != OPEN:
        return NO, free
    at = after_space(text, at + 1, end)
    while at < end and byte_at(text, at) == QUOTE:
        name, name_length, at, free = read_text(text, at + 1, end, free)
        if at == NO:
            return NO, free
        at = after_space(text, at, end)
        if at >= end or byte_at(text, at) != COLON:
            return NO, free
        at = after_space(text, at + 1, end)
        number = _number_of(text, name, name_length, form)
        role = 0 if number == NO else form.roles[number]
        if role == 0:
            if other_count == MEMBERS_USUAL:
                return NO, free
            for other in range(other_count):
                if byte_order(text, others[other, 0], others[other, 1], name, name_length) == 0:
                    return NO, free
            others[other_count, 0] = name
            others[other_count, 1] = name_length
            other_count += 1
        elif seen & (1 << role) or role == UNUSUAL:
            return NO, free
        else:
            seen |= 1 << role
        if role == PROPERTIES:
            if at >= end or byte_at(text, at) != OPEN:
                return NO, free
            count, at, free = read_flat_object(text, at + 1, end, free, room.members)
            found[_COUNT] = count
        else:
            kind, place, length, at, free = read_scalar(text, at, end, free)
            if role != 0:
                is_text = kind == STRING and 0 < length <= NAME_BYTES_MAX
                is_instant = role == INSTANT and (
                    kind == STRING or (kind == NUMBER and form.instant == UNIX_OR_RFC3339)
                )
                if not (is_instant if role == INSTANT else is_text):
                    return NO, free
                found[2 * role] = place
                found[2 * role + 1] = length
                if role == INSTANT:
                    found[_INSTANT_KIND] = kind
                elif role == CUSTOMER:
                    found[_CUSTOMER_FIELD] = number
        if at == NO:
            return NO, free
        at = after_space(text, at, end)
        if at >= end:
            return NO, free
        if byte_at(text, at) == CLOSE:
            return (at + 1 if _is_complete(seen, form) else NO), free
        if byte_at(text, at) != COMMA:
            return NO, free
        at = after_space(text, at + 1, end)
    return NO, free


@compiled
def _is_complete(seen: int, form: Form) -> bool:
    if not (seen & (1 << KEY) and seen & (1 << EVENT_NAME)):
        return False
    if not (seen & (1 << CUSTOMER) or seen & (1 << SUBSCRIPTION)):
        return False
    return form.instant_is_optional or seen & (1 << INSTANT) != 0


@compiled
def _instant(text: Any, found: Any, form: Form, received_at: int) -> int:
    place, length = found[2 * INSTANT], found[2 * INSTANT + 1]
    if found[_INSTANT_KIND] == 0:
        return received_at
    if form.instant == UNIX_OR_RFC3339:
        instant = unix_microseconds(text, place, length)
        if instant != NO_INSTANT or found[_INSTANT_KIND] == NUMBER:
            return instant
    return rfc3339_microseconds(text, place, length)


@compiled
def _put_separated(target: Any, at: int, text: Any, place: int, length: int) -> int:
    target[at] = 0
    return put_text(target, at + 1, text, place, length)


@compiled
def _payload(text: Any, form: Form, room: Room) -> int:
    """Writes the text that the payload digest covers into `room`. Returns its length in bytes."""
    found, members, payload = room.found, room.members, room.payload
    at = 0
    if form.names_customer_field:
        field = found[_CUSTOMER_FIELD]
        if found[2 * CUSTOMER + 1]:
            start = form.name_ends[field - 1] if field else 0
            at = put_text(payload, at, form.names, start, form.name_ends[field] - start)
        at = _put_separated(payload, at, text, found[2 * CUSTOMER], found[2 * CUSTOMER + 1])
        at = _put_separated(payload, at, text, found[2 * SUBSCRIPTION], found[2 * SUBSCRIPTION + 1])
    else:
        at = put_text(payload, at, text, found[2 * CUSTOMER], found[2 * CUSTOMER + 1])
    at = _put_separated(payload, at, text, found[2 * EVENT_NAME], found[2 * EVENT_NAME + 1])
    payload[at] = 0
    at += 1
    if form.names_customer_field and found[_INSTANT_KIND]:
        payload[at] = found[_INSTANT_KIND]
        at += 1
    at = put_text(payload, at, text, found[2 * INSTANT], found[2 * INSTANT + 1])
    if found[_COUNT] == 0:
        payload[at] = 0
        return at + 1
    for row in range(found[_COUNT]):
        at = _put_separated(payload, at, text, members[row, 0], members[row, 1])
        payload[at] = 0
        payload[at + 1] = members[row, 4]
        at = _put_separated(payload, at + 2, text, members[row, 2], members[row, 3])
    return at


@compiled
def _mask(length: int) -> Any:
    """The bits of a word that belong to a text of `length` bytes."""
    if length >= WORD_BYTES:
        return np.uint64(0xFFFFFFFFFFFFFFFF)
    return (np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)


@compiled
def _name_number(text: Any, place: int, length: int, room: Room, scanned: Scanned) -> int:
    """The number of a name among the chunk's distinct ones, or `NO` if there are too many."""
    # Most names differ in their first bytes, their last bytes or their length.
    state = word_at(text, place) & _mask(length)
    if length > WORD_BYTES:
        state ^= word_at(text, place + length - WORD_BYTES) * _ODD
    state = (state + np.uint64(length)) * _ODD
    slot = np.int64(state >> np.uint64(64 - _SLOT_BITS))
    while True:
        number = room.slots[slot] - 1
        if number < 0:
            break
        start, stop = scanned.name_place[number], scanned.name_bytes[number]
        if byte_order(text, start, stop, place, length) == 0:
            return number
        slot = (slot + 1) % SLOTS
    number = scanned.counts[NAMES]
    if number == DISTINCT_NAMES:
        return NO
    scanned.name_place[number] = place
    scanned.name_bytes[number] = length
    scanned.counts[NAMES] = number + 1
    room.slots[slot] = number + 1
    return number


@compiled
def _keep(text: Any, row: int, occurred_at: int, form: Form, room: Room, scanned: Scanned) -> bool:
    """Writes the event in `room` as row `row`. False: it is left to the strict reader."""
    found, members = room.found, room.members
    first = scanned.counts[PROPERTIES_KEPT]
    event_name = _name_number(text, found[2 * EVENT_NAME], found[2 * EVENT_NAME + 1], room, scanned)
    if event_name == NO:
        return False
    for place in range(found[_COUNT]):
        name = _name_number(text, members[place, 0], members[place, 1], room, scanned)
        if name == NO:
            return False
        scanned.property_name[first + place] = name
        scanned.property_place[first + place] = members[place, 2]
        scanned.property_bytes[first + place] = members[place, 3]
    scanned.counts[PROPERTIES_KEPT] = first + found[_COUNT]
    scanned.properties_end[row] = first + found[_COUNT]
    scanned.event_name[row] = event_name
    scanned.occurred_at[row] = occurred_at
    scanned.key_place[row] = found[2 * KEY]
    scanned.key_bytes[row] = found[2 * KEY + 1]
    scanned.customer_place[row] = found[2 * CUSTOMER]
    scanned.customer_bytes[row] = found[2 * CUSTOMER + 1]
    scanned.subscription_place[row] = found[2 * SUBSCRIPTION]
    scanned.subscription_bytes[row] = found[2 * SUBSCRIPTION + 1]
    length = _payload(text, form, room)
    scanned.payload_digest[row, 0] = xxh64(room.payload, length, SEEDS[0])
    scanned.payload_digest[row, 1] = xxh64(room.payload, length, SEEDS[1])
    length = put_text(room.key, form.scope_bytes, text, found[2 * KEY], found[2 * KEY + 1])
    scanned.key_hash[row] = xxh64(room.key, length, SEEDS[0])
    return True


@compiled
def scan_lines(
    text: Any,
    end: int,
    first_offset: int,
    received_at: int,
    form: Form,
    room: Room,
    scanned: Scanned,
) -> None:
    """Reads every line from `first_offset` to `end`, and writes what it finds into `scanned`."""
    at, free, line, row = first_offset, end, 0, 0
    # A file that holds only a byte order mark is one blank line.
    while at < end or (line == 0 and 0 < first_offset == end):
        start = at
        at = after_space(text, at, end)
        kind = BLANK if at - start <= LINE_BYTES_USUAL else STRICT
        if at < end and byte_at(text, at) != LINE_END:
            kind = STRICT
            at, free_after = _line(text, at, end, free, form, room)
            if at != NO:
                at = after_space(text, at, end)
                if at == end or byte_at(text, at) == LINE_END:
                    occurred_at = _instant(text, room.found, form, received_at)
                    if (
                        occurred_at != NO_INSTANT
                        and at - start <= LINE_BYTES_USUAL
                        and _keep(text, row, occurred_at, form, room, scanned)
                    ):
                        kind = EVENT
                        free = free_after
            if kind == STRICT:
                at = start
                while at < end and byte_at(text, at) != LINE_END:
                    at += 1
        stop = at - 1 if at > start and byte_at(text, at - 1) == 13 else at
        scanned.line_kind[line] = kind
        scanned.line_place[line] = start
        scanned.line_bytes[line] = stop - start
        if kind == EVENT:
            scanned.row_line[row] = line
            row += 1
        line += 1
        at += 1
    scanned.counts[ROWS] = row
    scanned.counts[LINES] = line
