import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.lake import run_facts
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import (
    RunFacts,
    choose_as_of,
    code_revision,
    require_plausible_clock,
)
from pipelines.settings import DBT_PROJECT
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import BATCHES, CATALOGS
from tests.worlds.deliveries import NOON, TICK
from tests.worlds.lakes import open_lake

SECOND = timedelta(seconds=1)
FACTS = RunFacts(
    as_of=NOON - SECOND,
    listing_started_at=NOON,
    catalog_digest="c" * 64,
    catalog_files={"sources.csv": "source\nmüller\r\n".encode(), "plans.csv": b""},
    code_revision="d" * 64,
)


@pytest.mark.parametrize(
    ("requested", "last", "expected"),
    [
        pytest.param(None, None, NOON, id="the listing's start in a new home"),
        pytest.param(None, NOON, NOON, id="the listing's start again"),
        pytest.param(None, NOON - TICK, NOON, id="the listing's start, after the last"),
        pytest.param("2026-03-10T12:00:00Z", None, NOON, id="exactly the present"),
        pytest.param("2026-03-10T11:59:59.999999Z", None, NOON - TICK, id="a tick ago"),
        pytest.param("2026-03-10T13:00:00+01:00", NOON, NOON, id="the last, in another zone"),
        pytest.param("0001-01-01T00:00:00Z", None, datetime.min.replace(tzinfo=UTC), id="first"),
    ],
)
def test_run_speaks_for_the_requested_instant_or_the_listing(
    requested: str | None, last: datetime | None, expected: datetime
) -> None:
    as_of = choose_as_of(requested, NOON, last)

    assert as_of == expected
    assert as_of.utcoffset() == timedelta()


@pytest.mark.parametrize(
    ("requested", "last", "sentence"),
    [
        pytest.param(
            "2026-03-10T12:00:00.000001Z",
            None,
            r"--as-of 2026-03-10T12:00:00\.000001Z lies in the future; it is 2026-03-10T12:00:00Z",
            id="a tick ahead",
        ),
        pytest.param(
            "9999-12-31T23:59:59.999999Z", None, "lies in the future", id="the last instant"
        ),
        pytest.param(
            "2026-03-10T11:59:58Z",
            NOON - SECOND,
            r"--as-of 2026-03-10T11:59:58Z lies before 2026-03-10T11:59:59Z.*time never goes back",
            id="before the last",
        ),
        pytest.param(
            "2026-03-10T11:59:59.999999Z", NOON, "time never goes back", id="a tick before the last"
        ),
        pytest.param(
            None,
            NOON + TICK,
            r"this host's clock says 2026-03-10T12:00:00Z.*time never goes back.*Correct the clock",
            id="a clock that was set back",
        ),
        pytest.param("2026-03-10", None, "--as-of: '2026-03-10' is not an RFC 3339", id="a date"),
        pytest.param("2026-03-10T12:00:00", None, "--as-of: .* with zone", id="no zone"),
        pytest.param("2026-02-30T12:00:00Z", None, "--as-of: .*2026-02-30", id="no such day"),
        pytest.param("", None, "--as-of: '' is not", id="empty"),
        pytest.param("now", None, "--as-of: 'now' is not", id="a word"),
    ],
)
def test_impossible_instant_is_refused(
    requested: str | None, last: datetime | None, sentence: str
) -> None:
    with pytest.raises(MeterlineError, match=sentence):
        choose_as_of(requested, NOON, last)


YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("requested", "last_written_at"),
    [
        pytest.param(None, None, id="a new home"),
        pytest.param(None, NOON - YEAR, id="exactly a year"),
        pytest.param(None, NOON + YEAR, id="a clock that was set back"),
        pytest.param("2026-03-10T12:00:00Z", NOON - YEAR - TICK, id="a person vouches for it"),
    ],
)
def test_clock_that_may_be_right_is_trusted(
    requested: str | None, last_written_at: datetime | None
) -> None:
    require_plausible_clock(requested, NOON, last_written_at)


def test_clock_that_leapt_ahead_closes_nothing() -> None:
    with pytest.raises(MeterlineError) as refusal:
        require_plausible_clock(None, NOON, NOON - YEAR - TICK)

    assert str(refusal.value) == (
        "this host's clock says 2026-03-10T12:00:00Z, 365 days after the last run wrote to this "
        "home (2025-03-10T11:59:59Z); nothing was written, because every period until then would "
        "be closed. Correct the clock, or if it is right, say so once: `meterline run --as-of "
        "2026-03-10T12:00:00Z`"
    )


def test_lake_says_when_it_was_last_written(lake_home: Path) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        assert lake.last_written_at() is None
        before = datetime.now(UTC)
        commit(lake, FACTS)
        written_at = lake.last_written_at()

    assert written_at is not None
    assert before <= written_at <= datetime.now(UTC)


