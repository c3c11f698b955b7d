"""Accepted events are read again from the landing, so that any change is found.

A landing is decided once into a real lake. Each case copies the tables into memory, where SQL means
the same, and changes some rows or the landing.
"""

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import zstandard

from pipelines.audit import provenance
from pipelines.audit.provenance import REPARSED, check_provenance
from pipelines.lake.lake import Lake
from pipelines.landing.store import Landing
from pipelines.reading.formats import compression
from pipelines.vocabulary.tables import ACCEPTED_EVENTS, FILE_DECISIONS, LANDING_FILES, LakeTable
from tests.worlds.deliveries import NO_CUTS, NOON, source_rows
from tests.worlds.file_lines import event_line
from tests.worlds.lakes import LakeInMemory, decide_landing, open_lake, start_lake
from tests.worlds.landings import DroppedFile, drop_into_folder
from tests.worlds.oracle import Sender

BOM = b"\xef\xbb\xbf"
SOURCES = source_rows({"cdn": Sender("shared", None, None, timedelta(days=1))})
"""The scope has another name than its only source, so that they cannot be confused."""

TABLES = (LANDING_FILES, FILE_DECISIONS, ACCEPTED_EVENTS)

PLAIN, PACKED, SQUEEZED = "cdn/1.ndjson", "cdn/2.ndjson.gz", "cdn/3.ndjson.zst"
PLAIN_LINES = (
    BOM + event_line(transaction_id="a") + b"\r\n"
    # There are a blank line and a bad line between events, and a letter of two bytes.
    b" \n" + event_line(transaction_id="ü", properties={"zone": "b", "bytes": "0.10"}) + b"\r\n"
    b'{"transaction_id": \n' + event_line(transaction_id="c", properties=None)
)
PACKED_LINES = b"".join(event_line(transaction_id=f"packed-{n}") + b"\n" for n in range(3))
SQUEEZED_LINES = b"".join(
    event_line(transaction_id=f"squeezed-{n}", event_type=event_type) + b"\n"
    # There are copies and a conflict between the events.
    for n, event_type in ((0, "hit"), (0, "hit"), (1, "hit"), (0, "miss"), (2, "hit"))
)


def dropped(path: str, content: bytes) -> DroppedFile:
    return DroppedFile(path, content, NOON, 0, ())


FILES = (
    dropped(PLAIN, PLAIN_LINES),
    dropped(PACKED, gzip.compress(PACKED_LINES, mtime=0)),
    dropped(SQUEEZED, zstandard.ZstdCompressor().compress(SQUEEZED_LINES)),
)


def decided(home: Path, folder: Path, *files: DroppedFile) -> Landing:
    """Lands the files and decides them in one batch."""
    drop_into_folder(folder, files)
    landing = Landing(str(folder))
    assert decide_landing(home, landing, SOURCES, NO_CUTS) == 1
    return landing


World = tuple[Landing, dict[LakeTable, pl.DataFrame]]
"""A landing, and the tables of the lake in which it was decided."""


class TamperedLake(LakeInMemory):
    def tamper(self, assignment: str, key: str = "a") -> None:
        """Changes a column of the event with this key."""
        self.change(f"UPDATE lake.accepted_events SET {assignment} WHERE idempotency_key = '{key}'")


