"""A replay decides refused lines again at their old place, and changes nothing else."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.intake.replay import Redecided
from pipelines.intake.replay_selection import Selection
from pipelines.lake.file_states import held_names
from pipelines.reading.formats import csv_records
from pipelines.reading.hold_rule import HoldRule
from pipelines.vocabulary.errors import InvariantError, MeterlineError
from tests.worlds.deliveries import NO_CUTS, NOON, cut_rows
from tests.worlds.file_lines import BAD
from tests.worlds.lakes import open_lake
from tests.worlds.landings import DroppedFile, drop_into_folder
from tests.worlds.replays import HOUR, RELAXED, STRICT, decide, land, line, lines_now, replayed

Kind = tuple[str, str, int, str]


def decisions(home: Path) -> list[tuple[Any, ...]]:
    with open_lake(home, read_only=True) as lake:
        return lake.query(
            "SELECT file_id, revision, status, lines, accepted, duplicate, conflict, rejected, "
            "blank, held FROM lake.file_decisions ORDER BY file_id, revision"
        ).rows()


def kinds(redecided: Redecided) -> list[Kind]:
    return redecided.changes.rows()


def names(home: Path) -> list[tuple[str, int]]:
    """The names in the files that are held now, and in how many lines they are."""
    with open_lake(home, read_only=True) as lake:
        return held_names(lake).select("name", "lines").rows()


def batches(home: Path) -> int:
    with open_lake(home, read_only=True) as lake:
        return lake.last_batch_id()


def test_replay_under_the_same_catalog_writes_nothing(tmp_path: Path) -> None:
    """This holds even if a key was accepted from a line after one that was refused as too late."""
    land(
        tmp_path,
        a=line("x", 3)
        + line("y")
        + line("y")
        + line("y", event_type="other")
        + b"\n"
        + line("f", -2),
        b=line("x") + BAD + line("z") * 20,
    )
    decide(tmp_path)
    before = lines_now(tmp_path)

    redecided = replayed(tmp_path, STRICT, NO_CUTS)

    assert (kinds(redecided), redecided.decisions.height, redecided.unchanged) == ([], 0, 24)
    assert lines_now(tmp_path) == before
    assert batches(tmp_path) == 1


def test_relaxed_lateness_lets_late_lines_in_at_their_place(tmp_path: Path) -> None:
    land(tmp_path, a=line("k") + line("late", 3) + BAD + line("k") + b"\n" + line("later", 9))
    decide(tmp_path)

    redecided = replayed(tmp_path, RELAXED, NO_CUTS, hold=HoldRule(percent=0))

    assert kinds(redecided) == [("too_late", "accepted", 1, "cdn/a.ndjson line 2")]
    assert lines_now(tmp_path) == [
        ("a", 1, "accepted", None),
        ("a", 2, "accepted", None),
        ("a", 3, "malformed", None),
        ("a", 4, "duplicate", "1:1"),
        ("a", 6, "too_late", None),
    ]
    assert decisions(tmp_path) == [
        (1, 0, "decided", 6, 1, 1, 0, 3, 1, 0),
        (1, 1, "decided", 6, 2, 1, 0, 2, 1, 0),
    ]
    with open_lake(tmp_path, read_only=True) as lake:
        received = lake.query(
            "SELECT DISTINCT received_at = $noon FROM lake.accepted_events", {"noon": NOON}
        )
    assert received.rows() == [(True,)]


@pytest.mark.parametrize(
    ("later", "state"),
    [(line("k", 3), "duplicate"), (line("k"), "conflict")],
    ids=["same_payload", "other_payload"],
)
def test_key_given_away_since_is_not_accepted_twice(
    later: bytes, state: str, tmp_path: Path
) -> None:
    """The later copy is in time, because its file was received at another instant."""
    land(tmp_path, a=line("k", 3))
    decide(tmp_path)
    land(tmp_path, a=line("k", 3), b=later)
    decide(tmp_path, RELAXED)

    redecided = replayed(tmp_path, RELAXED, NO_CUTS)

    assert kinds(redecided) == [("too_late", state, 1, "cdn/a.ndjson line 1")]
    assert lines_now(tmp_path) == [("a", 1, state, "2:1"), ("b", 1, "accepted", None)]
    assert kinds(replayed(tmp_path, RELAXED, NO_CUTS)) == []


def test_two_replayed_lines_of_one_key_are_decided_in_order(tmp_path: Path) -> None:
    land(tmp_path, a=line("k", 3) + line("k", 3), b=line("k", 3))
    decide(tmp_path)

    replayed(tmp_path, RELAXED, NO_CUTS)

    assert [row[2:] for row in lines_now(tmp_path)] == [
        ("accepted", None),
        ("duplicate", "1:1"),
        ("duplicate", "1:1"),
    ]


def test_moved_cut_heals_backdated_lines(tmp_path: Path) -> None:
    land(tmp_path, a=line("k", 1, customer_id="acme"))
    cuts = cut_rows({("customer", "acme"): [(NOON - 9 * HOUR, NOON)]})
    decide(tmp_path, cuts=cuts)

    assert kinds(replayed(tmp_path, STRICT, cuts)) == []
    moved = cut_rows({("customer", "acme"): [(NOON - 9 * HOUR, NOON + HOUR)]})
    assert kinds(replayed(tmp_path, STRICT, moved)) == [
        ("backdated", "accepted", 1, "cdn/a.ndjson line 1")
    ]


def test_only_the_selected_lines_are_decided_again(tmp_path: Path) -> None:
    contents = line("late", 3) + line("k") + line("k")
    land(tmp_path, a=contents, b=line("late-b", 4))
    decide(tmp_path)
    narrowed = (
        Selection(reasons=("duplicate",)),
        Selection(sources=("other",)),
    )

    for selection in narrowed:
        assert kinds(replayed(tmp_path, RELAXED, NO_CUTS, selection)) == []
    changed = replayed(tmp_path, RELAXED, NO_CUTS, Selection(files=("cdn/b*",)))
    assert kinds(changed) == [("too_late", "accepted", 1, "cdn/b.ndjson line 1")]
    changed = replayed(tmp_path, RELAXED, NO_CUTS, Selection(reasons=("too_late",)))
    assert kinds(changed) == [("too_late", "accepted", 1, "cdn/a.ndjson line 1")]
    # The duplicate was not selected, but is still written under the new revision.
    assert ("a", 3, "duplicate", "1:2") in lines_now(tmp_path)


def test_held_file_stays_held_until_it_is_released(tmp_path: Path) -> None:
    land(tmp_path, a=line("k") + BAD + line("l") + BAD + b"\n", b=line("k"))
    decide(tmp_path)
    assert decisions(tmp_path)[0] == (1, 0, "held", 5, 0, 0, 0, 2, 1, 2)

    assert kinds(replayed(tmp_path, STRICT, NO_CUTS)) == []
    released = replayed(tmp_path, STRICT, NO_CUTS, Selection(release=("cdn/a.ndjson",)))

    assert kinds(released) == [
        ("held", "accepted", 1, "cdn/a.ndjson line 3"),
        ("held", "duplicate", 1, "cdn/a.ndjson line 1"),
    ]
    assert released.unchanged == 2
    assert decisions(tmp_path)[1] == (1, 1, "decided", 5, 1, 1, 0, 2, 1, 0)
    assert lines_now(tmp_path) == [
        ("a", 1, "duplicate", "2:1"),
        ("a", 2, "malformed", None),
        ("a", 3, "accepted", None),
        ("a", 4, "malformed", None),
        ("b", 1, "accepted", None),
    ]


def test_names_of_a_file_that_stays_held_are_those_of_todays_dialect(tmp_path: Path) -> None:
    """Its lines are events of two dialects, and name another customer in each."""
    others: dict[str, object] = {"type": "track", "messageId": "m", "event": "call"}
    others["userId"] = "globex"
    land(tmp_path, a=line("k", 0, **others) + BAD * 2)
    decide(tmp_path)
    assert names(tmp_path) == [("acme", 1)]

    assert replayed(tmp_path, STRICT, NO_CUTS).decisions.is_empty()
    changed = STRICT.with_columns(pl.lit("segment").alias("dialect"))
    assert replayed(tmp_path, changed, NO_CUTS).decisions["status"].to_list() == ["held"]
    assert names(tmp_path) == [("globex", 1)]

    replayed(tmp_path, changed, NO_CUTS, Selection(release=("cdn/a.ndjson",)))
    assert names(tmp_path) == []


def test_replay_reads_the_names_of_a_file_held_before_the_lake_kept_names(tmp_path: Path) -> None:
    land(tmp_path, a=line("k") + BAD * 2)
    decide(tmp_path)
    with open_lake(tmp_path, read_only=False) as lake:
        lake._connection.execute("DELETE FROM lake.held_names")
    assert names(tmp_path) == []

    replayed(tmp_path, STRICT, NO_CUTS)

    assert names(tmp_path) == [("acme", 1)]
    assert [row[1:3] for row in decisions(tmp_path)] == [(0, "held"), (1, "held")]


def test_corrected_mapping_lets_a_held_file_in_without_release(tmp_path: Path) -> None:
    """The file is in Togai's dialect; the catalog had said that it was in Metronome's."""
    togai = (
        b'{"id":"%d","schemaName":"s","timestamp":"2026-03-10T12:00:00Z","accountID":"acme",'
        b'"attributes":[{"name":"n","value":1}]}\n'
    )
    land(tmp_path, a=b"".join(togai % number for number in range(3)))
    decide(tmp_path)
    assert decisions(tmp_path) == [(1, 0, "held", 3, 0, 0, 0, 3, 0, 0)]

    corrected = STRICT.with_columns(pl.lit("togai").alias("dialect"))
    redecided = replayed(tmp_path, corrected, NO_CUTS)

    assert kinds(redecided) == [("missing_field", "accepted", 3, "cdn/a.ndjson line 1")]
    assert decisions(tmp_path)[1] == (1, 1, "decided", 3, 3, 0, 0, 0, 0, 0)


def test_file_whose_bytes_are_gone_is_left_as_it_is(tmp_path: Path) -> None:
    land(tmp_path, a=line("late", 3), b=line("late-b", 3))
    decide(tmp_path)
    (tmp_path / "landing/cdn/a.ndjson").unlink()

    redecided = replayed(tmp_path, RELAXED, NO_CUTS)

    assert redecided.not_replayed == (("cdn/a.ndjson", "it was deleted before it could be read"),)
    assert lines_now(tmp_path) == [("a", 1, "too_late", None), ("b", 1, "accepted", None)]


def test_source_that_left_the_catalog_is_named(tmp_path: Path) -> None:
    land(tmp_path, a=line("late", 3))
    decide(tmp_path)

    redecided = replayed(tmp_path, STRICT.clear(), NO_CUTS)

    assert redecided.not_replayed == (("cdn/a.ndjson", "no row for source 'cdn'"),)


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (Selection(release=("cdn/a.ndjson",)), "no held file has this path"),
        (Selection(files=("cdn/x*",)), "no file with this path was ever taken in"),
    ],
)
def test_selection_that_names_nothing_is_refused(
    selection: Selection, sentence: str, tmp_path: Path
) -> None:
    land(tmp_path, a=line("k"))
    decide(tmp_path)

    with pytest.raises(MeterlineError, match=sentence):
        replayed(tmp_path, STRICT, NO_CUTS, selection)


def test_unknown_reason_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(
        MeterlineError, match=r"expected one of backdated, conflict, .*; found typo"
    ):
        Selection(reasons=("typo",))


def test_line_that_is_lost_on_the_way_stops_the_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(tmp_path, a=line("late", 3) + line("other", 3))
    decide(tmp_path)
    monkeypatch.setattr("pipelines.intake.replay.groups", lambda *_: iter(()))

    with pytest.raises(
        InvariantError,
        match="found 2 lines without a verdict and 0 verdicts too many; nothing was written",
    ):
        replayed(tmp_path, RELAXED, NO_CUTS)
    assert batches(tmp_path) == 1


def test_groups_of_key_hashes_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.intake.verdict_rows.EVENTS_PER_GROUP", 2)
    land(tmp_path, a=b"".join(line(f"k{number % 5}", 3) for number in range(9)))
    decide(tmp_path)

    (tally,) = [replayed(tmp_path, RELAXED, NO_CUTS).changes.select("after", "lines").rows()]

    assert tally == [("accepted", 5), ("duplicate", 4)]


@pytest.mark.parametrize("is_streamed", [False, True], ids=["parsed", "streamed"])
def test_file_without_permission_waits_alone_and_is_replayed_once_it_may_be_read(
    is_streamed: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if is_streamed:
        request.getfixturevalue("streamed")
    land(tmp_path, a=line("x"), b=line("y"), c=line("z", -1))
    opened = Path.open

    def refusing(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "b.ndjson":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "open", refusing)
        decide(tmp_path)

    assert [row[:5] for row in decisions(tmp_path)] == [
        (1, 0, "decided", 1, 1),
        (2, 0, "quarantined", 0, 0),
        (3, 0, "decided", 1, 1),
    ]

    redecided = replayed(tmp_path, STRICT, NO_CUTS)

    assert kinds(redecided) == [("unreadable_file", "accepted", 1, "cdn/b.ndjson line 1")]
    assert lines_now(tmp_path) == [
        ("a", 1, "accepted", None),
        ("b", 1, "accepted", None),
        ("c", 1, "accepted", None),
    ]


@pytest.fixture
def one_record_a_line(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Reads as the code of old did: a line is one record, and separators alone are a record."""
    monkeypatch.setattr("pipelines.reading.doors.line_values", lambda *_: None)
    members = csv_records._members
    monkeypatch.setattr(csv_records, "_members", lambda *given: members(*given) or {})
    return monkeypatch


