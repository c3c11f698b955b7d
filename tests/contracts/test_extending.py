"""One file to add one thing: each toy is added to a copy of the code, and works there.

`docs/extending.md` names for each thing the file to add; here a toy of it is that file.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.worlds.lakes import copy_old_lake

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Checkout:
    """A copy of `pipelines/` and `dbt_project/`, to which a stranger adds files."""

    folder: Path

    def add(self, name: str, text: str) -> None:
        """Adds a file that is not there yet."""
        path = self.folder / name
        assert not path.exists(), f"{name} is there already"
        path.write_text(text)

    def run(self, program: str, *arguments: str) -> str:
        """What a Python program prints that imports `pipelines` from the copy."""
        # Before the repository, which is there for `tests`.
        path = os.pathsep.join([str(self.folder), str(REPOSITORY)])
        ran = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "checkout"
    for name in ("pipelines", "dbt_project"):
        ignored = shutil.ignore_patterns("__pycache__", "target", "logs")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    return Checkout(folder)


def test_program_imports_the_copy(checkout: Checkout) -> None:
    checkout.add("pipelines/toy.py", '"""A toy."""\n')

    found = checkout.run("import pipelines.toy, tests; print(pipelines.toy.__file__)")

    assert Path(found.strip()) == checkout.folder / "pipelines" / "toy.py"


TOY_TABLE = '''
"""Notes that a person left."""

from pipelines.vocabulary.tables.columns import BATCH_ID, LakeTable, decimal, text

TOY_NOTES = LakeTable(
    "toy_notes",
    "One row per note.",
    (BATCH_ID, text("author", "Who left it."), decimal("worth_amount", 15, "In its currency.")),
)
'''

TOY_MIGRATION = """
CREATE TABLE lake.toy_notes (
    batch_id BIGINT,
    author VARCHAR,
    worth_amount DECIMAL(38,15)
);
COMMENT ON TABLE lake.toy_notes
    IS 'One row per note.';
COMMENT ON COLUMN lake.toy_notes.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.toy_notes.author
    IS 'Who left it.';
COMMENT ON COLUMN lake.toy_notes.worth_amount
    IS 'In its currency.';
"""

USE_TOY_TABLE = """
import sys
from pathlib import Path
from pipelines.lake.migrate import SCHEMA_VERSION
from pipelines.vocabulary.tables import BATCHES, LAKE_TABLES
from pipelines.vocabulary.tables.toys import TOY_NOTES
from tests.worlds.files import lake_rows, open_lake
from tests.worlds.lakes import declared, described

for home in map(Path, sys.argv[1:]):
    with open_lake(home, read_only=False) as lake:
        batch_id = lake.last_batch_id() + 1
        before = {table.name: lake.table(table).height for table in LAKE_TABLES}
        batch = lake_rows(BATCHES, {"batch_id": batch_id})
        notes = lake_rows(TOY_NOTES, {"batch_id": batch_id, "author": "Ada"})
        lake.commit_batch(batch_id, {BATCHES: batch, TOY_NOTES: notes}, {})
    with open_lake(home, read_only=True) as lake:
        assert lake.table(TOY_NOTES).equals(notes)
        assert described(lake) == declared((SCHEMA_VERSION, *LAKE_TABLES))
        after = {table.name: lake.table(table).height for table in LAKE_TABLES}
    assert after == before | {"batches": before["batches"] + 1, "toy_notes": 1}
    print(home.name, before["accepted_events"])
"""

WRITE_FROM_TABLES = """
import runpy
for module in ("pipelines.lake.reference", "pipelines.warehouse.lake_sources"):
    runpy.run_module(module, run_name="__main__")
"""


def test_lake_table_is_a_module_and_a_migration(checkout: Checkout, tmp_path: Path) -> None:
    migrations = len(list((checkout.folder / "pipelines/lake/migrations").glob("*.sql")))
    checkout.add("pipelines/vocabulary/tables/toys.py", TOY_TABLE)
    checkout.add(f"pipelines/lake/migrations/{migrations + 1:04d}_toy_notes.sql", TOY_MIGRATION)
    old_lakes = ["schema_1_empty", "schema_2", "schema_3"]
    homes = [tmp_path / "new", *(copy_old_lake(name, tmp_path) for name in old_lakes)]

    accepted_events = checkout.run(USE_TOY_TABLE, *map(str, homes)).splitlines()

    assert accepted_events == ["new 0", "schema_1_empty 0", "schema_2 15", "schema_3 14"]


def test_lake_table_stands_in_docs_and_dbt_sources(checkout: Checkout) -> None:
    checkout.add("pipelines/vocabulary/tables/toys.py", TOY_TABLE)

    written = checkout.run(WRITE_FROM_TABLES)

    assert "\n## toy_notes\n\nOne row per note.\n" in written
    assert '- name: toy_notes\n        description: "One row per note."\n' in written
