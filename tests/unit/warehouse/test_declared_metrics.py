"""What the dbt project says of its metrics, and the charges that ask for something else."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.warehouse.declared_metrics import (
    DeclaredMetric,
    declared_metrics,
    group_problems,
    metric_problems,
)
from tests.worlds.catalogs import read

CALL = "{% set code = 'bytes' %}{{ billable_metric(metric_code=code) }}"


def model(name: str, **meta: object) -> dict[str, Any]:
    file = f"models/metrics/{name}.sql"
    return {
        "resource_type": "model",
        "name": name,
        "original_file_path": file,
        "raw_code": CALL,
        "config": {"meta": meta},
    }


def manifest(*models: dict[str, Any]) -> dict[str, Any]:
    nodes = {f"model.meterline.{each['name']}": each for each in models}
    return {
        "nodes": {
            **nodes,
            "model.meterline.int_events_assigned": model("int_events_assigned"),
            "test.a": {"resource_type": "test", "name": "metric_a"},
        }
    }


REQUESTS = DeclaredMetric(
    file="models/metrics/metric_requests.sql",
    code="requests",
    own_code="requests",
    group_by=("method", "region"),
)


def test_a_metric_is_what_its_model_declares() -> None:
    found = manifest(
        model("metric_requests", metric_code="requests", group_by=["method", "region"]),
        model("metric_bytes", metric_code="bytes", group_by=[]),
    )

    by_code = declared_metrics(found)

    assert [metric.code for metric in by_code] == ["bytes", "requests"]
    assert by_code[1] == REQUESTS
    assert list(metric_problems(by_code)) == []


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        pytest.param(
            manifest(model("metric_bytes", metric_code="byte")),
            "metric_bytes.sql: expected the metric_code 'bytes', as the file is named, found "
            "'byte'; call billable_metric with metric_code='bytes'",
            id="another code",
        ),
        pytest.param(
            manifest(model("metric_bytes")),
            "metric_bytes.sql: expected the metric_code 'bytes', as the file is named, found none; "
            "call billable_metric with metric_code='bytes'",
            id="no code",
        ),
        pytest.param(
            manifest(model("metric_bytes", metric_code="bytes") | {"raw_code": 2 * CALL}),
            "metric_bytes.sql: expected one call of billable_metric, found 2; give each metric a "
            "file of its own",
            id="two metrics",
        ),
    ],
)
def test_a_metric_that_no_run_would_read_is_named(found: dict[str, Any], problem: str) -> None:
    assert [str(each) for each in metric_problems(declared_metrics(found))] == [problem]


@pytest.mark.parametrize(
    ("offered", "problems"),
    [
        (("region", "status", "more"), []),
        (
            ("status",),
            [
                "charges.csv, row 2, column group_by: 'region' is no property by which 'requests' "
                "can be grouped; there are: status; write one of them, or add it to group_by in "
                "metric_requests.sql"
            ],
        ),
        (
            (),
            [
                f"charges.csv, row 2, column group_by: '{name}' is no property by which 'requests' "
                "can be grouped; there are: none; write one of them, or add it to group_by in "
                "metric_requests.sql"
                for name in ("region", "status")
            ],
        ),
    ],
)
def test_a_charge_groups_by_what_its_metric_offers(
    tmp_path: Path, offered: tuple[str, ...], problems: list[str]
) -> None:
    metric = DeclaredMetric("metric_requests.sql", "requests", "requests", offered)

    assert [str(each) for each in group_problems(read(tmp_path), [metric])] == problems


def test_a_charge_of_a_metric_that_dbt_does_not_know_is_left_to_the_catalog(tmp_path: Path) -> None:
    assert list(group_problems(read(tmp_path), [])) == []
