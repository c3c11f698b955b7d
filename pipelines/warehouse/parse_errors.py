"""Parse errors of dbt, said in the words of who edits the project."""

import re
from pathlib import Path

_NO_MODEL = re.compile(r"depends on a node named '(metric_)(\w+)'")
_METRIC = re.compile(r"in model (metric_\w+) .*?^\s*metric \w+: (.+?)$", re.DOTALL | re.MULTILINE)

_FOLDERS = {"metric_": "models/metrics"}
"""Where the files of such models are."""


def explained(message: str, project_dir: Path) -> str:
    """A sentence with what to write, or what dbt says where nobody foresaw the error.

    Example: `metric_storage.sql` is empty. dbt says that another model depends on a node which was
    not found.

    Args:
        message: what dbt says.
        project_dir: folder of the dbt project.
    """
    if found := _NO_MODEL.search(message):
        prefix, name = found.groups()
        return (
            f"{_FOLDERS[prefix]}/{prefix}{name}.sql: expected a model, found none; write one or "
            "remove the file"
        )
    if found := _METRIC.search(message):
        model, fault = found.groups()
        return f"{model}.sql: {fault}"
    return f"dbt cannot parse {project_dir}: {message}"
