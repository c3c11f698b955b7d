"""Folders that a test session makes once: the first process that asks makes it, others wait."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from filelock import FileLock

_shared: list[Path] = []
"""The folder named by `share_below`; none where no test session runs, as in `make fuzz`."""


def share_below(folder: Path) -> None:
    """Names the folder that this process shares with the other workers of its session."""
    _shared[:] = [folder]


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name, filled by `make`; whoever asks reads it and must not change it.

    A maker that fails leaves nothing behind: the next one who asks tries again.
    """
    place = (_shared[0] if _shared else _own_folder()) / "made-once"
    folder, done = place / name, place / f"{name}.done"
    place.mkdir(exist_ok=True)
    if not done.exists():
        with FileLock(place / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
    return folder


@cache
def _own_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="meterline-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
