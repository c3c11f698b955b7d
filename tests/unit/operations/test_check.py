"""What would keep a run from its work is found at once, and before any file is taken in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES
from pipelines.operations import check
from pipelines.operations.check import Checked, check_home
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import CLOSED_PERIODS
from tests.worlds.catalogs import RIGHT, Edit, write
from tests.worlds.commits import batch_rows
from tests.worlds.lakes import copy_old_lake, lake_rows, open_lake

METRICS = {"requests": ["region", "status"], "bytes": [], "storage": []}

MANIFEST: Mapping[str, Any] = {
    "nodes": {
        "reader": {"resource_type": "model", "name": "int_events_assigned"},
        **{
            code: {
                "resource_type": "model",
                "name": f"metric_{code}",
                "original_file_path": f"models/metrics/metric_{code}.sql",
                "config": {"meta": {"metric_code": code, "group_by": group_by}},
            }
            for code, group_by in METRICS.items()
        },
    },
    "child_map": {code: ["reader"] for code in METRICS},
}


@pytest.fixture(autouse=True)
def _small_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metrics of the small catalog, in place of the product's own project."""
    monkeypatch.setattr("pipelines.home.metric_codes", lambda: frozenset(METRICS))
    monkeypatch.setattr(check, "metric_codes", lambda: frozenset(METRICS))
    monkeypatch.setattr(check, "prepare_project", lambda *_: None)
    monkeypatch.setattr(check, "read_manifest", lambda _: MANIFEST)


CALM = Edit("subscriptions.csv", "basic,month,1", "basic,week,1").of(RIGHT)
"""The small catalog with nothing in it that may surprise."""


def checked(
    tmp_path: Path, files: Mapping[str, str | bytes | None] = CALM, home: Path | None = None
) -> Checked:
    for name in ("catalog", "landing"):
        (tmp_path / name).mkdir()
    write(tmp_path / "catalog", files)
    return check_home(
        Settings(
            home=home or tmp_path / "home",
            landing=str(tmp_path / "landing"),
            catalog=tmp_path / "catalog",
        )
    )


def test_what_is_right_has_no_problem_and_leaves_no_home(tmp_path: Path) -> None:
    assert checked(tmp_path) == Checked(
        catalog=str(tmp_path / "catalog"),
        customers=2,
        subscriptions=3,
        metrics=["bytes", "requests", "storage"],
        closed_periods=0,
        problems=[],
        warnings=[],
        columns=[],
        left_out={
            **{
                name: [
                    each.name
                    for each in TABLES[name].columns
                    if each.is_optional and each.is_priced and each.name != "flat_at_zero"
                ]
                for name in ("charge_tiers.csv", "charges.csv", "plans.csv", "sources.csv")
            },
            "customers.csv": ["ends_on", "tax_exempt", "invoice_series"],
            "subscriptions.csv": ["anchor_day", "anchor_at", "trial_until"],
        },
    )
    assert not (tmp_path / "home").exists()


def test_problems_of_all_kinds_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MeterlineError("dbt cannot parse it")

    monkeypatch.setattr(check, "prepare_project", broken)
    is_dir = Path.is_dir
    monkeypatch.setattr(Path, "is_dir", lambda path: path.name != "landing" and is_dir(path))
    files = Edit("plans.csv", "Basic,USD", "Basic,DOLLAR").of(RIGHT)
    files["customers.csv"] = files["customers.csv"].replace("America/New_York", "New_York")

    found = checked(tmp_path, files)

    assert [problem.split(":")[0] for problem in found.problems] == [
        "METERLINE_LANDING is not a folder",
        "customers.csv, row 2, column time_zone",
        "plans.csv, row 2, column currency",
        "dbt cannot parse it",
    ]
    assert (found.customers, found.subscriptions, found.metrics) == (None, None, [])


