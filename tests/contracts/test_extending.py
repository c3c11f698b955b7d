"""One file to add one thing: each toy is added to a copy of the code, and works there.

`docs/extending.md` names for each thing the file to add; here a toy of it is that file.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.worlds.lakes import copy_old_lake
from tests.worlds.programs import run_program

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
        variables = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        ran = run_program(["-c", program, *arguments], os.environ | variables, self.folder)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "checkout"
    for name in ("pipelines", "dbt_project"):
        # Python's bytecode is copied with its sources, numba's machine code is not.
        ignored = shutil.ignore_patterns("compiled-*", "target", "logs")
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
from tests.worlds.lakes import declared, described, lake_rows, open_lake

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
    # The newest file of digests is listed by the next batch.
    listed = len(list((home / "lake" / "data").rglob("*.parquet"))) - 1
    new = {"batches": before["batches"] + 1, "toy_notes": 1, "lake_files": listed}
    assert after == before | new
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
    old_lakes = ["schema_1_empty", "schema_2", "schema_3", "schema_4"]
    homes = [tmp_path / "new", *(copy_old_lake(name, tmp_path) for name in old_lakes)]

    accepted_events = checkout.run(USE_TOY_TABLE, *map(str, homes)).splitlines()

    assert accepted_events == [
        "new 0",
        "schema_1_empty 0",
        "schema_2 15",
        "schema_3 14",
        "schema_4 14",
    ]


def test_lake_table_stands_in_docs_and_dbt_sources(checkout: Checkout) -> None:
    checkout.add("pipelines/vocabulary/tables/toys.py", TOY_TABLE)

    written = checkout.run(WRITE_FROM_TABLES)

    assert "\n## toy_notes\n\nOne row per note.\n" in written
    assert '- name: toy_notes\n        description: "One row per note."\n' in written


TOY_DIALECT = '''
"""Turnstile: `ticket`, `gate`, `passed_at`; every event is a passage."""

from datetime import timedelta

from pipelines.reading.dialects.form import Customer, Dialect, EventForm, Timestamp
from pipelines.vocabulary.instants import parse_iso8601_utc

DIALECT = Dialect(
    EventForm(
        key=("ticket",),
        customer=Customer(("gate",)),
        event_name="kind",
        timestamp=Timestamp(parse_iso8601_utc, "an ISO 8601 string", field="passed_at"),
    ),
    dedupe_window=timedelta(days=2),
)
"""The reader of events of Turnstile."""
'''

USE_TOY_DIALECT = """
from pathlib import Path
from pipelines.catalog.catalog import read_catalog
from pipelines.reading.dialects import readers_of
from pipelines.reading.strict_json import parse_object

seeds = Path("dbt_project/seeds")
with (seeds / "sources.csv").open("a") as sources:
    sources.write("gates,turnstile,,,,,path" + chr(10))
catalog = read_catalog(seeds, frozenset({"requests", "egress_bytes"}))
event = readers_of(catalog.sources)["gates"].read(parse_object(
    b'{"ticket":"t-1","gate":"north","kind":"passage","passed_at":"2026-01-02T03:04:05Z",'
    b'"properties":{"persons":2}}'
))
windows = dict(catalog.sources.select("source", "dedupe_window").iter_rows())
print(event.idempotency_key, event.customer_ref, event.event_name, event.properties)
print(event.occurred_at, windows["gates"])
"""


def test_dialect_is_a_module(checkout: Checkout) -> None:
    checkout.add("pipelines/reading/dialects/turnstile.py", TOY_DIALECT)

    written = checkout.run(USE_TOY_DIALECT)

    assert written == ("t-1 north passage {'persons': '2'}\n1767323045000000 2 days, 0:00:00\n")


TOY_FORMAT = '''
"""Ledger: events as JSON between two lines of dashes, whatever the file's name."""

from pipelines.reading.formats.file_format import FileFormat
from pipelines.reading.formats.records import text_record


def _records(blocks):
    offset = 0
    for number, line in enumerate(b"".join(blocks).splitlines(keepends=True), start=1):
        is_rule = line.startswith(b"--")
        yield None if is_rule else text_record(number, offset, line.rstrip(b"\\n"))
        offset += len(line)


FORMAT = FileFormat(
    name="ledger",
    order=5,
    is_of=lambda _opened, _landed_head, head: head.startswith(b"--"),
    read=lambda _landed, blocks: _records(blocks),
    read_again=lambda _landed, blocks, _places: _records(blocks),
)
'''

USE_TOY_FORMAT = """
from tests.worlds.formats import as_lines, parse_file
from tests.worlds.file_lines import FIELDS

lines = as_lines([FIELDS | {"transaction_id": key} for key in ("a", "b")])
parsed = parse_file("cdn/book.txt", b"--\\n" + lines + b"--\\n")
print(parsed.events["line"].to_list(), parsed.blank, parsed.rejections.height)
"""


def test_format_is_a_module(checkout: Checkout) -> None:
    checkout.add("pipelines/reading/formats/ledger.py", TOY_FORMAT)

    assert checkout.run(USE_TOY_FORMAT) == "[2, 3] 2 0\n"


TOY_CHECK = '''
"""A toy: no file is the sender's seventh."""

from pipelines.audit.invariant import Invariant

