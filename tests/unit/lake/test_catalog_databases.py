import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.vocabulary.errors import LakeError


def _journal_mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        return str(mode)


def test_catalog_exists_once_it_is_made(tmp_path: Path) -> None:
    catalog = SqliteCatalog(tmp_path / "home" / "lake" / "catalog.sqlite")
    assert not catalog.exists()

    catalog.make()

    assert catalog.exists()
    assert _journal_mode(catalog.path) == "wal"


def test_folder_is_no_catalog(tmp_path: Path) -> None:
    assert not SqliteCatalog(tmp_path).exists()


def test_what_a_catalog_holds_stays_when_it_is_made_again(tmp_path: Path) -> None:
    catalog = SqliteCatalog(tmp_path / "catalog.sqlite")
    with closing(sqlite3.connect(catalog.path)) as connection:
        connection.execute("CREATE TABLE kept (n INTEGER)")

    catalog.make()
    catalog.make()

    with closing(sqlite3.connect(catalog.path)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert _journal_mode(catalog.path) == "wal"


def test_place_without_a_write_ahead_log_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database in memory is one such place."""
    connect: Callable[[str], sqlite3.Connection] = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda _: connect(":memory:"))
    catalog = SqliteCatalog(tmp_path / "catalog.sqlite")

    with pytest.raises(LakeError, match=rf"in WAL mode, found memory: {catalog.path}"):
        catalog.make()


def test_address_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = SqliteCatalog(Path("lake/catalog.sqlite"))

    assert catalog.address == f"sqlite:{tmp_path}/lake/catalog.sqlite"
    assert catalog.folders == (Path("lake"),)
    assert str(catalog) == "lake/catalog.sqlite"
