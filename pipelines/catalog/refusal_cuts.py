"""From when usage of a period is refused: names × periods, as one step function per name."""

from datetime import UTC, datetime

import polars as pl

from pipelines.vocabulary.frames import REFUSAL_CUTS, RefKind
from pipelines.vocabulary.tables import UTC_MICROSECONDS


def customer_names(customers: pl.DataFrame, aliases: pl.DataFrame) -> pl.DataFrame:
    """Every name an event may call a customer by: one row per id, and per alias and validity.

    Args:
        customers: customer_id, ends_at (UTC; null = never): from then on the id names nobody.
        aliases: alias, customer_id, valid_from_at, valid_to_at (UTC; null = open); the catalog
            holds at most one meaning of a name at each instant.

    Returns:
        `CUSTOMER_NAMES`, ordered by (name, valid_from_at), an open start first.
    """
    always = pl.lit(None, dtype=UTC_MICROSECONDS)
    ids = customers.select(
        pl.col("customer_id").alias("name"),
        "customer_id",
        always.alias("valid_from_at"),
        pl.col("ends_at").alias("valid_to_at"),
    )
    named = aliases.select(
        pl.col("alias").alias("name"), "customer_id", "valid_from_at", "valid_to_at"
    )
    return pl.concat([ids, named]).sort("name", "valid_from_at", nulls_last=False)


def refusal_cuts(names: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """When usage comes too late for every invoice: per name, a step function of occurred_at.

    An event that names a subscription is refused as backdated when it was received at or after
    the cut of that subscription's period. One that names only a customer is refused when that
    is so for every subscription of the customer whose life holds `occurred_at`. So the latest
    of those cuts decides, and one as-of join (backward, by kind and name) finds it. Where no
    subscription holds the instant, the name means nobody, or the policy of one of these periods
    is `adjust`, it is null: nothing is refused.

    Give only the names at hand when they are few among many: the outcome has no other
    customers' names. Subscriptions are called by their ids alone; they have no aliases.

    Args:
        names: `CUSTOMER_NAMES`.
        periods: `CLOSED_CUTS`, of open time too, where the cut is the end of the grace.

    Returns:
        `REFUSAL_CUTS`: one row per name and instant from which another cut holds, until the
        name's next row; ordered by (kind, name, from_at). Before a name's first row nothing is
        refused.
    """
    rejects = pl.col("late_usage_policy") == "reject"
    rejecting = periods.lazy().filter(rejects).select("customer_id").unique()
    refusing = (
        periods.lazy()
        .join(rejecting, on="customer_id", how="semi")
        .with_columns(cut_at=pl.when(rejects).then("cut_at").otherwise(_NEVER))
    )
    of_customers = (
        names.lazy()
        .join(refusing, on="customer_id")
        .select(
            "name",
            "cut_at",
            kind=pl.lit(RefKind.CUSTOMER.value),
            span_start_at=pl.max_horizontal("period_start_at", "valid_from_at"),
            span_end_at=pl.min_horizontal("period_end_at", "valid_to_at"),
        )
    )
    of_subscriptions = refusing.select(
        pl.col("subscription_id").alias("name"),
        "cut_at",
        kind=pl.lit(RefKind.SUBSCRIPTION.value),
        span_start_at="period_start_at",
        span_end_at="period_end_at",
    )
    return _latest_cuts(pl.concat([of_customers, of_subscriptions]))


_REF = ["kind", "name"]

_NEVER = pl.lit(datetime(9999, 1, 1, tzinfo=UTC), UTC_MICROSECONDS)
"""The cut of a period whose usage is never refused: it is later than every other."""


def _latest_cuts(spans_with_cut: pl.LazyFrame) -> pl.DataFrame:
    """The steps of all names: schema `REFUSAL_CUTS`, ordered, only where the cut changes."""
    spans = (
        spans_with_cut.filter(pl.col("span_start_at") < pl.col("span_end_at"))
        .sort(*_REF, "span_start_at")
        .collect()
    )
    overlaps = _is_same_name(-1) & (pl.col("span_end_at") > pl.col("span_start_at").shift(-1))
    crowded = spans.filter(overlaps).select(_REF).unique()
    steps = pl.concat(
        [
            _steps_apart(spans.join(crowded, on=_REF, how="anti", maintain_order="left")),
            _steps_crowded(spans.join(crowded, on=_REF, how="semi")),
        ]
    ).sort(*_REF, "from_at")
    is_cut = pl.col("latest_cut_at") < _NEVER
    steps = steps.with_columns(latest_cut_at=pl.when(is_cut).then("latest_cut_at"))
    is_new = ~_is_same_name(1) | pl.col("latest_cut_at").ne_missing(pl.col("latest_cut_at").shift())
    refuses_before = _is_same_name(1) | pl.col("latest_cut_at").is_not_null()
    return steps.filter(is_new & refuses_before).select(REFUSAL_CUTS.names())


def _is_same_name(places: int) -> pl.Expr:
    """True for a row of the same kind and name as the row 1 place before it, or -1: after it."""
    same = (pl.col(column) == pl.col(column).shift(places) for column in _REF)
    return pl.all_horizontal(same).fill_null(value=False)


def _steps_apart(spans: pl.DataFrame) -> pl.DataFrame:
    """The steps of names whose spans do not overlap: one for each span, one for each gap after it.

    Nearly all names of most catalogs are such. They need no join, which saves two thirds of the
    time.

    Args:
        spans: sorted by kind, name and start.
    """
    goes_on = _is_same_name(-1) & (pl.col("span_end_at") == pl.col("span_start_at").shift(-1))
    begun = spans.select(*_REF, from_at="span_start_at", latest_cut_at="cut_at")
    ended = spans.filter(~goes_on).select(
        *_REF, from_at="span_end_at", latest_cut_at=pl.lit(None, UTC_MICROSECONDS)
    )
    return pl.concat([begun, ended])


def _steps_crowded(spans_with_cut: pl.DataFrame) -> pl.DataFrame:
    """The steps of names whose spans overlap: the latest cut of all that hold an instant."""
    # Periods of subscriptions that run in step have one span: their latest cut stands for all.
    spans = spans_with_cut.group_by(*_REF, "span_start_at", "span_end_at").agg(
        pl.col("cut_at").max()
    )
    # Every bound begins a segment; a span covers the segments from its start up to its end.
    segments = (
        pl.concat(
            [
                spans.select(*_REF, from_at="span_start_at"),
                spans.select(*_REF, from_at="span_end_at"),
            ]
        )
        .unique()
        .sort(*_REF, "from_at")
        .with_columns(segment=pl.int_range(pl.len()))
    )
    latest_cuts = (
        spans.join(_as("span_start_at", "first", segments), on=[*_REF, "span_start_at"])
        .join(_as("span_end_at", "beyond", segments), on=[*_REF, "span_end_at"])
        .select("cut_at", segment=pl.int_ranges("first", "beyond"))
        .explode("segment")
        .group_by("segment")
        .agg(latest_cut_at=pl.col("cut_at").max())
    )
    return segments.join(latest_cuts, on="segment", how="left").select(
        *_REF, "from_at", "latest_cut_at"
    )


def _as(instant: str, position: str, segments: pl.DataFrame) -> pl.DataFrame:
    return segments.rename({"from_at": instant, "segment": position})
