"""What every command has in common: its settings, its progress, its JSON, its errors."""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli import console, job
from pipelines.cli.console import print_json
from pipelines.cli.job import RunOutcome
from pipelines.vocabulary.errors import InvariantError, MeterlineError

COMMANDS = [
    pytest.param(["run"], id="run"),
    pytest.param(["status"], id="status"),
    pytest.param(["publish"], id="publish"),
    pytest.param(["sql", "select 1"], id="sql"),
    pytest.param(["ui"], id="ui"),
    pytest.param(["replay"], id="replay"),
]
JSON_COMMANDS = [*COMMANDS[:3], COMMANDS[5]]

Call = Callable[..., Result]
FailWith = Callable[[BaseException], None]


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("arguments", COMMANDS)
def test_wrong_variable_is_named_by_every_command(call: Call, arguments: list[str]) -> None:
    called = call(*arguments, METERLINE_THREADS="many")

    assert called.exit_code == 1
    assert called.stdout == ""
    assert words(called.stderr).startswith(
        "error a setting has a wrong value: METERLINE_THREADS: expected a whole number from 1 to "
        "256, found 'many'"
    )


@pytest.mark.parametrize(
    ("variables", "sentences"),
    [
        pytest.param(
            {"METERLINE_THREADS": "0"}, ["a whole number from 1 to 256, found '0'"], id="threads"
        ),
        pytest.param(
            {"METERLINE_MEMORY_LIMIT": "2GB"},
            ["a size such as 2GiB or 512MiB, found '2GB'"],
            id="memory_limit",
        ),
        pytest.param(
            {"METERLINE_BATCH_BYTES": "1e3x"},
            ["a whole number of 1 or more, found '1e3x'"],
            id="batch_bytes",
        ),
        pytest.param(
            {"METERLINE_LOCK_WAIT_SECONDS": "-1"},
            ["a number of 0 or more, found '-1'"],
            id="lock_wait",
        ),
        pytest.param({"METERLINE_HOLD_PERCENT": "101"}, ["from 0 to 100, found '101'"], id="hold"),
        pytest.param(
            {"METERLINE_THREADS": "\x1b[2J"}, ["found '\\x1b[2J'"], id="a control character"
        ),
        pytest.param({"METERLINE_HOME": "a?b"}, ["expected a path without ?"], id="home"),
        pytest.param({"METERLINE_LANDING": "s3://"}, ["found no bucket"], id="landing"),
        pytest.param(
            {"METERLINE_THREADS": "0", "METERLINE_MEMORY_LIMIT": "2GB"},
            ["settings have wrong values: METERLINE_THREADS: ", "'0'; METERLINE_MEMORY_LIMIT: "],
            id="two at once",
        ),
    ],
)
def test_every_wrong_variable_is_named(
    call: Call, variables: dict[str, str], sentences: list[str]
) -> None:
    called = call("status", **variables)

    assert called.exit_code == 1
    for expected in (*variables, *sentences):
        assert expected in words(called.stderr)


@pytest.mark.parametrize("arguments", JSON_COMMANDS)
def test_error_is_one_json_object(call: Call, arguments: list[str]) -> None:
    called = call(*arguments, "--json", METERLINE_THREADS="0")

    assert called.exit_code == 1
    assert called.stderr == ""
    error = json.loads(called.stdout)
    assert error.keys() == {"error", "message"}
    assert error["error"] == "MeterlineError"
    assert "METERLINE_THREADS" in error["message"]


@pytest.mark.parametrize(
    ("variable", "kind", "sentence"),
    [
        pytest.param(
            "METERLINE_LANDING", "LandingError", "METERLINE_LANDING is not a folder", id="landing"
        ),
        pytest.param("METERLINE_CATALOG", "CatalogError", "holds no catalog", id="catalog"),
    ],
)
def test_error_of_a_store_bears_its_kind(
    call: Call, tmp_path: Path, variable: str, kind: str, sentence: str
) -> None:
    called = call("status", "--json", **{variable: str(tmp_path / "gone")})
    error = json.loads(called.stdout)

    assert called.exit_code == 1
    assert error["error"] == kind
    assert sentence in error["message"]


@pytest.mark.parametrize("command", ["run", "publish", "replay"])
def test_failing_job_is_explained(call: Call, fail_with: FailWith, command: str) -> None:
    # Whatever stands in the message is shown as it is.
    fail_with(InvariantError("expected 1, found [bold]2[/x] \\[a]"))
    called = call(command)
    as_json = call(command, "--json")

    assert (called.exit_code, as_json.exit_code) == (1, 1)
    assert called.stderr.endswith("error expected 1, found [bold]2[/x] \\[a]\n")
    assert json.loads(as_json.stdout) == {
        "error": "InvariantError",
        "message": "expected 1, found [bold]2[/x] \\[a]",
    }


