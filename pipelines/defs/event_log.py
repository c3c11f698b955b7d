"""Event log: Dagster's SQLite storage of events, with connections that stay open.

A run of this project stores about a thousand events, each in two or three databases. Dagster
opens and closes a connection for each of them, which took half of the time of a small run.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster import AssetKey, DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, create_engine, delete
from sqlalchemy.pool import StaticPool

KEPT_MAX = 8
"""Databases that stay open at a time: one for each run that was read, and the index of all runs."""

_BUSY_SECONDS = 30


class KeptEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` with the same files, but each process keeps its connections.

    Events are flushed to the disk at checkpoints only, so a power failure may lose the last ones.
    This does not concern the lake and its catalog.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._kept: OrderedDict[str, Connection] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "KeptEventLogStorage":
        """The storage as configured in `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        # The lock makes it safe for threads to share a connection.
        with self._db_lock:
            connection = self._kept_connection(shard)
            with connection.begin():
                yield connection

    def _kept_connection(self, shard: str) -> Connection:
        if shard in self._kept:
            self._kept.move_to_end(shard)
            return self._kept[shard]
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        connection = engine.connect()
        with connection.begin():
            connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
        self._kept[shard] = connection
        while len(self._kept) > KEPT_MAX:
            _close(self._kept.popitem(last=False)[1])
        return connection

    def has_table(self, table_name: str) -> bool:
        """True if the index has the table; a table that was found is not looked for again.

        Dagster asks for each asset event and check event, and makes a new engine each time.
        """
        if table_name not in self._tables:
            if not super().has_table(table_name):
                return False
            self._tables.add(table_name)
        return True

    def forget_plan(self, run_id: str, kept: AssetKey) -> None:
        """Takes assets and checks off the plan of a run that ends before it comes to them.

        The lineage shows each asset on the plan of a failed run as failed. The run's own log stays
        as it is.

        Args:
            run_id: the run.
            kept: the asset whose step fails; it stays on the plan.
        """
        events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
        planned = DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
        with self.index_connection() as connection:
            connection.execute(
                delete(SqlEventLogStorageTable)
                .where(events.run_id == run_id)
                .where(events.dagster_event_type == planned)
                .where(events.asset_key != kept.to_string())
            )
            connection.execute(
                delete(AssetCheckExecutionsTable)
                .where(checks.run_id == run_id)
                .where(checks.execution_status == AssetCheckExecutionRecordStatus.PLANNED.value)
            )

    def wipe(self) -> None:
        """Deletes every event. The files are deleted too, so their connections are closed first."""
        self._close_all()
        self._tables.clear()
        super().wipe()

    def dispose(self) -> None:
        """Closes all connections."""
        super().dispose()
        self._close_all()

    def _close_all(self) -> None:
        with self._db_lock:
            while self._kept:
                _close(self._kept.popitem()[1])


def _close(connection: Connection) -> None:
    connection.close()
    connection.engine.dispose()
