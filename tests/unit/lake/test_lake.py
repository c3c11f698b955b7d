"""The lake keeps its rules: one transaction or nothing, appended to, its own world, its past."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.ducklake import extension_file
from pipelines.lake.lake import Lake
from pipelines.lake.migrate import MIGRATIONS
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    BATCHES,
    FILE_DECISIONS,
    LABEL,
    LAKE_FILES,
    LAKE_TABLES,
)
from tests.worlds.commits import batch_rows, commit_events, staged_events
from tests.worlds.deliveries import NOON, TICK
from tests.worlds.lakes import lake_rows, open_lake, start_lake

REPOSITORY = Path(__file__).parents[3]


def _contents(lake: Lake) -> list[tuple[str, int, int]]:
    """What every table holds: its name, batch and line of each row."""
    return lake.query(
        """
        SELECT 'batches', batch_id, 0 FROM lake.batches
        UNION ALL SELECT 'landing_files', batch_id, file_id FROM lake.landing_files
        UNION ALL SELECT 'accepted_events', batch_id, line FROM lake.accepted_events
        ORDER BY ALL
        """
    ).rows()


def _parquet_files(home: Path) -> set[Path]:
    return set((home / "lake" / "data").rglob("*.parquet"))


@pytest.fixture(scope="module")
def reader(migrated_home: Path) -> Iterator[Lake]:
    """A reader of a lake without batches."""
    with open_lake(migrated_home, read_only=True) as lake:
        yield lake


@dataclass(frozen=True)
class History:
    """A lake of three batches, which no test changes."""

    home: Path
    lake: Lake


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    home = start_lake(tmp_path_factory.mktemp("history") / "home")
    with open_lake(home, read_only=False) as lake:
        for batch_id, kind in enumerate(["decide", "close", "decide"], start=1):
            staged = {ACCEPTED_EVENTS: [staged_events(home, batch_id)]}
            lake.commit_batch(batch_id, batch_rows(batch_id, kind), staged)
        yield History(home, lake)


def test_new_lake_has_every_table_and_no_row(reader: Lake) -> None:
    assert reader.last_batch_id() == 0
    for table in LAKE_TABLES:
        assert reader.table(table).equals(pl.DataFrame(schema=table.schema))
        assert reader.files(table) == []


def test_reader_makes_no_lake(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"there is no lake at .*; run `meterline run` first"):
        open_lake(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_making_of_a_lake_can_be_killed_and_begun_again(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "catalog.sqlite").touch()

    with open_lake(tmp_path, read_only=False) as lake:
        assert lake.last_batch_id() == 0


def test_home_may_have_any_name(tmp_path: Path) -> None:
    home = tmp_path / 'it\'s a "home" 家'

    with open_lake(home, read_only=False) as lake:
        commit_events(lake, home, 1)
        assert lake.table(ACCEPTED_EVENTS).height == 3


def test_commit_makes_rows_and_files_visible_together(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        parts = [staged_events(lake_home, 1, "part-0000"), staged_events(lake_home, 1, "part-0001")]
        lake.commit_batch(1, batch_rows(1), {ACCEPTED_EVENTS: parts})

    with open_lake(lake_home, read_only=True) as lake:
        assert lake.last_batch_id() == 1
        assert lake.table(ACCEPTED_EVENTS).height == 6
        folder = lake_home / "lake" / "data" / "main" / "accepted_events"
        assert sorted(lake.files(ACCEPTED_EVENTS)) == [
            folder / "batch-000000001-part-0000.parquet",
            folder / "batch-000000001-part-0001.parquet",
        ]
    assert not any(part.exists() for part in parts)


def test_empty_tables_add_no_files(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        rows = batch_rows(1) | {FILE_DECISIONS: pl.DataFrame(schema=FILE_DECISIONS.schema)}
        lake.commit_batch(1, rows, {ACCEPTED_EVENTS: []})

        assert lake.files(FILE_DECISIONS) == []
        assert lake.table(FILE_DECISIONS).is_empty()


def test_every_column_comes_back_as_it_was_written(lake_home: Path) -> None:
    samples = {
        pl.Int64(): 2**63 - 1,
        pl.Int32(): -(2**31),
        pl.UInt64(): 2**64 - 1,
        pl.String(): "O'Brien \u2028 é 😀",
        pl.Binary(): b"\x00\xff",
        pl.Boolean(): True,
        pl.Date(): NOON.date(),
        LABEL: NOON.replace(tzinfo=None),
        BATCHES.schema["as_of"]: NOON + TICK,
        ACCEPTED_EVENTS.schema["properties"]: {"a": "1e400", "": "é"},
        pl.Decimal(38, 15): Decimal("12345678901234567890123.000000000000001"),
        pl.Decimal(38, 18): Decimal("-12345678901234567890.000000000000000001"),
    }
    written = {
        table: lake_rows(
            table,
            {"batch_id": 1},
            {column.name: samples[column.dtype] for column in table.columns} | {"batch_id": 1},
        )
        for table in LAKE_TABLES
        # The lake writes it itself.
        if table != LAKE_FILES
    }

    with open_lake(lake_home, read_only=False) as lake:
        lake.commit_batch(1, written, {})
        for table, rows in written.items():
            assert lake.table(table).equals(rows), table.name


@pytest.mark.parametrize("batch_id", [-1, 0, 1, 3, 5, 10])
def test_batch_must_be_the_next(batch_id: int, history: History) -> None:
    before = _parquet_files(history.home)

    with pytest.raises(LakeError, match=f"expected batch 4, found batch {batch_id}"):
        history.lake.commit_batch(batch_id, batch_rows(batch_id), {})
    assert _parquet_files(history.home) == before


@pytest.mark.parametrize(
    ("kind", "batch_id"),
    [(None, 3), ("decide", 3), ("close", 2), ("nonesuch", 0), ("x' OR 'x' = 'x", 0)],
)
def test_last_batch_is_known_by_kind(kind: str | None, batch_id: int, history: History) -> None:
    assert history.lake.last_batch_id(kind) == batch_id


def _missing(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _no_parquet(path: Path) -> None:
    path.write_bytes(b"PAR1" + b"x" * 100)


def _lacking_a_column(path: Path) -> None:
    pl.read_parquet(path).drop("properties").write_parquet(path)


def _with_another_column(path: Path) -> None:
    pl.read_parquet(path).with_columns(pl.lit(1).alias("extra")).write_parquet(path)


def _of_another_type(path: Path) -> None:
    pl.read_parquet(path).cast({"line": pl.String}).write_parquet(path)


DAMAGES: tuple[Callable[[Path], None], ...] = (
    _missing,
    _empty,
    _cut_short,
    _no_parquet,
    _lacking_a_column,
    _with_another_column,
    _of_another_type,
)


def test_commit_that_fails_in_the_middle_leaves_the_lake_as_before(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        commit_events(lake, lake_home, 1)
        before, files_before = _contents(lake), _parquet_files(lake_home)
        for damage in DAMAGES:
            parts = [
                staged_events(lake_home, 2, "part-0000"),
                staged_events(lake_home, 2, "part-0001"),
            ]
            damage(parts[1])

            with pytest.raises((LakeError, FileNotFoundError)):
                lake.commit_batch(2, batch_rows(2), {ACCEPTED_EVENTS: parts})
            assert _contents(lake) == before, damage
            # What was moved in before the failure is no part of any table, and is swept.
            leftovers = _parquet_files(lake_home) - files_before
            assert len(leftovers) == lake.sweep() >= 3, damage
            assert _parquet_files(lake_home) == files_before, damage

        commit_events(lake, lake_home, 2)
        assert lake.table(ACCEPTED_EVENTS)["batch_id"].to_list() == [1] * 3 + [2] * 3


def test_commit_refused_by_the_catalog_leaves_the_lake_as_before(lake_home: Path) -> None:
    """The last statement fails, not one of those before: here, because nobody may write."""
    with open_lake(lake_home, read_only=True) as lake:
        with pytest.raises(LakeError, match="nothing was committed, the lake is as before"):
            commit_events(lake, lake_home, 1)
        assert _contents(lake) == []

    with open_lake(lake_home, read_only=False) as lake:
        lake.sweep()
        commit_events(lake, lake_home, 1)
        assert lake.last_batch_id() == 1


def test_rows_of_another_batch_are_refused(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        before = _contents(lake)
        with pytest.raises(LakeError, match="rows for batches carry another batch_id than 1"):
            lake.commit_batch(1, {BATCHES: lake_rows(BATCHES, {"batch_id": 2})}, {})
        with pytest.raises(LakeError, match="rows for batches carry another batch_id than 1"):
            lake.commit_batch(1, {BATCHES: lake_rows(BATCHES, {"batch_id": None})}, {})
        assert _contents(lake) == before


def test_leftover_of_a_killed_commit_is_not_overwritten_but_swept(lake_home: Path) -> None:
    leftover = lake_home / "lake/data/main/accepted_events/batch-000000001-part-0000.parquet"
    with open_lake(lake_home, read_only=False) as lake:
        parts = [staged_events(lake_home, 1, events=9), staged_events(lake_home, 1, "part-0001")]
        _no_parquet(parts[1])
        with pytest.raises(LakeError, match="nothing was committed"):
            lake.commit_batch(1, batch_rows(1), {ACCEPTED_EVENTS: parts})
        assert pl.read_parquet(leftover).height == 9

        with pytest.raises(LakeError, match="is in the lake already; run again, the sweep heals"):
            commit_events(lake, lake_home, 1)
        lake.sweep()
        commit_events(lake, lake_home, 1)
        assert lake.table(ACCEPTED_EVENTS).height == 3


def test_registering_a_path_twice_is_refused(lake_home: Path) -> None:
    """Somebody registered the next batch's file by hand, and the file is gone again."""
    path = lake_home / "lake/data/main/accepted_events/batch-000000002-part-0000.parquet"
    with open_lake(lake_home, read_only=False) as lake:
        commit_events(lake, lake_home, 1)
        shutil.copy(staged_events(lake_home, 2), path)
        lake.query(f"CALL ducklake_add_data_files('lake', 'accepted_events', '{path}')")
        path.unlink()

        with pytest.raises(LakeError, match=f"{path.name} is registered already; .* doubles rows"):
            commit_events(lake, lake_home, 2)
        assert lake.last_batch_id() == 1
        assert lake.files(ACCEPTED_EVENTS).count(path) == 1


