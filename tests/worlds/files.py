"""Small worlds for tests: deliveries as frames, and as files dropped into a landing.

Belongs here: what several tests build alike. Must not be put here: what is expected of a world
(see `oracle`), or a rule of any kind.
"""

import gzip
import hashlib
import json
import os
import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import repeat
from pathlib import Path

import polars as pl
import zstandard

from pipelines.intake.batch import decide_and_commit, parse, plan
from pipelines.intake.decide import Verdicts
from pipelines.intake.window_index import WindowIndex
from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.vocabulary.frames import PARSED_EVENTS, REFUSAL_CUTS, SOURCES
from pipelines.vocabulary.tables import LakeTable
from tests.worlds.oracle import Cuts, Delivery, Position, Sender, Verdict, verdicts_by_position

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""An instant without a story: no clock change, no month's end is near."""

TICK = timedelta(microseconds=1)
"""The smallest difference between two instants."""

VerdictRow = tuple[str, int, str, str | None, str | None, int | None]
"""(path, line, verdict, reason_code, path of the winner, line of the winner)."""


def key_hash(scope: str, key: str) -> int:
    """Any well-spread hash will do; tests of collisions hand in a worse one."""
    digest = hashlib.sha256(f"{scope}\x00{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def event_rows(
    deliveries: Iterable[Delivery],
    senders: Mapping[str, Sender],
    hashed: Callable[[str, str], int] = key_hash,
) -> pl.DataFrame:
    """The deliveries as parsed events, in the order given."""
    rows = []
    for delivery in deliveries:
        scope = senders[delivery.source].dedupe_scope
        rows.append(
            {
                "file_id": delivery.file_id,
                "line": delivery.line,
                "byte_offset": 100 * (delivery.line - 1),
                "byte_length": 99,
                "source": delivery.source,
                "dedupe_scope": scope,
                "key_hash": hashed(scope, delivery.idempotency_key),
                "idempotency_key": delivery.idempotency_key,
                "customer_ref": delivery.customer_ref,
                "subscription_ref": delivery.subscription_ref,
                "event_name": "http_request",
                "occurred_at": delivery.occurred_at,
                "received_at": delivery.received_at,
                "properties": {},
                "payload_digest": delivery.payload,
                "amendment": delivery.amendment,
                "target_key": delivery.target_key,
                "line_sha256": hashlib.sha256(repr(delivery).encode()).digest(),
            }
        )
    return pl.DataFrame(rows, schema=PARSED_EVENTS)