INVARIANTS = (
    Invariant(
        "no_seventh_file",
        "landing_files",
        "No file of the batch has the number 7.",
        "SELECT file_id FROM lake.landing_files WHERE batch_id = $batch_id AND file_id = 7",
        sentence="{path} is the seventh file",
    ),
)
'''

USE_TOY_CHECK = """
from pipelines.audit.conservation import check_batch
from pipelines.audit.unpublished import CHECKED
from pipelines.defs.checks import check_specs
from pipelines.vocabulary.tables import LANDING_FILES
from tests.worlds.deliveries import source_rows
from tests.worlds.lakes import LakeInMemory, lake_rows

files = lake_rows(LANDING_FILES, {"batch_id": 1, "file_id": 7, "path": "cdn/seven.json"})
with LakeInMemory({LANDING_FILES: files}) as lake:
    findings = check_batch(lake, 1, source_rows({}))
assert "no_seventh_file" in {spec.name for spec in check_specs(CHECKED)}
print(*(found.sample for found in findings if found.invariant.name == "no_seventh_file"))
"""


def test_check_of_the_lake_is_a_module(checkout: Checkout) -> None:
    checkout.add("pipelines/audit/invariants/sevenths.py", TOY_CHECK)

    assert checkout.run(USE_TOY_CHECK) == "cdn/seven.json is the seventh file\n"


TOY_EXPORT = '''
"""Counts: rows of each mart, as text."""

from pipelines.warehouse.export import Export


def _counts(exported):
    return "".join(f"{name} {rows}\\n" for name, rows in exported.generation.tables.items())


EXPORT = Export("counts.txt", _counts)
'''

USE_TOY_EXPORT = """
import sys
from pathlib import Path
from tests.worlds.marts import publish_marts

publish_marts(Path(sys.argv[1]), "CREATE TABLE fct_invoices AS SELECT 1 AS invoice_id")
print((Path(sys.argv[1]) / "published" / "current" / "counts.txt").read_text(), end="")
"""


def test_export_is_a_module(checkout: Checkout, tmp_path: Path) -> None:
    checkout.add("pipelines/warehouse/exports/counts.py", TOY_EXPORT)

    assert checkout.run(USE_TOY_EXPORT, str(tmp_path / "home")) == "fct_invoices 1\n"


TOY_ASSET = '''
"""A toy: how many customers the catalog has."""

import dagster as dg

from pipelines.catalog.catalog import Catalog


@dg.asset(group_name="9_published")
def counted_customers(catalog: Catalog) -> dg.MaterializeResult[None]:
    """The number of customers."""
    return dg.MaterializeResult(metadata={"customers": catalog.customers.height})
'''

USE_TOY_ASSET = """
from pipelines.defs import assets
import dagster as dg

keys = [
    key.to_user_string()
    for asset in dg.load_assets_from_package_module(assets)
    for key in asset.keys
]
print("counted_customers" in keys, len(keys) == len(set(keys)))
"""


def test_asset_is_a_module(checkout: Checkout) -> None:
    checkout.add("pipelines/defs/assets/customers.py", TOY_ASSET)

    assert checkout.run(USE_TOY_ASSET) == "True True\n"


TOY_KIND = '''
"""`echo`: a toy."""

from pipelines.preview.kinds.kind import Kind


def _read(fields):
    return fields.when("day")


def _answer(cases):
    return {key: {"day": str(day)} for key, day in cases.items()}


KIND = Kind("echo", _read, _answer)
'''


def test_kind_of_preview_is_a_module(checkout: Checkout) -> None:
    cases = [
        {"id": "a", "kind": "echo", "day": "2026-01-31"},
        {"id": "b", "kind": "echo", "hour": 3},
        {"id": "c", "kind": "prorate", "parts": []},
    ]
    checkout.add("pipelines/preview/kinds/echo.py", TOY_KIND)
    checkout.add("cases.json", json.dumps(cases))

    answered = json.loads(checkout.run(METERLINE, "preview", "cases.json"))

    assert answered[0]["result"] == {"day": "2026-01-31"}
    assert answered[1]["error"]["path"] == "hour"
    assert answered[2]["ok"]


TOY_COMMAND = '''
"""`meterline hello`: a toy."""

from typing import Annotated

import typer

from pipelines.cli.console import AsJson, print_json, terminal


def command(
    name: Annotated[str, typer.Option(help="Who is greeted.")] = "you", as_json: AsJson = False
) -> None:
    """Greet somebody by the number of threads of the home."""
    with terminal(as_json=as_json) as here:
        greeting = f"hello {name}, {here.settings.threads} times"
        if here.is_json:
            print_json({"greeting": greeting})
            return
        here.say(greeting)
'''

METERLINE = """
import runpy
runpy.run_module("pipelines.cli", run_name="__main__", alter_sys=True)
"""


def test_command_is_a_module(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERLINE_THREADS", "3")
    checkout.add("pipelines/cli/commands/hello.py", TOY_COMMAND)

    assert " hello " in checkout.run(METERLINE, "--help")
    assert checkout.run(METERLINE, "hello", "--name", "Ada") == "hello Ada, 3 times\n"
    assert json.loads(checkout.run(METERLINE, "hello", "--json")) == {
        "greeting": "hello you, 3 times"
    }