def test_sweep_keeps_every_registered_file(history: History) -> None:
    before = _parquet_files(history.home)

    assert history.lake.sweep() == 0
    assert _parquet_files(history.home) == before


@pytest.mark.parametrize("batch_id", [0, 1, 2, 3, 99])
def test_table_as_of_a_batch_is_a_list_of_files(batch_id: int, history: History) -> None:
    files = history.lake.files(ACCEPTED_EVENTS, batch_id=batch_id)

    nothing = pl.DataFrame(schema=ACCEPTED_EVENTS.schema)
    past = pl.concat([nothing, *map(pl.read_parquet, files)])
    assert set(past["batch_id"]) == {past_id for past_id in (1, 2, 3) if past_id <= batch_id}


def test_table_is_all_its_files_unless_a_batch_is_named(history: History) -> None:
    files = history.lake.files(ACCEPTED_EVENTS)

    assert len(files) == 3
    assert history.lake.files(ACCEPTED_EVENTS, batch_id=3) == files


@pytest.mark.parametrize("before_batch", [0, 1, 2, 3, 4, 99])
def test_lake_before_a_batch_has_only_what_was_there(before_batch: int, tmp_path: Path) -> None:
    """Files of the batch and of later ones may be gone."""
    home = start_lake(tmp_path / "home")
    for batch_id in (1, 2, 3):
        with open_lake(home, read_only=False) as lake:
            commit_events(lake, home, batch_id)
    expected = list(range(1, min(before_batch, 4)))
    for path in (home / "lake" / "data").rglob("batch-*.parquet"):
        if int(path.name.split("-")[1]) not in expected:
            path.unlink()

    catalog, data = SqliteCatalog(home / "lake" / "catalog.sqlite"), home / "lake" / "data"
    with Lake(catalog, data, before_batch=before_batch) as past:
        assert past.last_batch_id() == len(expected)
        assert past.table(BATCHES)["batch_id"].to_list() == expected
        files = past.files(ACCEPTED_EVENTS)
        assert [path.name.split("-")[1] for path in files] == [f"{n:09d}" for n in expected]
        assert past.files_after(ACCEPTED_EVENTS, 0, 1) == files[:1]
        assert [len(rows) for rows in (past.query("FROM lake.accepted_events"), files)] == [
            3 * len(expected),
            len(expected),
        ]


