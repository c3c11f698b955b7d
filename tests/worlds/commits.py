"""Batches of plain events committed to a lake, and a lake whose every statement is reported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.ducklake import Attached
from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import ACCEPTED_EVENTS, BATCHES, LANDING_FILES, LakeTable
from tests.worlds.deliveries import NOON
from tests.worlds.lakes import lake_rows


def staged_events(home: Path, batch_id: int, name: str = "part-0000", events: int = 3) -> Path:
    """Accepted events as a worker leaves them."""
    path = home / "staging" / f"{batch_id:09d}" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    lake_rows(
        ACCEPTED_EVENTS,
        *(
            {"batch_id": batch_id, "file_id": batch_id, "line": line, "properties": {"n": "1"}}
            for line in range(1, events + 1)
        ),
    ).write_parquet(path)
    return path


def batch_rows(batch_id: int, kind: str = "decide") -> dict[LakeTable, pl.DataFrame]:
    """The rows of a batch besides its events: of itself, and of one file."""
    return {
        BATCHES: lake_rows(BATCHES, {"batch_id": batch_id, "kind": kind, "as_of": NOON}),
        LANDING_FILES: lake_rows(LANDING_FILES, {"batch_id": batch_id, "file_id": batch_id}),
    }


def commit_events(lake: Lake, home: Path, batch_id: int) -> None:
    """Commits a batch of three events of one file."""
    lake.commit_batch(
        batch_id, batch_rows(batch_id), {ACCEPTED_EVENTS: [staged_events(home, batch_id)]}
    )


class WatchedConnection:
    """A connection that reports every statement once it was executed.

    `migrate` asks nothing of a connection but what stands here.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, executed: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._executed = executed
        self.extract_statements = connection.extract_statements

    def execute(self, sql: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        result = self._connection.execute(sql, parameters)
        self._executed(sql)
        return result


@contextmanager
def watched(home: Path, executed: Callable[[str], None]) -> Iterator[Attached]:
    """The lake of a home as `migrate` gets it, every statement of which is reported."""
    catalog, data = SqliteCatalog(home / "lake" / "catalog.sqlite"), home / "lake" / "data"
    data.mkdir(parents=True, exist_ok=True)
    catalog.make()
    attached = Attached(
        catalog, data, read_only=False, snapshot_id=None, threads=1, memory_limit="1GiB"
    )
    real: Any = attached.connection
    attached.connection = WatchedConnection(real, executed)  # type: ignore[assignment]
    try:
        yield attached
    finally:
        attached.connection = real
        attached.close()
