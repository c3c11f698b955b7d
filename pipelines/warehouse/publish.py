"""Publish: writes an immutable generation of the marts and points `current` to it.

dbt has built the marts before. Only the holder of the writer lock may call `publish`. `generations`
describes the files. Readers never wait for a publication.

1. `_require_passed` and `_require_no_lost_invoices` refuse what must not be published.
2. `_copy_marts` copies the marts, and `_write_exports` adds the files for other tools.
3. `_seal` makes the files durable and read-only.
4. `_swap_pointer` points `current` to the new generation, and `_retire_old` deletes old ones.

Invariant: at every instant, `current` names a complete generation whose checks all passed. A killed
publication leaves only files named `.unfinished-…`, which the next one deletes.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from pydantic import BaseModel

from pipelines import durable
from pipelines.lake.ducklake import quoted
from pipelines.vocabulary.errors import InvariantError, MeterlineError
from pipelines.vocabulary.members import members
from pipelines.warehouse import exports
from pipelines.warehouse.descriptions import Description, comment_statements
from pipelines.warehouse.export import Export, Exported
from pipelines.warehouse.generations import (
    MARTS_FILE,
    POINTER,
    ChainHead,
    Generation,
    GenerationFacts,
    PublishedFile,
    generation_names,
    number_of,
)

KEPT_GENERATIONS = 10
"""Number of generations that are kept, the current one included.

