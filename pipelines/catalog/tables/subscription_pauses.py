"""subscription_pauses.csv: the days on which a subscription rests."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.catalog.cells import TEXT, WHEN, shown
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.subscriptions import time_text, whole_lives
from pipelines.periods.lives import NOTHING_CLOSED, WhenCell, resolved
from pipelines.periods.order import pauses_out_of_order


@dataclass(frozen=True, kw_only=True)
class Pause(Row):
    """One row per pause of a subscription; usage that happens in it is billed.

    The local day of `from`, and the days up to that before `to`, are no service days. Periods are
    what they are without the pause.

    An edit holds from the next run on, for periods that are not closed.
    """

    file_name = "subscription_pauses.csv"

    subscription_id: str = column(TEXT, "The subscription.")
    from_: WhenCell = column(WHEN, "First day, or first instant, of the pause.")
    to: WhenCell = column(WHEN, "First day, or first instant, after it.")


def pauses_without_order(tables: Tables) -> Iterator[Problem]:
    """A pause ends after it begins, and overlaps no other one of its subscription."""
    pauses = tables.whole(Pause).frame
    for wrong in pauses_out_of_order(whole_lives(tables, pauses=pauses)) if pauses.height else ():
        yield Problem(Pause.file_name, wrong.row, wrong.column, wrong.reason)


def pauses_outside_lives(tables: Tables) -> Iterator[str]:
    """A pause before the subscription starts, or after it ends, has no effect."""
    lives = whole_lives(tables, pauses=tables.whole(Pause).frame)
    life = resolved(lives.subscriptions, NOTHING_CLOSED, "start_date", "end_date")
    bounds = life.select("subscription_id", "time_zone", "start_date_at", "end_date_at")
    pauses = lives.pauses.join(bounds, on="subscription_id", maintain_order="left")
    outside = resolved(pauses, NOTHING_CLOSED, "from", "to").filter(
        (pl.col("to_at") <= pl.col("start_date_at"))
        | (pl.col("from_at") >= pl.col("end_date_at")).fill_null(value=False)
    )
    for row in outside.iter_rows(named=True):
        yield (
            f"the pause of subscription {shown(row['subscription_id'])} ({Pause.file_name}, row "
            f"{row['row']}) from {time_text(row['from_label'])} to {time_text(row['to_label'])} "
            "lies outside its life: it has no effect"
        )


TABLE = CatalogTable(
    Pause,
    key=("subscription_id", "from"),
    references=(Reference(("subscription_id",), "subscriptions.csv"),),
    rules=(pauses_without_order,),
    warnings=(pauses_outside_lives,),
    is_optional=True,
    is_seed=False,
)
