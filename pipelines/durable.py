"""Durable: what is on disk once a function here returns, a power cut notwithstanding.

Belongs here: the only calls of fsync. A file is on disk when its bytes are synced, and the folder
that has its name is synced too. Whoever commits something calls this for all files behind it first.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from pipelines.vocabulary.errors import MeterlineError


def sync(path: Path) -> None:
    """Writes what the system still holds in memory of a file or a folder to disk.

    Raises:
        MeterlineError: the disk refused, for example because it is full. Whether the bytes are on
            disk is then unknown, so the file must be written again.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise MeterlineError(
            f"{path} cannot be written to disk: {error.strerror}; free space or check the disk, "
            "then run again"
        ) from error


def sync_all(paths: Iterable[Path]) -> None:
    """Syncs files, and then each folder that has one of them."""
    folders: dict[Path, None] = {}
    for path in paths:
        sync(path)
        folders[path.parent] = None
    for folder in folders:
        sync(folder)


def make_folder(folder: Path) -> None:
    """Makes a folder and its parents where they are missing, and syncs their names."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def replace_text(path: Path, text: str, unfinished: Path | None = None) -> None:
    """Makes the text the content of a file: at every instant the old one or the new one is there.

    Args:
        path: of the file, which may not exist yet.
        text: its new content.
        unfinished: where the text is written first, in the same folder. None: beside the file,
            with `.fresh` behind its name.
    """
    fresh = unfinished or path.with_name(f"{path.name}.fresh")
    fresh.write_text(text, encoding="utf-8")
    sync(fresh)
    fresh.replace(path)
    sync(path.parent)
