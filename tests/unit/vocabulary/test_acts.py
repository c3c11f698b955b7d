"""What a person may ask for: names and reasons that can stand in the books."""

import pytest

from pipelines.vocabulary.acts import REASON_LENGTH_MAX, Asked


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(Asked("Ada"), id="no reason where none is needed"),
        pytest.param(Asked("Zoë", "ein Fehler: „doppelt“", void=("INV-000001",)), id="any letters"),
        pytest.param(Asked("A" * REASON_LENGTH_MAX, "r" * REASON_LENGTH_MAX), id="longest"),
    ],
)
def test_asked_in_order(asked: Asked) -> None:
    assert asked.problem() is None


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        pytest.param(Asked(""), "--by: expected a name", id="nobody"),
        pytest.param(Asked("Ada", void=("INV-000001",)), "--reason: expected why", id="no reason"),
        pytest.param(Asked("Ada", "a\nb"), r"--reason: .*found 'a\nb'", id="two lines"),
        pytest.param(Asked("Ada", "a\x1b[2J"), r"--reason: .*\x1b", id="escape sequence"),
        pytest.param(Asked("Ada", "a\u202eb"), r"--reason: .*\u202e", id="right to left"),
        pytest.param(Asked("Ada", "a\u200bb"), r"--reason: .*\u200b", id="zero width"),
        pytest.param(Asked(" Ada"), "--by: .*without spaces around it", id="space before"),
        pytest.param(Asked("Ada", "b "), "--reason: .*without spaces around it", id="space after"),
        pytest.param(
            Asked("A" * (REASON_LENGTH_MAX + 1)), "--by: expected at most 500", id="too long"
        ),
    ],
)
def test_what_cannot_stand_in_the_books_is_refused(asked: Asked, problem: str) -> None:
    found = asked.problem()

    assert found is not None
    for part in problem.split(".*"):
        assert part in found
