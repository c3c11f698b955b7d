"""Declared metrics: what the dbt project says of each billable metric, and what contradicts it.

dbt would say the same, but only when a run has taken files in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import Problem
from pipelines.catalog.table import Rows
from pipelines.warehouse.metric_files import calls_in
from pipelines.warehouse.phases import Manifest

_PREFIX = "metric_"


@dataclass(frozen=True)
class DeclaredMetric:
    """A billable metric as its model declares it.

    Attributes:
        file: its SQL file, below the dbt project.
        code: what the file's name says.
        own_code: what its `metric_code` says; None where it says nothing.
        group_by: the properties that charges may group by.
        calls: how often the file calls `billable_metric`.
    """

    file: str
    code: str
    own_code: str | None
    group_by: tuple[str, ...]
    calls: int = 1


def declared_metrics(manifest: Manifest) -> list[DeclaredMetric]:
    """The billable metrics of a project, by code.

    Args:
        manifest: of the whole project, as dbt wrote it.
    """
    metrics = []
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or not node["name"].startswith(_PREFIX):
            continue
        meta: Mapping[str, object] = node["config"].get("meta") or {}
        own_code, group_by = meta.get("metric_code"), meta.get("group_by")
        metrics.append(
            DeclaredMetric(
                file=node["original_file_path"],
                code=node["name"].removeprefix(_PREFIX),
                own_code=str(own_code) if own_code is not None else None,
                group_by=tuple(map(str, group_by)) if isinstance(group_by, list) else (),
                calls=calls_in(node.get("raw_code", "")),
            )
        )
    return sorted(metrics, key=lambda metric: metric.code)


def metric_problems(metrics: list[DeclaredMetric]) -> Iterator[Problem]:
    """What is wrong with the declarations themselves."""
    for metric in metrics:
        name = Path(metric.file).name
        if metric.calls > 1:
            reason = (
                f"expected one call of billable_metric, found {metric.calls}; give each metric a "
                "file of its own"
            )
            yield Problem(name, 0, "", reason)
            continue
        if metric.own_code != metric.code:
            found = "none" if metric.own_code is None else shown(metric.own_code)
            reason = (
                f"expected the metric_code {shown(metric.code)}, as the file is named, found "
                f"{found}; call billable_metric with metric_code={shown(metric.code)}"
            )
            yield Problem(name, 0, "", reason)


def group_problems(catalog: Catalog, metrics: list[DeclaredMetric]) -> Iterator[Problem]:
    """Charges that group by a property, or filter by one, that their metric does not offer.

    Example: `egress_bytes` offers `section` and `status`. A charge of it with the `group_by` cell
    `region` would fail every run.
    """
    offered = {metric.code: metric.group_by for metric in metrics}
    charging = catalog.tables[Charge].where(pl.col("metric_code").is_in(list(offered)))
    for charge in Rows(UsageCharge, charging.frame):
        properties = offered[charge.metric_code]
        filtered = dict.fromkeys(condition.name for condition in charge.conditions)
        for column, names in (("group_by", charge.group_by), ("filters", filtered)):
            for name in names:
                if name not in properties:
                    reason = (
                        f"{shown(name)} is no property by which {shown(charge.metric_code)} can be "
                        f"grouped; there are: {', '.join(properties) or 'none'}; write one of "
                        f"them, or add it to group_by in metric_{charge.metric_code}.sql"
                    )
                    yield charge.problem(column, reason)
