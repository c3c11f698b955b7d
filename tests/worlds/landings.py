"""Landings full of contested keys, made from a seed, with what the oracle says of each line."""

import gzip
import json
import os
import random
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import zstandard

from tests.worlds.deliveries import NOON, TICK
from tests.worlds.oracle import Cuts, Delivery, Sender, verdicts_by_position

VerdictRow = tuple[str, int, str, str | None, str | None, int | None]
"""(path, line, verdict, reason_code, path of the winner, line of the winner)."""


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