def source_rows(
    senders: Mapping[str, Sender],
    received_at_from: str = "last_modified",
    dialects: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """The senders as the catalog hands them to the stages."""
    rows = [
        {
            "source": source,
            "dialect": (dialects or {}).get(source, "metronome"),
            "dedupe_scope": sender.dedupe_scope,
            "dedupe_window": sender.dedupe_window,
            "max_lateness": sender.max_lateness,
            "future_skew": sender.future_skew,
            "received_at_from": received_at_from,
            "late_lookup": sender.late_lookup,
            "conflicts_expected": sender.conflicts_expected,
        }
        for source, sender in senders.items()
    ]
    return pl.DataFrame(rows, schema=SOURCES)


def cut_rows(cuts: Cuts) -> pl.DataFrame:
    """The step functions of refusal cuts as one frame."""
    rows = [(*ref, from_at, cut) for ref, steps in cuts.items() for from_at, cut in steps]
    return pl.DataFrame(rows, schema=REFUSAL_CUTS, orient="row").sort("kind", "name", "from_at")


def verdicts_found(verdicts: Verdicts) -> dict[Position, Verdict]:
    """What `decide` said, in the oracle's words."""
    found = {
        (file_id, line): Verdict("accepted")
        for file_id, line in verdicts.accepted.select("file_id", "line").iter_rows()
    }
    refused = verdicts.refused.select(
        "file_id", "line", "verdict", "reason_code", "winner_file_id", "winner_line"
    )
    for file_id, line, verdict, reason_code, winner_file_id, winner_line in refused.iter_rows():
        winner = None if winner_file_id is None else (winner_file_id, winner_line)
        found[file_id, line] = Verdict(verdict, reason_code, winner)
    return found


@dataclass(frozen=True)
class PooledEvent:
    """An event that senders deliver any number of times."""

    idempotency_key: str
    customer_ref: str
    occurred_at: datetime
    requests: int

    @property
    def payload(self) -> bytes:
        return repr((self.customer_ref, self.occurred_at, self.requests)).encode()

    def text(self, chance: random.Random, dialect: str | None = None) -> bytes:
        """The event as a line; what a sender may vary without meaning, varies.

        Without a dialect it is Metronome's, in UTC.
        """
        at, name = self.occurred_at, "http_request"
        if dialect is not None:
            # One zone an event: a payload is the fields as sent, and so is its instant's text.
            minutes = (0, 0, 330, -570, 840)[zlib.crc32(self.payload) % 5]
            at = at.astimezone(timezone(timedelta(minutes=minutes)))
        instant = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        properties = {"requests": str(self.requests)}
        names = _FIELD_NAMES[dialect or "metronome"]
        values = (self.idempotency_key, self.customer_ref, name, instant, properties)
        members: list[tuple[str, object]] = list(zip(names, values, strict=True))
        if dialect == "stripe":
            members[1:2] = []
            members[-1] = ("payload", {"stripe_customer_id": self.customer_ref, **properties})
        if dialect == "cloudevents":
            members += [("specversion", "1.0"), ("source", "/gateway")]
        if dialect == "segment":
            members.append(("type", "track"))
        chance.shuffle(members)
        return json.dumps(dict(members), ensure_ascii=chance.random() < 0.5).encode()


_FIELD_NAMES: Mapping[str, tuple[str, str, str, str, str]] = {
    "cloudevents": ("id", "subject", "type", "time", "data"),
    "custom": ("idempotency_key", "customer", "event_name", "timestamp", "properties"),
    "lago": ("transaction_id", "external_customer_id", "code", "timestamp", "properties"),
    "metronome": ("transaction_id", "customer_id", "event_type", "timestamp", "properties"),
    "orb": ("idempotency_key", "external_customer_id", "event_name", "timestamp", "properties"),
    "segment": ("messageId", "userId", "event", "timestamp", "properties"),
    "stripe": ("identifier", "", "event_name", "timestamp", "payload"),
    "togai": ("id", "accountID", "schemaName", "timestamp", "dimensions"),
}
"""Dialect → its names of key, customer, event, instant and properties."""


@dataclass(frozen=True)
class DroppedFile:
    """A file of a world; `lines` holds an event, a reason code, or None for a blank.

    Attributes:
        path: below the landing.
        content: bytes as landed.
        received_at: its modification time, and the hour its path names.
        wave: files of a later wave are dropped once the earlier ones are decided.
        lines: what its lines are; empty when it cannot be read.
    """

    path: str
    content: bytes
    received_at: datetime
    wave: int
    lines: tuple[PooledEvent | str | None, ...]

    @property
    def source(self) -> str:
        return self.path.split("/")[0]


@dataclass(frozen=True)
class LandedWorld:
    """Files, and all that decides about their lines."""

    files: tuple[DroppedFile, ...]
    senders: Mapping[str, Sender]
    cuts: Cuts
    dialects: Mapping[str, str]

    def waves(self) -> list[list[DroppedFile]]:
        """The files by wave, each in the order of the registry."""
        numbers = sorted({file.wave for file in self.files})
        return [
            sorted(
                (file for file in self.files if file.wave == number),
                key=lambda file: (file.received_at, file.path),
            )
            for number in numbers
        ]

    def expected_rows(self) -> list[VerdictRow]:
        """What the oracle says about every line that is not blank."""
        sequence = [file for wave in self.waves() for file in wave]
        deliveries = [
            Delivery(
                file_id=file_id,
                line=line,
                source=file.source,
                idempotency_key=event.idempotency_key,
                customer_ref=event.customer_ref,
                occurred_at=event.occurred_at,
                received_at=file.received_at,
                payload=event.payload,
            )
            for file_id, file in enumerate(sequence, start=1)
            for line, event in enumerate(file.lines, start=1)
            if isinstance(event, PooledEvent)
        ]
        rows: list[VerdictRow] = []
        for (file_id, line), verdict in verdicts_by_position(
            deliveries, self.senders, self.cuts
        ).items():
            winner_file_id, winner_line = verdict.winner or (None, None)
            winner_path = None if winner_file_id is None else sequence[winner_file_id - 1].path
            path = sequence[file_id - 1].path
            rows.append(
                (path, line, verdict.verdict, verdict.reason_code, winner_path, winner_line)
            )
        rows += [
            (file.path, line, "rejected", reason, None, None)
            for file in sequence
            for line, reason in enumerate(file.lines, start=1)
            if isinstance(reason, str)
        ]
        return sorted(rows, key=lambda row: row[:2])


def make_landed_world(
    seed: int, files: int = 10, dialects: Mapping[str, str] | None = None
) -> LandedWorld:
    """A world of few keys, so that most lines contest one; every verdict occurs in most worlds.

    A source without one of the `dialects` sends Metronome's.

    Windows are of a few hours, for a path names nothing finer. `alpha` and `beta` share a scope.
    """
    chance = random.Random(seed)  # noqa: S311 — repeatable on purpose
    hour = timedelta(hours=1)
    senders = {
        "alpha": Sender("shared", 6 * hour, 5 * hour, hour),
        "beta": Sender("shared", 6 * hour, 5 * hour, hour),
        "gamma": Sender("gamma", None, None, 2 * hour),
    }
    cuts: Cuts = {
        ("customer", "acme"): [
            (NOON - 9 * hour, NOON + 3 * hour),
            (NOON, None),
            (NOON + 4 * hour, NOON),
        ],
        ("customer", "müller"): [(NOON + 2 * hour, NOON + 7 * hour)],
    }
    pool = [
        PooledEvent(
            idempotency_key=chance.choice(["a", "b", "c", "straße 1", "0"]),
            customer_ref=chance.choice(["acme", "müller", "nobody"]),
            occurred_at=NOON + chance.randint(0, 12) * hour + chance.choice([-1, 0, 1]) * TICK,
            requests=chance.randint(1, 2),
        )
        for _ in range(20)
    ]
    spoken = dialects or {}
    dropped = [_make_file(chance, number, list(senders), pool, spoken) for number in range(files)]
    whole = b"".join(event.text(chance, spoken.get("alpha")) + b"\n" for event in pool[:6])
    cut_short = gzip.compress(whole, mtime=0)[:-3]
    dropped.append(
        DroppedFile("alpha/2026/03/10/13/cut-short.ndjson.gz", cut_short, NOON + hour, 0, ())
    )
    return LandedWorld(tuple(dropped), senders, cuts, spoken)


def _make_file(
    chance: random.Random,
    number: int,
    sources: list[str],
    pool: list[PooledEvent],
    dialects: Mapping[str, str],
) -> DroppedFile:
    source = chance.choice(sources)
    texts: list[bytes] = []
    lines: list[PooledEvent | str | None] = []
    for _ in range(chance.randint(0, 12)):
        kind = chance.random()
        if kind < 0.9:
            event = chance.choice(pool)
            texts.append(event.text(chance, dialects.get(source)))
            lines.append(event)
        elif kind < 0.95:
            texts.append(b'{"transaction_id": "a", ')
            lines.append("malformed")
        else:
            texts.append(b" \t")
            lines.append(None)
    content = b"".join(text + b"\n" for text in texts)
    suffix, compressed = chance.choice(
        [
            (".ndjson", content),
            (".jsonl.gz", gzip.compress(content, mtime=0)),
            (".json.zst", zstandard.ZstdCompressor().compress(content)),
        ]
    )
    received_at = NOON + chance.randint(0, 14) * timedelta(hours=1)
    folder = f"{source}/{received_at:%Y/%m/%d/%H}"
    return DroppedFile(
        path=f"{folder}/part-{number:03d}{suffix}",
        content=compressed,
        received_at=received_at,
        wave=chance.choice([0, 0, 1]),
        lines=tuple(lines),
    )


def drop_into_folder(root: Path, files: Iterable[DroppedFile]) -> None:
    """Writes the files below `root`, each modified when it was received."""
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        nanoseconds = (file.received_at - datetime(1970, 1, 1, tzinfo=UTC)) // TICK * 1000
        os.utime(path, ns=(nanoseconds, nanoseconds))


def open_lake(home: Path, *, read_only: bool) -> Lake:
    catalog = SqliteCatalog(home / "lake" / "catalog.sqlite")
    return Lake(catalog, home / "lake" / "data", read_only=read_only)


def lake_rows(table: LakeTable, *rows: Mapping[str, object]) -> pl.DataFrame:
    """Rows of a lake table; a column that a row does not name is null."""
    complete = [{name: row.get(name) for name in table.column_names} for row in rows]
    return pl.DataFrame(complete, schema=table.schema)


def decide_landing(
    home: Path,
    landing: Landing,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
    batch_bytes: Iterator[int] | None = None,
    processes: int = 1,
    hold: HoldRule | None = None,
) -> int:
    """Decides all that is new in the landing, batch after batch; returns the number of batches."""
    facts = RunFacts(
        as_of=NOON,
        listing_started_at=NOON,
        catalog_digest="0" * 64,
        catalog_files={"sources.csv": b"source\n"},
        code_revision="1" * 64,
    )
    batches = 0
    with open_lake(home, read_only=False) as lake:
        for size in batch_bytes or repeat(2**40):
            planned = plan(lake, landing, sources, home / "staging", size)
            if planned.files.is_empty():
                break
            index = WindowIndex(home / "lake" / "window")
            parsed = parse(lake, index, planned, landing, sources, refusal_cuts, processes, hold)
            decide_and_commit(lake, index, planned, parsed, sources, refusal_cuts, facts)
            batches += 1
    return batches


def verdict_rows(home: Path) -> list[VerdictRow]:
    """Every verdict in the lake, by path and line."""
    with open_lake(home, read_only=True) as lake:
        rows = lake.query(
            """
            SELECT files.path, events.line, 'accepted' AS verdict, NULL AS reason_code,
                NULL AS winner_path, NULL::BIGINT AS winner_line
            FROM lake.accepted_events AS events
            JOIN lake.landing_files AS files USING (file_id)
            UNION ALL
            SELECT files.path, events.line, events.verdict, events.reason_code,
                winners.path, events.winner_line
            FROM lake.refused_events AS events
            JOIN lake.landing_files AS files USING (file_id)
            LEFT JOIN lake.landing_files AS winners ON winners.file_id = events.winner_file_id
            """
        )
    return sorted(rows.iter_rows(), key=lambda row: row[:2])
