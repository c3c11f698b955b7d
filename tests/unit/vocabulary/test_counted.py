"""A counted word agrees with its number."""

import pytest

from pipelines.vocabulary.counted import counted


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1_234_567, "1,234,567 files")],
)
def test_word_agrees_with_its_number(count: int, text: str) -> None:
    assert counted(count, "file") == text


def test_a_verb_may_agree_too() -> None:
    said = [counted(count, "file is held", "files are held") for count in (0, 1, 2)]

    assert said == ["0 files are held", "1 file is held", "2 files are held"]
