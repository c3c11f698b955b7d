"""Histories of random edits through whole runs of the command, with kills in between.

`RANDOM_BOOKS_JOB=20` tries as many. A history has five runs, so the suite has one; hundreds without
the command are in `tests/properties/test_random_books.py`.
"""

import os
from pathlib import Path

import pytest

from tests.properties.random_books import History
from tests.worlds.book_commands import CommandHome

HISTORIES = int(os.environ.get("RANDOM_BOOKS_JOB") or "1")


@pytest.mark.parametrize("seed", range(1, HISTORIES + 1))
def test_every_run_of_the_command_after_random_edits_is_as_it_is_by_hand(
    seed: int, tmp_path: Path
) -> None:
    History(seed, CommandHome(tmp_path)).check(steps=2)
