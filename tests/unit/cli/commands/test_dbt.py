"""`meterline dbt`: what reaches dbt, and how the command ends."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.operations import dbt_by_hand
from pipelines.settings import Settings

Call = Callable[..., Result]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Sequence[str]]]:
    """A stand-in of dbt, which fails to build; what it was given is noted in the list returned."""
    noted: list[tuple[Path, Sequence[str]]] = []

    def run_dbt(settings: Settings, arguments: Sequence[str]) -> bool:
        noted.append((settings.home, arguments))
        return arguments[0] != "build"

    monkeypatch.setattr(dbt_by_hand, "run_dbt", run_dbt)
    return noted


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        pytest.param(["ls", "--select", "+fct_invoices"], 0, id="options"),
        pytest.param(["ls", "--help"], 0, id="help is dbt's"),
        pytest.param(["show", "--inline", "select 1"], 0, id="a text with spaces"),
        pytest.param(["build"], 1, id="failed"),
    ],
)
def test_all_that_follows_is_dbts(
    call: Call,
    home: Path,
    given: list[tuple[Path, Sequence[str]]],
    arguments: list[str],
    exit_code: int,
) -> None:
    called = call("dbt", *arguments)

    assert called.exit_code == exit_code, called.output
    assert given == [(home, arguments)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "docs, list, ls, parse, run, seed, show, test, found none;", id="none"),
        pytest.param(["clean"], "found 'clean'; for example `meterline dbt build", id="unknown"),
        pytest.param(["docs", "serve"], "use `meterline docs`, which serves", id="serve"),
    ],
)
def test_a_command_that_dbt_is_not_given_says_what_to_write(
    call: Call, arguments: list[str], sentence: str
) -> None:
    called = call("dbt", *arguments)

    assert called.exit_code == 1
    assert sentence in called.stderr