def test_long_error_is_not_broken_into_lines(call: Call, fail_with: FailWith) -> None:
    fail_with(MeterlineError("word " * 100))
    called = call("run")

    assert "word " * 99 + "word" in called.stderr


def test_interruption_says_that_nothing_is_half_done(call: Call, fail_with: FailWith) -> None:
    fail_with(KeyboardInterrupt())
    called = call("run")

    assert called.exit_code == 130
    assert called.stderr.endswith("interrupted; nothing is half done, run again to go on\n")


def test_error_that_nobody_foresaw_keeps_its_traceback_in_a_log_that_is_named(
    call: Call, fail_with: FailWith, home: Path
) -> None:
    fail_with(ZeroDivisionError("half of [nothing]"))
    called = call("run")
    (log,) = (home / "logs").iterdir()

    assert called.exit_code == 1
    assert "error an error that nobody foresaw: ZeroDivisionError: half of [nothing]. What" in (
        called.stderr
    )
    assert called.stderr.endswith(f" The trace is in {log}.\n")
    assert "Traceback" not in called.stderr
    assert log.read_text().endswith("ZeroDivisionError: half of [nothing]\n")
    assert "Traceback" in log.read_text()


def test_full_disk_is_a_sentence_for_a_program_too(
    call: Call, fail_with: FailWith, home: Path
) -> None:
    fail_with(OSError(28, "No space left on device"))
    error = json.loads(call("run", "--json").stdout)
    (log,) = (home / "logs").iterdir()

    assert error["error"] == "UnforeseenError"
    assert error["message"].startswith("the disk is full ([Errno 28] No space left on device). ")
    assert error["message"].endswith(f"then run again. The trace is in {log}.")


def test_trace_that_no_disk_takes_is_shown(
    call: Call, fail_with: FailWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "write_failure_log", lambda *_: None)
    fail_with(ZeroDivisionError())

    assert "Please report it with its log.\nTraceback (most recent" in call("run").stderr


def test_wrong_setting_leaves_no_log(call: Call, home: Path) -> None:
    call("run", METERLINE_THREADS="0")

    assert not home.exists()


def test_progress_goes_to_stderr_as_it_is(call: Call, ran: list[tuple[object, ...]]) -> None:
    called = call("run")

    assert re.search(r"\d\.\d s  parsing \[bold\]2\[/x\] files", called.stderr)
    assert "parsing" not in called.stdout
    assert ran[0][2] is None


def test_json_has_the_fields_of_what_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass(frozen=True)
    class Inner:
        name: str

    @dataclass(frozen=True)
    class Outer:
        inner: Inner
        many: tuple[Inner, ...]

    outer = Outer(Inner("straße"), (Inner("a"), Inner("b")))
    print_json({"outer": outer} | vars(outer))
    printed = capsys.readouterr().out

    fields = {"inner": {"name": "straße"}, "many": [{"name": "a"}, {"name": "b"}]}
    assert json.loads(printed) == {"outer": fields} | fields
    assert "straße" in printed


HOSTILE = "a\x1b[2J\x9b31m\u202e\u200b.json"
HARMLESS = "a\\x1b[2J\\x9b31m\\u202e\\u200b.json"


def test_error_shows_a_senders_text_and_obeys_none_of_it(call: Call, fail_with: FailWith) -> None:
    fail_with(MeterlineError(f"two lines:\n  - {HOSTILE} :bomb:"))
    called = call("run")
    as_json = call("run", "--json")

    assert called.stderr.endswith(f"error two lines:\n  - {HARMLESS} :bomb:\n")
    assert json.loads(as_json.stdout)["message"] == f"two lines:\n  - {HARMLESS} :bomb:"


def test_json_of_a_senders_text_means_the_text_and_acts_nowhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({"path": HOSTILE})
    printed = capsys.readouterr().out

    assert json.loads(printed) == {"path": HOSTILE}
    assert all(sign.isprintable() or sign == "\n" for sign in printed)


def test_progress_shows_a_senders_text_and_obeys_none_of_it(
    call: Call, monkeypatch: pytest.MonkeyPatch, outcome: RunOutcome
) -> None:
    def run(*_: object, **__: object) -> tuple[RunOutcome, None]:
        logging.getLogger("meterline").warning(f"alarm: {HOSTILE}\nforged")
        return outcome, None

    monkeypatch.setattr(job, "run_job", run)

    assert f" s  alarm: {HARMLESS}\\nforged\n" in call("run").stderr
