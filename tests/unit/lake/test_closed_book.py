"""What a run reads of closed time: spans, cuts, and the newest revision of each period."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipelines.lake.closed_book import (
    closed_count,
    closed_cuts,
    closed_spans,
    closed_zones,
    double_bills,
    periods_without_terms,
    reopened_periods,
    reopening_rows,
)
from pipelines.vocabulary.frames import CLOSED_CUTS, CLOSED_SPANS, ZONE_SPANS
from pipelines.vocabulary.reopened import REOPENED_PERIODS
from pipelines.vocabulary.tables import ACTS, CLOSED_PERIODS, INVOICES
from tests.worlds.lakes import LakeInMemory, lake_rows

DAY = timedelta(days=1)
FIRST = datetime.fromisoformat("2026-03-01T00:00:00Z")


def closed(day: int, subscription_id: str = "s", days: int = 1, **facts: Any) -> dict[str, Any]:
    """A closed period that starts so many days after 1 March, with a day of grace."""
    start_at, end_at = FIRST + day * DAY, FIRST + (day + days) * DAY
    return {
        "batch_id": 2,
        "subscription_id": subscription_id,
        "revision": 0,
        "state": "closed",
        "customer_id": "c",
        "plan_code": "p",
        "currency": "EUR",
        "late_usage_policy": "reject",
        "metric_codes": "requests",
        "period_start_at": start_at,
        "period_end_at": end_at,
        "period_start_label": start_at.replace(tzinfo=None),
        "period_end_label": end_at.replace(tzinfo=None),
        "cut_at": end_at + DAY,
        "invoice_id": f"{subscription_id}/{start_at:%Y-%m-%d}",
        **facts,
    }


@pytest.fixture
def lake() -> Iterator[LakeInMemory]:
    with LakeInMemory() as made:
        yield made


def spans(lake: LakeInMemory, *periods: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Subscription, first and next day of March, and last period of each span."""
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, *periods))
    found = closed_spans(lake)
    assert found.schema == CLOSED_SPANS
    return [
        (
            row["subscription_id"],
            row["span_start_label"].day,
            row["span_end_label"].day,
            row["last_period"],
        )
        for row in found.to_dicts()
    ]


def test_nothing_is_closed_in_a_new_lake(lake: LakeInMemory) -> None:
    assert closed_count(lake) == 0
    assert spans(lake) == []
    assert closed_cuts(lake, None).schema == CLOSED_CUTS


def test_a_zone_reaches_from_its_first_rhythm_to_its_last(lake: LakeInMemory) -> None:
    tokyo, berlin = "Asia/Tokyo", "Europe/Berlin"
    whole = {"full_start_at": FIRST - 9 * DAY, "full_end_at": FIRST + 30 * DAY}
    rows = [
        closed(3, time_zone=tokyo),
        closed(5, "t", time_zone=tokyo) | whole,
        closed(0, "u", days=4, time_zone=berlin),
        # What is reopened is open time. A newer revision stands for the old one.
        closed(-30, "v", time_zone=berlin),
        closed(-30, "v", time_zone=berlin, revision=1, state="reopened"),
        closed(1, "w", time_zone="Etc/UTC"),
        closed(1, "w", time_zone=berlin, revision=1),
    ]
    assert closed_zones(lake).schema == ZONE_SPANS
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, *rows))

    assert closed_zones(lake).rows() == [
        ("Asia/Tokyo", FIRST - 9 * DAY, FIRST + 30 * DAY),
        ("Europe/Berlin", FIRST, FIRST + 4 * DAY),
    ]


def test_periods_that_follow_each_other_are_one_span(lake: LakeInMemory) -> None:
    assert spans(lake, closed(2), closed(0), closed(1), closed(5), closed(0, "t")) == [
        ("s", 1, 4, "s/2026-03-03"),
        ("s", 6, 7, "s/2026-03-06"),
        ("t", 1, 2, "t/2026-03-01"),
    ]
    assert closed_count(lake) == 5


def test_period_without_an_invoice_is_named_by_its_start(lake: LakeInMemory) -> None:
    assert spans(lake, closed(0, invoice_id=None)) == [("s", 1, 2, "s/2026-03-01")]


def test_another_plan_is_another_span(lake: LakeInMemory) -> None:
    assert [row[1:3] for row in spans(lake, closed(0), closed(1, plan_code="q"))] == [
        (1, 2),
        (2, 3),
    ]


def test_another_zone_is_another_span_that_says_its_zone(lake: LakeInMemory) -> None:
    periods = [closed(0, time_zone="Etc/UTC"), closed(1, time_zone="Asia/Tokyo")]
    assert [row[1:3] for row in spans(lake, *periods)] == [(1, 2), (2, 3)]
    assert closed_spans(lake)["time_zone"].to_list() == ["Etc/UTC", "Asia/Tokyo"]


def test_period_within_another_one_belongs_to_its_span(lake: LakeInMemory) -> None:
    # A home may hold time that was billed twice.
    assert [row[1:3] for row in spans(lake, closed(0, days=5), closed(1), closed(4))] == [(1, 6)]


