"""Each invariant holds in a right world, and is broken in a wrong one.

The right world is written out row by row. A case changes some rows, and names the invariants that
must be broken; no other may be. Most cases run on the lake's tables in memory, where SQL means the
same. The last tests run on a lake.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from string import Formatter

import polars as pl
import pytest

from pipelines.audit.conservation import INVARIANTS, check_batch, rules_of
from pipelines.audit.invariant import Finding, Invariant
from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    BATCHES,
    FILE_DECISIONS,
    LANDING_FILES,
    REFUSED_EVENTS,
    LakeTable,
)
from tests.worlds.deliveries import NOON, TICK, source_rows
from tests.worlds.lakes import LakeInMemory, lake_rows, open_lake
from tests.worlds.oracle import Sender

DAY = timedelta(days=1)
WINDOW, LATENESS, SKEW = 34 * DAY, 33 * DAY, DAY
SOURCES = source_rows(
    {
        "cdn": Sender("shared", WINDOW, LATENESS, SKEW),
        "app": Sender("shared", WINDOW, LATENESS, SKEW),
        "meter": Sender("meter", None, None, SKEW),
        "archive": Sender("shared", WINDOW, LATENESS, SKEW, late_lookup=True),
    }
)

Row = dict[str, object]
World = dict[LakeTable, list[Row]]


def _file(batch_id: int, file_id: int, **counts: object) -> tuple[Row, Row]:
    """A file version of 100 bytes and its decision."""
    registered: Row = {
        "batch_id": batch_id,
        "file_id": file_id,
        "source": "cdn",
        "path": f"cdn/{file_id}.ndjson",
        "etag": "v1",
        "size_bytes": 100,
        "received_at": NOON,
    }
    nothing = dict.fromkeys(("lines", "accepted", "duplicate", "conflict", "rejected", "blank"), 0)
    decision: Row = {
        "batch_id": batch_id,
        "file_id": file_id,
        "revision": 0,
        "status": "decided",
        "raw_bytes": 100,
    }
    return registered, decision | nothing | counts


def _event(batch_id: int, file_id: int, line: int, key: str, **others: object) -> Row:
    """An event on a line of 9 bytes, followed by a line end."""
    event: Row = {
        "batch_id": batch_id,
        "file_id": file_id,
        "line": line,
        "byte_offset": 10 * (line - 1),
        "byte_length": 9,
        "line_sha256": b"\x01" * 32,
        "source": "cdn",
        "dedupe_scope": "shared",
        "key_hash": ord(key),
        "idempotency_key": key,
        "occurred_at": NOON,
        "received_at": NOON,
        "payload_digest": b"first",
        "properties": {},
    }
    return event | others


def _right_world() -> World:
    """A world of two batches.

    Batch 1 has a file of four lines, and a file with copies of two of them. Batch 2 has a repeated
    key, a quarantined file and an empty one.
    """
    files = [
        _file(1, 1, lines=4, accepted=2, rejected=1, blank=1),
        _file(1, 2, lines=2, duplicate=1, conflict=1),
        _file(2, 3, lines=1, accepted=1),
        _file(2, 4, status="quarantined", raw_bytes=None),
        _file(2, 5, raw_bytes=0),
    ]
    later = NOON + WINDOW
    return {
        LANDING_FILES: [registered for registered, _ in files],
        FILE_DECISIONS: [decision for _, decision in files],
        ACCEPTED_EVENTS: [
            _event(1, 1, 1, "a"),
            _event(1, 1, 3, "b"),
            _event(2, 3, 1, "a", received_at=later, occurred_at=later),
        ],
        REFUSED_EVENTS: [
            _event(1, 1, 4, "c", verdict="rejected", reason_code="future", reason="occurred at …"),
            _event(1, 2, 1, "a", verdict="duplicate", reason="…", winner_file_id=1, winner_line=1),
            _event(
                1,
                2,
                2,
                "b",
                verdict="conflict",
                reason="…",
                winner_file_id=1,
                winner_line=3,
                payload_digest=b"other",
            ),
        ],
    }


def _replayed_world() -> World:
    """The right world, a held file in batch 3, and batch 4, a replay.

    The replay accepts the only refused line of file 1. It lets file 6 in. There, one line is still
    malformed, one is accepted, one repeats an event of an earlier file and one of a later file.
    """
    world = _right_world()
    files = [
        _file(3, 6, status="held", lines=5, rejected=2, blank=1, held=2),
        _file(3, 7, lines=1, accepted=1),
    ]
    for registered, decision in files:
        world[LANDING_FILES].append(registered)
        world[FILE_DECISIONS].append(decision)
    malformed: Row = {"verdict": "rejected", "reason_code": "malformed", "reason": "…"}
    again: Row = {"revision": 1}
    copy: Row = {"verdict": "duplicate", "reason": "…", "winner_line": 1}
    world[FILE_DECISIONS] += [
        _file(4, 1, revision=1, lines=4, accepted=3, blank=1)[1],
        _file(4, 6, revision=1, lines=5, accepted=1, duplicate=2, rejected=1, blank=1)[1],
    ]
    world[ACCEPTED_EVENTS] += [
        _event(3, 7, 1, "f"),
        _event(4, 1, 4, "c"),
        _event(4, 6, 2, "d"),
    ]
    world[REFUSED_EVENTS] += [
        _event(3, 6, 1, "x", **malformed),
        _event(3, 6, 3, "y", **malformed),
        _event(4, 6, 1, "x", **malformed, **again),
        _event(4, 6, 3, "a", **copy, **again, winner_file_id=1),
        _event(4, 6, 4, "f", **copy, **again, winner_file_id=7),
    ]
    return world


def _lake_of(world: World) -> LakeInMemory:
    return LakeInMemory({table: lake_rows(table, *rows) for table, rows in world.items()})


def _offended(findings: list[Finding]) -> set[str]:
    return {finding.invariant.name for finding in findings if not finding.holds}


def _check(world: World, batch_id: int) -> set[str]:
    with _lake_of(world) as lake:
        return _offended(check_batch(lake, batch_id, SOURCES))


@pytest.mark.parametrize("batch_id", [1, 2, 3], ids=["first", "second", "none"])
def test_every_invariant_holds_in_a_right_world(batch_id: int) -> None:
    assert _check(_right_world(), batch_id) == set()


@pytest.mark.parametrize("batch_id", [1, 2, 3, 4])
def test_every_invariant_holds_after_a_replay(batch_id: int) -> None:
    assert _check(_replayed_world(), batch_id) == set()


def test_every_invariant_holds_in_an_empty_lake() -> None:
    with _lake_of({}) as lake:
        findings = check_batch(lake, 1, SOURCES)

    assert [finding.invariant for finding in findings] == list(INVARIANTS)
    assert [(finding.offences, finding.sample) for finding in findings] == [(0, "")] * len(findings)


Change = Callable[[World], None]


def _set(table: LakeTable, place: tuple[int, ...], **values: object) -> Change:
    """A change of the row at (file_id,) or (file_id, line)."""

    def change(world: World) -> None:
        (row,) = _rows_at(world[table], place)
        row.update(values)

    return change


def _lose(table: LakeTable, place: tuple[int, ...]) -> Change:
    def change(world: World) -> None:
        (row,) = _rows_at(world[table], place)
        world[table].remove(row)

    return change


def _add(*rows: tuple[LakeTable, Row]) -> Change:
    def change(world: World) -> None:
        for table, row in rows:
            world[table].append(row)

    return change


def _rows_at(rows: list[Row], place: tuple[int, ...]) -> Iterator[Row]:
    for row in rows:
        if (row["file_id"], row.get("line"))[: len(place)] == place:
            yield row


def _both(*changes: Change) -> Change:
    def change(world: World) -> None:
        for each in changes:
            each(world)

    return change


def _in_batch(batch_id: int, change: Change) -> Change:
    """The change, applied to the rows of one batch only."""

    def changed(world: World) -> None:
        apart = {
            table: [row for row in rows if row["batch_id"] == batch_id]
            for table, rows in world.items()
        }
        others = {
            table: [row for row in rows if row["batch_id"] != batch_id]
            for table, rows in world.items()
        }
        change(apart)
        world.update({table: others[table] + apart[table] for table in world})

    return changed


@dataclass(frozen=True)
class Offence:
    """A wrong world, and the invariants that are broken when its batch is checked."""

    name: str
    change: Change
    noticed_by: set[str]
    batch_id: int = 1
    world: Callable[[], World] = _right_world


REGISTERED_ONCE = {"files_are_registered_once"}
DECIDED = {"files_of_the_batch_are_decided"}
ADD_UP = {"lines_add_up"}
ONE_VERDICT = {"each_line_has_one_verdict"}
DISJOINT = {"byte_ranges_are_disjoint"}
REASONS = {"rejections_have_reasons"}
ONCE = {"keys_are_accepted_once_per_window"}
IN_TIME = {"accepted_events_are_in_time"}
NAME_TARGET = {"amendments_name_their_target"}
PRECEDE = {"winners_precede_their_copies"}
REPEAT = {"duplicates_repeat_and_conflicts_contradict"}
REVISION = {"refused_lines_have_their_revision"}


def _held(name: str, change: Change, noticed_by: set[str]) -> Offence:
    return Offence(name, _in_batch(3, change), noticed_by, 3, _replayed_world)


def _replayed(name: str, change: Change, noticed_by: set[str]) -> Offence:
    return Offence(name, _in_batch(4, change), noticed_by, 4, _replayed_world)


OFFENCES = [
    Offence(
        "a-version-taken-in-twice",
        _add(
            (LANDING_FILES, _file(2, 6)[0] | {"path": "cdn/1.ndjson"}),
            (FILE_DECISIONS, _file(2, 6)[1]),
        ),
        REGISTERED_ONCE,
    ),
    Offence(
        "a-gap-in-the-sequence",
        _both(_set(LANDING_FILES, (5,), file_id=7), _set(FILE_DECISIONS, (5,), file_id=7)),
        REGISTERED_ONCE,
    ),
    Offence(
        "one-number-for-two-versions",
        _add((LANDING_FILES, _file(2, 5)[0] | {"etag": "v2"})),
        REGISTERED_ONCE,
        batch_id=2,
    ),
    Offence("a-file-not-decided", _lose(FILE_DECISIONS, (5,)), DECIDED, batch_id=2),
    Offence("an-unknown-file-decided", _add((FILE_DECISIONS, _file(1, 9)[1])), DECIDED),
    Offence("a-file-without-number", _set(FILE_DECISIONS, (5,), file_id=None), DECIDED, batch_id=2),
    Offence("a-line-lost", _set(FILE_DECISIONS, (1,), lines=5), ADD_UP),
    Offence("an-event-lost", _lose(ACCEPTED_EVENTS, (1, 3)), ADD_UP | PRECEDE | REPEAT),
    Offence("a-rejection-lost", _lose(REFUSED_EVENTS, (1, 4)), ADD_UP),
    Offence("wrong-counts-that-add-up", _set(FILE_DECISIONS, (1,), accepted=3, rejected=0), ADD_UP),
    Offence("a-count-missing", _set(FILE_DECISIONS, (1,), blank=None), ADD_UP),
    Offence(
        "an-event-of-an-unreadable-file",
        _add((ACCEPTED_EVENTS, _event(2, 4, 1, "z"))),
        ADD_UP | ONE_VERDICT | DISJOINT,
        batch_id=2,
    ),
    Offence("a-line-beyond-the-last", _set(REFUSED_EVENTS, (1, 4), line=5), ONE_VERDICT),
    Offence("a-line-zero", _set(ACCEPTED_EVENTS, (1, 1), line=0), ONE_VERDICT | PRECEDE | REPEAT),
    Offence("a-line-without-number", _set(REFUSED_EVENTS, (2, 2), line=None), ONE_VERDICT),
    Offence("ranges-that-share-a-byte", _set(ACCEPTED_EVENTS, (1, 1), byte_length=21), DISJOINT),
    Offence("ranges-that-overlap", _set(REFUSED_EVENTS, (2, 2), byte_offset=8), DISJOINT),
    Offence("a-range-before-the-file", _set(ACCEPTED_EVENTS, (1, 1), byte_offset=-1), DISJOINT),
    Offence("a-range-of-no-bytes", _set(ACCEPTED_EVENTS, (1, 3), byte_length=0), DISJOINT),
    Offence("a-range-beyond-the-file", _set(FILE_DECISIONS, (1,), raw_bytes=38), DISJOINT),
    Offence("a-range-missing", _set(ACCEPTED_EVENTS, (1, 3), byte_offset=None), DISJOINT),
    Offence("a-length-missing", _set(REFUSED_EVENTS, (1, 4), byte_length=None), DISJOINT),
    Offence(
        "an-offset-missing",
        _set(REFUSED_EVENTS, (1, 4), byte_offset=None),
        DISJOINT | REASONS | ONE_VERDICT,
    ),
    Offence(
        "all-ranges-missing",
        _set(ACCEPTED_EVENTS, (3, 1), byte_offset=None, byte_length=None),
        DISJOINT | ONE_VERDICT,
        batch_id=2,
    ),
    Offence("a-reason-of-no-list", _set(REFUSED_EVENTS, (1, 4), reason_code="whatever"), REASONS),
    Offence("no-reason-code", _set(REFUSED_EVENTS, (1, 4), reason_code=None), REASONS),
    Offence("an-empty-sentence", _set(REFUSED_EVENTS, (1, 4), reason=""), REASONS),
    Offence("no-sentence", _set(REFUSED_EVENTS, (2, 1), reason=None), REASONS),
    Offence("a-short-digest", _set(REFUSED_EVENTS, (1, 4), line_sha256=b"\x01" * 31), REASONS),
    Offence("no-digest", _set(REFUSED_EVENTS, (2, 1), line_sha256=None), REASONS),
    Offence("a-rejection-with-a-winner", _set(REFUSED_EVENTS, (1, 4), winner_file_id=1), REASONS),
    Offence("a-duplicate-with-a-code", _set(REFUSED_EVENTS, (2, 1), reason_code="future"), REASONS),
    Offence(
        "a-duplicate-of-nothing",
        _set(REFUSED_EVENTS, (2, 1), winner_file_id=None, winner_line=None),
        REASONS | PRECEDE | REPEAT,
    ),
    Offence("an-unknown-verdict", _set(REFUSED_EVENTS, (1, 4), verdict="lost"), REASONS | ADD_UP),
    Offence("no-verdict", _set(REFUSED_EVENTS, (1, 4), verdict=None), REASONS | ADD_UP),
    Offence(
        "a-key-again-within-the-window",
        _set(ACCEPTED_EVENTS, (3, 1), received_at=NOON + WINDOW - TICK),
        ONCE,
        batch_id=2,
    ),
    Offence(
        "a-key-again-before-the-holder",
        _set(
            ACCEPTED_EVENTS,
            (3, 1),
            received_at=NOON - WINDOW + TICK,
            occurred_at=NOON - WINDOW + TICK,
        ),
        ONCE,
        batch_id=2,
    ),
    Offence(
        "a-key-again-from-a-source-of-the-scope",
        _set(ACCEPTED_EVENTS, (3, 1), received_at=NOON + DAY, occurred_at=NOON, source="app"),
        ONCE,
        batch_id=2,
    ),
    Offence(
        "a-key-again-in-one-batch",
        _set(ACCEPTED_EVENTS, (1, 3), key_hash=ord("a"), idempotency_key="a"),
        ONCE | PRECEDE,
    ),
    Offence(
        "a-key-again-where-windows-are-unlimited",
        _set(ACCEPTED_EVENTS, (3, 1), source="meter"),
        ONCE,
        batch_id=2,
    ),
    Offence(
        "a-key-again-that-was-to-be-looked-up",
        _set(ACCEPTED_EVENTS, (3, 1), source="archive", occurred_at=NOON + WINDOW - LATENESS),
        ONCE,
        batch_id=2,
    ),
    Offence(
        "a-window-does-not-end-for-those-in-time",
        _set(
            REFUSED_EVENTS,
            (2, 1),
            source="archive",
            received_at=NOON + WINDOW,
            occurred_at=NOON + WINDOW - LATENESS + TICK,
        ),
        PRECEDE,
    ),
    Offence(
        "an-event-too-far-in-the-future",
        _set(ACCEPTED_EVENTS, (1, 1), occurred_at=NOON + SKEW + TICK),
        IN_TIME,
    ),
    Offence(
        "an-event-exactly-too-late",
        _set(ACCEPTED_EVENTS, (1, 1), occurred_at=NOON - LATENESS),
        IN_TIME,
    ),
    Offence("an-event-without-time", _set(ACCEPTED_EVENTS, (1, 1), occurred_at=None), IN_TIME),
    Offence("an-event-of-no-source", _set(ACCEPTED_EVENTS, (1, 1), source="cnd"), IN_TIME),
    Offence(
        "an-amendment-too-far-in-the-future",
        _set(
            ACCEPTED_EVENTS,
            (1, 1),
            occurred_at=NOON + SKEW + TICK,
            amendment="amend",
            target_key="z",
        ),
        IN_TIME,
    ),
    Offence(
        "an-amendment-without-target",
        _set(ACCEPTED_EVENTS, (1, 1), amendment="void"),
        NAME_TARGET,
    ),
    Offence(
        "a-target-without-amendment",
        _set(ACCEPTED_EVENTS, (1, 1), target_key="z"),
        NAME_TARGET,
    ),
    Offence(
        "an-amendment-of-itself",
        _set(ACCEPTED_EVENTS, (1, 1), amendment="void", target_key="a"),
        NAME_TARGET,
    ),
    Offence(
        "an-amendment-of-another-kind",
        _set(ACCEPTED_EVENTS, (1, 1), amendment="delete", target_key="z"),
        NAME_TARGET,
    ),
    Offence(
        "a-winner-that-is-itself", _set(REFUSED_EVENTS, (2, 1), winner_file_id=2), PRECEDE | REPEAT
    ),
    Offence(
        "a-winner-that-was-refused", _set(REFUSED_EVENTS, (2, 1), winner_line=4), PRECEDE | REPEAT
    ),
    Offence("a-winner-of-another-key", _set(REFUSED_EVENTS, (2, 1), winner_line=3), PRECEDE),
    Offence("a-winner-of-another-scope", _set(REFUSED_EVENTS, (2, 1), dedupe_scope="cdn"), PRECEDE),
    Offence("a-winner-that-comes-later", _set(REFUSED_EVENTS, (2, 1), winner_file_id=3), PRECEDE),
    Offence(
        "a-winner-a-window-away",
        _set(REFUSED_EVENTS, (2, 1), received_at=NOON + WINDOW),
        PRECEDE,
    ),
    Offence("a-copy-never-received", _set(REFUSED_EVENTS, (2, 1), received_at=None), PRECEDE),
    Offence(
        "a-duplicate-with-another-payload",
        _set(REFUSED_EVENTS, (2, 1), payload_digest=b"other"),
        REPEAT,
    ),
    Offence(
        "a-conflict-with-the-same-payload",
        _set(REFUSED_EVENTS, (2, 2), payload_digest=b"first"),
        REPEAT,
    ),
    Offence("a-copy-without-payload", _set(REFUSED_EVENTS, (2, 2), payload_digest=None), REPEAT),
    _held("a-held-line-lost", _set(FILE_DECISIONS, (6,), held=1), ADD_UP),
    _held("held-lines-in-a-decided-file", _set(FILE_DECISIONS, (6,), status="decided"), ADD_UP),
    _held(
        "an-event-of-a-held-file",
        _both(
            _add((ACCEPTED_EVENTS, _event(3, 6, 2, "z"))),
            _set(FILE_DECISIONS, (6,), accepted=1, held=1),
        ),
        ADD_UP,
    ),
    _replayed("a-revision-left-out", _set(FILE_DECISIONS, (1,), revision=2), DECIDED),
    _replayed("a-first-revision-again", _set(FILE_DECISIONS, (1,), revision=0), DECIDED | ADD_UP),
    _replayed("a-revision-of-no-file", _add((FILE_DECISIONS, _file(4, 9, revision=1)[1])), DECIDED),
    _replayed("a-refusal-of-the-old-revision", _set(REFUSED_EVENTS, (6, 1), revision=0), REVISION),
    _replayed("a-refusal-of-no-revision", _set(REFUSED_EVENTS, (6, 1), revision=None), REVISION),
    _replayed(
        "an-event-accepted-before-left-uncounted",
        _set(FILE_DECISIONS, (1,), accepted=1, lines=2),
        ADD_UP | ONE_VERDICT,
    ),
    _replayed(
        "a-line-refused-that-was-accepted-before",
        _both(
            _add(
                (
                    REFUSED_EVENTS,
                    _event(4, 1, 1, "a")
                    | {
                        "verdict": "rejected",
                        "reason_code": "future",
                        "reason": "…",
                        "revision": 1,
                    },
                )
            ),
            _set(FILE_DECISIONS, (1,), rejected=1, lines=5),
        ),
        ONE_VERDICT | DISJOINT,
    ),
    _replayed(
        "a-copy-of-itself",
        _set(REFUSED_EVENTS, (6, 4), winner_file_id=6, winner_line=4),
        PRECEDE | REPEAT,
    ),
]


def _world_of_rows() -> World:
    """A Parquet file of three rows, which have no byte ranges."""
    registered, decision = _file(1, 1, lines=3, accepted=2, rejected=1)
    row: Row = {"byte_offset": None, "byte_length": None}
    refused: Row = {"verdict": "rejected", "reason_code": "future", "reason": "occurred at …"}
    return {
        LANDING_FILES: [registered],
        FILE_DECISIONS: [decision],
        ACCEPTED_EVENTS: [_event(1, 1, 0, "a") | row, _event(1, 1, 2, "c") | row],
        REFUSED_EVENTS: [_event(1, 1, 1, "b") | row | refused],
    }


def test_every_invariant_holds_for_rows() -> None:
    assert _check(_world_of_rows(), 1) == set()


@pytest.mark.parametrize(
    "offence",
    [
        Offence("a-row-beyond-the-last", _set(ACCEPTED_EVENTS, (1, 2), line=3), set()),
        Offence("a-row-before-the-first", _set(ACCEPTED_EVENTS, (1, 0), line=-1), set()),
        Offence("rows-from-one", _set(ACCEPTED_EVENTS, (1, 0), line=3), set()),
    ],
    ids=lambda offence: offence.name,
)
def test_rows_are_numbered_from_zero_without_a_gap(offence: Offence) -> None:
    world = _world_of_rows()
    offence.change(world)

    assert _check(world, 1) == DISJOINT | ONE_VERDICT


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_set(ACCEPTED_EVENTS, (1, 0), byte_offset=0), id="an offset in the first"),
        pytest.param(_set(ACCEPTED_EVENTS, (1, 2), byte_length=9), id="a length in the last"),
        pytest.param(
            _set(ACCEPTED_EVENTS, (1, 0), byte_offset=0, byte_length=9), id="one has a range"
        ),
        pytest.param(
            _set(ACCEPTED_EVENTS, (1, 2), byte_offset=20, byte_length=9), id="the last has a range"
        ),
        pytest.param(_set(FILE_DECISIONS, (1,), lines=4, blank=1), id="a blank among them"),
    ],
)
def test_rows_have_no_ranges_and_no_blanks(change: Change) -> None:
    world = _world_of_rows()
    change(world)

    assert _check(world, 1) >= DISJOINT


@pytest.mark.parametrize("offence", OFFENCES, ids=lambda offence: offence.name)
def test_wrong_world_is_noticed_by_the_invariants_it_breaks(offence: Offence) -> None:
    world = offence.world()
    offence.change(world)

    assert _check(world, offence.batch_id) == offence.noticed_by


def test_line_with_two_verdicts_is_noticed() -> None:
    world = _right_world()
    world[REFUSED_EVENTS].append(
        _event(1, 1, 1, "a", verdict="rejected", reason_code="future", reason="…")
    )
    _set(FILE_DECISIONS, (1,), rejected=2, lines=5)(world)

    assert _check(world, 1) >= ONE_VERDICT


def test_every_invariant_was_seen_to_fail() -> None:
    noticing = set().union(*(offence.noticed_by for offence in OFFENCES))

    assert noticing == {invariant.name for invariant in INVARIANTS}


@pytest.mark.parametrize(
    ("change", "batch_id"),
    [
        pytest.param(
            _set(ACCEPTED_EVENTS, (1, 1), occurred_at=NOON + SKEW), 1, id="as-far-ahead-as-allowed"
        ),
        pytest.param(
            _set(ACCEPTED_EVENTS, (1, 1), occurred_at=NOON - LATENESS + TICK),
            1,
            id="as-late-as-allowed",
        ),
        pytest.param(
            _set(ACCEPTED_EVENTS, (3, 1), dedupe_scope="meter", source="meter"),
            2,
            id="a-key-again-in-another-scope",
        ),
        pytest.param(
            _set(ACCEPTED_EVENTS, (3, 1), received_at=NOON, occurred_at=NOON, idempotency_key="A"),
            2,
            id="another-key-of-the-same-hash",
        ),
        pytest.param(
            _set(
                ACCEPTED_EVENTS,
                (3, 1),
                source="meter",
                dedupe_scope="m",
                occurred_at=NOON - 900 * DAY,
            ),
            2,
            id="very-late-where-lateness-is-unlimited",
        ),
        pytest.param(
            _set(REFUSED_EVENTS, (2, 1), received_at=NOON + WINDOW - TICK),
            1,
            id="a-copy-just-within-the-window",
        ),
        pytest.param(
            _set(ACCEPTED_EVENTS, (1, 1), source="archive", occurred_at=NOON - LATENESS),
            1,
            id="late-where-it-is-looked-up",
        ),
        pytest.param(
            _set(
                ACCEPTED_EVENTS,
                (3, 1),
                source="archive",
                occurred_at=NOON + WINDOW - LATENESS + TICK,
            ),
            2,
            id="a-key-again-of-an-event-in-time",
        ),
        pytest.param(
            _set(
                REFUSED_EVENTS,
                (2, 1),
                source="archive",
                received_at=NOON + WINDOW,
                occurred_at=NOON + WINDOW - LATENESS,
            ),
            1,
            id="a-copy-looked-up-a-window-away",
        ),
        pytest.param(_set(FILE_DECISIONS, (1,), raw_bytes=39), 1, id="no-last-line-end"),
        pytest.param(
            _set(
                ACCEPTED_EVENTS,
                (1, 1),
                occurred_at=NOON - LATENESS,
                amendment="amend",
                target_key="z",
            ),
            1,
            id="an-amendment-however-late",
        ),
    ],
)
def test_world_at_the_bound_is_right(change: Change, batch_id: int) -> None:
    world = _right_world()
    change(world)

    assert _check(world, batch_id) == set()


def test_offences_of_another_batch_are_not_counted_again() -> None:
    world = _right_world()
    _set(ACCEPTED_EVENTS, (1, 1), occurred_at=None)(world)

    assert (_check(world, 1), _check(world, 2)) == (IN_TIME, set())


def _commit(lake: Lake, world: World, batch_id: int) -> None:
    """Commits the rows of one batch of the world to a lake."""
    rows = {
        table: lake_rows(table, *(row for row in rows if row["batch_id"] == batch_id))
        for table, rows in world.items()
    }
    batch = {BATCHES: lake_rows(BATCHES, {"batch_id": batch_id, "kind": "decide"})}
    lake.commit_batch(batch_id, batch | rows, {})


def test_invariants_are_checked_on_a_lake(lake_home: Path) -> None:
    world = _right_world()
    _add(
        (LANDING_FILES, _file(3, 6)[0]),
        (FILE_DECISIONS, _file(3, 6, lines=5, accepted=4)[1]),
        *((ACCEPTED_EVENTS, _event(3, 6, line, "e")) for line in range(1, 5)),
    )(world)

    with open_lake(lake_home, read_only=False) as lake:
        for batch_id in (1, 2, 3):
            _commit(lake, world, batch_id)
        findings = {batch_id: check_batch(lake, batch_id, SOURCES) for batch_id in (1, 2, 3)}

    assert (_offended(findings[1]), _offended(findings[2])) == (set(), set())
    assert _offended(findings[3]) == ADD_UP | ONCE
    (lost_line,) = (each for each in findings[3] if each.invariant.name in ADD_UP)
    assert lost_line.offences == 1
    assert lost_line.sample == (
        "cdn/6.ndjson: expected counts that add up to 5 lines, and a row for each line, found "
        "4 accepted + 0 duplicate + 0 conflict + 0 rejected + 0 not usage + 0 blank + 0 held"
    )
    # Four events of one key make 4 × 3 pairs, of which three are shown.
    (same_keys,) = (each for each in findings[3] if each.invariant.name in ONCE)
    assert same_keys.offences == 12
    assert same_keys.sample.count("it would be billed twice") == 3


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.name)
def test_the_sentence_of_an_offence_names_columns_of_its_query(invariant: Invariant) -> None:
    with LakeInMemory({}) as lake:
        columns = lake.query(
            f"SELECT * FROM ({invariant.offenders})",
            {"batch_id": 1} if "$batch_id" in invariant.offenders else None,
            sources=rules_of(SOURCES),
            repeated=pl.DataFrame(schema={"key_hash": pl.UInt64}),
        ).columns

    fields = {field for _, field, _, _ in Formatter().parse(invariant.sentence) if field}
    assert fields
    assert fields <= {*columns, "path"}
    assert "path" not in fields or "file_id" in columns or "path" in columns
