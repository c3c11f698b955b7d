import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.lake.lake import Lake
from pipelines.vocabulary.errors import InvariantError, MeterlineError
from pipelines.vocabulary.tables import BATCHES
from pipelines.warehouse.dbt_runner import PreparedProject, prepare_project
from tests.worlds.lakes import start_lake
from tests.worlds.programs import Program
from tests.worlds.small_dbt_project import SmallHome, small_project, write_project

PHASE_SCRIPT = """
import signal, sys
from pathlib import Path
from tests.worlds.lakes import start_lake
from tests.worlds.small_dbt_project import SmallHome
from pipelines.warehouse.dbt_runner import PreparedProject
signal.alarm(120)  # Whatever becomes of the tests, it does not outlive them for long.
home = SmallHome(Path(sys.argv[1]), PreparedProject(Path(sys.argv[2]), Path(sys.argv[3])))
home.build("slow")
"""


@pytest.fixture
def project() -> PreparedProject:
    return small_project()


@pytest.fixture
def home(tmp_path: Path, project: PreparedProject) -> SmallHome:
    return SmallHome(start_lake(tmp_path), project)


def commit_batch(lake: Lake, batch_id: int) -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    row = (batch_id, "decide", now, now, now, "catalog", "code")
    rows = pl.DataFrame([row], schema=BATCHES.schema, orient="row")
    lake.commit_batch(batch_id, rows={BATCHES: rows}, staged_files={})


