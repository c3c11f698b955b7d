"""Closed time is taken: what an edit of the catalog may not change any more.

What was billed rests on the subscription, its customer, its plan and its days. An edit that takes
one of them away is refused, with the row and the invoice it collides with. Every other edit is
allowed, and changes nothing that is closed.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from pipelines.catalog.calendar import charged_metrics
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import shown
from pipelines.catalog.periods import lives_of
from pipelines.catalog.rows import Problem
from pipelines.catalog.tables.customers import Customer, ends_of
from pipelines.catalog.tables.plans import Plan
from pipelines.catalog.tables.subscription_phases import Phase, with_rows
from pipelines.catalog.tables.subscriptions import Subscription, time_text
from pipelines.periods.lives import Lives, resolved
from pipelines.periods.open_periods import open_time, phases

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
    lives = lives_of(
        catalog.tables[Subscription].frame,
        catalog.frame(Customer),
        catalog.frame(Plan),
        phases=catalog.tables[Phase].frame,
    )
    spans = binding_spans(closed_spans).with_columns(
        closed_from=pl.col("span_start_label").min().over("subscription_id"),
        closed_to=pl.col("span_end_label").max().over("subscription_id"),
        last_period=pl.col("last_period").sort_by("span_end_label").last().over("subscription_id"),
    )
    own = resolved(lives.subscriptions, closed_spans, "start_date", "end_date")
    both = spans.join(own, on="subscription_id", suffix="_today")
    return sorted(
        [
            *_missing(spans.join(own, on="subscription_id", how="anti")),
            *_other_customer(both),
            *_other_phase(lives, spans, closed_spans),
            *_shorter_life(both),
            *_other_currency(catalog, spans),
            *_ended_customers(catalog, spans),
            *_missing_metrics(spans, metric_codes),
            *_taken_again(catalog, lives, spans, closed_spans),
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


def _taken(row: dict[str, Any]) -> str:
    return (
        f"{time_text(row['closed_from'])} to {time_text(row['closed_to'])} is closed for "
        f"subscription {shown(str(row['subscription_id']))} (last by {row['last_period']})"
    )


def _once(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The first row of each subscription, or of each value of the columns."""
    return rows.unique(columns or "subscription_id", keep="first", maintain_order=True)


def _missing(spans: pl.DataFrame) -> Iterator[Problem]:
    for row in _once(spans).iter_rows(named=True):
        name = shown(str(row["subscription_id"]))
        reason = (
            f"expected a row for {name}, found none, but {_taken(row)}; put the row back, and end "
            f"it on or after {time_text(row['closed_to'])} if it is over"
        )
        yield Problem(_SUBSCRIPTIONS, 0, "subscription_id", reason)


def _other_customer(both: pl.DataFrame) -> Iterator[Problem]:
    changed = both.filter(pl.col("customer_id") != pl.col("customer_id_today"))
    for row in _once(changed).iter_rows(named=True):
        reason = (
            f"expected customer {shown(row['customer_id'])}, found "
            f"{shown(row['customer_id_today'])}, but {_taken(row)}; put it back, end the row on or "
            f"after {time_text(row['closed_to'])}, and start another subscription then"
        )
        yield Problem(_SUBSCRIPTIONS, row["row"], "customer_id", reason)


def _other_phase(lives: Lives, spans: pl.DataFrame, all_spans: pl.DataFrame) -> Iterator[Problem]:
    """Closed time that lies in another phase today; the first phase may begin earlier.

    Bounds are compared by label. Time that a changed zone moves has no instant in common with the
    phase, and is no contradiction. Nor is time before the label of its own phase, which was in
    force there by its instant.
    """
    today = with_rows(phases(lives, all_spans), lives)
    begun = pl.max_horizontal("span_start_label", "phase_start_label")
    is_in_phase = (
        (pl.col("phase_from_label") < pl.col("span_end_label"))
        & (pl.col("phase_from_at") < pl.col("span_end_at"))
        & (pl.col("phase_to_label") > begun).fill_null(value=True)
        & (pl.col("phase_to_at") > pl.col("span_start_at")).fill_null(value=True)
    )
    begins_as_closed = (pl.col("phase_index") == 0) | (
        pl.col("phase_from_label") == pl.col("phase_start_label")
    )
    changed = spans.join(today, on="subscription_id", suffix="_today").filter(
        is_in_phase,
        (pl.col("plan_code") != pl.col("plan_code_today")) | ~begins_as_closed,
    )
    for row in changed.with_columns(begins_as_closed=begins_as_closed).iter_rows(named=True):
        column = "plan_code" if row["begins_as_closed"] else "from"
        what = (
            f"{shown(row['plan_code_today'])}"
            if row["begins_as_closed"]
            else f"{shown(row['plan_code_today'])} from {time_text(row['phase_from_label'])} on"
        )
        reason = (
            f"expected plan {shown(row['plan_code'])} from {time_text(row['phase_start_label'])} "
            f"on, found {what}, but {_taken(row)}; put it back, and let a row of {Phase.file_name} "
            f"change the plan on or after {time_text(row['closed_to'])}"
        )
        yield Problem(row["file_name"], row["line"], column, reason)


