"""Names of customers, and from when usage of a period is refused."""

import polars as pl
import pytest

from pipelines.catalog.refusal_cuts import customer_names, refusal_cuts
from pipelines.vocabulary.frames import CUSTOMER_NAMES, REFUSAL_CUTS
from pipelines.vocabulary.tables import UTC_MICROSECONDS
from tests.worlds.periods import Terms, at, periods_of

ALIASES = pl.Schema(
    {
        "alias": pl.String(),
        "customer_id": pl.String(),
        "valid_from_at": UTC_MICROSECONDS,
        "valid_to_at": UTC_MICROSECONDS,
    }
)


def test_names_are_ids_until_they_end_and_aliases_for_their_time() -> None:
    names = customer_names(
        pl.DataFrame(
            [("c2", None), ("c1", at("2026-07-01"))],
            {"customer_id": pl.String(), "ends_at": UTC_MICROSECONDS},
            orient="row",
        ),
        pl.DataFrame(
            [("web", "c2", at("2026-06-01"), None), ("web", "c1", None, at("2026-06-01"))],
            ALIASES,
            orient="row",
        ),
    )

    assert names.schema == CUSTOMER_NAMES
    assert names.rows() == [
        ("c1", "c1", None, at("2026-07-01")),
        ("c2", "c2", None, None),
        ("web", "c1", None, at("2026-06-01")),
        ("web", "c2", at("2026-06-01"), None),
    ]


NAME_C = pl.DataFrame([("c", "c", None, None)], CUSTOMER_NAMES, orient="row")


def steps(
    names: pl.DataFrame, periods: pl.DataFrame, kind: str = "customer"
) -> list[tuple[str, str, str | None]]:
    cuts = refusal_cuts(names, periods)
    assert cuts.schema == REFUSAL_CUTS
    return (
        cuts.filter(kind=kind)
        .select("name", pl.col("from_at", "latest_cut_at").dt.to_string("%m-%d"))
        .rows()
    )


def test_cuts_follow_the_periods_and_end_with_the_life() -> None:
    periods = periods_of(Terms(grace=5, end="2026-03-01"), "2026-12-31")

    assert steps(NAME_C, periods) == [
        ("c", "01-01", "02-06"),
        ("c", "02-01", "03-06"),
        ("c", "03-01", None),
    ]


def test_the_latest_cut_of_several_subscriptions_decides() -> None:
    monthly = periods_of(Terms(end="2026-03-01"), "2026-12-31")
    quarterly = periods_of(Terms("quarter", "2026-02-10", end="2026-03-10"), "2026-12-31")

    assert steps(NAME_C, pl.concat([monthly, quarterly])) == [
        ("c", "01-01", "02-01"),
        ("c", "02-01", "03-01"),
        ("c", "02-10", "03-10"),
        ("c", "03-10", None),
    ]


def test_a_subscription_has_its_own_cuts_even_where_it_is_called_like_the_customer() -> None:
    monthly = periods_of(Terms(end="2026-03-01"), "2026-12-31").with_columns(
        subscription_id=pl.lit("c")
    )
    quarterly = periods_of(Terms("quarter", "2026-02-10", end="2026-03-10"), "2026-12-31")
    periods = pl.concat([monthly, quarterly])

    assert steps(NAME_C, periods, kind="subscription") == [
        ("c", "01-01", "02-01"),
        ("c", "02-01", "03-01"),
        ("c", "03-01", None),
        ("s", "02-10", "03-10"),
        ("s", "03-10", None),
    ]
    assert ("c", "02-10", "03-10") in steps(NAME_C, periods)


def test_a_subscription_of_a_customer_who_adjusts_refuses_nothing() -> None:
    periods = periods_of(Terms(policy="adjust"), "2026-12-31")

    assert steps(NAME_C, periods, kind="subscription") == []


def test_usage_that_one_subscription_still_takes_is_not_refused_for_another() -> None:
    # The policy became `adjust` when the month was closed, and only the quarter was open.
    monthly = periods_of(Terms(end="2026-03-01"), "2026-12-31")
    quarterly = periods_of(
        Terms("quarter", "2026-02-10", end="2026-02-20", policy="adjust"), "2026-12-31"
    ).with_columns(subscription_id=pl.lit("t"))
    periods = pl.concat([monthly, quarterly])

    assert steps(NAME_C, periods) == [
        ("c", "01-01", "02-01"),
        ("c", "02-01", "03-01"),
        ("c", "02-10", None),
        ("c", "02-20", "03-01"),
        ("c", "03-01", None),
    ]
    assert [step for step in steps(NAME_C, periods, "subscription") if step[0] == "t"] == []