def test_project_is_parsed_again_only_when_its_files_change(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    first = prepare_project(folder, tmp_path / "artifacts")
    written = first.parsed_file.stat().st_mtime_ns

    (folder / "seeds" / "prices.csv").write_text("price\n2.20\n")
    unchanged = prepare_project(folder, tmp_path / "artifacts")
    assert unchanged == first
    assert unchanged.parsed_file.stat().st_mtime_ns == written

    (folder / "reference").mkdir()
    digests = set()
    for region in ("eu", "de"):
        # A mapping counts like code: what was made of the old one may not stand.
        (folder / "reference" / "centres.csv").write_text(f"centre,region\nfra,{region}\n")
        digests.add(prepare_project(folder, tmp_path / "artifacts").folder)
    assert len(digests | {first.folder}) == 3

    (folder / "models" / "wrong.sql").write_text("select 1 as amount")
    changed = prepare_project(folder, tmp_path / "artifacts")
    assert changed.folder != first.folder
    assert first.parsed_file.is_file(), "a run that goes on with the old version still needs it"


def test_project_that_does_not_parse_is_named(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    (folder / "models" / "wrong.sql").write_text("select * from {{ ref('nowhere') }}")
    with pytest.raises(MeterlineError, match=r"dbt cannot parse (.|\n)*nowhere"):
        prepare_project(folder, tmp_path / "artifacts")
    assert [path.name for path in (tmp_path / "artifacts").iterdir() if path.is_dir()] == []


def test_seeds_are_loaded_from_the_frozen_catalog(home: SmallHome) -> None:
    frozen = home.seeds / "prices.csv"
    frozen.write_text("price\n0.30\n7\n")
    for _ in range(2):
        home.build("good").require_success("good")
        assert home.rows("select price from main.prices order by all") == [("0.30",), ("7",)]
    assert frozen.read_text() == "price\n0.30\n7\n"
    assert list(home.seeds.iterdir()) == [frozen]


def test_sql_cannot_open_a_seed_of_the_project(home: SmallHome) -> None:
    with pytest.raises(InvariantError, match="prices"):
        # Such a seed says `+fast: false`, and dbt reads it in Python.
        home.build("good").require_success("good")


def test_models_see_the_lake_as_of_the_snapshot(home: SmallHome) -> None:
    (home.seeds / "prices.csv").write_text("price\n1\n")
    with home.lake(read_only=False) as lake:
        commit_batch(lake, 1)
        snapshot_id = lake.snapshot_id()
        commit_batch(lake, 2)
    home.build("good", snapshot_id).require_success("good")
    assert home.rows("select batches from seen_batches") == [(1,)]
    home.build("good").require_success("good")
    assert home.rows("select batches from seen_batches") == [(2,)]


def test_model_may_change_its_kind_and_back(tmp_path: Path, home: SmallHome) -> None:
    folder = write_project(tmp_path / "project")
    (home.seeds / "prices.csv").write_text("price\n1\n")
    model = folder / "models" / "priced.sql"
    as_table = model.read_text()
    as_view = as_table.replace("tags='good'", "tags='good', materialized='view'")
    kinds = []
    for text in (as_table, as_view, as_view, as_table, as_table):
        model.write_text(text)
        home.project = prepare_project(folder, tmp_path / "artifacts")
        home.build("good").require_success("good")
        kinds += home.rows(
            "select table_type, (select count(*) from priced) from information_schema.tables "
            "where table_name = 'priced'"
        )
    table, view = ("BASE TABLE", 1), ("VIEW", 1)
    assert kinds == [table, view, view, table, table]


def test_table_that_breaks_its_contract_leaves_the_old_one(tmp_path: Path, home: SmallHome) -> None:
    folder = write_project(tmp_path / "project")
    (home.seeds / "prices.csv").write_text("price\n1\n")
    (folder / "models" / "contract.yml").write_text(
        "models: [{name: priced, config: {contract: {enforced: true}}, "
        "columns: [{name: price, data_type: varchar}]}]"
    )
    home.project = prepare_project(folder, tmp_path / "artifacts")
    home.build("good").require_success("good")
    (folder / "models" / "priced.sql").write_text(
        "{{ config(tags='good') }} select 2 as price from {{ ref('stg_prices') }}"
    )
    home.project = prepare_project(folder, tmp_path / "artifacts")

    (failure,) = home.build("good").failures

    assert "This model has an enforced contract that failed" in failure.message
    assert home.rows("select price from priced") == [("1",)]


def test_nodes_given_one_by_one_are_built_and_nothing_else(home: SmallHome) -> None:
    (home.seeds / "prices.csv").write_text("price\n1\n")
    home.build("good").require_success("good")
    (home.seeds / "prices.csv").write_text("price\n2\n2\n")

    of_prices = {name for name in home.nodes() if "assertions_of_stg_prices" in name}
    outcome = home.run({"seed.small.prices"} | of_prices)

    assert home.rows("select price from priced") == [("1",)]
    (failure,) = outcome.failures
    assert failure.message == (
        'unique_key(price) fails for 1 row, such as {"price":"2","row_count":2}; correct the price'
    )
    (found,) = outcome.assertions.values()
    assert [(each.name, each.offences) for each in found] == [
        ("not_null(price)", 0),
        ("unique_key(price)", 1),
    ]


def test_failed_test_stops_what_follows_and_is_named(home: SmallHome) -> None:
    outcome = home.build("failing")
    assert [failure.unique_id.split(".")[2] for failure in outcome.failures] == [
        "not_null_wrong_amount"
    ]
    assert outcome.skipped == 1
    assert not any("not_for_runs" in str(event) for event in outcome.node_events)
    assert [line.split(":")[0] for line in home.reported] == [
        "dbt model wrong",
        "dbt test not_null_wrong_amount",
    ]
    with pytest.raises(InvariantError, match=r"1 failed and 1 skipped(.|\n)*not_null_wrong_amount"):
        outcome.require_success("failing")


def test_sql_cannot_open_a_file_that_was_not_named(home: SmallHome) -> None:
    outcome = home.build("outside")
    assert "file system operations are disabled" in outcome.failures[0].message


def test_environment_is_as_before_after_a_phase(home: SmallHome) -> None:
    before = dict(os.environ)
    home.build("outside")
    assert dict(os.environ) == before


@pytest.fixture
def slow_build(home: SmallHome) -> Iterator[Program]:
    arguments = [home.folder, home.project.project_dir, home.project.folder]
    process = Program(["-c", PHASE_SCRIPT, *arguments])
    started = home.folder / "dbt" / "target" / "run" / "small" / "models" / "slow.sql"
    deadline = time.monotonic() + 60
    while not started.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    assert process.poll() is None
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_phase_cancels_its_query(
    home: SmallHome, slow_build: Program, number: signal.Signals
) -> None:
    slow_build.send_signal(number)
    _, errors = slow_build.communicate(timeout=20)
    assert "dbt was interrupted; its queries are cancelled" in errors
    assert home.rows("select 1") == [(1,)]


def test_killed_phase_leaves_the_warehouse_free(home: SmallHome, slow_build: Program) -> None:
    slow_build.kill()
    slow_build.wait()
    (home.seeds / "prices.csv").write_text("price\n1\n")
    home.build("good").require_success("good")
