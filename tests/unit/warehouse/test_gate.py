"""Every input of the marts changes the digest, and nothing else does, not even the time."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.vocabulary.frames import BILLING_PERIODS
from pipelines.vocabulary.tables import BATCHES, CLOSED_PERIODS
from pipelines.warehouse.gate import inputs_digest
from tests.worlds.deliveries import NOON, TICK
from tests.worlds.lakes import LakeInMemory, lake_rows

HOME = Path("/home")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SETTLE = HOUR
FACTS = RunFacts(
    as_of=NOON,
    listing_started_at=NOON,
    catalog_digest="c" * 64,
    catalog_files={},
    code_revision="d" * 64,
)


def periods(*starts: tuple[str, datetime], grace: timedelta = DAY) -> pl.DataFrame:
    """Billing periods of ten days, one row for each subscription and start."""
    rows = [
        {
            "subscription_id": subscription_id,
            "period_start_at": start_at,
            "period_end_at": start_at + 10 * DAY,
            "cut_at": start_at + 10 * DAY + grace,
            "period_start_date": date(2026, 3, 1),
        }
        for subscription_id, start_at in starts
    ]
    complete = [{name: row.get(name) for name in BILLING_PERIODS} for row in rows]
    return pl.DataFrame(complete, schema=BILLING_PERIODS)


# One period of s1 has ended and was cut, the next one is running. s2 has one running period.
CUT_AT = NOON - 5 * DAY
ENDED = ("s1", CUT_AT - 11 * DAY)
PERIODS = periods(ENDED, ("s1", CUT_AT - DAY), ("s2", NOON - 3 * DAY))


def digest(
    lake: Lake,
    billing_periods: pl.DataFrame = PERIODS,
    facts: RunFacts = FACTS,
    home: Path = HOME,
    settle: timedelta = SETTLE,
) -> str:
    return inputs_digest(lake, home, billing_periods, facts, settle)


def commit(lake: LakeInMemory, kind: str, *invoiced: tuple[str, datetime]) -> None:
    """Commits a batch that closes each period."""
    batch_id = lake.last_batch_id() + 1
    rows = [
        {
            "batch_id": batch_id,
            "subscription_id": subscription_id,
            "period_start_at": start_at,
            "cut_at": start_at + 11 * DAY,
            "event_batch_id": lake.last_batch_id("decide"),
            "revision": 0,
            "state": "closed",
        }
        for subscription_id, start_at in invoiced
    ]
    lake.append(BATCHES, lake_rows(BATCHES, {"batch_id": batch_id, "kind": kind}))
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, *rows))


@pytest.fixture
def lake() -> Iterator[LakeInMemory]:
    with LakeInMemory() as made:
        yield made


def test_digest_is_of_sha256_and_repeatable(lake: LakeInMemory) -> None:
    assert len(digest(lake)) == 64
    assert digest(lake) == digest(lake)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"facts": replace(FACTS, catalog_digest="e" * 64)}, id="catalog"),
        pytest.param({"facts": replace(FACTS, code_revision="e" * 64)}, id="code"),
        pytest.param({"home": Path("/copy")}, id="home"),
        pytest.param(
            {"billing_periods": pl.concat([PERIODS, periods(("s3", NOON))])}, id="a period begun"
        ),
        pytest.param(
            {"billing_periods": pl.concat([PERIODS[1:], periods(("s9", ENDED[1]))])},
            id="another subscription due",
        ),
        pytest.param(
            {"billing_periods": pl.concat([PERIODS[1:], periods(("s1", ENDED[1] - DAY))])},
            id="another period due",
        ),
        pytest.param({"settle": 24 * 5 * HOUR + TICK}, id="a longer settle time"),
    ],
)
def test_what_the_marts_depend_on_changes_the_digest(
    lake: LakeInMemory, changed: Mapping[str, object]
) -> None:
    assert digest(lake, **changed) != digest(lake)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"facts": replace(FACTS, as_of=NOON + HOUR)}, id="as_of"),
        pytest.param({"facts": replace(FACTS, listing_started_at=NOON + HOUR)}, id="listing"),
        pytest.param(
            {"facts": replace(FACTS, as_of=NOON + HOUR, listing_started_at=NOON + HOUR)}, id="both"
        ),
        pytest.param({"facts": replace(FACTS, catalog_files={"a": b""})}, id="files of the digest"),
        pytest.param({"billing_periods": PERIODS.reverse()}, id="order of the periods"),
        pytest.param(
            {"billing_periods": pl.concat([PERIODS, periods(("s3", NOON + TICK))])},
            id="a period not begun",
        ),
    ],
)
def test_time_alone_and_what_it_has_not_reached_do_not(
    lake: LakeInMemory, changed: Mapping[str, object]
) -> None:
    assert digest(lake, **changed) == digest(lake)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("as_of", "listing_started_at", "is_due"),
    [
        pytest.param(CUT_AT - TICK, CUT_AT + SETTLE, False, id="a tick before the cut"),
        pytest.param(CUT_AT, CUT_AT + SETTLE, True, id="exactly at the cut, settled"),
        pytest.param(CUT_AT, CUT_AT + SETTLE - TICK, False, id="a tick before it is settled"),
        pytest.param(CUT_AT, CUT_AT, False, id="listed at the cut"),
        pytest.param(CUT_AT + DAY, CUT_AT + SETTLE - TICK, False, id="past, listed too early"),
        pytest.param(CUT_AT + DAY, CUT_AT + DAY, True, id="long settled"),
    ],
)
def test_cut_becomes_due_exactly_when_it_is_reached_and_settled(
    lake: LakeInMemory, as_of: datetime, listing_started_at: datetime, is_due: bool
) -> None:
    one_period = periods(ENDED)
    facts = replace(FACTS, as_of=as_of, listing_started_at=listing_started_at)
    never_due = digest(lake, one_period, facts, settle=365 * DAY)

    assert (digest(lake, one_period, facts) != never_due) is is_due


@pytest.mark.parametrize(
    "instant",
    [
        pytest.param(ENDED[1], id="start"),
        pytest.param(CUT_AT - DAY, id="end"),
        # The marts show in which of these states a period is.
        pytest.param(CUT_AT, id="cut"),
    ],
)
def test_each_bound_of_a_period_changes_the_digest_from_its_instant_on(
    lake: LakeInMemory, instant: datetime
) -> None:
    def at(as_of: datetime) -> str:
        facts = replace(FACTS, as_of=as_of, listing_started_at=as_of)
        return digest(lake, periods(ENDED), facts)

    assert at(instant - TICK) != at(instant)
    assert at(instant - TICK) == at(instant - 30 * TICK)
    assert at(instant) == at(instant + 30 * TICK)


def test_each_batch_of_events_changes_the_digest(lake: LakeInMemory) -> None:
    digests = []
    for _ in range(3):
        digests.append(digest(lake))
        commit(lake, "decide")

    assert len(set(digests)) == 3


def test_closing_without_an_invoice_changes_nothing(lake: LakeInMemory) -> None:
    before = digest(lake)
    commit(lake, "close")

    assert digest(lake) == before


def test_closed_period_is_no_longer_due(lake: LakeInMemory) -> None:
    drafted = digest(lake)
    commit(lake, "close", ENDED)
    open_time = PERIODS[1:]
    closed = digest(lake, open_time)
    # Nothing is due any more, so the settle time makes no difference.
    patient = digest(lake, open_time, settle=365 * DAY)

    assert closed != drafted
    assert closed == patient


def test_what_a_run_leaves_due_is_for_the_next_one(lake: LakeInMemory) -> None:
    def of_run(billing_periods: pl.DataFrame, *, leaves_due: bool) -> str:
        return inputs_digest(lake, HOME, billing_periods, FACTS, SETTLE, leaves_due=leaves_due)

    assert of_run(PERIODS, leaves_due=True) != of_run(PERIODS, leaves_due=False) == digest(lake)
    # Where nothing is due, nothing is left.
    open_time = PERIODS[1:]
    assert of_run(open_time, leaves_due=True) == of_run(open_time, leaves_due=False)


def test_invoice_of_another_subscription_or_period_leaves_the_cut_due(lake: LakeInMemory) -> None:
    commit(lake, "close", ("s2", ENDED[1]), ("s1", ENDED[1] - 10 * DAY))

    assert digest(lake) != digest(lake, settle=365 * DAY)


def test_a_start_that_settles_counts_where_a_fee_in_advance_may_be_due(lake: LakeInMemory) -> None:
    started = PERIODS.with_columns(plan_code=pl.lit("ahead"))
    at_start = replace(FACTS, listing_started_at=NOON - 3 * DAY + SETTLE - TICK)
    settled = replace(FACTS, listing_started_at=NOON - 3 * DAY + SETTLE)

    digests = [
        [inputs_digest(lake, HOME, started, facts, SETTLE, plans) for facts in (at_start, settled)]
        for plans in ((), ("other",), ("ahead",))
    ]

    assert [one == other for one, other in digests] == [True, True, False]
