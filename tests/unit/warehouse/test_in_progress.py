"""What has landed and is not decided, as dbt reads it."""

from pathlib import Path

import duckdb
import pytest

from pipelines.vocabulary.tables import LANDING_FILES
from pipelines.warehouse.in_progress import COLUMNS, write_files_in_progress
from tests.worlds.files import NOON, lake_rows


@pytest.mark.parametrize("files", [0, 2])
def test_table_is_replaced_by_what_waits_now(files: int, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse" / "warehouse.duckdb"
    rows = [
        {"source": "cdn", "path": f"cdn/{number}", "size_bytes": number, "received_at": NOON}
        for number in range(files)
    ]
    write_files_in_progress(warehouse, lake_rows(LANDING_FILES, *rows, {"path": "gone"}))

    assert write_files_in_progress(warehouse, lake_rows(LANDING_FILES, *rows)) == files

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute("SELECT * FROM landing.files_in_progress ORDER BY path")
        names = tuple(column[0] for column in found.description or ())
        assert (names, len(found.fetchall())) == (COLUMNS, files)
