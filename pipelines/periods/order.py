"""Order: what contradicts itself in lives, whoever wrote them down.

The rules of the catalog and those of previews are these. A start, a change and an end must come in
order by the local clock and by instant: a period has a label, and it has time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.periods.lives import NOTHING_CLOSED, Lives, resolved
from pipelines.periods.rhythm import STEP_MONTHS, WEEKDAYS
from pipelines.vocabulary.instants import rfc3339_text


@dataclass(frozen=True)
class Contradiction:
    """What contradicts itself at one place of a life.

    Attributes:
        subscription_id: the life.
        row: number of the row, as the frame has it.
        column: its column.
        reason: a sentence that shows the value and says what to do.
    """

    subscription_id: str
    row: int
    column: str
    reason: str


def ends_out_of_order(lives: Lives) -> Iterator[Contradiction]:
    """Lives that do not end after they start.

    Args:
        lives: `subscriptions` also has `row`, the number by which a person knows the row.
    """
    own = _own(lives)
    for each in own.filter(~_is_before("start_date", "end_date")).iter_rows(named=True):
        yield Contradiction(
            each["subscription_id"],
            each["row"],
            "end_date",
            f"expected later than the start, {_text(each, 'start_date')}, by the local clock and "
            f"by instant, found {_text(each, 'end_date')}; correct one of them",
        )


def phases_out_of_order(lives: Lives) -> Iterator[Contradiction]:
    """Changes of plan that do not lie between the start and the end, each later than the last.

    A change that keeps the plan must not move the anchor: nothing would say that this was meant,
    and tiers would begin anew.

    Args:
        lives: `subscriptions` and `phases` also have `row`.
    """
    own = _own(lives).rename({"plan_code": "own_plan_code"})
    life = ("start_date_label", "start_date_at", "end_date_label", "end_date_at", "own_plan_code")
    before = {
        "before_label": pl.coalesce(_previous("from_label"), "start_date_label"),
        "before_at": pl.coalesce(_previous("from_at"), "start_date_at"),
        "before_row": _previous("row"),
        "before_plan_code": pl.coalesce(_previous("plan_code"), "own_plan_code"),
    }
    changes = (
        _resolved(lives.phases, own, "from")
        .join(own.select("subscription_id", *life), on="subscription_id")
        .sort("subscription_id", "from_at", "row")
        .with_columns(**before)
        .with_columns(
            is_later=_is_before("before", "from"),
            is_in_life=_is_before("from", "end_date").fill_null(value=True),
            is_idle=pl.col("realign") & (pl.col("plan_code") == pl.col("before_plan_code")),
        )
    )
    wrong = changes.filter(~pl.col("is_later") | ~pl.col("is_in_life") | pl.col("is_idle"))
    for each in wrong.iter_rows(named=True):
        yield Contradiction(each["subscription_id"], each["row"], *_wrong_change(each))


def _wrong_change(row: dict[str, Any]) -> tuple[str, str]:
    """The column and the reason of a change that is out of order, or changes nothing."""
    if not row["is_later"]:
        last = "start" if row["before_row"] is None else f"change of row {row['before_row']}"
        return "from", (
            f"expected later than the {last}, {_text(row, 'before')}, by the local clock and by "
            f"instant, found {_text(row, 'from')}; correct one of them"
        )
    if not row["is_in_life"]:
        return "from", (
            f"expected before the end, {_text(row, 'end_date')}, by the local clock and by "
            f"instant, found {_text(row, 'from')}; correct one of them"
        )
    return "realign", (
        f"yes, but the plan stays {row['plan_code']!r}: only the anchor would change; name the "
        "plan that it changes to, or remove the row and write another anchor"
    )


def pauses_out_of_order(lives: Lives) -> Iterator[Contradiction]:
    """Pauses that do not end after they begin, and those that overlap another one.

    Args:
        lives: `pauses` also has `row`.
    """
    earlier_end_at = pl.col("to_at").cum_max().shift(1).over("subscription_id")
    pauses = (
        _resolved(lives.pauses, lives.subscriptions, "from", "to")
        .sort("subscription_id", "from_at", "row")
        .with_columns(
            is_span=_is_before("from", "to"),
            is_apart=(pl.col("from_at") >= earlier_end_at).fill_null(value=True),
            earlier_end_at=earlier_end_at,
        )
    )
    wrong = pauses.filter(~pl.col("is_span") | ~pl.col("is_apart"))
    for each in wrong.iter_rows(named=True):
        if not each["is_span"]:
            reason = (
                f"expected later than from, {_text(each, 'from')}, by the local clock and by "
                f"instant, found {_text(each, 'to')}; correct one of them"
            )
            yield Contradiction(each["subscription_id"], each["row"], "to", reason)
        if not each["is_apart"]:
            other = pauses.filter(
                subscription_id=each["subscription_id"], to_at=each["earlier_end_at"]
            )
            reason = (
                f"expected at or after the end of the pause of row {other['row'][0]}, "
                f"{rfc3339_text(each['earlier_end_at'])}, found {_text(each, 'from')}; pauses do "
                "not overlap, so correct one of them or write one row for both"
            )
            yield Contradiction(each["subscription_id"], each["row"], "from", reason)


@dataclass(frozen=True)
class WrongAnchor:
    """What is wrong with the anchor of a rhythm.

    Attributes:
        column: anchor_day or anchor_at.
        is_missing: True if it must have a value and has none.
        reason: a sentence that shows the value and says what to do.
    """

    column: str
    is_missing: bool
    reason: str


def anchor_out_of_order(
    interval: str | None, anchor: str | None, anchor_day: str | None, *, has_anchor_at: bool
) -> Iterator[WrongAnchor]:
    """What an anchor lacks or has too much, or has that does not go with its interval.

    Args:
        interval: one of `INTERVALS`; None where it is not known.
        anchor: one of `ANCHORS`; None where it is not known.
        anchor_day: a day of the month or of the week; None: not given.
        has_anchor_at: whether `anchor_at` is given.
    """
    if anchor is None:
        return
    for column, of, is_there in (
        ("anchor_day", "day", anchor_day is not None),
        ("anchor_at", "at", has_anchor_at),
    ):
        if anchor == of and not is_there:
            yield WrongAnchor(column, True, f"is missing; anchor {anchor} needs it, so write it")
        elif anchor != of and is_there:
            reason = f"goes with anchor {of}, not with {anchor}; remove it, or write anchor {of}"
            yield WrongAnchor(column, False, reason)
    if anchor != "day" or anchor_day is None or interval is None:
        return
    is_weekday = anchor_day in WEEKDAYS
    if interval == "week" if is_weekday else interval in STEP_MONTHS:
        return
    fits = "week" if is_weekday else "month, quarter, half_year or year"
    advice = "write anchor calendar" if interval == "day" else "correct one of them"
    reason = f"{anchor_day} goes with the interval {fits}, not with {interval}; {advice}"
    yield WrongAnchor("anchor_day", False, reason)


def _own(lives: Lives) -> pl.DataFrame:
    return resolved(lives.subscriptions, NOTHING_CLOSED, "start_date", "end_date")


def _resolved(rows: pl.DataFrame, subscriptions: pl.DataFrame, *columns: str) -> pl.DataFrame:
    zones = subscriptions.select("subscription_id", "time_zone")
    return resolved(rows.join(zones, on="subscription_id"), NOTHING_CLOSED, *columns)


def _previous(column: str) -> pl.Expr:
    return pl.col(column).shift(1).over("subscription_id")


def _is_before(one: str, other: str) -> pl.Expr:
    labels = pl.col(f"{one}_label") < pl.col(f"{other}_label")
    return labels & (pl.col(f"{one}_at") < pl.col(f"{other}_at"))


def _text(row: dict[str, Any], column: str) -> str:
    label = row[f"{column}_label"].isoformat(sep=" ")
    return f"{label} local ({rfc3339_text(row[f'{column}_at'])})"