def test_identity_is_that_of_copies_and_of_no_other_lake(tmp_path: Path) -> None:
    home, copy, other = (tmp_path / name for name in ("home", "copy", "other"))
    for made in (home, other):
        with open_lake(made, read_only=False):
            pass
    shutil.copytree(home, copy)
    with open_lake(copy, read_only=False) as lake:
        commit_events(lake, copy, 1)

    found = []
    for folder in (home, copy, other):
        with open_lake(folder, read_only=True) as lake:
            found.append(lake.identity())
    assert found[0] == found[1] != found[2]


@pytest.fixture(scope="module")
def committed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one batch that nobody has open, so that its catalog can be looked into."""
    home = start_lake(tmp_path_factory.mktemp("committed") / "home")
    with open_lake(home, read_only=False) as lake:
        commit_events(lake, home, 1)
    return home


def _catalog_rows(home: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "lake" / "catalog.sqlite")) as catalog:
        return catalog.execute(sql).fetchall()


def test_catalog_is_in_wal_mode(committed_home: Path) -> None:
    assert _catalog_rows(committed_home, "PRAGMA journal_mode") == [("wal",)]


def test_nothing_is_inlined_into_the_catalog(committed_home: Path) -> None:
    tables = "SELECT name FROM sqlite_master WHERE name LIKE 'ducklake_inlined%'"

    assert _catalog_rows(committed_home, tables) == [("ducklake_inlined_data_tables",)]
    assert _catalog_rows(committed_home, "SELECT * FROM ducklake_inlined_data_tables") == []


def test_catalog_names_every_file_relative_to_the_data_path(committed_home: Path) -> None:
    files = _catalog_rows(committed_home, "SELECT path, path_is_relative FROM ducklake_data_file")

    # schema_version once a migration; batches, landing_files, accepted_events, lake_files.
    assert len(files) == len(MIGRATIONS) + 4
    assert all(is_relative == 1 and "/" not in str(path) for path, is_relative in files)


def test_copied_home_is_a_world_of_its_own(lake_home: Path, tmp_path: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        commit_events(lake, lake_home, 1)
        original, original_files = _contents(lake), _parquet_files(lake_home)
    copy = Path(shutil.copytree(lake_home, tmp_path / "copy"))

    with open_lake(copy, read_only=False) as lake:
        assert _contents(lake) == original
        assert all(copy in path.parents for path in lake.files(ACCEPTED_EVENTS))
        commit_events(lake, copy, 2)
        lake.sweep()
    with open_lake(lake_home, read_only=True) as lake:
        assert _contents(lake) == original
    assert _parquet_files(lake_home) == original_files

    shutil.rmtree(lake_home)
    with open_lake(copy, read_only=True) as lake:
        assert lake.table(ACCEPTED_EVENTS)["batch_id"].to_list() == [1] * 3 + [2] * 3


COMMIT_NEXT = """
import sys
from pathlib import Path
from tests.worlds.commits import commit_events
from tests.worlds.lakes import open_lake
home = Path(sys.argv[1])
with open_lake(home, read_only=False) as lake:
    commit_events(lake, home, lake.last_batch_id() + 1)
