"""Random lines: events as real senders write them, and mutants of any line.

The same seed makes the same lines. Nothing is expected of a line alone: two readers are compared
over the lines, or a reader is checked against its rules.

A written event varies in everything that JSON leaves open: the order of members, white space,
escapes, forms of numbers, and further fields. A mutant has a few small damages. Most of them leave
it almost JSON, since that is where two readers disagree.
"""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

WRITTEN_DIALECTS = ("lago", "metronome", "orb", "stripe")
"""The dialects that `mutated_lines` writes."""

MUTANT_SHARE = 0.5
"""The share of mutants among the lines. The others are events as written."""

_TEXTS = (
    "acme",
    "müller",
    "http_request",
    "api.calls",
    "straße 1",
    "東京",
    "\U0001f4a9 x",
    "a b",
    "",
    " ",
    "0",
    "17",
    "true",
    "null",
    "NaN",
    "e\u0301",
    "\u00e9",
    "a\u200bb",
    "\u202eabc",
    "\ufeff",
    "\u2028",
    "\u0085",
    "\x7f",
    "\x01",
    "tab\there",
    "line\nend",
    "\\",
    '"',
    "/",
    "{}",
    "[[[[[[[[[",
    "{{ 7 }}",
    "'; DROP TABLE x; --",
    "=cmd|' /C calc'!A0",
    "\ud7ff\ue000\uffff",
    "\U0010ffff",
    "é" * 127 + "k",
    "é" * 128,
    "k" * 255,
    "k" * 256,
    "漢" * 85,
    "漢" * 85 + "k",
)
_NUMBERS = (
    "0",
    "-0",
    "1",
    "17",
    "-1",
    "0.10",
    "1.0",
    "1e3",
    "1E+3",
    "1e-400",
    "1e400",
    "-0.0",
    "5e-324",
    "0.1234567890123456789",
    "9007199254740993",
    "18446744073709551616",
    "1" * 40,
    "9" * 400,
    "1.2222222222222222e-05",
    "0e0",
    "0." + "3" * 60,
)
_NO_NUMBERS = (
    "01",
    "+1",
    ".5",
    "1.",
    "1e",
    "-",
    "0x1F",
    "1_000",
    "NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "--1",
    "1.e1",
    "1e1.5",
    "٣",
    "1 2",
    "True",
    "nul",
    "undefined",
    "00",
    "-01",
)
_INSTANTS = (
    "2026-01-01T00:00:00Z",
    "2025-12-31T23:59:59.999999Z",
    "2026-01-01t00:00:00z",
    "2026-01-01 00:00:00+14:00",
    "2025-12-31T10:00:00-14:00",
    "2026-01-01T00:00:00.123456789Z",
    "2026-01-01T05:30:00+05:30",
    "2024-02-29T12:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-01-01T00:00:00-00:00",
)
_NO_INSTANTS = (
    "2026-01-01",
    "2026-01-01T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "2023-02-29T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00+14:01",
    "2026-01-01T00:00:00+99:99",
    "2026-W01-1T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "infinity",
    "2026-01-01T00:00Z",
    "2026-01-01T00:00:00.Z",
    "20260101T000000Z",
    "-0001-01-01T00:00:00Z",
    "1767225600000",
    " 2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z\u200b",
    "٢٠٢٦-01-01T00:00:00Z",
    # Forms of ISO 8601 that RFC 3339 does not have.
    "2026-01-01 00:00:00 UTC",
    "2026-01-01 00:00:00.5+00",
    "2026-01-01 00:00:00 +0000",
    "20260101T000000,5Z",
    "2026-W01-4T00Z",
    "2025-365T23:59:30.5-00",
    "2026-01-01T00:00:00Z[UTC]",
)
_NESTED = (
    "null",
    "[]",
    "{}",
    "[1.0, null]",
    '[ {"a" : [] } ]',
    '{"a":{"b":0.10},"c":null}',
    '["]","}{","\\"["]',
    "[[[[[[1]]]]]]",
    "[[[[[[[1]]]]]]]",
    '[{"a":1,"a":1}]',
)
"""Values that a property may have beside a scalar, and two that are refused."""

_UNIX_SECONDS = (
    "1767225600",
    "1767225600.5",
    "1.7672256E9",
    "1767225600250e-3",
    "0",
    "-0",
    "-1.0000001",
    "1767225600000",
    "253402300800",
    "1e999",
    "1767225600.123456789",
)

_TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    b"null",
    b"true",
    b"false",
    b"NaN",
    b"1e400",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\\ud83d\\ude00",
    b"\\u0061",
    b"\\q",
    b"\\",
    b'\\"',
    b"\x00",
    b"\x01",
    b"\x0b",
    b"\x0c",
    b"\x1f",
    b"\x7f",
    b"\r",
    b"\t",
    b" ",
    b"\xc2\xa0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x80\xa8",
    b"\xc3",
    b"//",
    b"/*",
    b"#",
    b"'",
    b"-",
    b"+",
    b".",
    b"0",
    b"9" * 30,
    b"e",
    b"E5",
    b"Infinity",
    b'"transaction_id"',
    b'"customer_id"',
    b'"timestamp"',
    b'"properties"',
    b'"event"',
    b"{}",
    b'"payload"',
    b'"stripe_customer_id"',
    b'"identifier"',
    b'"code"',
    b'"external_customer_id"',
    b'"value":1,',
    b'"type":"page",',
    b'"payload_value":1,',
    b',"x":[[[[[[[[[1]]]]]]]]]',
    b',"":""',
    b'{"event":',
    b"[]",
    b'""',
)
"""The pieces that may be inserted into a mutant."""


def mutated_lines(seed: int, count: int, dialects: Sequence[str] = WRITTEN_DIALECTS) -> list[bytes]:
    """`count` lines without line ends, about half of them mutants. A line may be blank.

    No line holds a line feed, so each stays one line of a file.

    Args:
        seed: the seed of all choices.
        count: number of lines.
        dialects: some of `WRITTEN_DIALECTS`. Each line is written in one of them.
    """
    chance = random.Random(seed)  # noqa: S311 — repeatable on purpose
    lines: list[bytes] = []
    for _ in range(count):
        line = written_line(chance, chance.choice(dialects))
        if chance.random() < MUTANT_SHARE:
            line = mutant(chance, line, lines or [line])
        lines.append(line)
    return lines


def written_line(chance: random.Random, dialect: str) -> bytes:
    """An event as a sender of the dialect may write it. One in twenty lacks a field."""
    members = _EVENTS[dialect](chance)
    members += [_extra(chance, number) for number in range(chance.choice([0, 0, 0, 1, 3]))]
    if chance.random() < 0.05:
        members.remove(chance.choice(members))
    chance.shuffle(members)
    text = _object(chance, members)
    if chance.random() < 0.1:
        text = _object(chance, [("event", text)])
    return (_space(chance) + text + _space(chance)).encode("utf-8", "surrogatepass")