def test_row_of_a_batch_holds_the_facts() -> None:
    before = datetime.now(UTC)
    row = FACTS.batch_row(7, "close")
    after = datetime.now(UTC)

    assert row.schema == BATCHES.schema
    ((*facts, committed_at, catalog_digest, code),) = row.rows()
    assert facts == [7, "close", NOON - SECOND, NOON]
    assert before <= committed_at <= after
    assert (catalog_digest, code) == ("c" * 64, "d" * 64)


def commit(lake: Lake, facts: RunFacts) -> int:
    """A transaction of the run; how many rows of `catalogs` it wrote."""
    batch_id = lake.last_batch_id() + 1
    rows = facts.catalog_rows(batch_id, lake)
    assert rows.schema == CATALOGS.schema
    batch = facts.batch_row(batch_id, "decide")
    lake.commit_batch(batch_id, {BATCHES: batch, CATALOGS: rows}, {})
    return rows.height


def test_each_catalog_is_stored_once_with_its_text(lake_home: Path) -> None:
    other = replace(FACTS, catalog_digest="e" * 64, catalog_files={"plans.csv": b"plan_code\n"})
    with open_lake(lake_home, read_only=False) as lake:
        written = [commit(lake, facts) for facts in (FACTS, FACTS, other, FACTS, other)]
        stored = lake.table(CATALOGS).sort("batch_id", "file_name").rows()

    assert written == [2, 0, 1, 0, 0]
    assert stored == [
        (1, "c" * 64, "plans.csv", ""),
        (1, "c" * 64, "sources.csv", "source\nmüller\r\n"),
        (3, "e" * 64, "plans.csv", "plan_code\n"),
    ]


CODE = {
    "pipelines/decide.py": "rule = 1\n",
    "pipelines/dialects/metronome.py": "",
    "dbt_project/dbt_project.yml": "name: meterline\n",
    "dbt_project/models/marts/fct_invoices.sql": "select 1\n",
    "dbt_project/macros/money.sql": "select 2\n",
    "dbt_project/reference/currencies.csv": "currency\n",
}


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout, which the code revision is then of."""
    folder = tmp_path / "checkout"
    for name, text in CODE.items():
        write(folder / name, text)
    point_to(folder, monkeypatch)
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def point_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_facts, "__file__", str(folder / "pipelines" / "lake" / "run_facts.py"))
    monkeypatch.setattr(run_facts, "DBT_PROJECT", folder / "dbt_project")


def revision() -> str:
    """The code revision as another process would find it: it is kept for a process's life."""
    return code_revision.__wrapped__()


def test_code_revision_is_of_this_checkout_and_kept() -> None:
    assert code_revision() == revision()
    assert len(code_revision()) == 64


@pytest.mark.parametrize("name", CODE)
def test_code_revision_changes_with_each_file_of_the_code(code: Path, name: str) -> None:
    before = revision()
    write(code / name, CODE[name] + "-- other\n")
    changed = revision()
    write(code / name, CODE[name])

    assert changed != before
    assert revision() == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda code: write(code / "pipelines/new.py", ""), id="new, empty"),
        pytest.param(lambda code: (code / "pipelines/decide.py").unlink(), id="deleted"),
        pytest.param(
            lambda code: (code / "pipelines/decide.py").rename(code / "pipelines/close.py"),
            id="renamed",
        ),
        pytest.param(
            lambda code: (code / "pipelines/decide.py").rename(
                code / "pipelines/dialects/decide.py"
            ),
            id="moved",
        ),
    ],
)
def test_code_revision_changes_with_the_set_of_files(
    code: Path, change: Callable[[Path], object]
) -> None:
    before = revision()
    change(code)

    assert revision() != before


def test_code_revision_is_that_of_a_checkout_elsewhere(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = revision()
    # Below a folder that is called like the one of dbt's artifacts.
    point_to(shutil.copytree(code, tmp_path / "target" / "other"), monkeypatch)

    assert revision() == before


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project/target/compiled/model.sql",
        "dbt_project/seeds/plans.csv",
        "dbt_project/models/marts/fct_invoices.yml",
        "pipelines/__pycache__/decide.cpython-311.pyc",
        "tests/unit/test_decide.py",
    ],
)
def test_code_revision_leaves_out_what_decides_and_computes_nothing(code: Path, name: str) -> None:
    before = revision()
    write(code / name, "anything")

    assert revision() == before


def test_code_revision_covers_names_and_bytes(code: Path) -> None:
    """The recipe, so that another program can find the revision of a checkout."""
    digest = hashlib.sha256()
    for folder in ("pipelines", "dbt_project"):
        for name in sorted((name for name in CODE if name.startswith(folder)), key=Path):
            digest.update(f"{name}\n".encode())
            digest.update(hashlib.sha256(CODE[name].encode()).digest())

    assert revision() == digest.hexdigest()


def test_checkout_has_files_of_every_kind() -> None:
    assert (DBT_PROJECT / "dbt_project.yml").is_file()
    assert list(DBT_PROJECT.rglob("*.sql"))
