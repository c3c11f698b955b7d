"""Closed time is taken: what an edit of the catalog may not change any more.

What was billed rests on the subscription, its customer, its plan and its days. An edit that takes
one of them away is refused, with the row and the invoice it collides with. Every other edit is
allowed, and changes nothing that is closed.
"""

from collections.abc import Iterator

import polars as pl

from pipelines.catalog.calendar import charged_metrics
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import shown
from pipelines.catalog.periods import lives_of
from pipelines.catalog.rows import Problem
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.plans import Plan
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.periods.open_periods import open_time

_SUBSCRIPTIONS = Subscription.file_name


def collisions(
    catalog: Catalog, closed_spans: pl.DataFrame, metric_codes: frozenset[str]
) -> list[Problem]:
    """Everything in the catalog that contradicts what is closed, ordered by place.

    Example: May is closed for the subscription s1. Its row may get an end on 1 June, and may not
    get one on 20 May.

    Args:
        catalog: the catalog in use.
        closed_spans: schema `CLOSED_SPANS`.
        metric_codes: the billable metrics there are.
    """
    lives = catalog.tables[Subscription].frame
    spans = binding_spans(closed_spans).with_columns(
        pl.col("span_start_label").dt.date().alias("closed_from"),
        pl.col("span_end_label").dt.date().alias("closed_to"),
    )
    both = spans.join(lives, on="subscription_id", suffix="_today")
    return sorted(
        [
            *_missing(spans.join(lives, on="subscription_id", how="anti")),
            *_other_owner(both),
            *_shorter_life(both),
            *_other_currency(catalog, spans),
            *_missing_metrics(spans, metric_codes),
            *_taken_again(catalog, spans, closed_spans),
        ]
    )


def binding_spans(closed_spans: pl.DataFrame) -> pl.DataFrame:
    """The spans that an edit must not contradict; schema `CLOSED_SPANS`.

    Closed time binds nobody if its invoice is void and another invoice of the customer covers it.

    Example: May was billed twice, as s1 and as s2. Once the invoice of s2 is void, s2 may leave
    the catalog.
    """
    is_void = pl.col("void_invoice_id").is_not_null()
    valid = closed_spans.filter(~is_void)
    covered = (
        closed_spans.filter(is_void)
        .join(valid, on="customer_id", suffix="_valid")
        .filter(
            pl.col("span_start_at_valid") <= pl.col("span_start_at"),
            pl.col("span_end_at_valid") >= pl.col("span_end_at"),
        )
    )
    return closed_spans.join(
        covered, on=["subscription_id", "void_invoice_id"], how="anti", maintain_order="left"
    )


def customers_billed_twice(closed_spans: pl.DataFrame) -> list[str]:
    """The customers of whom two invoices that are not void bill one metric at one instant.

    Args:
        closed_spans: schema `CLOSED_SPANS`.
    """
    valid = _by_metric(
        closed_spans.filter(pl.col("void_invoice_id").is_null(), pl.col("metric_codes") != "")
    )
    per_metric = ["customer_id", "metric_code"]
    earlier_end_at = (
        pl.col("span_end_at").cum_max().shift(1).over(per_metric, order_by="span_start_at")
    )
    twice = valid.filter(
        (pl.col("span_start_at") < earlier_end_at).fill_null(value=False)
        | pl.col("overlaps_itself").fill_null(value=False)
    )
    return sorted(twice["customer_id"].unique())


def _taken(row: dict[str, object]) -> str:
    return (
        f"{row['closed_from']} to {row['closed_to']} is closed for subscription "
        f"{shown(str(row['subscription_id']))} (last by {row['last_period']})"
    )


def _missing(spans: pl.DataFrame) -> Iterator[Problem]:
    for row in spans.iter_rows(named=True):
        name = shown(str(row["subscription_id"]))
        reason = (
            f"expected a row for {name}, found none, but {_taken(row)}; put the row back, and end "
            f"it on or after {row['closed_to']} if it is over"
        )
        yield Problem(_SUBSCRIPTIONS, 0, "subscription_id", reason)


