"""Batches: the format of files that are read value by value and not line by line.

Such a file begins with a batch of events, or with an object over several lines. It holds batches
and single events in any mix. See `json_values` for how they are cut out.
"""

import re
from collections.abc import Iterator

from pipelines.reading.formats.field_names import FieldNames, field_names
from pipelines.reading.formats.file_format import HEAD_BYTES, FileFormat, OpenedFile
from pipelines.reading.formats.json_structure import (
    OPEN_BRACKETS_MAX,
    WHITE_SPACE,
    SeveralArraysError,
    State,
    batch_array,
    top_members,
)
from pipelines.reading.formats.json_values import split_elements
from pipelines.reading.formats.records import texts_at
from pipelines.reading.formats.strangers import first_sign, is_json

__all__ = ["FORMAT", "OPEN_BRACKETS_MAX", "begins_with_values", "split_elements"]

BATCH_START = re.compile(
    rb'(?:\xef\xbb\xbf)?[ \t\r\n]*+(?:\[|\{[ \t\r\n]*+"events"[ \t\r\n]*+:[ \t\r\n]*+\[)'
)
"""The beginning of a file of batches that needs no further look, if it is JSON."""


def begins_with_values(head: bytes, names: FieldNames, *, is_whole: bool) -> bool:
    """True if a file is read value by value and not line by line.

    Args:
        head: its first bytes.
        names: the names of the source's events.
        is_whole: True: these are all of its bytes.
    """
    if BATCH_START.match(head) and is_json(head):
        return True
    start = first_sign(head)
    if head[start : start + 1] != b"{":
        return False
    found = top_members(head, start)
    shown = head[start : found.end] if found.state is State.CLOSED else head[start:]
    try:
        is_batch = not names.is_no_usage(shown) and batch_array(found, names) is not None
    except SeveralArraysError:
        is_batch = True
    is_cut_short = found.state is State.OPEN and is_whole
    is_over_lines = b"\n" in shown and not is_cut_short
    return found.state is not State.BROKEN and (is_batch or is_over_lines)


def ends_inside_object(head: bytes) -> bool:
    """True if a whole file is an object over several lines that is not closed, or begins with one.

    Such a file is read line by line, as a wrong line costs no other. Where none of its lines is an
    event, one sentence says what is wrong.

    Args:
        head: all bytes of the file.
    """
    start = first_sign(head)
    is_over_lines = b"\n" in head[start:].rstrip(WHITE_SPACE) and b"\n{" not in head[start:]
    return is_over_lines and top_members(head, start).state is State.OPEN


def _is_values(opened: OpenedFile, _landed_head: bytes, head: bytes) -> bool:
    is_whole = len(head) < HEAD_BYTES
    return begins_with_values(head, field_names(opened.dialect), is_whole=is_whole)


def _array_of(texts: Iterator[bytes]) -> bytes:
    return b"[" + b",".join(texts) + b"]"


FORMAT = FileFormat(
    name="batches",
    order=30,
    is_of=_is_values,
    read=lambda opened, blocks: split_elements(blocks, names=field_names(opened.dialect)),
    read_again=lambda _opened, blocks, places: split_elements(
        [_array_of(text for text, _ in list(texts_at(blocks, places)))]
    ),
)
"""Recognized by its first value: a batch, or an object over several lines."""
