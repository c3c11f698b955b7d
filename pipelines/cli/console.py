"""The terminal of a command: its settings, its answer in text or JSON, its progress, its errors."""

import getpass
import json
import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, ConsoleDimensions
from rich.markup import escape
from rich.status import Status

from pipelines.cli.failure_log import write_failure_log
from pipelines.vocabulary.errors import MeterlineError, UnforeseenError
from pipelines.vocabulary.failures import failure_sentence
from pipelines.vocabulary.visible import visible, visible_json, visible_lines

if TYPE_CHECKING:
    from pipelines.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
"""The option of every command that has something to report."""

AskedBy = Annotated[str, typer.Option("--by", help="Who asks for it; your login name if left out.")]
"""The option of every command that is written down with the name of who asked for it."""

_WIDTH_OF_NO_TERMINAL = 100_000


class _Screen(Console):
    """As wide as the terminal. Where the output is none, nothing is folded or cut."""

    def __init__(self, *, stderr: bool = False) -> None:
        # A sender's `:bomb:` stays what it is.
        super().__init__(stderr=stderr, emoji=False)

    @property
    def size(self) -> ConsoleDimensions:
        if self.is_terminal:
            return super().size
        return ConsoleDimensions(_WIDTH_OF_NO_TERMINAL, super().size.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size


_console = _Screen()
_errors = _Screen(stderr=True)


@dataclass(frozen=True)
class Terminal:
    """What a command works with.

    Attributes:
        settings: of the home.
        is_json: True when the answer is one JSON object, and nothing else is printed.
        console: where text goes.
    """

    settings: "Settings"
    is_json: bool
    console: Console = _console

    def say(self, sentence: str) -> None:
        """Prints a sentence in one line, however long: a path that is broken cannot be copied."""
        self.console.print(sentence, highlight=False, soft_wrap=True)

    def tell(self, label: str, style: str, text: str) -> None:
        """Prints a text that may have several lines, as it is, behind a label."""
        self.console.print(f"[{style}]{label}[/{style}] ", end="")
        self.console.print(visible_lines(text), markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self) -> Iterator[None]:
        """What the logger `meterline` says meanwhile is shown on stderr, unless JSON is asked."""
        logger = logging.getLogger("meterline")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        if self.is_json:
            yield
            return
        with _errors.status("starting") as passing:
            handler = _ProgressLines(passing)
            logger.addHandler(handler)
            try:
                yield
            finally:
                logger.removeHandler(handler)


@contextmanager
def terminal(*, as_json: bool = False) -> Iterator[Terminal]:
    """The terminal of one command; an error inside is explained, and ends it with its exit code.

    The trace of an error that nobody foresaw goes to a log, which the sentence names.

    Raises:
        typer.Exit: 1 after an error, 130 after Ctrl-C.
    """
    settings: Settings | None = None
    try:
        settings = _settings()
        yield Terminal(settings, as_json)
    except KeyboardInterrupt:
        _errors.print("interrupted; nothing is half done, run again to go on")
        raise typer.Exit(130) from None
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except MeterlineError as error:
        _say_failure(error, settings, as_json=as_json)
        raise typer.Exit(1) from None
    except Exception as error:
        unforeseen = UnforeseenError(failure_sentence(error), traceback.format_exc())
        _say_failure(unforeseen, settings, as_json=as_json)
        raise typer.Exit(1) from None


def _say_failure(error: MeterlineError, settings: "Settings | None", *, as_json: bool) -> None:
    sentence = str(error)
    if isinstance(error, UnforeseenError):
        folder = settings.logs if settings else Path(tempfile.gettempdir())
        log = write_failure_log(folder, error.trace)
        sentence += f" The trace is in {log}." if log else f"\n{visible_lines(error.trace)}"
    if as_json:
        print_json({"error": type(error).__name__, "message": sentence})
        return
    say_error(sentence)


def say_error(sentence: str) -> None:
    """Prints what is wrong on stderr; nothing of others in it acts on the terminal."""
    _errors.print("[bold red]error[/bold red] ", end="")
    _errors.print(visible_lines(sentence), markup=False, highlight=False, soft_wrap=True)


def login_name() -> str:
    """The name of the person who is logged in; empty if the system does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def print_json(values: Mapping[str, Any]) -> None:
    """Prints one JSON object; a dataclass in it is the object of its fields."""
    text = json.dumps(values, indent=2, ensure_ascii=False, default=vars)
    sys.stdout.write(visible_json(text) + "\n")


def _settings() -> "Settings":
    from pydantic import ValidationError

    from pipelines.settings import load_settings, setting_problems

    try:
        return load_settings()
    except ValidationError as error:
        problems = setting_problems(error)
        about = (
            "a setting has a wrong value" if len(problems) == 1 else "settings have wrong values"
        )
        raise MeterlineError(f"{about}: {'; '.join(problems)}") from None


class _ProgressLines(logging.Handler):
    """Prints each sentence of the `meterline` logger with the seconds since the start.

    What dbt says of each node is shown for a moment only: there are hundreds.
    """

    def __init__(self, passing: Status) -> None:
        super().__init__(logging.INFO)
        self._started = time.monotonic()
        self._passing = passing

    def emit(self, record: logging.LogRecord) -> None:
        seconds = f"{time.monotonic() - self._started:6.1f} s"
        sentence = f"[dim]{seconds}[/dim]  {escape(visible(record.getMessage()))}"
        if record.name == "meterline.dbt":
            self._passing.update(sentence)
        else:
            _errors.print(sentence, highlight=False)
