"""Files of every format in one lake: verdicts across formats, invariants and provenance."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import zstandard

from pipelines.audit.conservation import check_batch
from pipelines.audit.provenance import check_provenance
from pipelines.lake.lake import Lake
from pipelines.landing.store import Landing
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    FILE_DECISIONS,
    LANDING_FILES,
    REFUSED_EVENTS,
    LakeTable,
)
from tests.worlds.deliveries import CDN, NO_CUTS, NOON
from tests.worlds.file_lines import FIELDS
from tests.worlds.formats import WRITERS, Event, as_array, as_csv, as_parquet
from tests.worlds.lakes import LakeInMemory, decide_landing, open_lake, start_lake, verdict_rows
from tests.worlds.landings import DroppedFile, drop_into_folder

TABLES = (LANDING_FILES, FILE_DECISIONS, ACCEPTED_EVENTS, REFUSED_EVENTS)


def _event(key: str, size: str = "1.50") -> Event:
    return FIELDS | {"transaction_id": key, "properties": {"bytes": size, "path": 'x,"y"\n'}}


def _contents() -> dict[str, bytes]:
    """One file per format: three own events, a copy, a conflict, and one without a customer."""
    contents = {}
    for number, (name, write) in enumerate(WRITERS.items()):
        own = [_event(f"{name} {n}") for n in range(3)]
        no_customer = {**_event("x")}
        del no_customer["customer_id"]
        shared = _event("shared", "1.50" if number % 2 else "2.50")
        contents[f"cdn/{number}-{name}"] = write([own[0], shared, own[1], no_customer, own[2]])
    contents["cdn/91-packed.csv.gz"] = gzip.compress(as_csv([_event("91")]))
    contents["cdn/92-packed.json.zst"] = zstandard.compress(as_array([_event("92")]))
    contents["cdn/93-cut.json"] = as_array([_event("93")])[:-1]
    contents["cdn/94-cut.parquet"] = as_parquet([_event("94")])[:-9]
    contents["cdn/95-named.json"] = as_parquet([_event("95")])
    contents["cdn/96-empty.csv"] = b""
    contents["cdn/97-empty.parquet"] = as_parquet([])
    return contents


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    home = start_lake(folder / "home")
    files = (DroppedFile(path, content, NOON, 0, ()) for path, content in _contents().items())
    drop_into_folder(folder / "landing", files)
    assert decide_landing(home, Landing(str(folder / "landing")), CDN, NO_CUTS) == 1
    return home


@pytest.fixture
def landing(home: Path) -> Landing:
    return Landing(str(home.parent / "landing"))


@pytest.fixture(scope="module")
def tables(home: Path) -> dict[LakeTable, pl.DataFrame]:
    with open_lake(home, read_only=True) as decided:
        return {table: decided.table(table) for table in TABLES}


@pytest.fixture
def lake(tables: dict[LakeTable, pl.DataFrame]) -> Iterator[LakeInMemory]:
    with LakeInMemory(tables) as copied:
        yield copied


def test_verdicts_do_not_know_of_formats(home: Path) -> None:
    rows = verdict_rows(home)
    for number, name in enumerate(WRITERS):
        path = f"cdn/{number}-{name}"
        first = 0 if name.endswith(".parquet") else 2 if name.endswith(".csv") else 1
        again = "accepted" if number == 0 else "conflict" if number % 2 else "duplicate"
        winner = (None, None) if number == 0 else ("cdn/0-lines.ndjson", 2)
        assert [row for row in rows if row[0] == path] == [
            (path, first, "accepted", None, None, None),
            (path, first + 1, again, None, *winner),
            (path, first + 2, "accepted", None, None, None),
            (path, first + 3, "rejected", "missing_field", None, None),
            (path, first + 4, "accepted", None, None, None),
        ]


def test_files_are_decided_or_quarantined_with_the_reason(lake: Lake) -> None:
    found = lake.query(
        "SELECT path, status, reason, lines, blank FROM lake.file_decisions "
        "JOIN lake.landing_files USING (file_id) WHERE path[5] = '9' ORDER BY path"
    )

    assert found.select("status", "lines", "blank").rows() == [
        ("decided", 2, 1),
        ("decided", 1, 0),
        ("quarantined", 0, 0),
        ("quarantined", 0, 0),
        ("decided", 1, 0),
        ("decided", 0, 0),
        ("decided", 0, 0),
    ]
    cut_array, cut_parquet = found["reason"].drop_nulls()
    assert cut_array.startswith("truncated: the file ends inside element 1")
    assert cut_parquet.startswith("corrupt Parquet: ")


def test_every_invariant_holds(lake: Lake) -> None:
    assert [f.sample for f in check_batch(lake, 1, CDN) if not f.holds] == []


def test_every_accepted_event_is_read_again(lake: Lake, landing: Landing) -> None:
    finding = check_provenance(lake, landing, 1, CDN)

    assert (finding.offences, finding.sample) == (0, "")
    assert lake.table(ACCEPTED_EVENTS).height == 3 * len(WRITERS) + 1 + 3


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    "assignment",
    [
        "customer_ref = 'emca'",
        "properties = MAP {'bytes': '1.5'}",
        "payload_digest = 'x'::BLOB",
        "byte_length = coalesce(byte_length, 0) + 1",
        "byte_length = coalesce(byte_length, 9) - 1",
        "byte_offset = byte_offset - 1, line = line + if(byte_offset IS NULL, 1, 0)",
        "byte_offset = NULL, byte_length = if(byte_length IS NULL, 5, NULL)",
    ],
)
def test_tampered_event_of_any_format_is_noticed(
    lake: LakeInMemory, landing: Landing, name: str, assignment: str
) -> None:
    lake.change(f"UPDATE lake.accepted_events SET {assignment} WHERE idempotency_key = '{name} 1'")

    assert check_provenance(lake, landing, 1, CDN).offences > 0
