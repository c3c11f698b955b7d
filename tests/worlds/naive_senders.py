"""What senders' files become, decided a second time in the simplest way.

It imports nothing of the product. JSON is cut by counting brackets, and CSV is read by Python's own
module. Every file of a world is decided alone, and then keys are compared in the order of files.
"""

import csv
import fnmatch
import gzip
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MODIFIED_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""When every file of a world was modified."""

NAMES = {
    "custom": ("idempotency_key", "customer", "event_name", "timestamp"),
    "segment": ("messageId", "userId", "event", "timestamp"),
    "stripe": ("identifier", "payload", "event_name", "timestamp"),
}
"""The names of key, customer, event and time in each dialect."""

OPTIONAL = {"custom": (), "segment": (), "stripe": ("identifier", "timestamp")}
NOT_USAGE = {"segment": {"type": ("page", "screen", "identify", "group", "alias")}}
STRANGERS = (b"<", b"PK\x03\x04", b"Obj\x01")


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|\d{10}")


@dataclass(frozen=True)
class NaiveSource:
    """A source, as far as its files are decided by it."""

    name: str
    dialect: str = "custom"
    dated: bool = False
    paths: tuple[str, ...] = ()
    batch_member: str | None = None
    not_usage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    format: str | None = None
    null_text: str | None = None
    separator: str = ","
    decimal_separator: str = "."

    @property
    def silent(self) -> dict[str, tuple[str, ...]]:
        return {**NOT_USAGE.get(self.dialect, {}), **self.not_usage}


@dataclass
class NaiveFile:
    """What a file becomes: `ignored`, `quarantined` or `decided`, and the numbers of verdicts."""

    status: str
    counts: Counter[str] = field(default_factory=Counter)
    keys: list[str] = field(default_factory=list)


Event = tuple[str, object]
"""The key and everything else that two deliveries of an event share."""


class WholeFileError(Exception):
    """The file is not read at all."""


def decided(files: Mapping[str, bytes], sources: Sequence[NaiveSource]) -> dict[str, NaiveFile]:
    """Every file of a landing by its path."""
    of_name = {source.name: source for source in sources}
    outcomes, order = dict[str, NaiveFile](), list[tuple[datetime, str]]()
    for path in files:
        received_at = _received_at(path, of_name.get(path.split("/")[0]))
        if received_at is None:
            outcomes[path] = NaiveFile("ignored")
        else:
            order.append((received_at, path))
    seen: dict[tuple[str, str], object] = {}
    for _, path in sorted(order):
        source = of_name[path.split("/")[0]]
        try:
            records = list(_records(path, files[path], source))
        except WholeFileError:
            outcomes[path] = NaiveFile("quarantined")
            continue
        outcome = outcomes[path] = NaiveFile("decided")
        for record in records:
            if isinstance(record, str):
                outcome.counts[record] += 1
                continue
            key, body = record
            first = seen.setdefault((source.name, key), (path, len(outcome.keys), body))
            if first == (path, len(outcome.keys), body):
                outcome.counts["accepted"] += 1
                outcome.keys.append(key)
            else:
                is_same = first[2] == body  # type: ignore[index]
                outcome.counts["duplicate" if is_same else "conflict"] += 1
    return outcomes


def _received_at(path: str, source: NaiveSource | None) -> datetime | None:
    *folders, name = path.split("/")
    below = path.partition("/")[2]
    is_unfinished = any(part[0] in "_." for part in (*folders, name))
    if source is None or is_unfinished or name.endswith((".tmp", ".part")):
        return None
    if source.paths and not any(fnmatch.fnmatchcase(below, each) for each in source.paths):
        return None
    if not source.dated:
        return MODIFIED_AT
    digits = [int(number) for number in re.findall(r"\d+", "/".join(folders[1:]))]
    if len(digits) == 1 and digits[0] > 10**12:
        return datetime.fromtimestamp(digits[0] / 1000, UTC)
    if len(digits) < 3:
        return None
    year, month, day, hour = (*digits, 0)[:4]
    return datetime(year, month, day, hour, tzinfo=UTC)


def _records(path: str, landed: bytes, source: NaiveSource) -> Iterator[Event | str]:
    """Each record of a file: an event, or the name of its verdict."""
    raw = gzip.decompress(landed) if landed[:2] == b"\x1f\x8b" else landed
    if raw.startswith((b"\x1f\x8b", *STRANGERS)):
        raise WholeFileError
    digest = hashlib.sha256(raw).hexdigest()
    text = raw.decode().removeprefix("\ufeff")
    is_named_csv = re.search(r"\.csv(\.gz)?$", path, re.IGNORECASE) is not None
    is_json = text.lstrip()[:1] in ("{", "[", "")
    if is_named_csv or (source.format == "csv" and not is_json):
        found = "csv"
        members = _rows(text, source)
    else:
        found = "json"
        members = _objects(text, source)
    if text.strip() and source.format not in (None, found):
        raise WholeFileError
    records = [
        value if isinstance(value, str) else _event(value, source, f'["{digest}",{number}]')
        for number, value in members
    ]
    if found == "json" and not is_json and not any(isinstance(each, tuple) for each in records):
        raise WholeFileError
    yield from records


def _rows(text: str, source: NaiveSource) -> Iterator[tuple[int, dict[str, Any] | str]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=source.separator)
    header = next(rows, [])
    if text and not header:
        raise WholeFileError
    known = {*NAMES[source.dialect], *source.silent, "event"}
    if header and not known & {name.partition(".")[0] for name in header}:
        raise WholeFileError
    if header:
        yield 1, "blank"
    for number, row in enumerate(rows, 2):
        cells = [None if cell in ("", source.null_text) else cell for cell in row]
        if row == header or not any(row) or (len(row) == len(header) and not any(cells)):
            yield number, "blank"
            continue
        if len(row) != len(header):
            yield number, "rejected"
            continue
        members: dict[str, Any] = {}
        for name, cell in zip(header, cells, strict=True):
            around, _, inner = name.partition(".")
            if cell is None:
                continue
            read = _number(cell, source) if inner or around not in known else cell
            if inner:
                members.setdefault(around, {})[inner] = read
            else:
                members[around] = read
        yield number, "rejected" if "?" in json.dumps(members) else members


def _number(cell: str, source: NaiveSource) -> str:
    """The cell with a point. `?`: nobody knows which number it is."""
    if source.decimal_separator == ",":
        if re.fullmatch(r"[+-]?\d{1,3}\.\d{3}", cell):
            return "?"
        if re.fullmatch(r"[+-]?\d+,\d+", cell):
            return cell.replace(",", ".")
    return cell


def _objects(text: str, source: NaiveSource) -> Iterator[tuple[int, dict[str, Any] | str]]:
    number = at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        end = _end(text, at)
        for value in _values(text[at:end], source, is_first=number == 0):
            number += 1
            yield number, value
        at = end


def _end(text: str, at: int) -> int:
    """The end of a value. Text that opens no bracket goes on to the next `{` or its line's end."""
    if text[at] not in "{[":
        ends = [end for end in (text.find("{", at), text.find("\n", at)) if end >= 0]
        return min(ends, default=len(text))
    depth, is_text = 0, False
    for place in range(at, len(text)):
        sign = text[place]
        if sign == '"' and text[place - 1] != "\\":
            is_text = not is_text
        elif not is_text:
            depth += (sign in "{[") - (sign in "}]")
            if not depth:
                return place + 1
    return len(text)


