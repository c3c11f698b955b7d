"""The options of a run name one kind, and every kind has options."""

from typing import Any, ClassVar

import pytest

from pipelines.defs.run_options import RunOptions
from pipelines.intake.kinds import Correction, Kind, NewFiles, Replay, Republication
from pipelines.intake.replay_selection import Selection
from pipelines.vocabulary.errors import MeterlineError

AS_OF = "2026-03-10T12:00:00Z"


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(NewFiles(), id="new files"),
        pytest.param(Republication(), id="republication"),
        pytest.param(Correction("cdn/a", "cdn/_a"), id="correction"),
        pytest.param(Replay(Selection()), id="replay of everything"),
        pytest.param(
            Replay(Selection(("cdn", "app"), ("a", "b/*"), ("too_late",), ("c",))),
            id="replay of a selection",
        ),
    ],
)
def test_options_give_back_the_kind_they_ask_for(kind: Kind) -> None:
    assert RunOptions.of(kind, AS_OF).kind == kind
    assert (RunOptions.of(kind).as_of, RunOptions.of(kind, AS_OF).as_of) == (None, AS_OF)


def test_kind_without_options_cannot_be_asked_for() -> None:
    class Another:
        takes_in: ClassVar[bool] = True
        closes: ClassVar[bool] = True
        is_forced: ClassVar[bool] = False
        plan = NewFiles.plan

    with pytest.raises(MeterlineError, match="expected a kind that options name"):
        RunOptions.of(Another())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"republish": True, "replay": True}, "expected at most one of republish"),
        (
            {"replay": True, "correct_file": "a", "correct_from": "b"},
            "expected at most one of republish",
        ),
        ({"republish": True, "correct_file": "a"}, "expected at most one of republish"),
        ({"correct_file": "a"}, "expected both"),
        ({"correct_from": "b"}, "expected both"),
        ({"replay": True, "replay_reasons": ["bad luck"]}, "--reason: expected one of"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(MeterlineError, match=sentence):
        _ = RunOptions(**options).kind
