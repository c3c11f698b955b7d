"""Publication: what readers see meanwhile, and what a killed publication leaves.

An exception that nothing catches stands for a kill. `publish` does not clean up, so the files are
left as a killed process leaves them.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.ducklake import attach_statements
from pipelines.lake.lake import Lake
from pipelines.vocabulary.errors import InvariantError, MeterlineError
from pipelines.warehouse import publish as publishing
from pipelines.warehouse.descriptions import Description
from pipelines.warehouse.generations import (
    ChainHead,
    Generation,
    GenerationFacts,
    current_generation,
    damage_of,
    digest_inputs,
)
from pipelines.warehouse.publish import KEPT_GENERATIONS, CheckSummary, publish
from tests.worlds.disks import watched_disk

AS_OF = datetime(2026, 3, 10, 12, tzinfo=UTC)
PASSED = CheckSummary(passed=7)
NO_INVOICES = ChainHead(invoices=0, chain_sha256="0" * 64)


def facts(state: str = "first", *, invoices: int = 0, chain: str = "0") -> GenerationFacts:
    return GenerationFacts(
        as_of=AS_OF,
        batch_id=3,
        catalog_digest="c" * 64,
        code_revision="d" * 64,
        inputs_digest=digest_inputs({"state": state}),
        chain_head=ChainHead(invoices=invoices, chain_sha256=chain * 64),
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse" / "warehouse.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            CREATE SCHEMA marts;
            CREATE TABLE marts.fct_invoices AS
                SELECT 'INV-000001' AS invoice_number, 0.1::DECIMAL(38, 15) AS total_amount,
                    TIMESTAMPTZ '2026-03-10 12:00:00.000001+00' AS cut_at,
                    MAP {'straße': 'a'} AS properties;
            CREATE TABLE marts.fct_refused_events (line BIGINT);
            CREATE SCHEMA staging;
            CREATE TABLE staging.not_published AS SELECT 1 AS a;
            """
        )
    return path


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return tmp_path / "published"


@pytest.fixture
def publish_again(published: Path, warehouse: Path) -> Callable[[str], Generation]:
    """Publishes the warehouse as it is, with another digest of its inputs."""
    return lambda state: publish(published, warehouse, [], facts(state), PASSED)


PublishAgain = Callable[[str], Generation]


