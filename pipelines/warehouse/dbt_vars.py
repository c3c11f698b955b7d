"""Variables of the dbt project: what its folders hold, because dbt must know parents by name.

dbt reads which models a model refers to before it has looked at all files. So the names of metrics
and charge models are found here, and handed to every invocation.
"""

import json
from pathlib import Path

_FOLDERS = {
    "billable_metrics": ("models/metrics", "metric_"),
    "charge_models": ("macros/rating/charge_models", ""),
}
"""Variable → the folder whose files it lists, and the beginning of their names."""


def project_vars(project_dir: Path) -> dict[str, list[str]]:
    """The names of the billable metrics and charge models of a project, in alphabetical order.

    Args:
        project_dir: folder of `dbt_project.yml`.
    """
    return {
        variable: sorted(
            path.stem.removeprefix(prefix)
            for path in (project_dir / folder).rglob(f"{prefix}*.sql")
        )
        for variable, (folder, prefix) in _FOLDERS.items()
    }


def vars_argument(project_dir: Path) -> str:
    """The same as an argument of dbt."""
    return f"--vars={json.dumps(project_vars(project_dir))}"
