"""The closed book: what the lake knows of closed time, as much of it as a run needs.

A subscription may have thousands of closed periods. A run reads their spans, a few rows a
subscription, and the periods themselves only where events may still lie in them.
"""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from pipelines.lake.acts import DRAFT_ID, VOID_INVOICES
from pipelines.lake.lake import Lake
from pipelines.vocabulary.frames import CLOSED_CUTS, CLOSED_SPANS, ZONE_SPANS
from pipelines.vocabulary.reopened import NOTHING_REOPENED, REOPENED_PERIODS
from pipelines.vocabulary.tables import CLOSED_PERIODS

_NEWEST = """
    SELECT each.* FROM lake.closed_periods AS each
    ANTI JOIN (
        SELECT subscription_id, period_start_label, max(revision) AS revision
        FROM lake.closed_periods WHERE revision > 0 GROUP BY ALL
    ) AS newest
        ON each.subscription_id = newest.subscription_id
        AND each.period_start_label = newest.period_start_label
        AND each.revision < newest.revision
"""
"""SQL: each period by its newest revision, closed or reopened.

A window over all periods would sort them. Few periods have a second revision.
"""

NEWEST_CLOSED = f"{_NEWEST} WHERE each.state = 'closed'"
"""SQL: each closed period by its newest revision, without those that were reopened."""

STILL_CLOSED = f"""
    SELECT closed.* FROM ({NEWEST_CLOSED}) AS closed
    ANTI JOIN reopened
        ON closed.subscription_id = reopened.subscription_id
        AND closed.period_start_label = reopened.period_start_label
"""
"""SQL: the same without those that the run reopens; needs a frame `reopened`."""


_SPAN_FACTS = (
    "subscription_id, customer_id, plan_code, currency, time_zone, metric_codes, "
    "phase_start_label, void_invoice_id"
)

_SPAN = """
    min(period_start_at) AS span_start_at, max(period_end_at) AS span_end_at,
    min(period_start_label) AS span_start_label, max(period_end_label) AS span_end_label,
    max(cut_at) AS last_cut_at, arg_max(period, period_end_label) AS last_period,
    sum(epoch_us(period_end_at) - epoch_us(period_start_at))
        > epoch_us(max(period_end_at)) - epoch_us(min(period_start_at)) AS overlaps_itself
"""

_SUBSCRIPTIONS_PER_QUERY = 2_000
"""Subscriptions whose periods are sorted at a time; it bounds the memory."""

_PERIODS = f"""
    SELECT *, coalesce(
            invoice_id,
            subscription_id || '/'
            || replace(replace(period_start_label::VARCHAR, ' 00:00:00', ''), ' ', 'T')
        ) AS period,
        CASE WHEN invoice_id IN ({VOID_INVOICES}) THEN invoice_id END AS void_invoice_id
    FROM ({STILL_CLOSED})
"""


def _is_chain(start: str, end: str) -> str:
    """SQL: whether the periods of a group follow each other, without a gap or an overlap.

    So it is if and only if the ends are the starts, but for the first start and the last end.
    Sums of hashes compare them without sorting.
    """
    return (
        f"sum(hash({start})) - hash(min({start})) = sum(hash({end})) - hash(max({end})) AS is_chain"
    )


def closed_spans(lake: Lake, reopened: pl.DataFrame = NOTHING_REOPENED) -> pl.DataFrame:
    """One row per subscription and span of closed time; schema `CLOSED_SPANS`.

    The period of a void invoice is a span of its own.

    Args:
        lake: any connection.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.
    """
    chains = lake.query(
        f"""
        SELECT {_SPAN_FACTS}, {_SPAN}, {_is_chain("period_start_label", "period_end_label")}
        FROM ({_PERIODS}) GROUP BY {_SPAN_FACTS}
        """,
        reopened=reopened,
    )
    broken = (
        chains.filter(~pl.col("is_chain")).select("subscription_id").unique(maintain_order=True)
    )
    whole = chains.join(broken, on="subscription_id", how="anti")
    parts = broken.iter_slices(_SUBSCRIPTIONS_PER_QUERY)
    spans = [whole, *(_broken_spans(lake, part, reopened) for part in parts if part.height)]
    return pl.concat([each.select(CLOSED_SPANS.names()).cast(CLOSED_SPANS) for each in spans]).sort(
        "subscription_id", "span_start_label"
    )


