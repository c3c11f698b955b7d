"""The cache: the folder in which compiled functions are kept between runs."""

import hashlib
import os
from functools import cache
from pathlib import Path

import numba


def keep_compiled() -> None:
    """Keeps the functions that are compiled from now on, in a folder named after all sources.

    numba only checks whether the file of a function has changed. But other functions and constants
    become part of a compiled function, and numba would run their old state. So every change of a
    source leads to another folder.

    Call this before the first import of a compiled function. It may be called again.
    """
    sources = Path(__file__).parents[2]
    folder = f"compiled-{_state_at_first(sources)}"
    if not numba.config.CACHE_DIR.endswith(folder):
        numba.config.CACHE_DIR = str(
            Path(numba.config.CACHE_DIR or _beside_or_at_home(sources)) / folder
        )


def state_of(sources: Path) -> str:
    """The first 16 hex digits of a SHA-256 of all Python sources below a folder."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(sources)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


@cache
def _state_at_first(sources: Path) -> str:
    """Every batch asks; what this process has loaded stays as it was, whatever the files are."""
    return state_of(sources)


def _beside_or_at_home(sources: Path) -> Path:
    if os.access(sources, os.W_OK):
        return sources / "__pycache__"
    return Path("~/.cache/meterline").expanduser()
