"""Shown: values and errors as text, for Dagster and for the progress of a run."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import polars as pl

from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.verdicts import Verdict
from pipelines.vocabulary.visible import visible


@contextmanager
def in_own_words() -> Iterator[None]:
    """Lets a step that fails say the sentence of the error first, not that some op has failed."""
    try:
        yield
    except MeterlineError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error


def verdict_sentence(verdicts: pl.DataFrame) -> str:
    """The number of a batch's lines and of each verdict, in one line of text that adds up.

    Lines of held files have no verdict. They are counted apart, where there are any.
    """
    sums = {name: int(verdicts[name].sum()) for name in ("lines", *Verdict, "blank", "held")}
    lines, held = sums.pop("lines"), sums.pop("held")
    counts = ", ".join(f"{count:,} {name}" for name, count in sums.items())
    return f"{counted(lines, 'line')} = {counts}" + (f", {held:,} held" if held else "")


def markdown_table(rows: pl.DataFrame) -> str:
    """The rows as a Markdown table; text from senders cannot break out of its cell."""
    header = [f"| {' | '.join(rows.columns)} |", f"|{' --- |' * rows.width}"]
    cells = ([_cell(str(value)) for value in row] for row in rows.iter_rows())
    return "\n".join([*header, *(f"| {' | '.join(row)} |" for row in cells)])


_MARKDOWN = str.maketrans({sign: f"&#{ord(sign)};" for sign in "|<>&`*_[]\\\r\n"})
"""What Markdown obeys, and the line ends that end a row."""


def _cell(text: str) -> str:
    lines = re.split(r"([\r\n])", text)
    shown = (line if line in ("\r", "\n") else visible(line) for line in lines)
    return "".join(shown).translate(_MARKDOWN)
