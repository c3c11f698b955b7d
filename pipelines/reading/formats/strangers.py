"""Strangers: files that hold no events in any format, such as an error page or an archive."""

import re

from pipelines.reading.formats.json_structure import after_blanks
from pipelines.reading.formats.records import BYTE_ORDER_MARK

_MARKS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"BZh", "a file packed by bzip2"),
    (b"\xfd7zXZ\x00", "a file packed by xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x04\x22\x4d\x18", "a file packed by lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "a file packed by snappy"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"<", "an HTML or XML page"),
)
"""The first bytes of files that senders land by mistake, and what such a file is."""

_TAR_MARK = slice(257, 262), b"ustar"
"""The place of the mark of a tar archive, whose first bytes are the name of its first file."""

_JSON_START = re.compile(
    rb"""\{[ \t\r\n]*+(?:["}]|\Z) | \[[ \t\r\n]*+(?:[\]\[{",tfn0-9-]|\Z)""", re.VERBOSE
)
"""The beginning of an object or array. `[INFO]` of a log and `{\\rtf1` of a document are none."""

_TELL_CSV = "a CSV file whose name does not end in .csv needs `format` = csv in sources.csv"


def is_binary(head: bytes) -> bool:
    """True if a file has the first bytes of a known format that is no text."""
    place, tar = _TAR_MARK
    return head[place] == tar or any(
        head.startswith(mark) for mark, _ in _MARKS if not mark.isascii() or mark[-1] < 32
    )


def is_json(head: bytes) -> bool:
    """True if the first bytes of a file can be those of JSON events, or hold nothing at all."""
    first = head[first_sign(head) :]
    return not first or _JSON_START.match(first) is not None


def described(head: bytes) -> str:
    """A sentence about a file in which no line is an event and whose first bytes are no JSON."""
    first = head[first_sign(head) :]
    place, tar = _TAR_MARK
    kind = next((what for mark, what in _MARKS if first.startswith(mark)), None)
    kind = "a tar archive" if head[place] == tar else kind
    if kind is not None:
        return f"it looks like {kind}; land events as JSON, CSV or Parquet"
    shown = first[:24].split(b"\n")[0].decode(errors="replace")
    return f"it begins with {shown!a} and holds no JSON object; {_TELL_CSV}"


def first_sign(head: bytes) -> int:
    """The place of the first byte of a file that is no white space and no byte order mark."""
    mark = len(BYTE_ORDER_MARK) if head.startswith(BYTE_ORDER_MARK) else 0
    return after_blanks(head, mark)
