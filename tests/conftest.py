"""Fixtures that several kinds of tests share."""

import shutil
from pathlib import Path

import pytest

from tests.worlds import open_lake


@pytest.fixture(scope="session")
def _migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("migrated") / "home"
    with open_lake(home, read_only=False):
        return home


@pytest.fixture
def lake_home(_migrated_home: Path, tmp_path: Path) -> Path:
    """A home whose lake has its tables and no batch; a copy of one made once, which is cheaper."""
    return Path(shutil.copytree(_migrated_home, tmp_path / "home"))
