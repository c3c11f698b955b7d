"""`meterline lake rebuild`: from the sentence about a damaged file to its cure."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.worlds.taken_in import drop, home_with_landing, take_in, usage

Call = Callable[..., Result]


@pytest.fixture
def events(home: Path, call: Call) -> Path:
    """The file of accepted events of a home with one batch."""
    made = home_with_landing(home)
    drop(made, 10, "a", usage("a") + usage("b"))
    assert take_in(made) == 1
    (path,) = (home / "lake" / "data" / "main" / "accepted_events").iterdir()
    return path


def test_it_asks_what_to_do(call: Call) -> None:
    result = call("lake")

    assert result.exit_code == 2
    assert "rebuild" in result.stdout


def test_it_asks_for_the_batch(call: Call) -> None:
    result = call("lake", "rebuild")

    assert result.exit_code == 2
    assert "--batch" in result.stderr


def test_damaged_events_from_the_sentence_to_the_cure(events: Path, call: Call) -> None:
    content = events.read_bytes()
    events.write_bytes(content[:-1])

    verified = call("verify", "--files")
    rebuilt = call("lake", "rebuild", "--batch", "1")

    assert verified.exit_code == 1
    assert "`meterline lake rebuild --batch 1` makes it again" in verified.stderr
    assert rebuilt.exit_code == 0, rebuilt.stderr
    assert rebuilt.stdout == (
        "Made 1 file of batch 1 again with 2 rows, byte for byte as committed: "
        "accepted_events/batch-000000001-part-0000.parquet.\n"
    )
    assert events.read_bytes() == content


def test_whole_batch_is_left_alone(events: Path, call: Call) -> None:
    result = call("lake", "rebuild", "--batch", "1")
    reported = json.loads(call("lake", "rebuild", "--batch", "1", "--json").stdout)

    assert result.exit_code == 0
    assert result.stdout == ("Every file of batch 1 is as it was committed; nothing was changed.\n")
    assert reported == {"batch_id": 1, "files": [], "rows": 0}


def test_unknown_batch(events: Path, call: Call) -> None:
    result = call("lake", "rebuild", "--batch", "2")

    assert result.exit_code == 1
    assert "expected a batch from 1 to 1, the last one" in result.stderr