def _other_owner(both: pl.DataFrame) -> Iterator[Problem]:
    for column, what in (("customer_id", "customer"), ("plan_code", "plan")):
        changed = both.filter(pl.col(column) != pl.col(f"{column}_today"))
        for row in changed.iter_rows(named=True):
            reason = (
                f"expected {what} {shown(row[column])}, found {shown(row[f'{column}_today'])}, but "
                f"{_taken(row)}; put it back, end the row on or after {row['closed_to']}, and "
                f"start another subscription then"
            )
            yield Problem(_SUBSCRIPTIONS, row["line"], column, reason)


def _shorter_life(both: pl.DataFrame) -> Iterator[Problem]:
    for row in both.filter(pl.col("start_date") > pl.col("closed_from")).iter_rows(named=True):
        reason = (
            f"expected {row['closed_from']} or earlier, found {row['start_date']}, but "
            f"{_taken(row)}"
        )
        yield Problem(_SUBSCRIPTIONS, row["line"], "start_date", reason)
    for row in both.filter(pl.col("end_date") < pl.col("closed_to")).iter_rows(named=True):
        reason = f"expected {row['closed_to']} or later, found {row['end_date']}, but {_taken(row)}"
        yield Problem(_SUBSCRIPTIONS, row["line"], "end_date", reason)


def _other_currency(catalog: Catalog, spans: pl.DataFrame) -> Iterator[Problem]:
    plans = catalog.tables[Plan].frame.select("line", "plan_code", currency_today="currency")
    changed = (
        spans.join(plans, on="plan_code")
        .filter(pl.col("currency") != pl.col("currency_today"))
        .unique("plan_code", keep="first", maintain_order=True)
    )
    for row in changed.iter_rows(named=True):
        reason = (
            f"expected {row['currency']}, found {row['currency_today']}, but {_taken(row)} in "
            f"{row['currency']}; put it back, and use another plan for {row['currency_today']}"
        )
        yield Problem(Plan.file_name, row["line"], "currency", reason)


def _missing_metrics(spans: pl.DataFrame, metric_codes: frozenset[str]) -> Iterator[Problem]:
    gone = (
        _by_metric(spans)
        .filter(pl.col("metric_code") != "", ~pl.col("metric_code").is_in(sorted(metric_codes)))
        .unique("metric_code", keep="first", maintain_order=True)
    )
    for row in gone.iter_rows(named=True):
        reason = f"expected the metric {shown(row['metric_code'])}, found none, but {_taken(row)}"
        yield Problem(f"metric_{row['metric_code']}.sql", 0, "", f"{reason}; put the file back")


def _taken_again(
    catalog: Catalog, spans: pl.DataFrame, all_spans: pl.DataFrame
) -> Iterator[Problem]:
    """Open time in which a subscription would charge what another one was closed with."""
    rows = catalog.tables[Subscription].frame
    lives = lives_of(rows, catalog.frame(Customer), catalog.frame(Plan))
    open_to_charge = (
        open_time(lives, all_spans)
        .join(rows.select("line", "subscription_id"), on="subscription_id")
        .join(charged_metrics(catalog), on="plan_code")
        .pipe(_by_metric)
        .select("line", "customer_id", "metric_code", "open_from_label", "open_to_label",
                other="subscription_id", open_from_date=pl.col("open_from_label").dt.date())
    )  # fmt: skip
    taken = (
        _by_metric(spans)
        .join(open_to_charge, on=["customer_id", "metric_code"])
        .filter(
            pl.col("other") != pl.col("subscription_id"),
            pl.col("open_from_label") < pl.col("span_end_label"),
            (pl.col("open_to_label") > pl.col("span_start_label")).fill_null(value=True),
        )
        .unique(["line", "subscription_id"], keep="first", maintain_order=True)
    )
    for row in taken.iter_rows(named=True):
        reason = (
            f"{shown(row['other'])} would charge {shown(row['metric_code'])} from "
            f"{row['open_from_date']}, but {_taken(row)}, which charged it; no event is billed "
            f"twice, so start it on or after {row['closed_to']}"
        )
        yield Problem(_SUBSCRIPTIONS, row["line"], "start_date", reason)


def _by_metric(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per row and metric: `metric_codes` come apart as `metric_code`."""
    codes = pl.col("metric_codes").str.split(",")
    return rows.with_columns(metric_code=codes).explode("metric_code")
