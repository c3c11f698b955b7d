"""`meterline preview`: cases in JSON, worked out by what bills, without a home."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import say_error, terminal

NO_CASES = 2
"""The exit code when the input is no JSON of cases."""


def command(
    cases: Annotated[Path, typer.Argument(help="JSON file of cases; - is standard input.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the answers there.")] = None,
) -> None:
    """Work out quantities, periods and prorated amounts of cases, by what bills."""
    with terminal():
        from pipelines.preview.answers import answers
        from pipelines.preview.json_cases import CasesError, answers_text, read_cases

        try:
            is_standard = str(cases) == "-"
            data = sys.stdin.buffer.read() if is_standard else cases.read_bytes()
            found = read_cases(data.decode("utf-8-sig"), by_line=cases.suffix == ".ndjson")
        except (CasesError, UnicodeDecodeError, OSError) as error:
            say_error(f"{cases}: {error}")
            raise typer.Exit(NO_CASES) from None
        told = out or cases
        text = answers_text(answers(found), by_line=told.suffix == ".ndjson")
        if out is None:
            sys.stdout.write(text)
        else:
            out.write_text(text, encoding="utf-8")
