"""Parse errors of dbt, said in the words of who edits the project."""

import re
from pathlib import Path

_NO_MODEL = re.compile(r"depends on a node named '(metric_|int_tiers_rated_)(\w+)'")
_METRIC = re.compile(r"in model (metric_\w+) .*?^\s*metric \w+: (.+?)$", re.DOTALL | re.MULTILINE)

_FILES = {
    "metric_": ("billable_metrics", "models/metrics"),
    "int_tiers_rated_": ("charge_models", "models/rating/charge_models"),
}
"""What a name in `dbt_project.yml` stands for: the variable that lists it, and its folder."""


def explained(message: str, project_dir: Path) -> str:
    """A sentence with what to write, or what dbt says where nobody foresaw the error.

    Example: `billable_metrics` lists `storage`, and there is no `metric_storage.sql`. dbt says that
    another model depends on a node which was not found.

    Args:
        message: what dbt says.
        project_dir: folder of the dbt project.
    """
    if found := _NO_MODEL.search(message):
        prefix, name = found.groups()
        variable, folder = _FILES[prefix]
        return (
            f"dbt_project.yml: expected a file for each name under {variable}, found none for "
            f"'{name}'; add {folder}/{prefix}{name}.sql or remove the line"
        )
    if found := _METRIC.search(message):
        model, fault = found.groups()
        return f"{model}.sql: {fault}"
    return f"dbt cannot parse {project_dir}: {message}"
