"""Compiled code is kept per state of the sources, so a changed source is compiled again."""

from pathlib import Path

import numba
import pytest

from pipelines.reading.scanner.cache import keep_compiled, state_of
from pipelines.reading.scanner.lines import scan_lines


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "scanner.py").write_text("from words import WORD\n")
    (tmp_path / "words.py").write_text("WORD = 8\n")
    (tmp_path / "notes.txt").write_text("none of its business\n")
    return tmp_path


def test_the_same_sources_have_one_state(sources: Path) -> None:
    before = state_of(sources)
    (sources / "notes.txt").write_text("still none\n")
    (sources / "words.py").touch()
    assert state_of(sources) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("words.py", "WORD = 4\n"),
        ("scanner.py", "from words import WORD  # changed\n"),
        ("more.py", ""),
    ],
)
def test_a_change_of_any_source_is_another_state(sources: Path, name: str, content: str) -> None:
    before = state_of(sources)
    (sources / name).write_text(content)
    assert state_of(sources) != before


def test_what_moves_between_two_sources_is_another_state(sources: Path) -> None:
    before = state_of(sources)
    (sources / "scanner.py").write_text("")
    (sources / "words.py").write_text("from words import WORD\nWORD = 8\n")
    assert state_of(sources) != before


def test_to_keep_them_twice_changes_nothing() -> None:
    before = numba.config.CACHE_DIR
    keep_compiled()
    assert before == numba.config.CACHE_DIR


def test_compiled_functions_are_kept_by_the_state_of_their_sources() -> None:
    state = state_of(Path(scan_lines.py_func.__code__.co_filename).parents[2])
    assert f"compiled-{state}" in Path(scan_lines.stats.cache_path).parts
