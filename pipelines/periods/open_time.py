"""Open time: a subscription's life less its closed time, cut where its plan changes.

Starts, ends and changes are compared with closed time by label. A bound that open time shares with
closed time is the instant that is stored there, whatever the zone is by now.
"""

from datetime import datetime

import polars as pl

from pipelines.periods.rhythm import with_anchor_label

_FOR_EVER = datetime.max  # noqa: DTZ901 -- a label
"""The label at which a life without end would end."""


def open_spans(lives: pl.DataFrame, closed: pl.DataFrame) -> pl.DataFrame:
    """The open time of each subscription: its life less its closed time, compared by label.

    A bound at which closed time of the same customer ends or begins is the stored instant.

    Example: a subscription starts on 1 January and has no end. March and May are closed. It is
    open from 1 January to 1 March, in April, and from 1 June on. Another one that starts on 1 April
    starts at the instant that ends March, also if the zone was changed since.

    Args:
        lives: subscription_id, customer_id and the label and the instant of start_date and
            end_date; one row per subscription.
        closed: schema `CLOSED_SPANS`.

    Returns:
        One row per span: subscription_id, open_from_label, open_from_at, open_to_label, open_to_at
        (null: for ever), last_cut_at (null: none is closed), and `is_stored`: whether open_from_at
        is of closed time.
    """
    life = lives.select(
        "subscription_id",
        "customer_id",
        "start_date_label",
        "start_date_at",
        "end_date_label",
        "end_date_at",
    )
    begun, ended = _edges_of_customers(closed)
    gaps = _around(closed)
    never_closed = life.join(gaps, on="subscription_id", how="anti").select("subscription_id")
    # Where the life ends before closed time begins, that is no bound of it.
    is_end_of_life = pl.col("open_to_label") == pl.col("end_date_label").fill_null(_FOR_EVER)
    found = (
        life.join(pl.concat([gaps, never_closed], how="diagonal"), on="subscription_id")
        .with_columns(
            pl.coalesce("open_from_label", "start_date_label").alias("open_from_label"),
            pl.min_horizontal("open_to_label", "end_date_label").alias("open_to_label"),
        )
        .join(ended, on=["customer_id", "open_from_label"], how="left")
        .join(begun, on=["customer_id", "open_to_label"], how="left")
        .with_columns(
            stored_from_at=pl.coalesce("stored_from_at", "ended_at"),
            stored_to_at=pl.coalesce(pl.when(~is_end_of_life).then("stored_to_at"), "begun_at"),
        )
    )
    return found.select(
        "subscription_id",
        "open_from_label",
        "open_to_label",
        pl.coalesce("stored_from_at", "start_date_at").alias("open_from_at"),
        pl.coalesce("stored_to_at", "end_date_at").alias("open_to_at"),
        "last_cut_at",
        is_stored=pl.col("stored_from_at").is_not_null(),
    ).filter(pl.col("open_from_label") < pl.col("open_to_label").fill_null(_FOR_EVER))