def _broken_spans(lake: Lake, subscriptions: pl.DataFrame, reopened: pl.DataFrame) -> pl.DataFrame:
    """The spans of these subscriptions, whose periods leave gaps or overlap."""
    return lake.query(
        f"""
        WITH followed AS (
            SELECT *, max(period_end_label) OVER (
                PARTITION BY {_SPAN_FACTS} ORDER BY period_start_label
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS earlier_end_label
            FROM ({_PERIODS}) SEMI JOIN subscriptions USING (subscription_id)
        ),
        numbered AS (
            SELECT *, sum(CASE WHEN period_start_label <= earlier_end_label THEN 0 ELSE 1 END)
                OVER (
                    PARTITION BY {_SPAN_FACTS} ORDER BY period_start_label
                    ROWS UNBOUNDED PRECEDING
                ) AS span_number
            FROM followed
        )
        SELECT {_SPAN_FACTS}, {_SPAN} FROM numbered GROUP BY {_SPAN_FACTS}, span_number
        """,
        subscriptions=subscriptions,
        reopened=reopened,
    )


def reopened_periods(lake: Lake, invoices: Collection[str] = ()) -> pl.DataFrame:
    """Every period that was closed and is open time again; schema `REOPENED_PERIODS`.

    Args:
        lake: any connection.
        invoices: ids of the invoices whose periods the run reopens.
    """
    asked = pl.DataFrame({"invoice_id": list(invoices)}, {"invoice_id": pl.String()})
    return lake.query(
        f"""
        WITH periods AS (
            SELECT subscription_id, period_start_label, period_end_label, invoice_id,
                {DRAFT_ID} AS draft_id, state = 'closed' AS is_asked,
                revision + (state = 'closed')::INTEGER AS revision
            FROM ({_NEWEST})
            WHERE state = 'reopened' OR invoice_id IN (SELECT invoice_id FROM asked)
        ),
        taken AS (
            SELECT draft_id, count(*) AS documents FROM periods JOIN lake.invoices AS documents
                ON periods.subscription_id = documents.subscription_id
                AND regexp_full_match(
                    documents.invoice_id, regexp_escape(periods.draft_id) || '(/r[0-9]+)?'
                )
            GROUP BY draft_id
        )
        SELECT periods.*, CASE WHEN documents IS NULL THEN draft_id
            ELSE draft_id || '/r' || (documents + 1)::BIGINT END AS next_invoice_id
        FROM periods LEFT JOIN taken USING (draft_id)
        ORDER BY subscription_id, period_start_label
        """,
        asked=asked,
    ).select(pl.col(name).cast(dtype) for name, dtype in REOPENED_PERIODS.items())


def reopening_rows(lake: Lake, reopened: pl.DataFrame, batch_id: int) -> pl.DataFrame:
    """The rows of the lake table `closed_periods` that reopen periods.

    Args:
        lake: any connection.
        reopened: schema `REOPENED_PERIODS`; those that are asked for count.
        batch_id: number of the transaction that writes the rows.
    """
    asked = reopened.filter("is_asked").select(
        "subscription_id", "period_start_label", newest="revision"
    )
    rows = lake.query(
        f"""
        SELECT closed.*, newest FROM ({NEWEST_CLOSED}) AS closed
        JOIN asked USING (subscription_id, period_start_label)
        ORDER BY subscription_id, period_start_label
        """,
        asked=asked,
    ).with_columns(batch_id=pl.lit(batch_id), revision=pl.col("newest"), state=pl.lit("reopened"))
    return rows.select(pl.col(name).cast(dtype) for name, dtype in CLOSED_PERIODS.schema.items())


def closed_zones(lake: Lake) -> pl.DataFrame:
    """One row per time zone of closed periods: time_zone, and the instants from_at and to_at.

    They are the first and the last bound of its periods, those of the whole rhythm included.
    """
    return lake.query(
        f"""
        SELECT time_zone, min(least(period_start_at, full_start_at)) AS from_at,
            max(greatest(period_end_at, full_end_at)) AS to_at
        FROM ({NEWEST_CLOSED}) GROUP BY time_zone ORDER BY time_zone
        """
    ).cast(ZONE_SPANS)