def test_a_file_of_which_nothing_was_accepted_gets_the_lines_of_today(
    tmp_path: Path, one_record_a_line: pytest.MonkeyPatch
) -> None:
    both = line("x").rstrip() + line("y")
    land(tmp_path, a=both + line("x", 3), b=line("y"))
    decide(tmp_path)
    assert lines_now(tmp_path)[0] == ("a", 1, "malformed", None)
    one_record_a_line.undo()

    redecided = replayed(tmp_path, RELAXED, NO_CUTS, Selection(reasons=("malformed",)))

    assert redecided.not_replayed == ()
    assert lines_now(tmp_path) == [
        ("a", 1, "accepted", None),
        ("a", 2, "duplicate", "2:1"),
        ("a", 3, "conflict", "1:1"),
        ("b", 1, "accepted", None),
    ]
    assert decisions(tmp_path)[1] == (1, 1, "decided", 3, 1, 1, 1, 0, 0, 0)


def test_lines_do_not_move_under_an_accepted_event(
    tmp_path: Path, one_record_a_line: pytest.MonkeyPatch
) -> None:
    land(tmp_path, a=line("x").rstrip() + line("y") + line("z"))
    decide(tmp_path)
    before = lines_now(tmp_path)
    one_record_a_line.undo()

    redecided = replayed(tmp_path, RELAXED, NO_CUTS)

    ((path, reason),) = redecided.not_replayed
    assert path == "cdn/a.ndjson"
    assert reason.startswith("it has 3 lines as it is read today and had 2 when it was decided")
    assert lines_now(tmp_path) == before


def test_a_refused_record_that_is_blank_today_is_no_longer_refused(
    tmp_path: Path, one_record_a_line: pytest.MonkeyPatch
) -> None:
    header = b"transaction_id,customer_id,event_type,timestamp\n"
    late = b"late,acme,call,2026-03-01T00:00:00Z\n"
    good = b"k,acme,call,2026-03-10T11:00:00Z\n"
    content = header + good + b",,,\n" + late
    drop_into_folder(tmp_path / "landing", [DroppedFile("cdn/a.csv", content, NOON, 0, ())])
    decide(tmp_path)
    assert decisions(tmp_path)[0][3:] == (4, 1, 0, 0, 2, 1, 0)
    one_record_a_line.undo()

    redecided = replayed(tmp_path, STRICT, NO_CUTS, Selection(reasons=("too_late",)))

    assert redecided.not_replayed == ()
    assert decisions(tmp_path)[1][3:] == (4, 1, 0, 0, 1, 2, 0)
