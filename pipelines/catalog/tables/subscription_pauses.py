"""subscription_pauses.csv: the days on which a subscription rests."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.catalog.cells import TEXT, WHEN
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.subscriptions import whole_lives
from pipelines.periods.lives import WhenCell
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


TABLE = CatalogTable(
    Pause,
    key=("subscription_id", "from"),
    references=(Reference(("subscription_id",), "subscriptions.csv"),),
    rules=(pauses_without_order,),
    is_optional=True,
    is_seed=False,
)
