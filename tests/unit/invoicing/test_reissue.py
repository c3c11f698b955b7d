"""Reissue: which open periods are closed anew, with which cut, and what is refused."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.invoicing.reissue import reissued_periods, with_reissue_cut
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.frames import BILLING_PERIODS
from pipelines.vocabulary.reopened import NOTHING_REOPENED, REOPENED_PERIODS

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def periods(*spans: tuple[str, int, int]) -> pl.DataFrame:
    """Open periods: subscription, and first and next day of March 2026; they end with their cut."""
    rows = [
        {
            "subscription_id": subscription_id,
            "period_start_at": _instant(start),
            "period_end_at": _instant(end),
            "period_start_label": _instant(start).replace(tzinfo=None),
            "period_end_label": _instant(end).replace(tzinfo=None),
            "cut_at": _instant(end),
        }
        for subscription_id, start, end in spans
    ]
    return pl.DataFrame(rows, schema_overrides=BILLING_PERIODS).select(
        pl.col(name) if name in rows[0] else pl.lit(None, dtype).alias(name)
        for name, dtype in BILLING_PERIODS.items()
    )


def reopened(*spans: tuple[str, int, int], is_asked: bool = True) -> pl.DataFrame:
    """Periods that are reopened; each had an invoice that is named by its first day."""
    rows = [
        {
            "subscription_id": subscription_id,
            "period_start_label": _instant(start).replace(tzinfo=None),
            "period_end_label": _instant(end).replace(tzinfo=None),
            "revision": 1,
            "invoice_id": f"{subscription_id}/{start}",
            "next_invoice_id": f"{subscription_id}/{start}/r2",
            "is_asked": is_asked,
        }
        for subscription_id, start, end in spans
    ]
    return pl.DataFrame(rows, REOPENED_PERIODS)


def _instant(day: int) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + (day - 1) * DAY


def corrected(found: pl.DataFrame) -> list[tuple[str, int, str]]:
    """Subscription, first day in March, and the invoice that had it."""
    return [
        (row["subscription_id"], row["period_start_at"].day, row["corrects_invoice_id"])
        for row in reissued_periods(found, reopened(("s", 10, 20), ("t", 5, 6))).iter_rows(
            named=True
        )
    ]


def test_a_period_is_reissued_if_it_begins_in_reopened_time() -> None:
    assert corrected(periods(("s", 10, 20))) == [("s", 10, "s/10")]
    assert corrected(periods(("s", 10, 15), ("s", 15, 20))) == [
        ("s", 10, "s/10"),
        ("s", 15, "s/10"),
    ]
    assert corrected(periods(("s", 19, 20), ("t", 5, 6))) == [("s", 19, "s/10"), ("t", 5, "t/5")]
    # The day at which reopened time ends, and the one before it begins.
    assert corrected(periods(("s", 20, 25), ("s", 9, 10), ("t", 10, 12))) == []


def test_a_reissue_is_a_cut_of_its_own() -> None:
    open_time = periods(("s", 10, 15), ("s", 15, 20), ("s", 20, 30), ("t", 10, 20))

    found = with_reissue_cut(open_time, reopened(("s", 10, 20)), AS_OF)

    assert found["cut_at"].to_list() == [AS_OF, AS_OF, _instant(30), _instant(20)]
    assert found.drop("cut_at").equals(open_time.drop("cut_at"))


def test_nothing_is_reissued_without_being_asked() -> None:
    open_time = periods(("s", 10, 20))

    assert with_reissue_cut(open_time, NOTHING_REOPENED, AS_OF).equals(open_time)
    before = reopened(("s", 10, 20), is_asked=False)
    assert with_reissue_cut(open_time, before, AS_OF).equals(open_time)


def test_time_that_is_no_period_any_more_is_closed_by_nothing() -> None:
    open_time = periods(("s", 20, 30))

    assert with_reissue_cut(open_time, reopened(("s", 10, 20)), AS_OF).equals(open_time)


@pytest.mark.parametrize(
    ("asked", "is_refused"),
    [
        pytest.param([("s", 10, 20)], True, id="the period ends after it"),
        pytest.param([("s", 10, 20), ("s", 20, 30)], False, id="with the invoice after it"),
        pytest.param([("s", 20, 30), ("s", 10, 20)], False, id="in any order"),
        pytest.param([("s", 10, 20), ("s", 21, 30)], True, id="with a gap"),
        pytest.param([("s", 10, 20), ("t", 20, 30)], True, id="with another subscription's"),
    ],
)
def test_a_period_that_is_not_over_in_reopened_time_is_refused(
    asked: list[tuple[str, int, int]], is_refused: bool
) -> None:
    open_time = periods(("s", 10, 30))
    if not is_refused:
        found = with_reissue_cut(open_time, reopened(*asked), AS_OF)
        assert found["cut_at"].to_list() == [AS_OF]
        return
    sentence = (
        "s/10: by today's catalog its time belongs to a period that ends on 2026-03-30, and only "
        "time up to 2026-03-20 is reissued; reissue the invoices up to 2026-03-30 with it, or let "
        "the change of s begin on 2026-03-20 or later; nothing was changed"
    )
    with pytest.raises(MeterlineError, match=sentence):
        with_reissue_cut(open_time, reopened(*asked), AS_OF)
