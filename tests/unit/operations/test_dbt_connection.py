"""dbt's connection of a home: what its SQL may open."""

import os
from pathlib import Path

from pipelines.operations.dbt_connection import connection_of
from pipelines.settings import DBT_PROJECT, Settings
from pipelines.warehouse.dbt_plugin import READABLE_FOLDERS
from tests.worlds.lakes import open_lake, start_lake


def test_sql_may_open_frozen_catalogs_and_mappings_and_no_other_seeds(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with open_lake(start_lake(settings.home), read_only=False):
        pass

    folders = connection_of(settings)[READABLE_FOLDERS].split(os.pathsep)

    assert str(settings.frozen_catalogs.resolve()) in folders
    assert [folder for folder in folders if folder.startswith(str(DBT_PROJECT.resolve()))] == [
        str((DBT_PROJECT / "reference").resolve())
    ]