def _values(text: str, source: NaiveSource, *, is_first: bool) -> Iterator[dict[str, Any] | str]:
    try:
        value = json.loads(text)
    except ValueError:
        yield "rejected"
        return
    if isinstance(value, list):
        yield from (each if isinstance(each, dict) else "rejected" for each in value)
        return
    if not isinstance(value, dict):
        yield "rejected"
        return
    array = _array(value, source, is_first=is_first)
    if array is None:
        yield value.get("event", value) if len(value) == 1 and "event" in value else value
    else:
        yield from (each if isinstance(each, dict) else "rejected" for each in array)


def _array(value: dict[str, Any], source: NaiveSource, *, is_first: bool) -> list[Any] | None:
    needed = set(NAMES[source.dialect]) - {"timestamp" if source.dialect == "stripe" else ""}
    if needed & value.keys() or _is_silent(value, source):
        return None
    for name in (source.batch_member, "events"):
        if isinstance(value.get(name or ""), list):
            return list(value[name or ""])
    arrays = [each for each in value.values() if isinstance(each, list) and each[:1]]
    arrays = [each for each in arrays if isinstance(each[0], dict)]
    if len(arrays) > 1:
        if is_first:
            raise WholeFileError
        return [None]
    return arrays[0] if arrays else None


def _is_silent(value: dict[str, Any], source: NaiveSource) -> bool:
    return any(value.get(name) in texts for name, texts in source.silent.items())


def _event(value: dict[str, Any], source: NaiveSource, place: str) -> Event | str:
    if _is_silent(value, source):
        return "not_usage"
    value = {name: member for name, member in value.items() if member not in (None, "")}
    if source.dialect == "stripe" and "payload" not in value:
        parts = {n[8:]: member for n, member in value.items() if n.startswith("payload_")}
        value = {**value, "payload": parts} if parts else value
    if source.dialect == "segment" and value.get("type", "track") != "track":
        return "rejected"
    key, customer, name, when = NAMES[source.dialect]
    for needed in (key, customer, name, when):
        if needed not in value and needed not in OPTIONAL[source.dialect]:
            return "rejected"
    if when in value and not _INSTANT.fullmatch(str(value[when])):
        return "rejected"
    properties = value.get("payload" if source.dialect == "stripe" else "properties", {})
    if source.dialect == "stripe" and not properties.get("stripe_customer_id"):
        return "rejected"
    shared = {n: v for n, v in _flat(properties).items() if v not in (None, {})}
    body = json.dumps([value.get(customer), value[name], value.get(when), shared])
    return value.get(key, place), body


def _flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, member in value.items():
        if isinstance(member, dict):
            flat |= _flat(member, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = member
    return dict(sorted(flat.items()))
