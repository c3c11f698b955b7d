"""Attention: what in a home waits for a person, and what the person can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import duckdb
import polars as pl

from pipelines.invoicing.sums import sum_of_tiers
from pipelines.lake.file_states import LATEST_DECISIONS, unread_files
from pipelines.lake.lake import Lake
from pipelines.operations.closing import DUE, Known, Moment, as_closed, judged
from pipelines.vocabulary.acts import ActKind
from pipelines.vocabulary.frames import DRAFTS, PENDING
from pipelines.vocabulary.money import plain_decimal
from pipelines.vocabulary.verdicts import FileStatus
from pipelines.vocabulary.visible import shell_word
from pipelines.warehouse.dbt_tables import source_customers

NAMES_LISTED = 10
"""Names of a held file that a report lists as unknown."""

_ADVICE = {
    "held": "`meterline replay --release {path}` lets it in; a corrected upload under its name "
    "replaces it",
    "rejected": "every line is rejected, so `--release` lets in nothing; land a corrected file "
    "under its name, or correct its source in the catalog and retry: "
    "`meterline replay --file {path}`",
    "quarantined": "land a corrected file under its name, or retry: "
    "`meterline replay --file {path}`",
}


@dataclass(frozen=True)
class Refusal:
    """Refused lines of one verdict and reason, with the first of them as an example.

    Attributes:
        verdict: `duplicate`, `conflict` or `rejected`.
        reason_code: why they were rejected; None for the other verdicts.
        is_expected: True for conflicts of sources that the catalog expects them from.
        lines: how many there are.
        example: what was said of the first.
        example_path: its file.
        example_line: its line in that file, from 1.
    """

    verdict: str
    reason_code: str | None
    is_expected: bool
    lines: int
    example: str
    example_path: str
    example_line: int


@dataclass(frozen=True)
class WaitingFile:
    """A file version that counts for nothing until a person does something.

    Attributes:
        path: below the landing.
        status: `quarantined` or `held`.
        reason: why, in a sentence.
        lines: in the file, as far as it could be read.
        rejected: among them.
        what_to_do: commands and uploads that heal it.
        unknown_names: names in a held file that the catalog does not know, those of the most lines
            first; at most `NAMES_LISTED`. Nobody's invoice waits for their usage.
    """

    path: str
    status: str
    reason: str
    lines: int
    rejected: int
    what_to_do: str
    unknown_names: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OldestUndecided:
    """The file version that waits longest to be decided.

    Attributes:
        path: below the landing.
        status: `pending`, `quarantined` or `held`.
        received_at: RFC 3339.
        age_seconds: since then.
    """

    path: str
    status: str
    received_at: str
    age_seconds: int


@dataclass(frozen=True)
class DueDraft:
    """An invoice whose cut has passed and that is still a draft.

    Attributes:
        invoice_id: of the draft.
        customer_id: who will owe it.
        subscription_id: whose period it is.
        reason_code: one of `HeldBack`, or `ready`.
        reason: the same in a sentence.
    """

    invoice_id: str
    customer_id: str
    subscription_id: str
    reason_code: str
    reason: str


@dataclass(frozen=True)
class WaiverUsed:
    """An invoice that was finalized although a waived file may concern it.

    Attributes:
        invoice_number: of the invoice.
        path: of the file, below the landing.
        why: why the file may concern it, in a sentence.
        waived_by: name of who waived the file.
        waived_because: the reason that was given; None if none was.
    """

    invoice_number: str
    path: str
    why: str
    waived_by: str
    waived_because: str | None


def waivers_used(lake: Lake) -> list[WaiverUsed]:
    """One row per invoice and path of a waived file that may concern it, in order of numbers.

    A file that was landed again is named once.
    """
    rows = lake.query(
        """
        SELECT invoice_number, path, used.reason AS why,
            waived.asked_by AS waived_by, waived.reason AS waived_because
        FROM lake.acts AS used
        JOIN lake.invoices USING (invoice_id)
        JOIN lake.landing_files AS files ON files.file_id = used.file_id
        JOIN lake.acts AS waived
            ON waived.file_id = used.file_id AND waived.kind = $waive
            AND waived.act_number < used.act_number
        WHERE used.kind = $used
        QUALIFY row_number() OVER (
            PARTITION BY invoice_id, path ORDER BY waived.act_number DESC
        ) = 1
        ORDER BY series_number, used.act_number
        """,
        {"waive": ActKind.WAIVE.value, "used": ActKind.WAIVER_USED.value},
    )
    return [WaiverUsed(**row) for row in rows.iter_rows(named=True)]


def refusals(lake: Lake, sources: pl.DataFrame) -> list[Refusal]:
    """Refused lines by verdict and reason, most frequent first.

    Conflicts that their source expects (see the schema `SOURCES`) stand apart, and last.
    """
    rows = lake.query(
        f"""
        WITH latest AS ({LATEST_DECISIONS}),
        refused AS (
            SELECT refused.*, files.path FROM lake.refused_events AS refused
            JOIN latest ON latest.file_id = refused.file_id
                AND latest.revision = coalesce(refused.revision, 0)
            JOIN lake.landing_files AS files ON files.file_id = refused.file_id
            WHERE verdict <> 'not_usage'
        )
        SELECT verdict, reason_code,
            verdict = 'conflict' AND coalesce(conflicts_expected, false) AS is_expected,
            count(*) AS lines,
            any_value(reason ORDER BY file_id, line) AS example,
            any_value(path ORDER BY file_id, line) AS example_path,
            any_value(line ORDER BY file_id, line) AS example_line
        FROM refused LEFT JOIN sources USING (source) GROUP BY ALL
        ORDER BY is_expected, lines DESC, verdict, reason_code
        """,
        sources=sources.select("source", "conflicts_expected"),
    )
    return [Refusal(**row) for row in rows.iter_rows(named=True)]


def waiting_files(
    lake: Lake, states: pl.DataFrame, owners: pl.DataFrame | None = None
) -> list[WaitingFile]:
    """Quarantined and held files that nothing has healed, in the order they were registered.

    Args:
        lake: any connection.
        states: every file version; schema `FILE_STATES`.
        owners: schema `HELD_OWNERS`. None: no file is held.
    """
    unread = unread_files(states).select("file_id", "path", "status")
    if not unread.height:
        return []
    rows = lake.query(
        f"""
        WITH latest AS ({LATEST_DECISIONS})
        SELECT file_id, unread.path, unread.status, latest.reason, latest.lines, latest.rejected,
            coalesce(latest.lines - latest.rejected - coalesce(latest.blank, 0), 1) AS others
        FROM unread JOIN latest USING (file_id) ORDER BY file_id
        """,
        unread=unread,
    )
    unknown = _unknown_names(owners)
    return [
        WaitingFile(
            **row,
            what_to_do=_advice(row["status"], row["path"], others),
            unknown_names=unknown.get(file_id, []),
        )
        for row in rows.iter_rows(named=True)
        if (file_id := row.pop("file_id")) and (others := row.pop("others")) is not None
    ]


def _unknown_names(owners: pl.DataFrame | None) -> dict[int, list[str]]:
    if owners is None:
        return {}
    unknown = owners.filter(pl.col("owner_id").is_null()).sort("lines", descending=True)
    listed = unknown.group_by("file_id", maintain_order=True).agg(pl.col("name").head(NAMES_LISTED))
    return dict(listed.iter_rows())


def _advice(status: str, path: str, others: int) -> str:
    """The commands and uploads that heal a file.

    Args:
        status: `quarantined` or `held`.
        path: its path.
        others: number of its lines that are neither rejected nor blank.
    """
    kind = "rejected" if status == FileStatus.HELD and not others else status
    # The path is a sender's: a person copies the command into a shell.
    return _ADVICE[kind].format(path=shell_word(path))


def oldest_undecided(states: pl.DataFrame, now: datetime) -> OldestUndecided | None:
    """The file that waits longest to be decided, held and quarantined ones included."""
    pending = states.filter(pl.col("status") == PENDING)
    waiting = pl.concat([pending, unread_files(states)]).sort("received_at", "file_id").head(1)
    if not waiting.height:
        return None
    return _aged(waiting, now)


def _aged(waiting: pl.DataFrame, now: datetime) -> OldestUndecided:
    (row,) = waiting.to_dicts()
    received_at: datetime = row["received_at"]
    return OldestUndecided(
        path=row["path"],
        status=row["status"],
        received_at=f"{received_at:%Y-%m-%dT%H:%M:%SZ}",
        age_seconds=max(0, int((now - received_at).total_seconds())),
    )


def oldest_upload(unfinished: pl.DataFrame, now: datetime) -> OldestUndecided | None:
    """The unfinished upload that has not changed for the longest time.

    Args:
        unfinished: schema `UNFINISHED`.
        now: when the landing was listed.
    """
    uploads = unfinished.rename({"modified_at": "received_at"}).sort("received_at", "path").head(1)
    if not uploads.height:
        return None
    return _aged(uploads.with_columns(pl.lit("unfinished").alias("status")), now)


def due_drafts(
    marts: duckdb.DuckDBPyConnection, states: pl.DataFrame, known: Known, moment: Moment
) -> list[DueDraft]:
    """Why each draft whose cut has passed is still a draft; `ready` where the next run closes it.

    Args:
        marts: the published marts.
        states: every file version; schema `FILE_STATES`.
        known: what the home knows beside them.
        moment: the instant that the marts speak for, and the listing behind `states`.
    """
    # A draft that is not due yet holds back no other: whatever it waits for, its cut is later.
    drafts = marts.execute(
        """
        WITH drafts AS (
            -- A generation of an earlier version has no such column.
            SELECT NULL::VARCHAR AS fault WHERE false
            UNION ALL BY NAME
            SELECT * FROM fct_invoices WHERE status = 'draft' AND cut_at <= $as_of
        )
        SELECT * FROM drafts
        """,
        {"as_of": moment.as_of},
    ).pl()
    if not drafts.height:
        return []
    fed = source_customers(marts, "fct_source_customers")
    drafts = _completed(drafts, _TOTALS_BEFORE).select(*DRAFTS).cast(DRAFTS)
    judgement = judged(drafts, states, fed, known, moment)
    closed, held_back = as_closed(judgement, _lines_of(marts, judgement.closing.closable))
    ready = closed.with_columns(
        reason_code=pl.lit("ready"),
        reason=pl.lit("nothing holds it back any more: `meterline run` closes it"),
    )
    return [DueDraft(*row) for row in pl.concat([held_back, ready.select(DUE)]).iter_rows()]


def _lines_of(marts: duckdb.DuckDBPyConnection, drafts: pl.DataFrame) -> pl.DataFrame:
    marts.register("drafts", drafts.select("invoice_id").to_arrow())
    lines = marts.execute("SELECT * FROM fct_invoice_lines SEMI JOIN drafts USING (invoice_id)")
    found = lines.pl()
    marts.unregister("drafts")
    return _completed(found, _LINE_BEFORE)


def _completed(rows: pl.DataFrame, before: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The rows with what a generation of an earlier version did not say, as it meant it."""
    missing = {name: meant for name, meant in before.items() if name not in rows.columns}
    return rows.with_columns(**missing)


def _sum_of_tiers(tiers: str) -> str:
    return plain_decimal(sum_of_tiers({"line_id": "a line", "tiers": tiers}))


_TOTALS_BEFORE = (
    {"kind": pl.lit("arrears")}
    | {name: pl.col("total_amount") for name in ("subtotal_amount", "net_amount", "amount_due")}
    | {name: pl.lit(Decimal(0)) for name in ("discount_amount", "tax_amount", "credit_amount")}
)

_LINE_BEFORE = {
    "kind": pl.lit("usage"),
    "net_amount": pl.col("amount"),
    "amount_unrounded": pl.col("tiers").map_elements(_sum_of_tiers, pl.String),
} | {name: pl.lit(Decimal(0)) for name in ("discount_amount", "tax_amount", "credit_amount")}