def _edges_of_customers(closed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The stored instants at which closed time of a customer begins, and ends, by label."""
    begun = closed.group_by("customer_id", open_to_label="span_start_label").agg(
        begun_at=pl.col("span_start_at").min()
    )
    ended = closed.group_by("customer_id", open_from_label="span_end_label").agg(
        ended_at=pl.col("span_end_at").max()
    )
    return begun, ended


def _around(closed: pl.DataFrame) -> pl.DataFrame:
    """The time before, between and after the closed spans of each subscription that has any."""
    # Spans touch where a subscription's terms changed, and overlap where it was billed twice.
    spans = closed.sort("subscription_id", "span_start_label").with_columns(
        pl.col("last_cut_at").max().over("subscription_id"),
        pl.col("span_end_label", "span_end_at").cum_max().over("subscription_id"),
    )
    after = spans.select(
        "subscription_id",
        "last_cut_at",
        open_from_label="span_end_label",
        stored_from_at="span_end_at",
        open_to_label=pl.col("span_start_label").shift(-1).over("subscription_id"),
        stored_to_at=pl.col("span_start_at").shift(-1).over("subscription_id"),
    )
    before = spans.unique("subscription_id", keep="first", maintain_order=True).select(
        "subscription_id",
        "last_cut_at",
        open_to_label="span_start_label",
        stored_to_at="span_start_at",
    )
    return pl.concat([after, before], how="diagonal")


def phases_of(lives: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """The phases of each subscription, the first one too, with the anchor that is in force.

    Args:
        lives: schema `SUBSCRIPTIONS`, resolved.
        changes: schema `PHASES`, resolved.

    Returns:
        One row per subscription and phase, in order: subscription_id, phase_index (from 0),
        plan_code, currency, anchor_label, and the label and the instant of phase_from and phase_to
        (null: the last phase).
    """
    own = with_anchor_label(lives).select(
        "subscription_id",
        "plan_code",
        "currency",
        "anchor_label",
        phase_from_label="start_date_label",
        phase_from_at="start_date_at",
    )
    moved = pl.when(pl.col("realign").fill_null(value=False)).then("from_label")
    later = changes.select(
        "subscription_id",
        "plan_code",
        "currency",
        anchor_label=moved,
        phase_from_label="from_label",
        phase_from_at="from_at",
    ).join(own.select("subscription_id"), on="subscription_id", how="semi")
    if later.is_empty():
        nothing = pl.lit(None)
        return own.with_columns(
            phase_index=pl.lit(0, pl.Int32),
            phase_to_label=nothing.cast(own.schema["phase_from_label"]),
            phase_to_at=nothing.cast(own.schema["phase_from_at"]),
        )
    return (
        pl.concat([own, later])
        .sort("subscription_id", "phase_from_at")
        .with_columns(
            pl.col("anchor_label").forward_fill().over("subscription_id"),
            phase_index=pl.int_range(pl.len(), dtype=pl.Int32).over("subscription_id"),
            phase_to_label=pl.col("phase_from_label").shift(-1).over("subscription_id"),
            phase_to_at=pl.col("phase_from_at").shift(-1).over("subscription_id"),
        )
    )


def open_phases(spans: pl.DataFrame, phases: pl.DataFrame) -> pl.DataFrame:
    """The open time of each phase of each subscription; a span of `open_spans` ends at its end.

    A change that does not come after the start of a span, by label or by instant, is in force from
    there on. So a changed zone leaves no span without an instant.

    Args:
        spans: as `open_spans` returns them.
        phases: as `phases_of` returns them.

    Returns:
        One row per span and phase, ordered by subscription_id and start: the columns of both.
        open_from and open_to are the bounds of the phase's part of the span.
    """
    begins_before = (pl.col("phase_from_label") <= pl.col("open_from_label")) | (
        pl.col("phase_from_at") <= pl.col("open_from_at")
    )
    ends_after = (
        (pl.col("phase_to_label") >= pl.col("open_to_label"))
        | (pl.col("phase_to_at") >= pl.col("open_to_at"))
    ).fill_null(value=False) | pl.col("phase_to_label").is_null()
    both = spans.join(phases, on="subscription_id")
    return (
        both.with_columns(
            *(
                pl.when(begins_before)
                .then(f"open_from_{bound}")
                .otherwise(f"phase_from_{bound}")
                .alias(f"open_from_{bound}")
                for bound in ("label", "at")
            ),
            *(
                pl.when(ends_after)
                .then(f"open_to_{bound}")
                .otherwise(f"phase_to_{bound}")
                .alias(f"open_to_{bound}")
                for bound in ("label", "at")
            ),
            is_stored=pl.col("is_stored") & begins_before,
        )
        .filter(
            (pl.col("open_from_label") < pl.col("open_to_label").fill_null(_FOR_EVER)),
            (pl.col("open_from_at") < pl.col("open_to_at")).fill_null(value=True),
        )
        .sort("subscription_id", "open_from_label")
    )
