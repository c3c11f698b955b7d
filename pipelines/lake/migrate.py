"""The schema of a lake: its number, and the migrations that bring a lake to the newest one.

A migration is a file in `migrations/`, called `<version>_<what_it_did>.sql`. It lists its own
statements: they create tables, add columns at the end of tables, and change comments. A migration
that has shipped is never changed, only followed by another one, because lakes hold what it did.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipelines import durable
from pipelines.lake.ducklake import Attached
from pipelines.vocabulary.errors import LakeError, OlderSchemaError
from pipelines.vocabulary.tables.columns import LakeTable, instant, integer, text

SCHEMA_VERSION = LakeTable(
    "schema_version",
    "One row per migration applied to this lake.",
    (
        integer("version", "Number of the migration, from 1."),
        text("name", "What the migration did."),
        instant("applied_at", "When it was applied (UTC)."),
    ),
)
"""The one table that no batch writes, and whose rows carry no `batch_id`."""

HASHED_SINCE = 2
"""The first schema whose keys are hashed as `vocabulary.hashing` does it."""


@dataclass(frozen=True)
class Migration:
    """The step from one schema to the next.

    Attributes:
        version: of the schema it gives, from 1.
        name: what it did, as `schema_version` records it.
        sql: its statements.
    """

    version: int
    name: str
    sql: str

    def statements(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Its statements one by one, split by DuckDB's own parser."""
        return [statement.query for statement in connection.extract_statements(self.sql)]


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """The migrations of a folder, in their order.

    Raises:
        LakeError: their numbers are not 1, 2, 3, …
    """
    migrations = []
    for expected, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        version, _, name = path.stem.partition("_")
        if version != f"{expected:04d}":
            raise LakeError(f"expected a migration {expected:04d}_….sql, found {path.name}")
        migrations.append(Migration(expected, name.replace("_", " "), path.read_text()))
    return tuple(migrations)


MIGRATIONS = read_migrations(Path(__file__).parent / "migrations")
"""Every migration there is; the last one gives the newest schema."""


def schema_of(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the lake's schema; 0 for a lake that has no tables yet."""
    try:
        found = connection.execute("SELECT max(version) FROM lake.schema_version").fetchone()
    except duckdb.CatalogException:
        return 0
    return int(found[0]) if found and found[0] is not None else 0


def migrate(attached: Attached) -> None:
    """Brings the lake to the newest schema, one transaction a migration.

    Raises:
        LakeError: the schema is newer than this program, or its keys are hashed otherwise; or a
            statement failed. The lake then has the schema of the last migration that committed.
    """
    connection = attached.connection
    found = schema_of(connection)
    _refuse_newer(found)
    if 0 < found < HASHED_SINCE and _holds_events(connection):
        raise LakeError(
            f"the lake has schema {found}, whose keys are hashed otherwise: "
            "no copy of an event would be found; set METERLINE_HOME to a new folder and run "
            "again, the landing still has every event"
        )
    for migration in MIGRATIONS[found:]:
        with attached.transaction():
            for statement in migration.statements(connection):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO lake.schema_version VALUES ($version, $name, $applied_at)",
                {
                    "version": migration.version,
                    "name": migration.name,
                    "applied_at": datetime.now(UTC),
                },
            )
            _sync_records(attached.data)


def require_newest_schema(attached: Attached) -> None:
    """Refuses a lake of another schema; for readers, who cannot migrate it.

    Raises:
        OlderSchemaError: the schema is older than this program's.
        LakeError: the schema is newer.
    """
    found = schema_of(attached.connection)
    _refuse_newer(found)
    if found < len(MIGRATIONS):
        raise OlderSchemaError(
            f"the lake has schema {found}, this Meterline needs {len(MIGRATIONS)}; "
            "`meterline run` migrates it"
        )


def _sync_records(data: Path) -> None:
    # DuckLake writes the record's file, and syncs nothing.
    folder = data / "main" / SCHEMA_VERSION.name
    durable.sync_all([*folder.glob("*.parquet"), folder, folder.parent])


def is_recorded_migration(attached: Attached, path: Path) -> bool:
    """True for a record of migrations that the lake has in another file too.

    A migration that is killed leaves such a file, because DuckLake writes it before it commits.
    """
    if path.parent.name != SCHEMA_VERSION.name:
        return False
    try:
        found = attached.connection.execute(
            "SELECT version FROM read_parquet($path) WHERE version NOT IN "
            "(SELECT version FROM lake.schema_version)",
            {"path": str(path)},
        ).fetchall()
    except duckdb.Error:
        return False
    return not found


def _refuse_newer(found: int) -> None:
    if found > len(MIGRATIONS):
        raise LakeError(
            f"the lake has schema {found}, this Meterline knows up to {len(MIGRATIONS)}; "
            "use the newer Meterline that wrote it"
        )


def _holds_events(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(connection.execute("SELECT 1 FROM lake.accepted_events LIMIT 1").fetchone())
