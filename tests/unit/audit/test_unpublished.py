"""A batch is checked until a published generation includes it."""

from pathlib import Path

from pipelines.audit.unpublished import CHECKED, check_unpublished
from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.vocabulary.tables import BATCHES, FILE_DECISIONS, LANDING_FILES, LakeTable
from tests.worlds.catalogs import read
from tests.worlds.lakes import lake_rows, open_lake
from tests.worlds.marts import publish_marts


def test_batch_that_failed_a_check_is_checked_until_it_is_published(
    lake_home: Path, tmp_path: Path
) -> None:
    home = Home(Settings(home=lake_home, landing=str(tmp_path)))
    catalog = read(tmp_path)
    batch: dict[str, object] = {"kind": "decide", "catalog_digest": catalog.digest}
    # The decision says that the file has five lines, but the lake has none of them.
    wrong: dict[LakeTable, dict[str, object]] = {
        LANDING_FILES: {"file_id": 1, "source": "cdn", "path": "cdn/a.json", "size_bytes": 9},
        FILE_DECISIONS: {"file_id": 1, "revision": 0, "lines": 5, "accepted": 5},
    }
    with open_lake(lake_home, read_only=False) as lake:
        for batch_id, tables in ((1, {BATCHES: batch, **wrong}), (2, {BATCHES: batch})):
            lake.commit_batch(
                batch_id,
                {
                    table: lake_rows(table, {**row, "batch_id": batch_id})
                    for table, row in tables.items()
                },
                {},
            )
        unpublished = check_unpublished(lake, home, catalog)
        publish_marts(lake_home, "CREATE TABLE fct_invoices AS SELECT 1 AS invoice_id")
        after_batch_1 = check_unpublished(lake, home, catalog)

    assert [finding.invariant for finding in unpublished] == list(CHECKED)
    assert "lines_add_up" in {f.invariant.name for f in unpublished if not f.holds}
    # The generation includes batch 1. So only batch 2 is checked, whose rows are right.
    assert "lines_add_up" not in {f.invariant.name for f in after_batch_1 if not f.holds}
