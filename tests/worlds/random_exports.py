"""Random landings of the kinds that vendors' own tools write, unchanged and in any mix."""

import gzip
import json
import random
from collections.abc import Callable

from tests.worlds.naive_senders import NaiveSource

SOURCES = (
    NaiveSource("plain"),
    NaiveSource("dated", dated=True),
    NaiveSource("narrow", paths=("*.gz", "usage/*", "*.json")),
    NaiveSource("wrapped", batch_member="data", not_usage={"kind": ("ping",)}),
    NaiveSource("sheets", format="csv", null_text="\\N", separator=";", decimal_separator=","),
    NaiveSource("segment", dialect="segment"),
    NaiveSource("stripe", dialect="stripe"),
)
"""A source of each kind. A folder `nobody` has none."""

NAMES = (
    "a.json",
    "firehose-1-2026-01-10-10-00-00-5e7f",
    "UPPER.JSON",
    "usage/b.ndjson.gz",
    "part.log",
    "_c.json",
    ".d.json",
    "e.tmp",
    "f.json.part",
)
SHEETS = ("a.csv", "B.CSV", "usage/c.csv.gz", "d.txt", "_e.csv")
DATES = (
    "2026/01/10/10/",
    "2026/01/09/",
    "year=2026/month=01/day=10/hour=11/",
    "year=2026/month=1/day=8/",
    "dt=2026-01-07/",
    "dt=2026-01-10/hour=9/",
    "2026-01-06/",
    "logs/1767571200000/",
    "undated/",
)

Landing = dict[str, bytes]


def random_landing(chance: random.Random, count: int) -> Landing:
    """Files by path, some of which repeat keys of others."""
    files: Landing = {}
    for number in range(count):
        source = chance.choice(SOURCES)
        is_sheet = source.format == "csv" or chance.random() < 0.2
        content = _sheet(chance, source) if is_sheet else _text(chance, source)
        name = f"{number}-{chance.choice(SHEETS)}" if is_sheet else chance.choice(NAMES)
        below = chance.choice(DATES) if source.dated else ""
        folder = source.name if chance.random() < 0.97 else "nobody"
        if chance.random() < 0.25:
            content = gzip.compress(content, mtime=0)
            content = gzip.compress(content, mtime=0) if chance.random() < 0.1 else content
        place = f"{below}{number}{'.csv' if is_sheet else ''}" if below else f"{number // 4}/{name}"
        files[f"{folder}/{place}"] = content
    return files


def _event(chance: random.Random, source: NaiveSource) -> dict[str, object]:
    key = f"k{chance.randrange(150)}"
    properties: dict[str, object] = {"n": chance.randrange(2)}
    if chance.random() < 0.2:
        properties |= {"none": None, "tags": [], "deep": {"x": 1, "y": None}}
    if source.dialect == "segment":
        event: dict[str, object] = {
            "messageId": key,
            "type": chance.choice(["track"] * 3 + ["page", "identify", "alias"]),
            "userId": "acme",
            "event": "use",
            "timestamp": "2026-01-10T10:00:00.000Z",
            "properties": properties,
        }
    elif source.dialect == "stripe":
        event = {"event_name": "use", "timestamp": 1768039200}
        event |= {"identifier": key} if chance.random() < 0.6 else {}
        payload = {"stripe_customer_id": "acme", "value": str(chance.randrange(2))}
        is_parted = chance.random() < 0.5
        event |= {f"payload_{n}": v for n, v in payload.items()} if is_parted else {}
        event |= {} if is_parted else {"payload": payload}
    else:
        event = {
            "idempotency_key": key,
            "customer": "acme",
            "event_name": "use",
            "timestamp": chance.choice(["2026-01-10T10:00:00Z", "2026-01-10T11:00:00Z"]),
            "properties": properties,
        }
    if chance.random() < 0.06:
        event.pop(chance.choice([name for name in event if name != "properties"]))
    if chance.random() < 0.05:
        event[chance.choice([name for name in event if name != "properties"])] = None
    if source.not_usage and chance.random() < 0.1:
        event = {"kind": "ping", "hops": [{"a": 1}, {"a": 2}]}
    return event


def _text(chance: random.Random, source: NaiveSource) -> bytes:
    events = [_event(chance, source) for _ in range(chance.choice([1, 1, 2, 5, 12]))]
    texts = [json.dumps(event, separators=(",", ":")) for event in events]
    kinds: tuple[Callable[[], str], ...] = (
        lambda: "\n".join(texts) + "\n",
        lambda: "".join(texts),
        lambda: "".join(texts) + "\n" + "".join(reversed(texts)),
        lambda: " \t".join([*texts[:1], '{"bad":}', *texts[1:]]),
        lambda: "\n".join([*texts, "words that are no JSON"]),
        lambda: "\ufeff" + "\r\n".join(texts),
        lambda: json.dumps(events),
        lambda: json.dumps(events, indent=2),
        lambda: "".join(json.dumps(event, indent=2) for event in events),
        lambda: "\n".join(json.dumps({"event": event}) for event in events),
        lambda: json.dumps({"events": events, "meta": {"pages": [1, 2]}}),
        lambda: json.dumps({"count": len(events), "data": events}),
        lambda: json.dumps({"object": "list", "data": events, "more": []}, indent=1),
        lambda: json.dumps({"data": events, "errors": [{"code": 1}]}),
        lambda: "\n".join([texts[0], json.dumps({"rows": events}), "".join(texts)]),
        lambda: texts[0] + "\n" + json.dumps({"a": events, "b": events}) + "\n" + texts[0],
        lambda: "<html>\n<body>" + "\n{}" * 3,
        lambda: "no such bucket\n",
        lambda: "PK\x03\x04" + "\n".join(texts),
        lambda: "Obj\x01" + "".join(texts),
        lambda: "",
    )
    return chance.choice(kinds)().encode()


def _sheet(chance: random.Random, source: NaiveSource) -> bytes:
    comma = source.separator if chance.random() < 0.9 else {";": ",", ",": "\t"}[source.separator]
    rows = list[dict[str, str]]()
    for _ in range(chance.choice([0, 1, 3, 9])):
        event = {n: m for n, m in _event(chance, source).items() if not isinstance(m, list)}
        inner = {n: m for n, m in event.items() if isinstance(m, dict)}
        row = {n: str(m) for n, m in event.items() if n not in inner and m is not None}
        for around, members in inner.items():
            texts = {n: m for n, m in members.items() if isinstance(m, str | int)}
            row |= {f"{around}.{n}": str(m) for n, m in texts.items()}
        if "properties.n" in row:
            row["properties.n"] = chance.choice(["1", "1.5", "1,5", "1.000", "\\N", ""])
        rows.append(row)
    header = list(dict.fromkeys(name for row in rows for name in row)) or ["timestamp"]
    lines = [[row.get(name, chance.choice(["", "\\N"])) for name in header] for row in rows]
    for extra in ([""] * len(header), header, [*header[:-1], "x", "y"], ["\\N"] * len(header)):
        if chance.random() < 0.3:
            lines.insert(chance.randint(0, len(lines)), extra)
    if chance.random() < 0.9:
        lines.insert(0, header)
    cells = [[f'"{cell}"' if comma in cell else cell for cell in line] for line in lines]
    return "".join(comma.join(line) + "\n" for line in cells).encode()
