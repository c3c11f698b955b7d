"""A disk that is watched: each sync that a program asks of it, and one that fails."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch


@dataclass
class Disk:
    """What was asked of the disk.

    Attributes:
        synced: each path, in the order of the syncs; other things may be noted in between.
        contents: of each file, what it held when it was last synced.
        fails_at: number of the sync that fails, from 1; 0 for none.
        error: what the failing one says.
        syncs: number of syncs so far.
    """

    synced: list[str] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    fails_at: int = 0
    error: int = errno.ENOSPC
    syncs: int = 0

    def sync(self, descriptor: int) -> None:
        """Stands for `os.fsync`."""
        self.syncs += 1
        if self.syncs == self.fails_at:
            raise OSError(self.error, os.strerror(self.error))
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        self.synced.append(str(path))
        if path.is_file():
            self.contents[str(path)] = path.read_bytes()


@contextmanager
def watched_disk(fails_at: int = 0, error: int = errno.ENOSPC) -> Iterator[Disk]:
    """The disk while everything that this process syncs is noted, not done."""
    disk = Disk(fails_at=fails_at, error=error)
    with patch.object(os, "fsync", disk.sync):
        yield disk