def test_a_life_that_pauses_refuses_nothing_meanwhile() -> None:
    before = periods_of(Terms(end="2026-01-11"), "2026-12-31")
    after = periods_of(Terms(start="2026-01-21", end="2026-02-01"), "2026-12-31")

    assert steps(NAME_C, pl.concat([before, after])) == [
        ("c", "01-01", "01-11"),
        ("c", "01-11", None),
        ("c", "01-21", "02-01"),
        ("c", "02-01", None),
    ]


def test_names_with_one_subscription_and_with_several_stand_in_one_order() -> None:
    one = periods_of(Terms(end="2026-03-01"), "2026-12-31")
    names = pl.DataFrame(
        [(name, name, None, None) for name in ("a", "b", "c")], CUSTOMER_NAMES, orient="row"
    )
    quarterly = periods_of(Terms("quarter", "2026-02-28", end="2026-03-10"), "2026-12-31")
    periods = pl.concat(
        [
            *(one.with_columns(customer_id=pl.lit(name)) for name in ("a", "b", "c")),
            # It overlaps the other subscription of b by a day: its later cut stands from then on.
            quarterly.with_columns(customer_id=pl.lit("b")),
        ]
    )

    assert steps(names, periods) == [
        *[("a", "01-01", "02-01"), ("a", "02-01", "03-01"), ("a", "03-01", None)],
        *[("b", "01-01", "02-01"), ("b", "02-01", "03-01"), ("b", "02-28", "03-10")],
        ("b", "03-10", None),
        *[("c", "01-01", "02-01"), ("c", "02-01", "03-01"), ("c", "03-01", None)],
    ]


def test_spans_that_touch_and_share_a_cut_are_one_step() -> None:
    january = periods_of(Terms(end="2026-02-01"), "2026-12-31")
    until = periods_of(Terms(start="2026-02-01", end="2026-02-10"), "2026-12-31")
    periods = pl.concat([january, until]).with_columns(cut_at=pl.lit(at("2026-03-01")))

    assert steps(NAME_C, periods) == [("c", "01-01", "03-01"), ("c", "02-10", None)]


def test_an_alias_refuses_only_while_it_means_the_customer() -> None:
    periods = periods_of(Terms(end="2026-03-01"), "2026-12-31")
    alias = pl.DataFrame(
        [("web", "c", at("2026-01-10"), at("2026-02-10"))], CUSTOMER_NAMES, orient="row"
    )

    assert steps(alias, periods) == [
        ("web", "01-10", "02-01"),
        ("web", "02-01", "03-01"),
        ("web", "02-10", None),
    ]


def test_an_alias_that_ends_inside_two_periods_keeps_the_later_cut() -> None:
    monthly = periods_of(Terms(), "2026-01-31")
    quarterly = periods_of(Terms("quarter"), "2026-01-31")
    alias = pl.DataFrame([("web", "c", None, at("2026-01-10"))], CUSTOMER_NAMES, orient="row")

    assert steps(alias, pl.concat([monthly, quarterly])) == [
        ("web", "01-01", "04-01"),
        ("web", "01-10", None),
    ]


def test_an_alias_that_changes_hands_follows_each_customer() -> None:
    first = periods_of(Terms(end="2026-02-01"), "2026-12-31")
    second = periods_of(Terms(end="2026-02-01", grace=9), "2026-12-31").with_columns(
        customer_id=pl.lit("d")
    )
    names = pl.DataFrame(
        [("web", "c", None, at("2026-01-15")), ("web", "d", at("2026-01-15"), None)],
        CUSTOMER_NAMES,
        orient="row",
    )

    assert steps(names, pl.concat([first, second])) == [
        ("web", "01-01", "02-01"),
        ("web", "01-15", "02-10"),
        ("web", "02-01", None),
    ]


@pytest.mark.parametrize(
    ("names", "policy"),
    [
        pytest.param(NAME_C, "adjust", id="customer-who-adjusts"),
        pytest.param(
            pl.DataFrame([("x", "x", None, None)], CUSTOMER_NAMES, orient="row"),
            "reject",
            id="customer-without-subscription",
        ),
        pytest.param(pl.DataFrame(schema=CUSTOMER_NAMES), "reject", id="no-names"),
    ],
)
def test_nothing_is_refused(names: pl.DataFrame, policy: str) -> None:
    periods = periods_of(Terms(policy=policy), "2026-12-31")

    assert steps(names, periods) == []
    assert steps(names, periods.clear()) == []
