"""Fixtures that several kinds of tests share."""

import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.reading.scanner.cache import keep_compiled
from tests.worlds.file_lines import scan_one_line
from tests.worlds.lakes import migrated_lake, start_lake
from tests.worlds.made_once import made_once, share_below
from tests.worlds.programs import program_server

keep_compiled()

# Oracles read the locked package `tzdata`, as the product does: rules of a host may be older.
zoneinfo.reset_tzpath(to=[])


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """One server of programs for all workers; it imports nothing before it is asked."""
    if hasattr(config, "workerinput"):
        return (yield)
    with program_server():
        return (yield)


WHOLE_RUNS = (
    "test_sample_job",
    "test_replay_job",
    "test_killed_run",
    "test_random_books_job",
    "test_books_job",
    "test_recovery",
    "test_damaged_home",
)
"""Modules whose tests take up to half a minute each. The first parses the dbt project for all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole runs first: a worker that came to one last would keep the others waiting."""
    place = {module: number for number, module in enumerate(WHOLE_RUNS)}
    items.sort(
        key=lambda item: (
            place.get(item.path.stem, len(place)),
            item.path.parent.name != "integration",
        )
    )


@pytest.fixture(scope="session", autouse=True)
def _share_with_other_workers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    own = tmp_path_factory.getbasetemp()
    share_below(own if worker_id == "master" else own.parent)


@pytest.fixture(scope="session")
def migrated_home(_share_with_other_workers: None) -> Path:
    """A home whose lake has its tables and no batch; nobody writes to it."""
    return migrated_lake()


@pytest.fixture
def lake_home(tmp_path: Path) -> Path:
    """A home whose lake has its tables and no batch, for this test alone."""
    return start_lake(tmp_path / "home")


@pytest.fixture(scope="session")
def compiled_scanner(_share_with_other_workers: None) -> None:
    """The scanner's machine code lies on disk: one worker compiled it, the others waited."""
    made_once("compiled-scanner", lambda _: scan_one_line())


@pytest.fixture
def streamed(compiled_scanner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch is streamed: the compiled scanner reads it, however small it is."""
    monkeypatch.setattr("pipelines.intake.batch.STREAMED_BYTES_MIN", 0)