def read(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


def names_in(published: Path) -> set[str]:
    return {path.name for path in published.iterdir()}


def test_a_generation_holds_every_mart_with_its_id(
    published: Path, publish_again: PublishAgain
) -> None:
    generation = publish_again("first")

    assert generation.generation_id == f"000001-{digest_inputs({'state': 'first'})[:8]}"
    marts = published / "current" / "marts.duckdb"
    assert read(marts, "FROM fct_invoices") == [
        (
            "INV-000001",
            Decimal("0.1"),
            datetime(2026, 3, 10, 12, 0, 0, 1, tzinfo=UTC),
            {"straße": "a"},
            generation.generation_id,
        )
    ]
    assert read(marts, "SHOW TABLES") == [("fct_invoices",), ("fct_refused_events",)]
    assert [column[:2] for column in read(marts, "DESCRIBE fct_refused_events")] == [
        ("line", "BIGINT"),
        ("generation_id", "VARCHAR"),
    ]
    assert generation.tables == {"fct_invoices": 1, "fct_refused_events": 0}


def test_a_mart_that_is_a_view_stays_one_and_reads_the_copy(
    published: Path, warehouse: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "CREATE VIEW marts.fct_doubled AS (WITH invoices AS (FROM warehouse.marts.fct_invoices)"
            " SELECT invoice_number, total_amount * 2 AS doubled FROM invoices)"
        )
    described = {"fct_doubled": Description("One row per invoice.", {"doubled": "Twice."})}

    generation = publish(published, warehouse, [], facts(), PASSED, described)

    warehouse.rename(tmp_path / "gone")
    marts = published.rename(tmp_path / "elsewhere") / "current" / "marts.duckdb"
    rows = [("INV-000001", Decimal("0.2"), generation.generation_id)]
    assert read(marts, "FROM fct_doubled") == rows
    assert read(marts, "SELECT comment FROM duckdb_views() WHERE view_name = 'fct_doubled'") == [
        ("One row per invoice.",)
    ]
    assert "fct_doubled" not in generation.tables
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{marts}' AS under_another_name (READ_ONLY)")
        assert connection.execute("FROM under_another_name.fct_doubled").fetchall() == rows


def test_descriptions_travel_with_the_tables(published: Path, warehouse: Path) -> None:
    described = {
        "fct_invoices": Description(
            "One row per customer's invoice.",
            {"total_amount": 'In "currency".', "no_such_column": "Gone."},
        ),
        "no_such_mart": Description("Gone."),
    }

    publish(published, warehouse, [], facts(), PASSED, described)

    marts = published / "current" / "marts.duckdb"
    assert read(marts, "SELECT comment FROM duckdb_tables() WHERE comment IS NOT NULL") == [
        ("One row per customer's invoice.",)
    ]
    assert read(
        marts,
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE comment IS NOT NULL "
        "ORDER BY ALL",
    ) == [
        ("fct_invoices", "generation_id", "The generation that the row was published in."),
        ("fct_invoices", "total_amount", 'In "currency".'),
        ("fct_refused_events", "generation_id", "The generation that the row was published in."),
    ]


def test_the_manifest_says_what_the_generation_was_made_from(
    published: Path, warehouse: Path
) -> None:
    generation = publish(
        published, warehouse, [], facts(invoices=4, chain="e"), CheckSummary(passed=7)
    )

    assert json.loads((published / "current" / "manifest.json").read_text()) == {
        "generation_id": generation.generation_id,
        "number": 1,
        "as_of": "2026-03-10T12:00:00Z",
        "batch_id": 3,
        "catalog_digest": "c" * 64,
        "code_revision": "d" * 64,
        "inputs_digest": digest_inputs({"state": "first"}),
        "chain_head": {"invoices": 4, "links": None, "chain_sha256": "e" * 64, "verified_at": None},
        "tables": {"fct_invoices": 1, "fct_refused_events": 0},
        "checks_passed": 7,
        "files": {
            name: {
                "size_bytes": path.stat().st_size,
                "modified_ns": path.stat().st_mtime_ns,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for name in ("attach.sql", "marts.duckdb")
            for path in [published / "current" / name]
        },
    }
    assert json.loads((published / "chain_head.json").read_text()) == {
        "invoices": 4,
        "links": None,
        "chain_sha256": "e" * 64,
        "verified_at": None,
    }
    assert current_generation(published) == generation


def test_before_the_first_publication_there_is_no_generation(tmp_path: Path) -> None:
    assert current_generation(tmp_path / "published") is None


def test_the_pointer_is_relative_so_that_a_copied_home_points_into_itself(
    published: Path, publish_again: PublishAgain, tmp_path: Path
) -> None:
    generation = publish_again("first")
    copy = published.rename(tmp_path / "copy")

    assert str((copy / "current").readlink()) == generation.generation_id
    assert current_generation(copy) == generation


def test_published_files_are_read_only_and_the_home_can_still_be_deleted(
    published: Path, publish_again: PublishAgain
) -> None:
    generation = publish_again("first")

    folder = published / generation.generation_id
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "marts.duckdb": 0o444,
        "manifest.json": 0o444,
        "attach.sql": 0o444,
    }
    assert folder.stat().st_mode & 0o200


def test_an_open_reader_keeps_its_generation_and_blocks_nobody(
    published: Path,
    warehouse: Path,
    publish_again: PublishAgain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "KEPT_GENERATIONS", 1)
    first = publish_again("first")
    query = "SELECT count(*), any_value(generation_id) FROM fct_invoices"
    with duckdb.connect(str(published / "current" / "marts.duckdb"), read_only=True) as reader:
        assert reader.execute(query).fetchall() == [(1, first.generation_id)]
        with duckdb.connect(str(warehouse)) as writer:
            writer.execute("INSERT INTO marts.fct_invoices SELECT * FROM marts.fct_invoices")
        second = publish_again("second")

        assert not (published / first.generation_id).exists()
        assert reader.execute(query).fetchall() == [(1, first.generation_id)]
        newest = published / "current" / "marts.duckdb"
        assert read(newest, query) == [(2, second.generation_id)]


def test_the_last_generations_stay_and_older_ones_go(
    published: Path, publish_again: PublishAgain, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert KEPT_GENERATIONS >= 3
    monkeypatch.setattr(publishing, "KEPT_GENERATIONS", 3)

    ids = [publish_again(f"{k}").generation_id for k in range(5)]

    assert [name.partition("-")[0] for name in ids[-2:]] == ["000004", "000005"]
    assert names_in(published) == {*ids[-3:], "current", "chain_head.json"}


@pytest.mark.parametrize(
    "step", ["_copy_marts", "_write_exports", "_seal", "_replace_file", "_swap_pointer"]
)
def test_a_kill_before_any_step_leaves_the_old_pointer_and_is_swept(
    step: str,
    published: Path,
    publish_again: PublishAgain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = publish_again("first")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publishing, step, killed)
        with pytest.raises(KeyboardInterrupt):
            publish_again("second")

    assert current_generation(published) == first
    marts = published / "current" / "marts.duckdb"
    assert read(marts, "SELECT generation_id FROM fct_invoices") == [(first.generation_id,)]

    second = publish_again("second")
    assert current_generation(published) == second
    assert not [name for name in names_in(published) if name.startswith(".")]


def test_a_sync_that_fails_leaves_the_old_pointer(
    published: Path, publish_again: PublishAgain
) -> None:
    first = publish_again("first")
    # Three files and their folder; the head of the chain and its folder.
    for fails_at in range(1, 4 + 2 + 1):
        with (
            watched_disk(fails_at),
            pytest.raises(MeterlineError, match="cannot be written to disk: No space left"),
        ):
            publish_again("second")
        assert current_generation(published) == first

    with watched_disk() as disk:
        second = publish_again("second")
    assert current_generation(published) == second
    assert disk.syncs == 4 + 2 + 1, "and the link"


def test_a_kill_between_making_the_link_and_swapping_it_is_healed(
    published: Path, publish_again: PublishAgain
) -> None:
    first = publish_again("first")
    (published / ".unfinished-current").symlink_to("000002-00000000")
    (published / ".unfinished-chain_head.json").write_text("{")
    assert current_generation(published) == first

    second = publish_again("second")

    assert names_in(published) == {
        first.generation_id,
        second.generation_id,
        "current",
        "chain_head.json",
    }


def test_a_generation_that_never_became_current_keeps_its_number(
    published: Path, publish_again: PublishAgain
) -> None:
    publish_again("first")
    orphan = published / "000002-00000000"
    orphan.mkdir()

    assert publish_again("second").number == 3
    assert orphan.exists()


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        pytest.param(CheckSummary(6, ("lines_add_up",)), r"1 failed \(lines_add_up\)", id="failed"),
        pytest.param(CheckSummary(0), "no check at all", id="none"),
    ],
)
def test_nothing_is_published_unless_every_check_passed(
    checks: CheckSummary,
    message: str,
    published: Path,
    warehouse: Path,
    publish_again: PublishAgain,
) -> None:
    first = publish_again("first")
    before = names_in(published)

    with pytest.raises(InvariantError, match=message):
        publish(published, warehouse, [], facts("second"), checks)

    assert names_in(published) == before
    assert current_generation(published) == first