A reader that has a file open can always go on reading it. Old generations are kept for readers who
open a path somewhat later than they read it, and for comparisons with the day before.
"""


CHAIN_HEAD_FILE = "chain_head.json"
"""Name of the file that holds the end of the chain."""

EXPORTS: tuple[Export, ...] = tuple(members(exports, "EXPORT").values())
"""The files written beside the marts, as found in the folder `exports`."""

_FILES = {MARTS_FILE, "manifest.json", *(export.file_name for export in EXPORTS)}
_UNFINISHED = ".unfinished-"
_READ_ONLY = 0o444


@dataclass(frozen=True)
class CheckSummary:
    """The outcome of all checks of a run.

    Attributes:
        passed: number of checks that passed.
        failed: names of the checks that failed.
    """

    passed: int
    failed: tuple[str, ...] = ()


def publish(
    published: Path,
    warehouse: Path,
    attach_lake: Sequence[str],
    facts: GenerationFacts,
    checks: CheckSummary,
    descriptions: Mapping[str, Description] | None = None,
    *,
    threads: int = 2,
    memory_limit: str = "2GiB",
) -> Generation:
    """The new generation, once it is complete and durable and `current` points to it.

    Args:
        published: folder of all generations; made if it does not exist.
        warehouse: DuckDB file with the marts in the schema `marts`; no process has it open.
        attach_lake: SQL statements that attach the lake read-only as `lake`.
        facts: the facts that the marts were made from.
        checks: the outcome of every check of the run that built the marts.
        descriptions: what is said of each mart, by table. None: nothing.
        threads: DuckDB's threads while copying.
        memory_limit: DuckDB's memory limit while copying, with its unit.

    Raises:
        InvariantError: a check failed or there was none, there are no marts, or the chain lost or
            changed invoices since the last publication. `current` stays as it was.
        MeterlineError: `current` is not a link.
    """
    _require_passed(checks)
    durable.make_folder(published)
    _require_pointer(published / POINTER)
    _require_no_lost_invoices(published / CHAIN_HEAD_FILE, facts.chain_head)
    _sweep(published)
    number = max((number_of(name) for name in generation_names(published)), default=0) + 1
    generation_id = f"{number:06d}-{facts.inputs_digest[:8]}"
    folder = published / f"{_UNFINISHED}{generation_id}"
    folder.mkdir()
    tables = _copy_marts(
        warehouse,
        folder / MARTS_FILE,
        generation_id,
        descriptions or {},
        threads=threads,
        memory_limit=memory_limit,
    )
    generation = Generation(
        **dict(facts),
        generation_id=generation_id,
        number=number,
        tables=tables,
        checks_passed=checks.passed,
    )
    _write_exports(folder, generation, attach_lake)
    files = {path.name: PublishedFile.of(path) for path in sorted(folder.iterdir())}
    generation = generation.model_copy(update={"files": files})
    (folder / "manifest.json").write_text(_as_json(generation), encoding="utf-8")
    _seal(folder)
    folder.rename(published / generation_id)
    _replace_file(published / CHAIN_HEAD_FILE, _as_json(facts.chain_head))
    _swap_pointer(published, generation_id)
    _retire_old(published, generation_id)
    return generation


def _require_passed(checks: CheckSummary) -> None:
    if checks.failed or not checks.passed:
        found = f"{len(checks.failed)} failed ({', '.join(checks.failed)})"
        raise InvariantError(
            "expected every check to pass before publication, found "
            f"{found if checks.failed else 'no check at all'}; nothing was published"
        )


def _require_pointer(pointer: Path) -> None:
    if pointer.exists() and not pointer.is_symlink():
        raise MeterlineError(
            f"{pointer}: expected a link, found a file or folder; a copy of the home may have "
            "made a folder of it. Delete it and run `meterline publish`, which makes the link"
        )


def _require_no_lost_invoices(chain_head_file: Path, chain_head: ChainHead) -> None:
    if not chain_head_file.exists():
        return
    before = ChainHead.model_validate_json(chain_head_file.read_bytes())
    is_longer = chain_head.position > before.position
    is_same = (chain_head.position, chain_head.chain_sha256) == (
        before.position,
        before.chain_sha256,
    )
    if not is_longer and not is_same:
        raise InvariantError(
            f"expected a chain of {before.position} links that ends with "
            f"{before.chain_sha256}, as published before, or a longer chain, found "
            f"{chain_head.position} links that end with {chain_head.chain_sha256}: the lake "
            "lost or changed invoices; nothing was published. If you restored an older lake on "
            f"purpose, move {chain_head_file} away"
        )


def _sweep(published: Path) -> None:
    for path in published.glob(f"{_UNFINISHED}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _copy_marts(
    warehouse: Path,
    marts: Path,
    generation_id: str,
    descriptions: Mapping[str, Description],
    *,
    threads: int,
    memory_limit: str,
) -> dict[str, int]:
    """The number of rows copied, by table.

    The copies also have the column `generation_id`, and their descriptions as comments. A mart that
    is a view stays one, and has no number.
    """
    configuration: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": threads,
        "memory_limit": memory_limit,
    }
    with duckdb.connect(str(marts), config=configuration) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH {quoted(warehouse)} AS warehouse (READ_ONLY)")
        connection.execute("SET enable_external_access = false")
        names = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'warehouse' "
            "AND schema_name = 'marts' ORDER BY table_name"
        ).fetchall()
        if not names:
            raise InvariantError(
                f"expected tables in the schema marts of {warehouse}, found none; run the whole job"
            )
        for (name,) in names:
            connection.execute(
                f'CREATE TABLE "{name}" AS '
                f'SELECT *, {quoted(generation_id)} AS generation_id FROM warehouse.marts."{name}"'
            )
        _copy_views(connection, generation_id)
        _write_comments(connection, descriptions)
        counts = {name: _count(connection, f'warehouse.marts."{name}"') for (name,) in names}
    _require_copied(marts, counts, generation_id)
    return counts


def _copy_views(connection: duckdb.DuckDBPyConnection, generation_id: str) -> None:
    """Makes marts that are views of other marts; what they show is not stored twice."""
    for name, sql in connection.execute(
        "SELECT view_name, sql FROM duckdb_views() WHERE database_name = 'warehouse' "
        "AND schema_name = 'marts' ORDER BY view_name"
    ).fetchall():
        query = sql.partition(" AS ")[2].rstrip(";\n").replace("warehouse.marts.", "")
        connection.execute(
            f'CREATE VIEW "{name}" AS '
            f"SELECT *, {quoted(generation_id)} AS generation_id FROM ({query}) AS mart"
        )


def _write_comments(
    connection: duckdb.DuckDBPyConnection, descriptions: Mapping[str, Description]
) -> None:
    columns: dict[str, list[str]] = {}
    here = "database_name = current_database() AND schema_name = 'main' AND NOT internal"
    for table, column in connection.execute(
        f"SELECT table_name, column_name FROM duckdb_columns() WHERE {here} "
        "ORDER BY table_name, column_index"
    ).fetchall():
        columns.setdefault(table, []).append(column)
    views = connection.execute(f"SELECT view_name FROM duckdb_views() WHERE {here}").fetchall()
    # In one transaction: each of its own would be synced to disk, and there are hundreds.
    connection.execute("BEGIN")
    for statement in comment_statements(columns, descriptions, {name for (name,) in views}):
        connection.execute(statement)
    connection.execute("COMMIT")


def _require_copied(marts: Path, expected: Mapping[str, int], generation_id: str) -> None:
    # The closed file is read again, as a reader will read it.
    of_generation = f"WHERE generation_id = {quoted(generation_id)}"
    with duckdb.connect(str(marts), read_only=True) as connection:
        found = {name: _count(connection, f'"{name}" {of_generation}') for name in expected}
    if found != expected:
        raise InvariantError(
            f"expected {dict(expected)} rows of generation {generation_id} in the copied marts, "
            f"found {found}; nothing was published"
        )


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return int(row[0]) if row else 0


def _write_exports(folder: Path, generation: Generation, attach_lake: Sequence[str]) -> None:
    exported = Exported(generation, folder / MARTS_FILE, tuple(attach_lake))
    for export in EXPORTS:
        (folder / export.file_name).write_text(export.text_of(exported), encoding="utf-8")


def _as_json(model: BaseModel) -> str:
    return model.model_dump_json(indent=2) + "\n"


def _seal(folder: Path) -> None:
    """Makes the files durable and read-only.

    The folder stays writable for its owner: the owner may delete the home, and DuckDB spills
    beside the file it reads.
    """
    names = {path.name for path in folder.iterdir()}
    if names != _FILES:
        raise InvariantError(f"expected {sorted(_FILES)} in {folder}, found {sorted(names)}")
    for path in folder.iterdir():
        path.chmod(_READ_ONLY)
    durable.sync_all(folder.iterdir())


def _replace_file(path: Path, text: str) -> None:
    durable.replace_text(path, text, path.with_name(f"{_UNFINISHED}{path.name}"))


def _swap_pointer(published: Path, generation_id: str) -> None:
    # The link is relative, so that a moved or copied home points into itself.
    link = published / f"{_UNFINISHED}{POINTER}"
    link.symlink_to(generation_id)
    link.replace(published / POINTER)
    durable.sync(published)


def _retire_old(published: Path, current: str) -> None:
    for name in generation_names(published)[:-KEPT_GENERATIONS]:
        if name != current:
            # It is renamed first, so that no reader finds half a generation.
            retired = (published / name).rename(published / f"{_UNFINISHED}{name}")
            shutil.rmtree(retired, ignore_errors=True)
