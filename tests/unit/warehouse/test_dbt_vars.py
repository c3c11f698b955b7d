"""Metrics and charge models are found from their files."""

import json
from pathlib import Path

from pipelines.warehouse.dbt_vars import project_vars, vars_argument


def test_names_are_those_of_the_files_wherever_they_stand_in_the_folder(tmp_path: Path) -> None:
    for name in (
        "models/metrics/metric_requests.sql",
        "models/metrics/network/metric_egress_bytes.sql",
        "models/metrics/metric_requests.yml",
        "models/metrics/notes.sql",
        "macros/rating/charge_models/volume.sql",
        "macros/rating/charge_models.sql",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    found = project_vars(tmp_path)

    assert found == {
        "billable_metrics": ["egress_bytes", "requests"],
        "charge_models": ["volume"],
    }
    assert json.loads(vars_argument(tmp_path).removeprefix("--vars=")) == found


def test_a_project_without_such_folders_has_none(tmp_path: Path) -> None:
    assert project_vars(tmp_path) == {"billable_metrics": [], "charge_models": []}