def closed_cuts(
    lake: Lake, since: datetime | None, received_at: pl.Series | None = None
) -> pl.DataFrame:
    """The bounds and the cut of closed periods; schema `CLOSED_CUTS`.

    Periods that follow each other are one row where no file can tell their cuts apart. The row has
    the last of these cuts. So a year of closed days is a few rows.

    Example: files were received on 10 and 12 June. All days that were cut by 10 June are one row,
    those cut after it and by 12 June are another, and all later ones a third.

    Args:
        lake: any connection.
        since: no event is asked about that happened before; None asks about all.
        received_at: of the files that are asked about; None: every period has a row of its own.
    """
    asked = f"SELECT * FROM ({NEWEST_CLOSED}) WHERE $since IS NULL OR period_end_at > $since"
    if received_at is None:
        found = lake.query(f"SELECT {_CUT_FACTS}, {_BOUNDS} FROM ({asked})", {"since": since})
        return found.select(CLOSED_CUTS.names()).cast(CLOSED_CUTS)
    cuts = lake.query("SELECT DISTINCT cut_at FROM lake.closed_periods").cast(
        {"cut_at": CLOSED_CUTS["cut_at"]}
    )
    received = received_at.unique().sort().to_frame("judged_at")
    judged = cuts.sort("cut_at").join_asof(
        received.with_columns(cut_at="judged_at"), on="cut_at", strategy="forward"
    )
    chains = lake.query(
        f"""
        SELECT {_CUT_FACTS}, min(period_start_at) AS period_start_at,
            max(period_end_at) AS period_end_at, max(cut_at) AS cut_at,
            {_is_chain("period_start_at", "period_end_at")}
        FROM ({asked}) JOIN judged USING (cut_at) GROUP BY {_CUT_FACTS}, judged_at
        """,
        {"since": since},
        judged=judged,
    )
    broken = chains.filter(~pl.col("is_chain")).select("subscription_id").unique()
    parts = [chains.join(broken, on="subscription_id", how="anti")]
    if broken.height:
        parts.append(
            lake.query(
                f"SELECT {_CUT_FACTS}, {_BOUNDS} FROM ({asked}) SEMI JOIN broken USING "
                "(subscription_id)",
                {"since": since},
                broken=broken,
            )
        )
    return pl.concat([each.select(CLOSED_CUTS.names()).cast(CLOSED_CUTS) for each in parts])


_CUT_FACTS = "subscription_id, customer_id, late_usage_policy"
_BOUNDS = "period_start_at, period_end_at, cut_at"


def closed_count(lake: Lake) -> int:
    """The number of rows of the closed book."""
    return lake.row_count("closed_periods")


def periods_without_terms(lake: Lake) -> int:
    """The number of closed periods whose terms were not kept, so that nothing rates them again."""
    found = lake.query(f"SELECT count(*) AS n FROM ({NEWEST_CLOSED}) WHERE terms_digest IS NULL")
    return int(found["n"][0])


def double_bills(
    lake: Lake, customers: Collection[str], reopened: pl.DataFrame = NOTHING_REOPENED
) -> pl.DataFrame:
    """One row per pair of invoices that bill one metric of one customer at one instant.

    Void invoices bill nothing.

    Args:
        lake: any connection.
        customers: the customers to look at.
        reopened: closed periods that count as open; schema `REOPENED_PERIODS`.

    Returns:
        customer_id, invoice_number (the earlier one), other_number, metric_code, and the local
        dates from_date and to_date between which both bill; ordered by the numbers.
    """
    return lake.query(
        f"""
        WITH billed AS (
            SELECT closed.*, coalesce(chain_position, series_number) AS position, invoice_number,
                unnest(string_split(metric_codes, ',')) AS metric_code
            FROM ({STILL_CLOSED}) AS closed JOIN lake.invoices USING (invoice_id)
            WHERE closed.customer_id IN $customers AND invoice_id NOT IN ({VOID_INVOICES})
        )
        SELECT earlier.customer_id, earlier.invoice_number,
            later.invoice_number AS other_number, min(earlier.metric_code) AS metric_code,
            min(greatest(earlier.period_start_label, later.period_start_label))::DATE AS from_date,
            max(least(earlier.period_end_label, later.period_end_label))::DATE AS to_date
        FROM billed AS earlier JOIN billed AS later
            ON earlier.customer_id = later.customer_id
            AND earlier.metric_code = later.metric_code AND earlier.metric_code != ''
            AND earlier.position < later.position
            AND earlier.period_start_at < later.period_end_at
            AND later.period_start_at < earlier.period_end_at
        GROUP BY earlier.customer_id, earlier.invoice_number, later.invoice_number
        ORDER BY earlier.invoice_number, later.invoice_number
        """,
        {"customers": sorted(customers)},
        reopened=reopened,
    )