def test_gap_as_long_as_an_overlap_is_still_a_gap(lake: LakeInMemory) -> None:
    # 1 to 5 March, 3 to 5 March again, then nothing for two days, then 7 to 8 March.
    overlapping = (closed(0, days=2), closed(2, days=2), closed(2, days=2), closed(6, days=1))
    assert [row[1:3] for row in spans(lake, *overlapping)] == [(1, 5), (7, 8)]


def test_newest_revision_counts_and_reopened_time_is_open(lake: LakeInMemory) -> None:
    again: dict[str, Any] = {"revision": 1, "batch_id": 3}
    assert [
        row[1:3]
        for row in spans(
            lake,
            closed(0),
            closed(1),
            closed(2),
            closed(1, state="reopened", **again),
            closed(2, cut_at=FIRST + 9 * DAY, **again),
        )
    ] == [(1, 2), (3, 4)]
    cuts = closed_cuts(lake, None).sort("period_start_at")
    assert cuts["cut_at"].to_list() == [FIRST + 2 * DAY, FIRST + 9 * DAY]


def test_cuts_are_of_periods_that_end_after_the_instant(lake: LakeInMemory) -> None:
    spans(lake, closed(0), closed(1))
    ends = [FIRST + DAY, FIRST + 2 * DAY]
    for since, expected in (
        (FIRST, ends),
        (ends[0] - timedelta(microseconds=1), ends),
        (ends[0], ends[1:]),
        (ends[1], []),
    ):
        assert sorted(closed_cuts(lake, since)["period_end_at"]) == expected


def void(lake: LakeInMemory, *invoices: str) -> None:
    rows = ({"kind": "void", "invoice_id": name} for name in invoices)
    lake.append(ACTS, lake_rows(ACTS, *rows))


def invoice(lake: LakeInMemory, number: int, invoice_id: str) -> None:
    row = {"invoice_id": invoice_id, "series_number": number, "invoice_number": f"INV-{number}"}
    lake.append(INVOICES, lake_rows(INVOICES, row))


def test_period_of_a_void_invoice_is_a_span_of_its_own(lake: LakeInMemory) -> None:
    void(lake, "s/2026-03-02")

    assert spans(lake, closed(0), closed(1), closed(2)) == [
        ("s", 1, 2, "s/2026-03-01"),
        ("s", 2, 3, "s/2026-03-02"),
        ("s", 3, 4, "s/2026-03-03"),
    ]
    assert closed_spans(lake)["void_invoice_id"].to_list() == [None, "s/2026-03-02", None]


@pytest.mark.parametrize(("day", "overlaps"), [(2, False), (1, True)])
def test_periods_of_a_span_that_overlap_are_told(
    lake: LakeInMemory, day: int, overlaps: bool
) -> None:
    spans(lake, closed(0, days=2), closed(day, days=2))

    assert closed_spans(lake)["overlaps_itself"].to_list() == [overlaps]


def test_two_invoices_that_bill_one_metric_are_named(lake: LakeInMemory) -> None:
    spans(
        lake,
        closed(0, days=3),
        closed(1, "t", days=5, metric_codes="bytes,requests"),
        closed(1, "u", metric_codes="bytes", customer_id="other"),
    )
    for number, name in enumerate(("s/2026-03-01", "t/2026-03-02", "u/2026-03-02"), start=1):
        invoice(lake, number, name)

    assert double_bills(lake, ["c", "other"]).rows() == [
        ("c", "INV-1", "INV-2", "requests", date(2026, 3, 2), date(2026, 3, 4))
    ]
    assert double_bills(lake, ["other"]).is_empty()
    void(lake, "t/2026-03-02")
    assert double_bills(lake, ["c"]).is_empty()


def test_closed_periods_without_terms_are_counted(lake: LakeInMemory) -> None:
    spans(lake, closed(0), closed(1, terms_digest="t"), closed(2))

    assert periods_without_terms(lake) == 2


def received(*days: float) -> pl.Series:
    """Instants at which files were received, so many days after 1 March."""
    return pl.Series([FIRST + day * DAY for day in days], dtype=CLOSED_CUTS["cut_at"])


def test_cuts_that_no_file_can_tell_apart_are_one_row(lake: LakeInMemory) -> None:
    # Six days of March, which are cut on 3 to 8 March.
    spans(lake, *(closed(day) for day in range(6)))
    cuts = closed_cuts(lake, None, received(4, 4, 5.5)).sort("period_start_at")
    found = [(row["period_start_at"].day, row["cut_at"].day) for row in cuts.to_dicts()]
    # Received on 5 March at 00:00, when the first three days were cut, and on 6 March at noon.
    assert found == [(1, 5), (4, 6), (5, 8)]