def test_a_charge_that_groups_by_no_property_of_its_metric_is_found(tmp_path: Path) -> None:
    files = Edit("charges.csv", "region;status", "regoin;status").of(RIGHT)

    assert checked(tmp_path, files).problems == [
        "charges.csv, row 2, column group_by: 'regoin' is no property by which 'requests' can be "
        "grouped; there are: region, status; write one of them, or add it to group_by in "
        "metric_requests.sql"
    ]


def test_a_mapping_that_counts_twice_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = {"resource_type": "seed", "name": "cities", "config": {},
            "original_file_path": "reference/cities.csv"}  # fmt: skip
    joins = "joins={'seed': 'cities', 'key': 'city', 'properties': []}"
    metric = MANIFEST["nodes"]["storage"] | {"raw_code": f"{{{{ billable_metric({joins}) }}}}"}
    nodes = MANIFEST["nodes"] | {"storage": metric, "cities": seed}
    monkeypatch.setattr(check, "read_manifest", lambda _: {**MANIFEST, "nodes": nodes})
    monkeypatch.setattr(check_home, "__defaults__", (tmp_path,))
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "cities.csv").write_text(
        "city,valid_from,valid_to\nrome,,2026-02-01\nrome,2026-01-01,\n"
    )

    (problem,) = checked(tmp_path).problems

    assert problem.startswith("reference/cities.csv, row 3, column city: 'rome' is in row 2 too")


def test_what_may_surprise_is_a_warning(tmp_path: Path) -> None:
    found = checked(tmp_path, RIGHT)

    assert found.problems == []
    assert [warning.split(" refuses")[0] for warning in found.warnings] == [
        "source 'cdn'",
        "source 'app'",
    ]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def close(home: Path, *subscriptions: str) -> None:
    """Writes down that January is closed."""
    start_at, end_at = at("2026-01-01"), at("2026-02-01")
    facts = {
        "batch_id": 1,
        "revision": 0,
        "state": "closed",
        "customer_id": "acme",
        "plan_code": "basic",
        "currency": "USD",
        "metric_codes": "requests",
        "period_start_at": start_at,
        "period_end_at": end_at,
        "period_start_label": start_at.replace(tzinfo=None),
        "period_end_label": end_at.replace(tzinfo=None),
        "cut_at": end_at,
        "invoice_id": "s1/2026-01-01",
    }
    rows = [facts | {"subscription_id": name} for name in subscriptions]
    with open_lake(home, read_only=False) as lake:
        lake.commit_batch(1, batch_rows(1) | {CLOSED_PERIODS: lake_rows(CLOSED_PERIODS, *rows)}, {})


def test_the_catalog_is_held_against_what_is_closed(lake_home: Path, tmp_path: Path) -> None:
    close(lake_home, "s1")
    files = Edit("subscriptions.csv", "s1,acme,basic", "s1,zürich,basic").of(RIGHT)

    found = checked(tmp_path, files, lake_home)

    assert found.closed_periods == 1
    (problem,) = found.problems
    assert problem.startswith(
        "subscriptions.csv, row 2, column customer_id: expected customer 'acme', found 'zürich', "
        "but 2026-01-01 to 2026-02-01 is closed for subscription 's1' (last by s1/2026-01-01)"
    )


def test_a_catalog_that_agrees_with_what_is_closed_has_no_problem(
    lake_home: Path, tmp_path: Path
) -> None:
    close(lake_home, "s1")

    found = checked(tmp_path, home=lake_home)

    assert (found.closed_periods, found.problems) == (1, [])


def test_a_lake_that_cannot_be_read_is_a_problem(lake_home: Path, tmp_path: Path) -> None:
    (lake_home / "lake" / "catalog.sqlite").write_text("no database")

    (problem,) = checked(tmp_path, home=lake_home).problems

    assert "cannot be opened" in problem or "damaged" in problem


def test_a_lake_of_an_earlier_version_is_a_warning(tmp_path: Path) -> None:
    found = checked(tmp_path, home=copy_old_lake("schema_3", tmp_path / "old"))

    assert found.problems == []
    (warning,) = found.warnings
    assert warning.startswith("the catalog was not compared with what is closed: ")
