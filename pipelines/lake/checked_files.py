"""Checked files: what each file of a lake looked like when it was last hashed and found whole.

It is kept in `checked_files.json` beside the lake's catalog, not in the lake, because a copied home
has other times. It may be deleted: every file is then hashed again.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CHECKED = "checked_files.json"
"""Name of the file."""


@dataclass(frozen=True)
class Seen:
    """A file as its folder shows it.

    Attributes:
        size_bytes: bytes of the file.
        modified_ns: when its content changed, in nanoseconds since 1970.
        changed_ns: when its content or its entry changed; no program can set it back.
    """

    size_bytes: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def at(cls, path: Path) -> "Seen | None":
        """The file as it is now; None if it cannot be found."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True)
class Checked:
    """The last check of a file.

    Attributes:
        seen: the file as it was just before it was hashed.
        checked_at: when that was, in seconds since 1970.
    """

    seen: Seen
    checked_at: float

    @classmethod
    def now(cls, seen: Seen) -> "Checked":
        """A check of a file that was just hashed."""
        return cls(seen, time.time())


CheckedFiles = Mapping[tuple[str, str], Checked]
"""The last check of each file, by its table and its name."""


def read_checked(folder: Path) -> dict[tuple[str, str], Checked]:
    """The last checks; none if the file is gone or damaged."""
    try:
        written = json.loads((folder / CHECKED).read_text(encoding="utf-8"))
        return {
            (table, name): Checked(Seen(*seen), checked_at)
            for table, name, seen, checked_at in written
        }
    except (OSError, ValueError, TypeError):
        return {}


def write_checked(folder: Path, checked: CheckedFiles) -> None:
    """Replaces the last checks, without a sync: what is lost here is only checked again."""
    rows = [[*key, [*vars(each.seen).values()], each.checked_at] for key, each in checked.items()]
    fresh = folder / f"{CHECKED}.fresh"
    # A batch is committed by now. A full disk must not look as if it were not.
    with suppress(OSError):
        fresh.write_text(json.dumps(sorted(rows)), encoding="utf-8")
        fresh.replace(folder / CHECKED)
