"""A lake of any earlier schema becomes as a new one, or stays what it was.

The lakes in `tests/worlds/old_lakes` were made by the code of their day.
"""

import hashlib
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.lake import migrate as migrate_module
from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.ducklake import attach_statements
from pipelines.lake.lake import Lake
from pipelines.lake.lake_digest import lake_digest
from pipelines.lake.migrate import MIGRATIONS, migrate, read_migrations
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import ACCEPTED_EVENTS, BATCHES, LAKE_TABLES
from tests.worlds.commits import watched
from tests.worlds.lakes import OLD_LAKES, Described, copy_old_lake, described, lake_rows, open_lake

REPOSITORY = Path(__file__).parents[3]
NEWEST = len(MIGRATIONS)

SCHEMA_OF = {"schema_1_empty": 1} | {f"schema_{number}": number for number in range(2, 9)}
"""The old lakes that can be migrated; `schema_1` holds events and cannot."""

REFUSED = "schema_1"

DIGEST_OF_SCHEMA_3 = "b7e54e84495226553b2813270e8ade7775d4079e0752569ed4c0630c8fc4b76c"
"""As the code of that day printed it; the digest has covered the same since."""


@pytest.fixture(scope="module")
def fresh(migrated_home: Path) -> Described:
    """What a new lake says of its tables."""
    with open_lake(migrated_home, read_only=True) as lake:
        return described(lake)


def _old_rows(home: Path, table: str) -> pl.DataFrame | None:
    """The rows of a table as its Parquet files have them; None when it has none."""
    files = sorted((home / "lake" / "data" / "main" / table).glob("*.parquet"))
    return pl.concat([pl.read_parquet(file) for file in files]) if files else None


def _as_set(frame: pl.DataFrame) -> list[str]:
    return sorted(map(repr, frame.rows()))


def _migrations_of(lake: Lake) -> list[tuple[int, str]]:
    found = lake.query("SELECT version, name FROM lake.schema_version ORDER BY version")
    return [(int(version), str(name)) for version, name in found.rows()]


def test_migrations_are_numbered_and_named_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "0002_b.sql").write_text("SELECT 'x; y'; SELECT 2;")
    (tmp_path / "0001_the_first_tables.sql").write_text("SELECT 1")

    first, second = read_migrations(tmp_path)

    assert (first.version, first.name) == (1, "the first tables")
    assert (second.version, second.name) == (2, "b")
    with duckdb.connect() as connection:
        assert len(first.statements(connection)) == 1
        assert len(second.statements(connection)) == 2


