"""Homes of a few batches that are backed up, and what a test compares of them."""

import shutil
from pathlib import Path

from pipelines.home import Home
from pipelines.recovery.store import BackupStore, FolderStore
from pipelines.settings import Settings
from tests.worlds.commits import commit_events
from tests.worlds.lakes import open_lake, start_lake
from tests.worlds.made_once import made_once

CHAIN_HEAD = b'{"invoices": 0}'
FROZEN = "catalog/0a1b/plans.csv"


def home_of(folder: Path) -> Home:
    return Home(Settings(home=folder, landing=str(folder.parent / "landing")))


def commit(home: Home, *batch_ids: int) -> None:
    """Commits batches of three events, each on a connection of its own."""
    for batch_id in batch_ids:
        with open_lake(home.settings.home, read_only=False) as lake:
            commit_events(lake, home.settings.home, batch_id)


def _make(folder: Path) -> None:
    start_lake(folder)
    commit(home_of(folder), 1, 2)
    for path, content in {"published/chain_head.json": CHAIN_HEAD, FROZEN: b"plan_code\n"}.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_bytes(content)
    (folder / "catalog" / "0a1b" / "typed-1").mkdir()
    (folder / "catalog" / "0a1b" / "typed-1" / "plans.parquet").write_bytes(b"made again")


def two_batches(folder: Path) -> Home:
    """A home with two batches, a frozen catalog and the end of a chain."""
    return home_of(Path(shutil.copytree(made_once("two-batches-to-back-up", _make), folder)))


def lake_files(home: Home) -> dict[str, bytes]:
    """Each file of the lake, by its path below the home."""
    folder = home.settings.home
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(home.settings.lake_data.rglob("*.parquet"))
    }


def kept(store: BackupStore) -> dict[str, bytes]:
    """All that a store in a folder holds, by name."""
    assert isinstance(store, FolderStore)
    return {
        path.relative_to(store.folder).as_posix(): path.read_bytes()
        for path in sorted(store.folder.rglob("*"))
        if path.is_file()
    }