@pytest.mark.parametrize("seed", range(12))
def test_merged_cuts_refuse_what_each_cut_refuses(lake: LakeInMemory, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 — repeatable on purpose
    rows = [
        closed(day, name, late_usage_policy=chance.choice(["reject", "reject", "adjust"]),
               cut_at=FIRST + (day + 1 + chance.randint(0, 3)) * DAY)
        for name in ("s", "t")
        for day in range(12)
        if name == "s" or chance.random() < 0.8
    ]  # fmt: skip
    spans(lake, *rows)
    files = received(*(chance.randint(0, 18) for _ in range(chance.randint(1, 4))))

    def refused(cuts: pl.DataFrame) -> set[tuple[str, int, datetime]]:
        return {
            (row["subscription_id"], hours, at)
            for row in cuts.filter(late_usage_policy="reject").to_dicts()
            for hours in range(0, 12 * 24, 12)
            if row["period_start_at"] <= FIRST + timedelta(hours=hours) < row["period_end_at"]
            for at in files
            if at >= row["cut_at"]
        }

    assert refused(closed_cuts(lake, None, files)) == refused(closed_cuts(lake, None))


def invoices(lake: LakeInMemory, *invoice_ids: str) -> None:
    """The documents that periods of these subscriptions have."""
    rows = (
        {"invoice_id": invoice_id, "subscription_id": invoice_id.split("/")[0],
         "series_number": number}
        for number, invoice_id in enumerate(invoice_ids, start=1)
    )  # fmt: skip
    lake.append(INVOICES, lake_rows(INVOICES, *rows))


def test_a_period_is_reopened_by_the_invoice_that_closed_it(lake: LakeInMemory) -> None:
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, closed(0), closed(1), closed(0, "t")))
    invoices(lake, "s/2026-03-01", "s/2026-03-02", "t/2026-03-01")

    assert reopened_periods(lake).rows() == []
    found = reopened_periods(lake, ["s/2026-03-02"])

    assert found.schema == REOPENED_PERIODS
    start = (FIRST + DAY).replace(tzinfo=None)
    assert found.rows() == [
        ("s", start, start + DAY, 1, "s/2026-03-02", "s/2026-03-02/r2", True),
    ]
    assert spans(lake) == [("s", 1, 3, "s/2026-03-02"), ("t", 1, 2, "t/2026-03-01")]
    left = closed_spans(lake, found)
    assert left.select("subscription_id", "last_period").rows() == [
        ("s", "s/2026-03-01"),
        ("t", "t/2026-03-01"),
    ]
    assert reopening_rows(lake, found, 7).select(
        "batch_id", "subscription_id", "revision", "state", "invoice_id"
    ).rows() == [(7, "s", 1, "reopened", "s/2026-03-02")]


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param(["s/2026-03-01"], "s/2026-03-01/r2", id="second"),
        pytest.param(["s/2026-03-01", "s/2026-03-01/r2"], "s/2026-03-01/r3", id="third"),
        pytest.param([f"s/2026-03-01{each}" for each in ("", *(f"/r{n}" for n in range(2, 11)))],
                     "s/2026-03-01/r11", id="eleventh"),
        pytest.param(["s/2026-03-01", "s/2026-03-01/adjustment", "s/2026-03-01/advance",
                      "s/2026-03-01/r2x", "s/2026-03-010", "s/2026-03-02/r2"],
                     "s/2026-03-01/r2", id="other documents"),
        pytest.param([], "s/2026-03-01", id="it never had one"),
    ],
)  # fmt: skip
def test_no_invoice_has_an_id_that_one_had_before(
    lake: LakeInMemory, documents: list[str], expected: str
) -> None:
    closing = closed(0, invoice_id="the newest")
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, closing))
    invoices(lake, *documents)

    assert reopened_periods(lake, ["the newest"])["next_invoice_id"].to_list() == [expected]


def test_signs_in_the_name_of_a_subscription_are_no_pattern(lake: LakeInMemory) -> None:
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, closed(0, "a.c+(1)")))
    invoices(lake, "a.c+(1)/2026-03-01", "abc+(1)/2026-03-01")

    found = reopened_periods(lake, ["a.c+(1)/2026-03-01"])

    assert found["next_invoice_id"].to_list() == ["a.c+(1)/2026-03-01/r2"]


def test_what_was_reopened_and_has_no_period_any_more_keeps_its_number(lake: LakeInMemory) -> None:
    again: dict[str, Any] = {"batch_id": 3, "revision": 1, "state": "reopened"}
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, closed(0), closed(0, **again)))
    invoices(lake, "s/2026-03-01")

    found = reopened_periods(lake)

    assert found.select("revision", "next_invoice_id", "is_asked").rows() == [
        (1, "s/2026-03-01/r2", False)
    ]
    assert reopening_rows(lake, found, 7).height == 0


def test_a_period_that_was_closed_anew_is_reopened_once_more(lake: LakeInMemory) -> None:
    rows = [
        closed(0),
        closed(0, batch_id=3, revision=1, state="reopened"),
        closed(0, batch_id=3, revision=2, invoice_id="s/2026-03-01/r2"),
    ]
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, *rows))
    invoices(lake, "s/2026-03-01", "s/2026-03-01/r2")

    assert reopened_periods(lake, ["s/2026-03-01"]).height == 0
    found = reopened_periods(lake, ["s/2026-03-01/r2"])
    assert found.select("revision", "next_invoice_id").rows() == [(3, "s/2026-03-01/r3")]
    assert reopening_rows(lake, found, 7).select("revision", "invoice_id").rows() == [
        (3, "s/2026-03-01/r2")
    ]
