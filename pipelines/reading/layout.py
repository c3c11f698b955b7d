"""Layout: how a source writes its files, as far as the catalog declares it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How the files of a source are written.

    Attributes:
        batch_member: the member that holds the array of events, in an object that wraps them. None:
            it is `events`, or the only array of objects.
        format: `csv`, `json` or `parquet`. None: not declared.
        null_text: in CSV, the text of a cell that is empty. None: only an empty cell is.
        separator: in CSV, the character between two cells.
        decimal_separator: in CSV, the character before the fraction of a number.
    """

    batch_member: str | None = None
    format: str | None = None
    null_text: str | None = None
    separator: str = ","
    decimal_separator: str = "."


USUAL = Layout()
"""The layout of a source that declares nothing."""
