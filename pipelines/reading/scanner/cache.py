"""Compiled cache: where compiled functions are kept between runs.

Belongs here: its folder. Must not be put here: what is compiled, and how (see `compiled`).
"""

import hashlib
import os
from pathlib import Path

import numba


def keep_compiled() -> None:
    """Has functions that are compiled from now on kept on disk, for the sources as they are.

    numba asks only whether the file of a function changed. It would run the old body of another
    function, or the old value of a constant, that became part of it: so the folder is named
    after all sources. Call it before the first import of what is compiled; it may be repeated.
    """
    sources = Path(__file__).parents[2]
    folder = f"compiled-{state_of(sources)}"
    if not numba.config.CACHE_DIR.endswith(folder):
        numba.config.CACHE_DIR = str(
            Path(numba.config.CACHE_DIR or _beside_or_at_home(sources)) / folder
        )


def state_of(sources: Path) -> str:
    """A name for the state of all Python sources below a folder, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(sources)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _beside_or_at_home(sources: Path) -> Path:
    if os.access(sources, os.W_OK):
        return sources / "__pycache__"
    return Path("~/.cache/meterline").expanduser()