@pytest.mark.parametrize(
    ("invoices", "chain", "is_published"),
    [
        pytest.param(3, "e", True, id="the same"),
        pytest.param(4, "f", True, id="longer"),
        pytest.param(2, "e", False, id="shorter"),
        pytest.param(3, "f", False, id="changed"),
    ],
)
def test_a_chain_that_lost_invoices_is_not_published(
    invoices: int, chain: str, is_published: bool, published: Path, warehouse: Path
) -> None:
    publish(published, warehouse, [], facts(invoices=3, chain="e"), PASSED)
    newer = facts("second", invoices=invoices, chain=chain)

    if is_published:
        assert publish(published, warehouse, [], newer, PASSED).number == 2
    else:
        with pytest.raises(InvariantError, match="lost or changed invoices"):
            publish(published, warehouse, [], newer, PASSED)
        assert (published / "chain_head.json").read_text().find("e" * 64) > 0


def test_a_warehouse_without_marts_is_not_published(published: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()

    with pytest.raises(InvariantError, match="found none"):
        publish(published, empty, [], facts(), PASSED)
    assert current_generation(published) is None


def test_a_mart_with_a_generation_id_of_its_own_is_not_published(
    published: Path, warehouse: Path, publish_again: PublishAgain
) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("ALTER TABLE marts.fct_invoices ADD COLUMN generation_id VARCHAR")

    with pytest.raises(InvariantError, match=r"found \{'fct_invoices': 0"):
        publish_again("first")
    assert not (published / "current").exists()


def test_a_pointer_that_became_a_folder_is_not_overwritten(
    published: Path, publish_again: PublishAgain
) -> None:
    (published / "current").mkdir(parents=True)

    with pytest.raises(MeterlineError, match="expected a link, found a file or folder"):
        publish_again("first")


def test_an_unreadable_manifest_is_said_and_healed_by_the_next_generation(
    published: Path, publish_again: PublishAgain
) -> None:
    publish_again("first")
    manifest = published / "current" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text('{"number": 1}')

    with pytest.raises(MeterlineError, match="meterline publish"):
        current_generation(published)
    assert publish_again("second") == current_generation(published)


def test_a_copy_that_spills_stays_within_its_memory(published: Path, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "CREATE TABLE marts.wide AS SELECT i, md5(i::VARCHAR) AS text FROM range(200000) t(i)"
        )

    generation = publish(published, warehouse, [], facts(), PASSED, threads=1, memory_limit="24MiB")

    assert generation.tables["wide"] == 200_000


def test_attach_sql_gives_the_events_of_the_generation_and_no_later_ones(
    tmp_path: Path, published: Path, warehouse: Path
) -> None:
    catalog = SqliteCatalog(tmp_path / "lake's" / "catalog.sqlite")
    data = tmp_path / "lake's" / "data"
    with Lake(catalog, data, read_only=False):
        pass
    with duckdb.connect() as writer:
        for statement in attach_statements(catalog, data, read_only=False):
            writer.execute(statement)
        writer.execute(
            "INSERT INTO lake.accepted_events BY NAME "
            "SELECT batch_id, 7 AS file_id, batch_id AS line FROM range(2, 6) AS t(batch_id)"
        )
    attach = attach_statements(catalog, data, read_only=True)
    generation = publish(published, warehouse, attach, facts(), PASSED)

    folder = published / "current"
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as reader:
        for _ in range(2):  # This is like running a notebook cell again.
            reader.execute((folder / "attach.sql").read_text())
        found = reader.execute(
            "SELECT line, generation_id FROM accepted_events ORDER BY line"
        ).fetchall()
        with pytest.raises(duckdb.Error, match="read-only"):
            reader.execute("DELETE FROM lake.accepted_events")

    assert found == [(2, generation.generation_id), (3, generation.generation_id)]
    text = (folder / "attach.sql").read_text()
    assert str(data).replace("'", "''") in text
    assert "OVERRIDE_DATA_PATH true" in text
    assert "READ_ONLY" in text


def test_attach_sql_of_a_copied_home_refuses_to_read_the_lake_of_the_original(
    tmp_path: Path, warehouse: Path
) -> None:
    publish(tmp_path / "home" / "published", warehouse, [], facts(), PASSED)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    shutil.copytree(tmp_path / "home", tmp_path / "copy", symlinks=True)

    def attach(home: str) -> None:
        folder = tmp_path / home / "published" / "current"
        # Without a lake the last statement, its view, cannot be made.
        statements = (folder / "attach.sql").read_text().split(";\n")[:-2]
        with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as reader:
            for statement in statements:
                reader.execute(statement)

    attach("home")
    attach("link")
    with pytest.raises(duckdb.Error, match=r"is a copy.* run `meterline publish` in the copy"):
        attach("copy")
    publish(tmp_path / "copy" / "published", warehouse, [], facts(), PASSED)
    attach("copy")


def test_the_digest_of_inputs_depends_on_names_and_values_alone() -> None:
    assert digest_inputs({"a": 1, "b": "x"}) == digest_inputs({"b": "x", "a": 1})
    assert digest_inputs({"a": 1}) != digest_inputs({"a": "1"})
    assert digest_inputs({"a": "1\nb=2"}) != digest_inputs({"a": 1, "b": 2})


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"")