"""


def test_reader_at_a_snapshot_sees_one_state_while_another_process_commits(
    lake_home: Path,
) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        commit_events(lake, lake_home, 1)
        snapshot_id = lake.snapshot_id()
    catalog = SqliteCatalog(lake_home / "lake" / "catalog.sqlite")
    data = lake_home / "lake" / "data"

    with (
        Lake(catalog, data, snapshot_id=snapshot_id) as pinned,
        Lake(catalog, data) as newest,
    ):
        before = _contents(pinned)
        newest.query("SELECT 1")
        subprocess.run(
            [sys.executable, "-c", COMMIT_NEXT, str(lake_home)], check=True, cwd=REPOSITORY
        )
        assert _contents(pinned) == before
        assert pinned.last_batch_id() == 1
        assert newest.last_batch_id() == 2
        assert newest.snapshot_id() > snapshot_id
        assert set(pinned.files(ACCEPTED_EVENTS)) < set(newest.files(ACCEPTED_EVENTS))


def test_open_read_transaction_does_not_hinder_a_commit(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=True) as reader:
        reader._connection.execute("BEGIN")
        assert reader.last_batch_id() == 0
        subprocess.run(
            [sys.executable, "-c", COMMIT_NEXT, str(lake_home)], check=True, cwd=REPOSITORY
        )
        assert reader.last_batch_id() == 0
        reader._connection.execute("COMMIT")
        assert reader.last_batch_id() == 1


def test_migrations_are_recorded_once(history: History) -> None:
    """The history's lake was made by one connection and opened by another."""
    found = history.lake.query("SELECT version FROM lake.schema_version ORDER BY version")

    assert found["version"].to_list() == list(range(1, len(MIGRATIONS) + 1))


