"""The options of a run name one kind, and every kind has options."""

from typing import Any, ClassVar

import pytest

from pipelines.defs.run_options import RunOptions
from pipelines.intake.kinds import (
    Close,
    Correction,
    Kind,
    NewFiles,
    Reissue,
    Replay,
    Republication,
    Void,
)
from pipelines.intake.replay_selection import Selection
from pipelines.vocabulary.acts import Asked
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
        pytest.param(Close(Asked("Ada")), id="closing"),
        pytest.param(
            Close(Asked("Ada", "typo", accept=("s", "t"), waive=("cdn/a",)), is_trial=True),
            id="trial of a closing",
        ),
        pytest.param(Void(Asked("Ada", "twice", void=("INV-000001",))), id="void"),
        pytest.param(Reissue(Asked("Ada", "wrong", reissue=("INV-000001",))), id="reissue"),
        pytest.param(
            Reissue(Asked("Ada", "wrong", reissue=("INV-000001",)), is_trial=True),
            id="trial of a reissue",
        ),
    ],
)
def test_options_give_back_the_kind_they_ask_for(kind: Kind) -> None:
    assert RunOptions.of(kind, AS_OF).kind == kind
    assert (RunOptions.of(kind).instant, RunOptions.of(kind, AS_OF).instant) == (None, AS_OF)


def test_every_option_says_what_it_does() -> None:
    for name, option in RunOptions.model_fields.items():
        assert (option.description or "").endswith("."), name


def test_launchpad_offers_the_instant() -> None:
    # The launchpad lists an option only if its default has a value.
    assert RunOptions.model_fields["as_of"].default == ""
    assert RunOptions(as_of="").instant is None


def test_kind_without_options_cannot_be_asked_for() -> None:
    class Another:
        takes_in: ClassVar[bool] = True
        moves_time: ClassVar[bool] = True
        asked: ClassVar[None] = None
        is_trial: ClassVar[bool] = False
        closes: ClassVar[bool] = True
        is_forced: ClassVar[bool] = False
        plan = NewFiles.plan

    with pytest.raises(MeterlineError, match="expected a kind that options name"):
        RunOptions.of(Another())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"republish": True, "replay": True}, "expected at most one of republish"),
        ({"close": True, "void": ["INV-000001"]}, "expected at most one of republish"),
        ({"accept": ["s"]}, "go with close"),
        ({"waive": ["a"]}, "go with close"),
        ({"dry_run": True}, "dry_run goes with close or reissue"),
        ({"void": ["INV-000001"], "reissue": ["INV-000002"]}, "expected at most one of republish"),
        ({"reissue": ["INV-000002"], "accept": ["s"]}, "go with close"),
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