def tables_of(home: Path) -> dict[LakeTable, pl.DataFrame]:
    with open_lake(home, read_only=True) as lake:
        return {table: lake.table(table) for table in TABLES}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The decided files; no test changes them."""
    folder = tmp_path_factory.mktemp("provenance")
    home = start_lake(folder / "home")
    landing = decided(home, folder / "landing", *FILES)
    return landing, tables_of(home)


@pytest.fixture
def landing(world: World, tmp_path: Path) -> Landing:
    """A copy of the landing with the same file versions."""
    return Landing(str(shutil.copytree(world[0].address, tmp_path / "landing")))


@pytest.fixture
def lake(world: World) -> Iterator[TamperedLake]:
    with TamperedLake(world[1]) as made:
        yield made


def offences(lake: Lake, landing: Landing, batch_id: int = 1) -> int:
    return check_provenance(lake, landing, batch_id, SOURCES).offences


def test_world_has_events_between_lines_of_every_kind(lake: Lake) -> None:
    counts = lake.query(
        "SELECT accepted, duplicate, conflict, rejected, blank FROM lake.file_decisions "
        "ORDER BY file_id"
    )

    assert counts.rows() == [(3, 0, 0, 1, 1), (3, 0, 0, 0, 0), (3, 1, 1, 0, 0)]


def test_right_batch_has_no_offence(lake: Lake, landing: Landing) -> None:
    finding = check_provenance(lake, landing, 1, SOURCES)

    assert (finding.invariant, finding.offences, finding.sample) == (REPARSED, 0, "")
    assert finding.holds


@pytest.mark.parametrize("batch_id", [0, 2], ids=["before the first", "after the last"])
def test_batch_without_events_has_no_offence(lake: Lake, landing: Landing, batch_id: int) -> None:
    assert offences(lake, landing, batch_id) == 0


def test_empty_lake_has_no_offence(migrated_home: Path, landing: Landing) -> None:
    with open_lake(migrated_home, read_only=True) as lake:
        assert offences(lake, landing) == 0


@pytest.mark.parametrize("block_bytes", [4, 5, 7, 100, 1000])
def test_ranges_are_put_together_from_blocks_of_any_size(
    lake: TamperedLake, landing: Landing, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(compression, "_BLOCK_BYTES", block_bytes)
    assert offences(lake, landing) == 0

    lake.tamper("customer_ref = 'acmf'", "ü")
    lake.tamper("customer_ref = 'acmf'", "packed-2")
    lake.tamper("customer_ref = 'acmf'", "squeezed-0")
    assert offences(lake, landing) == 3


@pytest.mark.parametrize(
    "assignment",
    [
        pytest.param("idempotency_key = 'b'", id="idempotency_key"),
        pytest.param("key_hash = key_hash + 1", id="key_hash"),
        pytest.param("customer_ref = 'acme '", id="customer_ref"),
        pytest.param("customer_ref = NULL", id="customer_ref is null"),
        pytest.param("subscription_ref = 's1'", id="subscription_ref"),
        pytest.param("event_name = 'HTTP_request'", id="event_name"),
        pytest.param(
            "occurred_at = occurred_at + INTERVAL 1 MICROSECOND", id="occurred_at by a microsecond"
        ),
        pytest.param(
            "received_at = received_at - INTERVAL 1 MICROSECOND", id="received_at by a microsecond"
        ),
        pytest.param("properties = MAP {'bytes': '513'}", id="value of a property"),
        pytest.param("properties = MAP {'byte': '512'}", id="name of a property"),
        pytest.param("properties = MAP {'bytes': '512.0'}", id="text of an equal number"),
        pytest.param("properties = MAP {'bytes': '512', 'x': ''}", id="a property more"),
        pytest.param("properties = MAP {}", id="a property less"),
        pytest.param("payload_digest = 'x'::BLOB", id="payload_digest"),
        pytest.param("payload_digest = NULL", id="payload_digest is null"),
        pytest.param("source = 'app'", id="source"),
        pytest.param("dedupe_scope = 'cdn'", id="dedupe_scope"),
        pytest.param("byte_offset = byte_offset - 1", id="byte_offset one before"),
        pytest.param("byte_offset = byte_offset + 1", id="byte_offset one after"),
        pytest.param("byte_offset = 0, byte_length = byte_length + 3", id="range with the mark"),
        pytest.param("byte_offset = 0", id="byte_offset at the mark"),
        pytest.param("byte_offset = 1000000", id="byte_offset beyond the file"),
        pytest.param("byte_length = byte_length - 1", id="byte_length one less"),
        pytest.param("byte_length = byte_length + 1", id="range with the carriage return"),
        pytest.param("byte_length = byte_length + 2", id="range with the line end"),
        pytest.param("byte_length = byte_length + 4", id="range with the blank line after it"),
        pytest.param("byte_length = 0", id="empty range"),
        pytest.param("byte_length = 1000000", id="range beyond the file"),
    ],
)
def test_tampered_event_is_noticed(lake: TamperedLake, landing: Landing, assignment: str) -> None:
    lake.tamper(assignment)

    assert offences(lake, landing) == 1


@pytest.mark.parametrize(
    "assignment",
    ["byte_length = byte_length - 1", "byte_length = byte_length + 1", "byte_offset = 0"],
)
def test_tampered_range_at_the_end_of_a_file_is_noticed(
    lake: TamperedLake, landing: Landing, assignment: str
) -> None:
    lake.tamper(assignment, "c")

    assert offences(lake, landing) == 1


def test_invented_event_is_noticed(lake: TamperedLake, landing: Landing) -> None:
    # An accepted event gets the key of a line that was never accepted.
    lake.change("DELETE FROM lake.accepted_events WHERE idempotency_key = 'ü'")
    lake.tamper("idempotency_key = 'ü', line = 3", "c")

    assert offences(lake, landing) == 1


def test_events_that_changed_places_are_noticed(lake: TamperedLake, landing: Landing) -> None:
    # "a" and "ü" swap their keys. Nothing else changes.
    lake.tamper("idempotency_key = 'other'", "ü")
    lake.tamper("idempotency_key = 'ü'", "a")
    lake.tamper("idempotency_key = 'a'", "other")

    assert offences(lake, landing) == 2


def test_offence_names_file_line_and_both_sides(lake: TamperedLake, landing: Landing) -> None:
    lake.tamper("customer_ref = 'emca'", "ü")
    finding = check_provenance(lake, landing, 1, SOURCES)

    assert finding.sample.startswith(f"{PLAIN} line 3: expected {{")
    in_lake, in_bytes = finding.sample.split(" as in the lake, found ")
    assert "'customer_ref': 'emca'" in in_lake
    assert "'customer_ref': 'acme'" in in_bytes


def test_three_offences_are_shown_and_all_are_counted(lake: TamperedLake, landing: Landing) -> None:
    for number in range(3):
        lake.tamper("customer_ref = 'emca'", f"packed-{number}")
        lake.tamper("customer_ref = 'emca'", f"squeezed-{number}")
    finding = check_provenance(lake, landing, 1, SOURCES)

    assert finding.offences == 6
    assert finding.sample.count(" as in the lake, found ") == 3


def test_lines_that_do_not_parse_are_counted(lake: TamperedLake, landing: Landing) -> None:
    lake.tamper("byte_length = 5", "packed-0")
    finding = check_provenance(lake, landing, 1, SOURCES)

    assert finding.sample == f"{PACKED}: expected 3 events as in the lake, found 2"


def overwrite(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("lose_file", [Path.unlink, overwrite], ids=["deleted", "overwritten"])
def test_file_that_is_no_longer_that_version_is_left_out(
    lake: TamperedLake, landing: Landing, lose_file: Callable[[Path], None]
) -> None:
    for key in ("packed-0", "squeezed-0"):
        lake.tamper("customer_ref = 'emca'", key)
    lose_file(Path(landing.address, PACKED))
    finding = check_provenance(lake, landing, 1, SOURCES)

    assert finding.offences == 1
    assert finding.sample.startswith(SQUEEZED)


def test_bytes_changed_under_the_same_version_are_noticed(
    lake: TamperedLake, landing: Landing
) -> None:
    file = Path(landing.address, PLAIN)
    modified = file.stat().st_mtime_ns
    file.write_bytes(PLAIN_LINES.replace(b'"512"', b'"215"'))
    os.utime(file, ns=(modified, modified))

    assert offences(lake, landing) == 1


LINE_ENDS = {
    "a mark and no line end": BOM + event_line(transaction_id="a"),
    "a carriage return at the end": event_line(transaction_id="b") + b"\r",
    "CRLF": event_line(transaction_id="c") + b"\r\n" + event_line(transaction_id="d") + b"\r\n",
    # One carriage return belongs to the line end. The other one is white space of the line.
    "CRCRLF": event_line(transaction_id="e") + b"\r\r\n" + event_line(transaction_id="f"),
    "two carriage returns at the end": event_line(transaction_id="g") + b"\r\r",
    "white space around": b" \t" + event_line(transaction_id="h") + b" \t\r\n",
    "blank lines around": b"\n\r\n" + event_line(transaction_id="i") + b"\n\n\n",
    "line ends of Unicode": event_line(transaction_id="j", customer_id=b'"\xe2\x80\xa8\xc2\x85"'),
    "empty": b"",
}
"""Correct contents that are unusual, by what is unusual about them."""


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("line-ends")
    home = start_lake(folder / "home")
    files = (dropped(f"cdn/{name}.ndjson", content) for name, content in LINE_ENDS.items())
    return decided(home, folder / "landing", *files), tables_of(home)


@pytest.mark.parametrize("name", LINE_ENDS)
def test_right_file_of_any_line_ends_has_no_offence(
    odd_files: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing, tables = odd_files
    registered = tables[LANDING_FILES].filter(path=f"cdn/{name}.ndjson")
    of_file = {
        table: rows.join(registered, on="file_id", how="semi") for table, rows in tables.items()
    }
    with TamperedLake(of_file) as lake:
        events = LINE_ENDS[name].count(b"transaction_id")
        assert of_file[FILE_DECISIONS]["accepted"].to_list() == [events]
        # A block may end exactly at the end of an event, before its line end.
        places = of_file[ACCEPTED_EVENTS].select("byte_offset", "byte_length").rows()
        for block_bytes in (1_000_000, 7, *map(sum, places)):
            monkeypatch.setattr(compression, "_BLOCK_BYTES", block_bytes)
            assert offences(lake, landing) == 0, block_bytes


def test_only_the_batch_is_checked(lake: TamperedLake, landing: Landing) -> None:
    for table in TABLES:
        lake.change(f"UPDATE lake.{table.name} SET batch_id = 2 WHERE file_id > 1")
    lake.tamper("customer_ref = 'emca'", "a")

    assert (offences(lake, landing, 1), offences(lake, landing, 2)) == (1, 0)


@pytest.mark.parametrize(
    ("at_most", "every"),
    [
        pytest.param(1000, 1, id="far below"),
        pytest.param(9, 1, id="as many as there are"),
        pytest.param(8, 1, id="one less"),
        pytest.param(5, 1, id="just above half"),
        pytest.param(4, 2, id="half"),
        pytest.param(2, 4, id="quarter"),
    ],
)
def test_large_batch_is_sampled_by_key(
    lake: TamperedLake,
    landing: Landing,
    monkeypatch: pytest.MonkeyPatch,
    at_most: int,
    every: int,
) -> None:
    monkeypatch.setattr(provenance, "ALL_EVENTS_MAX", at_most)
    hashes = lake.query("SELECT key_hash FROM lake.accepted_events")["key_hash"].to_list()
    sampled = sum(key_hash % every == 0 for key_hash in hashes)
    assert offences(lake, landing) == 0

    lake.change("UPDATE lake.accepted_events SET customer_ref = 'emca'")
    assert len(hashes) == 9
    assert offences(lake, landing) == sampled
