"""Conservation: the rows of a batch are checked against each invariant, in SQL."""

import polars as pl

from pipelines.audit import invariants
from pipelines.audit.invariant import Finding, Invariant
from pipelines.lake.lake import Lake
from pipelines.vocabulary.members import members

INVARIANTS: tuple[Invariant, ...] = tuple(
    invariant for listed in members(invariants, "INVARIANTS").values() for invariant in listed
)
"""The invariants checked after every batch, as found in the folder `invariants`."""

OFFENCES_SHOWN = 3
"""Offences that a finding describes in words, at most; it counts all of them."""


def check_batch(
    lake: Lake, batch_id: int, sources: pl.DataFrame, repeated: pl.DataFrame | None = None
) -> list[Finding]:
    """One finding per invariant about the rows of a batch, in the order of `INVARIANTS`.

    Args:
        lake: any connection.
        batch_id: the batch. Earlier batches were checked when they were written.
        sources: schema `SOURCES`.
        repeated: column key_hash: the hashes of the batch that several accepted events have. None:
            they are looked for in the whole lake.
    """
    if repeated is None:
        repeated = lake.query(
            "SELECT key_hash FROM lake.accepted_events GROUP BY key_hash HAVING count(*) > 1"
        )
    rules = rules_of(sources)
    findings = []
    for invariant in INVARIANTS:
        uses_batch = "$batch_id" in invariant.offenders
        offenders = lake.query(
            f"SELECT *, count(*) OVER () AS offences FROM ({invariant.offenders}) "
            f"LIMIT {OFFENCES_SHOWN}",
            {"batch_id": batch_id} if uses_batch else None,
            sources=rules,
            repeated=repeated,
        )
        findings.append(
            Finding(
                invariant,
                offences=int(offenders["offences"][0]) if offenders.height else 0,
                sample="; ".join(_sentences(lake, invariant, offenders)),
            )
        )
    return findings


def rules_of(sources: pl.DataFrame) -> pl.DataFrame:
    """The rules of each source that the queries read; durations in microseconds.

    Args:
        sources: schema `SOURCES`.
    """
    return sources.select(
        "source",
        pl.col("dedupe_window").dt.total_microseconds().alias("window_us"),
        pl.col("max_lateness").dt.total_microseconds().alias("lateness_us"),
        pl.col("future_skew").dt.total_microseconds().alias("skew_us"),
        "late_lookup",
    )


def _sentences(lake: Lake, invariant: Invariant, offenders: pl.DataFrame) -> list[str]:
    """One sentence per offence, with the path of its file."""
    if not offenders.height:
        return []
    rows = offenders.to_dicts()
    ids = [row["file_id"] for row in rows if row.get("file_id") is not None]
    paths = dict(
        lake.query(
            "SELECT file_id, path FROM lake.landing_files WHERE list_contains($ids, file_id)",
            {"ids": ids},
        ).iter_rows()
    )
    return [
        invariant.sentence.format_map(
            {"path": paths.get(row.get("file_id"), f"file {row.get('file_id')}")} | row
        )
        for row in rows
    ]
