"""How values are shown in Dagster and in a run's progress."""

import polars as pl

from pipelines.vocabulary.verdicts import Verdict


def verdict_sentence(verdicts: pl.DataFrame) -> str:
    """What became of a batch's lines, in one line of text."""
    counts = ", ".join(
        f"{int(verdicts[verdict].sum()):,} {verdict}" for verdict in (*Verdict, "blank")
    )
    return f"{int(verdicts['lines'].sum()):,} lines = {counts}"


def markdown_table(rows: pl.DataFrame) -> str:
    """Rows as a Markdown table; senders' text cannot break out of its cell."""
    header = [f"| {' | '.join(rows.columns)} |", f"|{' --- |' * rows.width}"]
    cells = (
        [
            "".join(f"&#{ord(sign)};" if sign in "|<>&`*_[]\\\r\n" else sign for sign in str(value))
            for value in row
        ]
        for row in rows.iter_rows()
    )
    return "\n".join([*header, *(f"| {' | '.join(row)} |" for row in cells)])