def test_query_takes_values_and_frames(reader: Lake) -> None:
    hostile = "'; DROP TABLE lake.batches; --"
    names = pl.DataFrame({"name": [hostile, "b"]})

    found = reader.query(
        "SELECT name FROM names WHERE name = $name", {"name": hostile}, names=names
    )

    assert found["name"].to_list() == [hostile]
    with pytest.raises(duckdb.CatalogException, match="names does not exist"):
        reader.query("SELECT * FROM names")


def test_session_speaks_utc_and_loads_nothing_by_itself(reader: Lake) -> None:
    (settings,) = reader.query(
        "SELECT current_setting('TimeZone') AS zone, "
        "current_setting('autoinstall_known_extensions') AS is_installing, "
        "current_setting('autoload_known_extensions') AS is_loading"
    ).rows()

    assert settings == ("UTC", False, False)


def test_extension_that_is_not_installed_is_named() -> None:
    with pytest.raises(LakeError, match="the package duckdb-extension-nonesuch is not installed"):
        extension_file("nonesuch")


_SPILL = "SELECT value FROM duckdb_settings() WHERE name = 'temp_directory'"


def test_database_that_spilled_is_not_used_for_another_lake(
    lake_home: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(lake_home, tmp_path / "other"))
    for home in (lake_home, other, lake_home):
        folder = home / "lake"
        catalog = SqliteCatalog(folder / "catalog.sqlite")
        with Lake(catalog, folder / "data", memory_limit="32MiB", threads=1) as lake:
            lake.query("SELECT hash(range) AS h FROM range(2000000) ORDER BY h")
            assert lake.query(_SPILL)["value"].to_list() == [str(folder / "spill")]
            assert (folder / "spill").is_dir()


def test_closed_lake_answers_nothing(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=True) as closed:
        closed.close()
    with open_lake(lake_home, read_only=True) as lake:
        assert lake.query("SELECT 1 AS one").height == 1
        with pytest.raises(duckdb.ConnectionException):
            closed.query("SELECT 1 AS one")