def _delete(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("name", ["marts.duckdb", "attach.sql"])
@pytest.mark.parametrize("edit", [_flip, _truncate, _empty, _delete])
def test_published_file_that_was_changed_is_named(
    name: str, edit: Callable[[Path], None], published: Path, publish_again: PublishAgain
) -> None:
    generation = publish_again("first")
    assert damage_of(published, generation, is_hashed=True) is None

    edit(published / "current" / name)

    damage = damage_of(published, generation, is_hashed=False) or ""
    assert damage.startswith(f"{published / generation.generation_id / name} ")


def test_edit_that_keeps_size_and_time_is_seen_by_hashing(
    published: Path, publish_again: PublishAgain
) -> None:
    generation = publish_again("first")
    marts = published / "current" / "marts.duckdb"
    before = marts.stat()
    _flip(marts)
    os.utime(marts, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert damage_of(published, generation, is_hashed=False) is None
    assert "was changed after it was published" in str(
        damage_of(published, generation, is_hashed=True)
    )


def test_copied_marts_have_other_times_and_are_as_published(
    published: Path, publish_again: PublishAgain, tmp_path: Path
) -> None:
    generation = publish_again("first")
    copied = shutil.copytree(
        published, tmp_path / "copied", symlinks=True, copy_function=shutil.copyfile
    )

    assert damage_of(Path(copied), generation, is_hashed=False) is None


def test_manifest_of_an_earlier_version_vouches_for_no_file(
    published: Path, publish_again: PublishAgain
) -> None:
    generation = publish_again("first").model_copy(update={"files": {}})
    _flip(published / "current" / "marts.duckdb")

    assert damage_of(published, generation, is_hashed=True) is None


def test_missing_link_to_the_marts_is_said_and_made_by_the_next_publication(
    published: Path, publish_again: PublishAgain
) -> None:
    assert damage_of(published, current_generation(published), is_hashed=False) is None
    first = publish_again("first")
    (published / "current").unlink()

    assert damage_of(published, current_generation(published), is_hashed=False) == (
        f"{published / 'current'} is missing; the newest generation is {first.generation_id}"
    )
    second = publish_again("second")
    assert current_generation(published) == second
    assert damage_of(published, second, is_hashed=True) is None
