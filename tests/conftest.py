"""Fixtures that several kinds of tests share."""

import shutil
from pathlib import Path

import pytest

from pipelines.reading.scanner.cache import keep_compiled
from tests.worlds.files import open_lake

keep_compiled()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole runs first: a worker that came to one last would keep the others waiting."""
    slow = ("integration", "faults")
    items.sort(key=lambda item: item.path.parent.name not in slow)


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose lake has its tables and no batch; nobody writes to it."""
    home = tmp_path_factory.mktemp("migrated") / "home"
    with open_lake(home, read_only=False):
        return home


@pytest.fixture
def lake_home(migrated_home: Path, tmp_path: Path) -> Path:
    """A home whose lake has its tables and no batch: a copy, which is cheaper than a new one."""
    return Path(shutil.copytree(migrated_home, tmp_path / "home"))