@pytest.mark.parametrize(
    ("names", "offender"),
    [
        pytest.param(["0002_a.sql"], "0002_a.sql", id="none is the first"),
        pytest.param(["0001_a.sql", "0003_b.sql"], "0003_b.sql", id="one is missing"),
        pytest.param(["0001_a.sql", "0001_b.sql"], "0001_b.sql", id="two of one number"),
        pytest.param(["0001_a.sql", "2_b.sql"], "2_b.sql", id="a number of one digit"),
        pytest.param(["tables.sql"], "tables.sql", id="no number"),
    ],
)
def test_migrations_with_a_gap_are_refused(names: list[str], offender: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")

    with pytest.raises(LakeError, match=rf"expected a migration 000\d_….sql, found {offender}"):
        read_migrations(tmp_path)


def test_there_is_an_old_lake_of_every_earlier_schema() -> None:
    assert set(SCHEMA_OF.values()) == set(range(1, len(MIGRATIONS)))
    assert {path.name for path in OLD_LAKES.glob("schema_*")} == {*SCHEMA_OF, REFUSED}


@pytest.mark.parametrize("name", [*SCHEMA_OF, REFUSED])
def test_old_lake_holds_no_path_of_the_machine_that_made_it(name: str) -> None:
    with closing(
        sqlite3.connect(f"file:{OLD_LAKES / name}/lake/catalog.sqlite?immutable=1", uri=True)
    ) as catalog:
        paths = catalog.execute(
            "SELECT value FROM ducklake_metadata WHERE value LIKE '%/%'"
        ).fetchall()
        files = catalog.execute("SELECT path, path_is_relative FROM ducklake_data_file").fetchall()

    assert paths == [("/home/meterline/lake/data/",)]
    assert all(is_relative == 1 and "/" not in path for path, is_relative in files)


@pytest.mark.parametrize("name", SCHEMA_OF)
def test_old_lake_becomes_as_a_new_one(name: str, fresh: Described, tmp_path: Path) -> None:
    home = copy_old_lake(name, tmp_path)

    with open_lake(home, read_only=False) as lake:
        assert described(lake) == fresh
        assert _migrations_of(lake) == [(each.version, each.name) for each in MIGRATIONS]
    with open_lake(home, read_only=True) as lake:
        assert described(lake) == fresh


@pytest.mark.parametrize("name", [*SCHEMA_OF, REFUSED])
def test_old_lake_reads_as_before_with_nulls_in_new_columns(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Events whose keys were hashed otherwise are refused, which is another test's.
    monkeypatch.setattr(migrate_module, "HASHED_SINCE", 1)
    home = copy_old_lake(name, tmp_path)

    with open_lake(home, read_only=False) as lake:
        found = {table: lake.table(table) for table in LAKE_TABLES}

    for table, rows in found.items():
        old = _old_rows(OLD_LAKES / name, table.name)
        if old is None:
            assert rows.is_empty()
            continue
        added = [column for column in rows.columns if column not in old.columns]
        assert _as_set(rows.drop(added)) == _as_set(old)
        assert all(rows[column].is_null().all() for column in added)
        assert rows.schema == table.schema


def test_digest_of_an_old_lake_stays_what_it_was(tmp_path: Path) -> None:
    with open_lake(copy_old_lake("schema_3", tmp_path), read_only=False) as lake:
        assert lake_digest(lake) == DIGEST_OF_SCHEMA_3


def test_old_lake_answers_a_query_over_old_and_new_rows(tmp_path: Path) -> None:
    home = copy_old_lake("schema_2", tmp_path)
    event = {"batch_id": 3, "file_id": 4, "line": 1, "customer_ref": "labs", "amendment": "amend"}

    with open_lake(home, read_only=False) as lake:
        rows = {table: lake_rows(table, event) for table in (BATCHES, ACCEPTED_EVENTS)}
        lake.commit_batch(3, rows, {})
        found = lake.query(
            """
            SELECT events.batch_id, count(*), count(events.amendment), max(files.path),
                sum(decisions.held)
            FROM lake.accepted_events AS events
            LEFT JOIN lake.landing_files AS files USING (file_id)
            LEFT JOIN lake.file_decisions AS decisions USING (file_id)
            WHERE events.customer_ref = 'labs' OR events.amendment = 'void'
            GROUP BY 1 ORDER BY 1
            """
        ).rows()

    newest_file = "cdn_logs/2015/05/18/03/edge-20150518T02.ndjson"
    assert found == [(1, 4, 1, newest_file, None), (3, 1, 1, None, None)]


@pytest.mark.parametrize("name", [*SCHEMA_OF, REFUSED])
def test_reader_of_an_old_lake_is_told_who_migrates_it(name: str, tmp_path: Path) -> None:
    schema = SCHEMA_OF.get(name, 1)
    sentence = rf"has schema {schema}, .* needs {NEWEST}; `meterline run` migrates it"

    with pytest.raises(LakeError, match=sentence):
        open_lake(copy_old_lake(name, tmp_path), read_only=True)


def test_reader_of_a_lake_that_is_not_migrated_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with duckdb.connect() as connection:
        for statement in attach_statements(
            SqliteCatalog(tmp_path / "lake" / "catalog.sqlite"),
            tmp_path / "lake" / "data",
            read_only=False,
        ):
            connection.execute(statement)

    with pytest.raises(LakeError, match=r"has schema 0, .* needs .*; `meterline run` migrates it"):
        open_lake(tmp_path, read_only=True)


def test_a_lake_whose_keys_are_hashed_otherwise_is_refused(tmp_path: Path) -> None:
    """Only when it holds events: `schema_1_empty` is migrated."""
    home = copy_old_lake(REFUSED, tmp_path)

    with pytest.raises(LakeError, match=r"schema 1, whose keys .* METERLINE_HOME to a new"):
        open_lake(home, read_only=False)

    with pytest.raises(LakeError, match=r"has schema 1, .* needs"):
        open_lake(home, read_only=True)


@pytest.mark.parametrize("version", [NEWEST + 1, 99])
def test_newer_schema_is_refused(version: int, lake_home: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        lake.query(f"INSERT INTO lake.schema_version VALUES ({version}, 'of tomorrow', now())")

    for read_only in (True, False):
        with pytest.raises(
            LakeError,
            match=f"the lake has schema {version}, this Meterline knows up to {NEWEST}; use",
        ):
            open_lake(lake_home, read_only=read_only)


def _on_disk(home: Path) -> str:
    """Digest of all bytes that a killed process would leave."""
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        # SQLite makes the index of its log anew when nobody has the file open.
        if path.is_file() and path.suffix != ".sqlite-shm":
            digest.update(f"{path.relative_to(home)} ".encode() + path.read_bytes())
    return digest.hexdigest()


@pytest.mark.parametrize("name", ["new", "schema_2"])
def test_migration_killed_after_any_statement_is_begun_again(
    name: str, fresh: Described, tmp_path: Path
) -> None:
    """What is on disk after each statement is what a kill there would leave."""
    home = tmp_path / "new" if name == "new" else copy_old_lake(name, tmp_path)
    left: dict[str, Path] = {}
    statements: list[str] = []

    def keep(statement: str) -> None:
        statements.append(statement)
        state = _on_disk(home)
        if state not in left:
            left[state] = Path(shutil.copytree(home, tmp_path / f"killed-{len(statements)}"))

    with watched(home, keep) as attached:
        migrate(attached)

    migrations = MIGRATIONS[SCHEMA_OF.get(name, 0) :]
    with duckdb.connect() as connection:
        own = sum(len(migration.statements(connection)) for migration in migrations)
    assert len(statements) >= own + 3 * len(migrations), "BEGIN, the record and COMMIT of each"
    # Most statements change nothing on disk, so few states differ: the record is written, then
    # all is committed at once.
    assert 2 * len(migrations) < len(left) <= 4 * len(migrations)
    for killed in left.values():
        with open_lake(killed, read_only=False) as lake:
            lake.sweep()
            assert described(lake) == fresh
            assert _migrations_of(lake) == [(each.version, each.name) for each in MIGRATIONS]
            written = {path.name for path in (killed / "lake" / "data").rglob("schema_version/*")}
            assert len(written) == NEWEST, "what the killed one wrote is swept"


KILL_ITSELF = """
import os, signal, sys
from pathlib import Path
from pipelines.lake.migrate import migrate
from tests.worlds.commits import watched
home, last = Path(sys.argv[1]), sys.argv[2]
def executed(statement):
    if last in statement:
        os.kill(os.getpid(), signal.SIGKILL)
with watched(home, executed) as attached:
    migrate(attached)
"""


@pytest.mark.parametrize(
    ("name", "last"),
    [
        pytest.param("new", "CREATE TABLE lake.invoices", id="a new lake"),
        pytest.param("schema_2", "INSERT INTO lake.schema_version", id="an old lake"),
    ],
)
def test_killed_process_leaves_a_lake_that_is_migrated_by_the_next(
    name: str, last: str, fresh: Described, tmp_path: Path
) -> None:
    home = tmp_path / "new" if name == "new" else copy_old_lake(name, tmp_path)

    killed = subprocess.run(
        [sys.executable, "-c", KILL_ITSELF, str(home), last], cwd=REPOSITORY, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    with open_lake(home, read_only=False) as lake:
        assert described(lake) == fresh


FAILURES: Mapping[str, tuple[str, int]] = {
    "the first statement": ("CREATE TABLE lake.schema_version", 0),
    "the record of the first": ("INSERT INTO lake.schema_version", 0),
    "a column of the third": ("ALTER TABLE lake.file_decisions ADD COLUMN held", 2),
}
"""What fails, and the schema that the lake then has."""


@pytest.mark.parametrize("failure", FAILURES)
def test_statement_that_fails_undoes_its_migration(
    failure: str, fresh: Described, tmp_path: Path
) -> None:
    last, schema = FAILURES[failure]

    def fail(statement: str) -> None:
        if statement.lstrip().startswith(last):
            raise duckdb.Error("the disk is full")

    with (
        watched(tmp_path, fail) as attached,
        pytest.raises(LakeError, match=r"nothing was committed, .*: the disk is full"),
    ):
        migrate(attached)

    with pytest.raises(LakeError, match=f"the lake has schema {schema}, this Meterline needs"):
        open_lake(tmp_path, read_only=True)
    with open_lake(tmp_path, read_only=False) as lake:
        assert described(lake) == fresh
