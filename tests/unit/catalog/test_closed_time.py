"""Edits of the catalog after closings: what is refused, and at which row; what is allowed."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.catalog.closed_time import binding_spans, collisions, customers_billed_twice
from pipelines.vocabulary.frames import CLOSED_SPANS
from tests.worlds.catalogs import METRICS, RIGHT, Edit, read

DAY_OF = "subscriptions.csv"


def closed(subscription_id: str, start: str, end: str, **facts: str) -> dict[str, Any]:
    """Closed time of a subscription of acme on its plan `basic`, in New York."""
    return {
        "subscription_id": subscription_id,
        "customer_id": "acme",
        "plan_code": "basic",
        "currency": "USD",
        "metric_codes": "requests",
        "span_start_at": datetime.fromisoformat(f"{start}T05:00:00Z"),
        "span_end_at": datetime.fromisoformat(f"{end}T05:00:00Z"),
        "span_start_label": datetime.fromisoformat(start),
        "span_end_label": datetime.fromisoformat(end),
        "last_cut_at": datetime.fromisoformat(f"{end}T05:00:00Z"),
        "last_period": f"{subscription_id}/{start}",
        **facts,
    }


JANUARY = closed("s1", "2026-01-01", "2026-02-01")
DAYS = closed(
    "s3", "2026-01-01", "2026-01-05", plan_code="local", metric_codes="bytes", currency="USD"
)


def places(
    folder: Path, spans: list[dict[str, Any]], *edits: Edit, metrics: frozenset[str] = METRICS
) -> list[tuple[str, int, str]]:
    files = dict(RIGHT)
    for edit in edits:
        files = edit.of(files)
    catalog = read(folder, files)
    found = collisions(catalog, pl.DataFrame(spans, schema=CLOSED_SPANS), metrics)
    for problem in found:
        assert "is closed for subscription" in problem.reason
    return [(problem.file_name, problem.row, problem.column) for problem in found]


EUROS = Edit("customers.csv", '"Acme, Inc.",USD', '"Acme, Inc.",EUR')
S1 = "s1,acme,basic,month,1,calendar,2026-01-01,2026-03-01"


def row(text: str) -> Edit:
    """Another row in place of that of s1."""
    return Edit(DAY_OF, S1, text)


def test_catalog_that_was_closed_with_is_never_refused(tmp_path: Path) -> None:
    assert places(tmp_path, [JANUARY, DAYS]) == []
    assert places(tmp_path, []) == []


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        pytest.param(
            row("s9,acme,basic,month,1,calendar,2026-02-01,2026-03-01"),
            (DAY_OF, 0, "subscription_id"),
            id="subscription gone",
        ),
        pytest.param(
            row("s1,zürich,basic,month,1,calendar,2026-01-01,2026-03-01"),
            (DAY_OF, 2, "customer_id"),
            id="another customer",
        ),
        pytest.param(
            Edit(DAY_OF, S1, "s1,acme,extra,month,1,calendar,2026-01-01,2026-03-01"),
            (DAY_OF, 2, "plan_code"),
            id="another plan",
        ),
        pytest.param(
            row("s1,acme,basic,month,1,calendar,2026-01-02,2026-03-01"),
            (DAY_OF, 2, "start_date"),
            id="a day less at the start",
        ),
        pytest.param(
            row("s1,acme,basic,month,1,calendar,2026-01-01,2026-01-31"),
            (DAY_OF, 2, "end_date"),
            id="a day less at the end",
        ),
        pytest.param(
            Edit("plans.csv", "basic,Basic,USD", "basic,Basic,CHF"),
            ("plans.csv", 2, "currency"),
            id="another currency of the plan",
        ),
    ],
)
def test_edit_that_takes_closed_time_away_is_refused_at_its_row(
    tmp_path: Path, edit: Edit, place: tuple[str, int, str]
) -> None:
    extra_plan = Edit("plans.csv", "local,Local", "extra,Extra,USD\nlocal,Local")
    assert places(tmp_path, [JANUARY], extra_plan, edit) == [place]


@pytest.mark.parametrize(
    ("spans", "edits", "place"),
    [
        pytest.param(
            [JANUARY],
            [Edit("plans.csv", "basic,Basic,USD", "basic,Basic,"), EUROS],
            ("customers.csv", 2, "currency"),
            id="no currency of the plan any more, and another one of the customer",
        ),
        pytest.param(
            [DAYS],
            [EUROS],
            ("customers.csv", 2, "currency"),
            id="another currency of the customer, on a plan without one",
        ),
        pytest.param(
            # February, whose end is compared as it is stored.
            [closed("s1", "2026-02-01", "2026-03-01")],
            [
                Edit(
                    "customers.csv", "America/New_York,3,reject", "Asia/Tokyo,3,reject,2026-03-01"
                ),
                Edit("customers.csv", "late_usage_policy", "late_usage_policy,ends_on"),
                Edit("customers.csv", "Zurich,0,adjust", "Zurich,0,adjust,"),
                Edit(DAY_OF, "s2,acme", "s2,zürich"),
                Edit(DAY_OF, "s3,acme", "s3,zürich"),
            ],
            ("customers.csv", 2, "ends_on"),
            id="the customer ends within closed time, by a changed zone",
        ),
    ],
)
def test_edit_of_a_customer_that_takes_closed_time_away_is_refused_at_its_row(
    tmp_path: Path, spans: list[dict[str, Any]], edits: list[Edit], place: tuple[str, int, str]
) -> None:
    assert places(tmp_path, spans, *edits) == [place]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(
            row("s1,acme,basic,month,1,calendar,2026-01-01,2026-02-01"), id="it ends with it"
        ),
        pytest.param(
            row("s1,acme,basic,month,1,calendar,2025-12-01,2026-03-01"), id="it starts earlier"
        ),
        pytest.param(
            row("s1,acme,basic,day,3,anniversary,2026-01-01,2026-03-01"), id="another rhythm"
        ),
        pytest.param(
            Edit("customers.csv", "America/New_York,3,reject", "Asia/Tokyo,0,adjust"),
            id="another zone, grace and policy",
        ),
        pytest.param(
            Edit("charges.csv", "standard,0.000000000000001", "standard,7"), id="another price"
        ),
        pytest.param(
            Edit("customer_aliases.csv", "ops,acme", "dev,acme"), id="another name of the customer"
        ),
    ],
)
def test_every_other_edit_is_allowed(tmp_path: Path, edit: Edit) -> None:
    assert places(tmp_path, [JANUARY], edit) == []


def test_metric_that_was_charged_must_stay(tmp_path: Path) -> None:
    charged = {**JANUARY, "metric_codes": "gone,requests"}
    assert places(tmp_path, [charged]) == [("metric_gone.sql", 0, "")]
    assert places(tmp_path, [charged], metrics=METRICS | {"gone"}) == []


@pytest.mark.parametrize(
    ("start", "is_refused"),
    [
        pytest.param("2026-01-31", True, id="on the last closed day"),
        pytest.param("2026-02-01", False, id="on the day after"),
    ],
)
def test_metric_is_not_charged_again_by_another_subscription(
    tmp_path: Path, start: str, is_refused: bool
) -> None:
    # The plan of s1 stops charging requests, so that the catalog alone is free of contradictions.
    files = Edit("charges.csv", "local,traffic,bytes", "other,calls,requests").of(RIGHT)
    files["charge_tiers.csv"] = files["charge_tiers.csv"].replace("local,traffic", "other,calls")
    files = Edit(
        "charges.csv", "basic,calls,requests,standard,0.", "basic,calls,bytes,standard,0."
    ).of(files)
    files = Edit(
        "charges.csv", "basic,calls,requests,standard,999", "basic,calls,bytes,standard,999"
    ).of(files)
    files = Edit("plans.csv", "local,Local", "other,Other,USD\nlocal,Local").of(files)
    files[DAY_OF] = files[DAY_OF] + f"s4,acme,other,month,1,calendar,{start},\n"
    found = collisions(read(tmp_path, files), pl.DataFrame([JANUARY], schema=CLOSED_SPANS), METRICS)
    expected = [(DAY_OF, 5, "start_date")] if is_refused else []
    assert [(problem.file_name, problem.row, problem.column) for problem in found] == expected


def frame(*spans: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(spans, schema=CLOSED_SPANS)


TWICE = closed("s9", "2026-01-01", "2026-02-01", void_invoice_id="s9/2026-01-01")


@pytest.mark.parametrize(
    ("valid", "is_binding"),
    [
        pytest.param(JANUARY, False, id="covered exactly"),
        pytest.param(closed("s1", "2025-12-01", "2026-03-01"), False, id="covered by more"),
        pytest.param(closed("s1", "2026-01-02", "2026-03-01"), True, id="a day lacks at the start"),
        pytest.param(closed("s1", "2025-12-01", "2026-01-31"), True, id="a day lacks at the end"),
        pytest.param(
            closed("s1", "2026-01-01", "2026-02-01", customer_id="zürich"), True, id="another's"
        ),
        pytest.param(
            closed("s1", "2026-01-01", "2026-02-01", void_invoice_id="s1/1"), True, id="void too"
        ),
    ],
)
def test_void_time_that_is_covered_binds_nobody(valid: dict[str, Any], is_binding: bool) -> None:
    found = binding_spans(frame(valid, TWICE))

    assert found["subscription_id"].to_list() == (["s1", "s9"] if is_binding else ["s1"])


def test_subscription_of_a_void_invoice_may_leave_the_catalog(tmp_path: Path) -> None:
    assert places(tmp_path, [JANUARY, TWICE]) == []
    assert places(tmp_path, [JANUARY, {**TWICE, "void_invoice_id": None}]) == [
        (DAY_OF, 0, "subscription_id")
    ]


@pytest.mark.parametrize(
    ("other", "customers"),
    [
        pytest.param({}, ["acme"], id="the same month"),
        pytest.param({"void_invoice_id": "s9/1"}, [], id="void"),
        pytest.param({"customer_id": "zürich"}, [], id="another customer"),
        pytest.param({"metric_codes": "bytes"}, [], id="another metric"),
        pytest.param({"metric_codes": "bytes,requests"}, ["acme"], id="one metric of two"),
        pytest.param({"metric_codes": ""}, [], id="no metric"),
        pytest.param(
            {"span_start_at": JANUARY["span_end_at"]}, [], id="it begins where the other ends"
        ),
    ],
)
def test_customer_is_billed_twice_for_one_metric_at_one_instant(
    other: dict[str, Any], customers: list[str]
) -> None:
    later = closed("s9", "2026-01-15", "2026-03-01") | other
    between = closed("s1", "2026-01-02", "2026-01-03")

    assert customers_billed_twice(frame(later, JANUARY)) == customers
    # A short span in between hides nothing.
    if customers:
        assert customers_billed_twice(frame(JANUARY, later)) == customers
    assert customers_billed_twice(frame(JANUARY, between)) == ["acme"]


def test_span_that_overlaps_itself_is_billed_twice() -> None:
    assert customers_billed_twice(frame(JANUARY | {"overlaps_itself": True})) == ["acme"]
    assert customers_billed_twice(frame(JANUARY | {"overlaps_itself": False})) == []
