"""Reread: decided files that today's code cuts into other lines than the code that decided them.

A line that was one malformed line may hold several events today, and a refused CSV record may be
blank. Line numbers are places in the lake, so they must not move under an accepted event.
"""

from dataclasses import replace

import polars as pl

from pipelines.intake.replay_selection import ReplayPlan
from pipelines.reading.parts import ParsedBatch, ParsedFile

_PLACE = ["file_id", "line"]


def reread(
    plan: ReplayPlan, read: dict[int, ParsedFile], parsed: ParsedBatch
) -> tuple[ReplayPlan, list[tuple[str, str]]]:
    """The plan for the lines of today; path and reason of each file whose lines cannot move.

    - A file with as many lines as before keeps them. A refused line that is blank today is no
      longer refused.
    - A file with another number of lines is decided as a whole if none of its lines is accepted.
    - Any other file is left as it is.

    Example: a file was one line with two events, which was rejected. Today it has two lines, and
    both are decided. If a third line of it had been accepted as line 2, the file would be left.

    Args:
        plan: the files and lines that were to be decided again.
        read: the files as they were read today, by `file_id`.
        parsed: their lines.
    """
    files, left = dict(plan.files), list[tuple[str, str]]()
    for file_id, file in read.items():
        known = files[file_id]
        if known.is_whole or file.lines == known.lines:
            continue
        if known.accepted:
            del files[file_id]
            left.append(
                (
                    known.path,
                    f"it has {file.lines:,} lines as it is read today and had {known.lines:,} when "
                    "it was decided; land it again under another name, and what was accepted is a "
                    "duplicate",
                )
            )
        else:
            files[file_id] = replace(known, is_recut=True)
    refused = plan.refused.filter(pl.col("file_id").is_in(list(files)))
    emptied = [
        file_id
        for file_id, file in read.items()
        if file_id in files and not files[file_id].is_whole and file.blank > files[file_id].blank
    ]
    if emptied:
        refused = _without_blank(refused, emptied, parsed)
    return replace(plan, files=files, refused=refused), left


def _without_blank(refused: pl.DataFrame, emptied: list[int], parsed: ParsedBatch) -> pl.DataFrame:
    """The refused lines, of which those that are blank today are taken and marked."""
    of_emptied = pl.col("file_id").is_in(emptied)
    filled = pl.concat(
        [
            pl.DataFrame(schema={name: pl.Int64() for name in _PLACE}).lazy(),
            *(
                pl.scan_parquet(path).filter(of_emptied).select(_PLACE)
                for path in (*parsed.events, *parsed.rejections)
            ),
        ]
    ).collect()
    blank = refused.filter(of_emptied).join(filled, on=_PLACE, how="anti").select(_PLACE)
    marked = refused.join(
        blank.with_columns(pl.lit(value=True).alias("is_now_blank")),
        on=_PLACE,
        how="left",
        maintain_order="left",
    )
    is_blank = pl.col("is_now_blank").fill_null(value=False)
    taken = pl.col("is_taken") | is_blank
    return marked.with_columns(is_taken=taken, is_blank=is_blank).drop("is_now_blank")


def changes_of(plan: ReplayPlan, compared: pl.DataFrame) -> pl.DataFrame:
    """One row per kind of change, the most frequent first."""
    paths = {file_id: file.path for file_id, file in plan.files.items()}
    return (
        compared.filter("is_changed")
        .sort(_PLACE)
        .group_by("before", "after", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("lines"), pl.first(*_PLACE))
        .sort("lines", "before", "after", descending=[True, False, False])
        .select(
            "before",
            "after",
            "lines",
            pl.format(
                "{} line {}",
                pl.col("file_id").replace_strict(paths, return_dtype=pl.String),
                "line",
            ).alias("example"),
        )
    )
