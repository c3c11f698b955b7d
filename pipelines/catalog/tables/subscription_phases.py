"""subscription_phases.csv: from when a subscription is on another plan.

What a plan charges for holds phase by phase. So the rules about prices and metrics of a
subscription over time are here.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.catalog.cells import CODE, TEXT, WHEN, YES_NO, shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.periods import FOR_EVER
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.catalog.tables.subscriptions import Subscription, time_text, whole_lives
from pipelines.periods.lives import NOTHING_CLOSED, Lives, WhenCell, resolved
from pipelines.periods.open_periods import open_time
from pipelines.periods.order import phases_out_of_order


@dataclass(frozen=True, kw_only=True)
class Phase(Row):
    """One row per change of a subscription's plan; its first plan is that of its own row.

    A change cuts the billing period: one invoice by the plan before it, and one by the plan after
    it. Tiers begin anew in each.

    An edit holds from the next run on, from the end of the last closed period. One that changes the
    plan of closed time is refused.
    """

    file_name = "subscription_phases.csv"

    subscription_id: str = column(TEXT, "The subscription.")
    from_: WhenCell = column(WHEN, "First day, or first instant, on the plan.")
    plan_code: str = column(CODE, "What is billed from then on.")
    realign: bool = column(
        YES_NO,
        "Whether periods are counted from the change on. Empty is `no`: the anchor stays.",
        empty=False,
        is_optional=True,
    )


def with_rows(tiles: pl.DataFrame, lives: Lives) -> pl.DataFrame:
    """The tiles with the place in the catalog that says which plan they are on.

    Args:
        tiles: subscription_id and phase_index, from 0.
        lives: `subscriptions` and `phases` also have `row`, their line.

    Returns:
        The columns of the tiles, `file_name` and `line`.
    """
    zones = lives.subscriptions.select("subscription_id", "time_zone")
    changes = resolved(lives.phases.join(zones, on="subscription_id"), NOTHING_CLOSED, "from")
    number = pl.int_range(1, pl.len() + 1).over("subscription_id")
    rows = [
        lives.subscriptions.select(
            "subscription_id", phase_index=0, file_name=pl.lit(Subscription.file_name), line="row"
        ),
        changes.sort("subscription_id", "from_at").select(
            "subscription_id", phase_index=number, file_name=pl.lit(Phase.file_name), line="row"
        ),
    ]
    places = pl.concat(each.cast({"phase_index": pl.Int32}) for each in rows)
    return tiles.join(places, on=["subscription_id", "phase_index"], maintain_order="left")


def phases_without_order(tables: Tables) -> Iterator[Problem]:
    """Changes come one after the other within the life, and change something."""
    phases = tables.whole(Phase).frame
    for wrong in phases_out_of_order(whole_lives(tables, phases)) if phases.height else ():
        yield Problem(Phase.file_name, wrong.row, wrong.column, wrong.reason)


def plans_by_subscription(tables: Tables) -> dict[str, set[str]]:
    """The plans that each subscription is ever on."""
    plans = defaultdict[str, set[str]](set)
    for row in (Subscription, Phase):
        frame = tables.whole(row).frame
        for subscription_id, plan_code in frame.select("subscription_id", "plan_code").iter_rows():
            plans[subscription_id].add(plan_code)
    return plans


def _tiles(tables: Tables) -> pl.DataFrame:
    """One row per subscription and phase, with its bounds, plan, file and line."""
    lives = whole_lives(tables, tables.whole(Phase).frame)
    return with_rows(open_time(lives, NOTHING_CLOSED), lives)


def lives_before_prices(tables: Tables) -> Iterator[Problem]:
    """Every charge of a plan has a price when the first subscription comes to the plan."""
    first_price = pl.col("valid_from").min().over("plan_code", "charge_code")
    firsts = (
        tables.whole(Charge)
        .where(pl.col("subscription_id").is_null())
        .frame.filter(pl.col("valid_from") == first_price)
        .unique(["plan_code", "charge_code"], keep="first", maintain_order=True)
        .select("plan_code", "charge_code", "valid_from", charge_line="line")
    )
    earliest = (
        _tiles(tables)
        .with_columns(on_plan_from=pl.col("open_from_label").dt.date())
        .sort("on_plan_from", "file_name", "line", descending=[False, True, False])
        .unique("plan_code", keep="first", maintain_order=True)
    )
    late = firsts.join(earliest, on="plan_code").filter(
        pl.col("valid_from") > pl.col("on_plan_from")
    )
    for row in late.iter_rows(named=True):
        yield Problem(
            Charge.file_name,
            row["charge_line"],
            "valid_from",
            f"{row['valid_from']} is the first price of {shown(row['charge_code'])}, but "
            f"subscription {shown(row['subscription_id'])} ({row['file_name']}, row {row['line']}) "
            f"is on plan {shown(row['plan_code'])} from {row['on_plan_from']} on; date the first "
            "price on or before that day (finalized invoices do not change)",
        )


def prices_of_other_plans(tables: Tables) -> Iterator[Problem]:
    """A subscription negotiates prices of plans that it is on at some time."""
    negotiated = tables[Charge].where(pl.col("subscription_id").is_not_null())
    if negotiated.frame.is_empty():
        return
    plans = plans_by_subscription(tables)
    for charge in negotiated:
        own = plans.get(charge.subscription_id or "")
        # An unknown subscription is a problem already.
        if own is not None and charge.plan_code not in own:
            yield charge.problem(
                "subscription_id",
                f"{shown(charge.subscription_id or '')} is never on plan "
                f"{shown(charge.plan_code)}, so it would never pay this price; write a "
                f"plan_code that it is on: {', '.join(sorted(own))}",
            )


def metrics_charged_twice(tables: Tables) -> Iterator[Problem]:
    """Subscriptions of one customer that overlap charge different metrics.

    An event need not name its subscription, so each metric must find exactly one at each instant.
    """
    charges = tables.whole(Charge).frame.drop_nulls("metric_code")
    metrics = charges.select("plan_code", "metric_code").unique()
    per_metric = ["customer_id", "metric_code"]
    earlier_end_at = (
        pl.col("open_to_at")
        .fill_null(FOR_EVER)
        .cum_max()
        .shift(1)
        .over(per_metric, order_by=["open_from_at", "line"])
    )
    has_several = pl.col("subscription_id").n_unique().over("customer_id") > 1
    charged = _tiles(tables).filter(has_several).join(metrics, on="plan_code")
    clashing = charged.filter(pl.col("open_from_at") < earlier_end_at)
    clashes = defaultdict[tuple[str, int, str, int], list[_Clash]](list)
    for _, rows in charged.join(clashing, on=per_metric, how="semi").group_by(per_metric):
        for clash in _clashes(rows):
            key = (clash.row["file_name"], clash.row["line"], clash.latest["file_name"])
            clashes[*key, clash.latest["line"]].append(clash)
    for same in clashes.values():
        row, latest = same[0].row, same[0].latest
        codes = ", ".join(sorted(shown(each.row["metric_code"]) for each in same))
        other = "" if latest["file_name"] == row["file_name"] else f"{latest['file_name']}, "
        yield Problem(
            row["file_name"],
            row["line"],
            "plan_code",
            f"{shown(row['plan_code'])} charges {codes} from {time_text(row['open_from_label'])}, "
            f"for which subscription {shown(latest['subscription_id'])} ({other}row "
            f"{latest['line']}) bills the same customer until "
            f"{time_text(latest['open_to_label'])}; no event is billed twice for one metric, so "
            "end one before the other starts, or use a plan without that metric",
        )


@dataclass(frozen=True)
class _Clash:
    """Two tiles that overlap; `latest` began first."""

    row: dict[str, Any]
    latest: dict[str, Any]


def _clashes(rows: pl.DataFrame) -> Iterator[_Clash]:
    latest: dict[str, Any] | None = None
    for row in rows.sort("open_from_at", "line").iter_rows(named=True):
        is_open = latest is not None and latest["open_to_at"] is None
        if latest is not None and (is_open or row["open_from_at"] < latest["open_to_at"]):
            yield _Clash(row, latest)
        if latest is None or (
            not is_open and (row["open_to_at"] is None or row["open_to_at"] > latest["open_to_at"])
        ):
            latest = row


def plans_without_charges(tables: Tables) -> Iterator[str]:
    """A plan that is subscribed to but has no charges gives empty invoices."""
    charged = tables[Charge].frame["plan_code"]
    subscribed = {*tables[Subscription].frame["plan_code"], *tables[Phase].frame["plan_code"]}
    for plan_code in sorted(subscribed - set(charged)):
        yield f"plan {shown(plan_code)} has subscriptions but no charges: its invoices are empty"


TABLE = CatalogTable(
    Phase,
    key=("subscription_id", "from"),
    references=(
        Reference(("subscription_id",), "subscriptions.csv"),
        Reference(("plan_code",), "plans.csv"),
    ),
    rules=(
        phases_without_order,
        lives_before_prices,
        prices_of_other_plans,
        metrics_charged_twice,
    ),
    warnings=(plans_without_charges,),
    is_optional=True,
    is_seed=False,
)