def mutant(chance: random.Random, line: bytes, others: Sequence[bytes]) -> bytes:
    """The line with one to four small damages. Pieces of `others` may be spliced in."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        line = chance.choice(_HARMS)(chance, line, others)
    return line.replace(b"\n", b" ")


Member = tuple[str, str]
"""The name of a member, and its value as JSON text."""


def _metronome(chance: random.Random) -> list[Member]:
    return [
        ("transaction_id", _key(chance)),
        ("customer_id", _name(chance)),
        ("event_type", _name(chance)),
        ("timestamp", _instant(chance)),
        *_maybe(chance, "properties", _properties(chance)),
    ]


def _lago(chance: random.Random) -> list[Member]:
    customer = ("external_customer_id", _name(chance))
    subscription = ("external_subscription_id", _name(chance))
    return [
        ("transaction_id", _key(chance)),
        *chance.choice([[customer], [subscription], [customer, subscription]]),
        ("code", _name(chance)),
        *_maybe(chance, "timestamp", _unix_or_instant(chance)),
        *_maybe(chance, "properties", _properties(chance)),
    ]


def _orb(chance: random.Random) -> list[Member]:
    return [
        ("idempotency_key", _key(chance)),
        (chance.choice(["external_customer_id", "customer_id"]), _name(chance)),
        ("event_name", _name(chance)),
        ("timestamp", _instant(chance)),
        *_maybe(chance, "properties", _properties(chance)),
    ]


def _stripe(chance: random.Random) -> list[Member]:
    payload = [("stripe_customer_id", _name(chance)), *_property_members(chance)]
    chance.shuffle(payload)
    in_parts = [(f"payload_{name}", value) for name, value in payload]
    return [
        *_maybe(chance, "identifier", _key(chance)),
        ("event_name", _name(chance)),
        *_maybe(chance, "timestamp", _unix_or_instant(chance)),
        *([("payload", _object(chance, payload))] if chance.random() < 0.7 else in_parts),
    ]


_EVENTS: dict[str, Callable[[random.Random], list[Member]]] = {
    "lago": _lago,
    "metronome": _metronome,
    "orb": _orb,
    "stripe": _stripe,
}


def _key(chance: random.Random) -> str:
    if chance.random() < 0.8:
        return _quoted(chance, f"{chance.getrandbits(64):016x}")
    return _name(chance)


def _name(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.02:
        return chance.choice(["null", "17", "true", "[]", "{}", '""'])
    return _quoted(chance, chance.choice(_TEXTS) if kind < 0.3 else f"name-{chance.randint(1, 99)}")


def _instant(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.7:
        at = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(microseconds=chance.randint(0, 10**12))
        form = chance.choice(
            ["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00"]
        )
        return _quoted(chance, at.strftime(form))
    if kind < 0.98:
        return _quoted(chance, chance.choice(_INSTANTS if kind < 0.9 else _NO_INSTANTS))
    return chance.choice(["null", "1767225600", "true", "{}", '""'])


def _unix_or_instant(chance: random.Random) -> str:
    if chance.random() < 0.4:
        return _instant(chance)
    text = chance.choice(_UNIX_SECONDS)
    return text if chance.random() < 0.5 else _quoted(chance, text)


def _maybe(chance: random.Random, name: str, value: str) -> list[Member]:
    return [(name, value)] if chance.random() < 0.85 else []


def _properties(chance: random.Random) -> str:
    if chance.random() < 0.02:
        return chance.choice(["null", "[]", '"x"', "1", '{"a":[1]}', '{"a":{"b":1}}', '{"a":null}'])
    return _object(chance, _property_members(chance))


def _property_members(chance: random.Random) -> list[Member]:
    count = (
        chance.choice([0, 1, 2, 2, 3, 5]) if chance.random() < 0.99 else chance.choice([200, 201])
    )
    members = {
        (chance.choice(_TEXTS) if chance.random() < 0.1 else f"p{number}"): _value(chance)
        for number in range(count)
    }
    return list(members.items())


def _value(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.5:
        return _quoted(
            chance, chance.choice(_TEXTS) if kind < 0.2 else str(chance.randint(0, 10**6))
        )
    if kind < 0.9:
        return chance.choice(_NUMBERS) if kind < 0.7 else str(chance.randint(-(10**6), 10**12))
    return chance.choice(_NESTED if kind > 0.97 else ["true", "false"])


def _extra(chance: random.Random, number: int) -> Member:
    """A further field, which may be nested as deep as is read, or one level deeper."""
    value = _value(chance)
    for _ in range(chance.choice([0, 0, 1, 2, 3, 7, 8])):
        if chance.random() < 0.5:
            value = f"[{value}{_space(chance)}]"
        else:
            value = _object(chance, [(chance.choice(_TEXTS), value)])
    return (
        chance.choice(["extra", "context", "properties_", "Event", "event", "id"]) + str(number),
        value,
    )


def _object(chance: random.Random, members: list[Member]) -> str:
    space = _space(chance)
    texts = [
        f"{space}{_quoted(chance, name)}{space}:{_space(chance)}{value}" for name, value in members
    ]
    return "{" + ",".join(texts) + space + "}"


def _space(chance: random.Random) -> str:
    return "" if chance.random() < 0.8 else chance.choice([" ", "  ", "\t", " \t ", "\r"])


def _quoted(chance: random.Random, text: str) -> str:
    """The text as a JSON string. Some characters are escaped that need not be."""
    escapes_ascii = chance.random() < 0.5
    escapes_any = chance.random() < 0.05
    letters = []
    for letter in text:
        code = ord(letter)
        if letter in _SHORT_ESCAPES and (code < 0x20 or letter in '"\\' or escapes_any):
            letters.append(_SHORT_ESCAPES[letter])
        elif (
            code < 0x20
            or (code > 0x7E and escapes_ascii)
            or (escapes_any and chance.random() < 0.3)
        ):
            units = letter.encode("utf-16-be", "surrogatepass")
            form = "\\u{:04x}" if chance.random() < 0.5 else "\\u{:04X}"
            pairs = range(0, len(units), 2)
            letters += [form.format(int.from_bytes(units[at : at + 2], "big")) for at in pairs]
        else:
            letters.append(letter)
    return '"' + "".join(letters) + '"'


_SHORT_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}

Harm = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _place(chance: random.Random, line: bytes) -> int:
    return chance.randint(0, len(line))


def _flip_a_bit(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    if not line:
        return line
    at = chance.randrange(len(line))
    return line[:at] + bytes([line[at] ^ 1 << chance.randrange(8)]) + line[at + 1 :]


def _cut_off(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(chance, line)
    return line[:at] if chance.random() < 0.7 else line[at:]


def _cut_out(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(chance, line)
    return line[:at] + line[at + chance.choice([1, 1, 1, 2, 5, 30]) :]


def _put_in(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(chance, line)
    return line[:at] + chance.choice(_TOKENS) + line[at:]


def _write_over(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    at, token = _place(chance, line), chance.choice(_TOKENS)
    return line[:at] + token + line[at + len(token) :]


def _splice(chance: random.Random, line: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return line[: _place(chance, line)] + other[_place(chance, other) :]


def _double_structure(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    places = [at for at, byte in enumerate(line) if byte in b'{}[],:"\\']
    if not places:
        return line
    at = chance.choice(places)
    return line[:at] + line[at : at + 1] * chance.choice([2, 2, 3]) + line[at + 1 :]


def _double_a_member(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    parts = line.split(b",")
    at = chance.randrange(len(parts))
    parts.insert(_place(chance, b"," * len(parts)), parts[at].lstrip(b"{").rstrip(b"}"))
    return b",".join(parts)


def _swap_a_token(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    pairs = chance.choice(_SWAPS)
    old, new = chance.choice(pairs), chance.choice(pairs)
    return line.replace(old, new, chance.choice([1, 1, -1]))


def _spoil_a_number(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    places = [
        at for at in range(1, len(line)) if line[at - 1] == 0x3A and line[at] in b"-0123456789"
    ]
    if not places:
        return line
    start = chance.choice(places)
    end = start
    while end < len(line) and line[end] in b"+-.0123456789eE":
        end += 1
    number = chance.choice(_NO_NUMBERS + _NUMBERS + _UNIX_SECONDS)
    return line[:start] + number.encode() + line[end:]


def _wrap(chance: random.Random, line: bytes, _: Sequence[bytes]) -> bytes:
    before, after = chance.choice(_WRAPPERS)
    return before + line + after


_SWAPS = (
    (b"{", b"[", b"("),
    (b"}", b"]", b")"),
    (b",", b":", b";"),
    (b'"', b"'", b"\xe2\x80\x9c"),
    (b"null", b"true", b"false", b"NaN", b"17", b'""', b"[]", b"{}"),
    (b"transaction_id", b"transaction_ID", b"customer_id", b"identifier", b"idempotency_key"),
    (b"external_customer_id", b"external_subscription_id", b"customer_id"),
    (b"T", b"t", b" ", b"_"),
    (b"Z", b"z", b"+14:00", b"+14:01", b"-00:00", b"", b"+0000"),
    (b"00", b"24", b"60", b"99", b"0"),
    (b"\\u00", b"\\u0", b"\\U00", b"\\x", b"\\u00g"),
)
_WRAPPERS = (
    (b"[", b"]"),
    (b'{"event":', b"}"),
    (b'{"event":', b',"x":1}'),
    (b'{"events":[', b"]}"),
    (b"", b","),
    (b"", b" // end"),
    (b"\xef\xbb\xbf", b""),
    (b"\x1e", b""),
    (b"data: ", b""),
    (b"\xc2\xa0", b"\xc2\xa0"),
    (b"", b"\x00"),
    (b" " * 300, b"\r\r"),
)
_HARMS: tuple[Harm, ...] = (
    _flip_a_bit,
    _cut_off,
    _cut_out,
    _put_in,
    _put_in,
    _write_over,
    _splice,
    _double_structure,
    _double_a_member,
    _swap_a_token,
    _swap_a_token,
    _spoil_a_number,
    _spoil_a_number,
    _wrap,
)