def _shorter_life(both: pl.DataFrame) -> Iterator[Problem]:
    later = pl.col("start_date_label") > pl.col("span_start_label")
    for row in _once(both.filter(later).sort("span_start_label")).iter_rows(named=True):
        reason = (
            f"expected {time_text(row['span_start_label'])} or earlier, found "
            f"{time_text(row['start_date_label'])}, but {_taken(row)}; put it back"
        )
        yield Problem(_SUBSCRIPTIONS, row["row"], "start_date", reason)
    # The very instant that closed time ends at is no earlier, whatever clocks show at it by now.
    earlier = (pl.col("end_date_label") < pl.col("span_end_label")) & (
        pl.col("end_date_at") != pl.col("span_end_at")
    )
    latest = both.filter(earlier).sort("span_end_label", descending=True)
    for row in _once(latest).iter_rows(named=True):
        reason = (
            f"expected {time_text(row['span_end_label'])} or later, found "
            f"{time_text(row['end_date_label'])}, but {_taken(row)}; end it then or later"
        )
        yield Problem(_SUBSCRIPTIONS, row["row"], "end_date", reason)


def _other_currency(catalog: Catalog, spans: pl.DataFrame) -> Iterator[Problem]:
    plans = catalog.tables[Plan].frame.select("line", "plan_code", currency_today="currency")
    both = spans.join(plans, on="plan_code")
    changed = both.filter(pl.col("currency") != pl.col("currency_today"))
    for row in _once(changed, "plan_code").iter_rows(named=True):
        reason = (
            f"expected {row['currency']}, found {row['currency_today']}, but {_taken(row)} in "
            f"{row['currency']}; put it back, and use another plan for {row['currency_today']}"
        )
        yield Problem(Plan.file_name, row["line"], "currency", reason)
    customers = catalog.tables[Customer].frame.select(
        "customer_id", customer_line="line", customer_currency="currency"
    )
    silent = both.filter(pl.col("currency_today").is_null()).join(customers, on="customer_id")
    changed = silent.filter(pl.col("currency") != pl.col("customer_currency"))
    for row in _once(changed, "customer_id", "plan_code").iter_rows(named=True):
        reason = (
            f"expected {row['currency']}, found {row['customer_currency']}, which plan "
            f"{shown(row['plan_code'])} takes because it names no currency, but {_taken(row)} in "
            f"{row['currency']}; put it back, or write {row['currency']} as the plan's currency"
        )
        yield Problem(Customer.file_name, row["customer_line"], "currency", reason)


def _ended_customers(catalog: Catalog, spans: pl.DataFrame) -> Iterator[Problem]:
    """Customers that would end within time that is closed for them: it would be nobody's."""
    lines = catalog.tables[Customer].frame.select("customer_id", "line", "ends_on")
    ending = ends_of(catalog.tables).join(lines, on="customer_id")
    cut_short = spans.join(ending, on="customer_id").filter(
        pl.col("ends_at") < pl.col("span_end_at")
    )
    for row in _once(cut_short, "customer_id").iter_rows(named=True):
        reason = (
            f"expected {time_text(row['closed_to'])} or later, found {row['ends_on']}, but "
            f"{_taken(row)}; end the customer later"
        )
        yield Problem(Customer.file_name, row["line"], "ends_on", reason)


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
    catalog: Catalog, lives: Lives, spans: pl.DataFrame, all_spans: pl.DataFrame
) -> Iterator[Problem]:
    """Open time in which a subscription would charge what another one was closed with."""
    open_to_charge = (
        with_rows(open_time(lives, all_spans), lives)
        .join(charged_metrics(catalog), on="plan_code")
        .pipe(_by_metric)
        .select("file_name", "line", "customer_id", "metric_code", "open_from_label",
                "open_to_label", other="subscription_id")
    )  # fmt: skip
    taken = (
        _by_metric(spans)
        .join(open_to_charge, on=["customer_id", "metric_code"])
        .filter(
            pl.col("other") != pl.col("subscription_id"),
            pl.col("open_from_label") < pl.col("span_end_label"),
            (pl.col("open_to_label") > pl.col("span_start_label")).fill_null(value=True),
        )
        .unique(["file_name", "line", "subscription_id"], keep="first", maintain_order=True)
    )
    for row in taken.iter_rows(named=True):
        yield Problem(row["file_name"], row["line"], *_charged_again(row))


def _charged_again(row: dict[str, Any]) -> tuple[str, str]:
    """The column and the reason of open time that charges what is closed."""
    column = "start_date" if row["file_name"] == _SUBSCRIPTIONS else "from"
    return column, (
        f"{shown(row['other'])} would charge {shown(row['metric_code'])} from "
        f"{time_text(row['open_from_label'])}, but {_taken(row)}, which charged it; no event is "
        f"billed twice, so start it on or after {time_text(row['closed_to'])}"
    )


def _by_metric(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per row and metric: `metric_codes` come apart as `metric_code`."""
    codes = pl.col("metric_codes").str.split(",")
    return rows.with_columns(metric_code=codes).explode("metric_code")
