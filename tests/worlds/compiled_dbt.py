"""The product's dbt project as compiled SQL, which DuckDB runs in milliseconds without dbt.

The SQL is dbt's own, compiled once a session. What a run of dbt does besides, such as contracts and
documentation, is left out: tests that need it run dbt.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.settings import DBT_PROJECT
from tests.worlds.dbt_macros import macro_sql, metric_macros
from tests.worlds.dbt_world import parsed_world
from tests.worlds.made_once import made_once

LEFT_OUT = ("of_tests",)
"""Folders of tests that try a test, and say nothing about a home."""


@dataclass(frozen=True)
class Node:
    """A model or a test.

    Attributes:
        name: of the node.
        relation: quoted name of what a model makes; empty for a test.
        is_view: True if a model is a view.
        phase: `billing` or `marts`; a test is in the phase of its last parent.
        sql: its query; that of a test gives the rows that offend, or their number as `offences`.
        statements: what is run before, in one transaction a metric.
        counts_offences: True if a test gives the number.
    """

    name: str
    relation: str
    is_view: bool
    phase: str
    sql: str
    counts_offences: bool
    statements: tuple[str, ...] = ()


@cache
def compiled_nodes() -> tuple[Node, ...]:
    """The models and tests, each after its parents."""
    folder = made_once("compiled-dbt", _compile)
    return tuple(Node(**node) for node in json.loads((folder / "nodes.json").read_text()))


def _compile(folder: Path) -> None:
    world = parsed_world().copied_to(folder)
    compiled = {
        result.node.unique_id: result.node
        for result in world.results("compile")
        if result.node.resource_type in {"model", "test"}
        and not any(part in LEFT_OUT for part in Path(result.node.original_file_path).parts)
    }
    relations = {node.name: node.relation_name or "" for node in compiled.values()}
    phases = dict[str, str]()
    nodes = list[dict[str, object]]()

    def visit(unique_id: str) -> str:
        node = compiled.get(unique_id)
        if node is None:
            return "billing"
        if unique_id not in phases:
            parents = [visit(parent) for parent in node.depends_on.nodes]
            tags = set(node.config.tags) if node.resource_type == "model" else set(parents)
            phases[unique_id] = "marts" if "marts" in tags else "billing"
            metadata = getattr(node, "test_metadata", None)
            nodes.append(
                {
                    "name": node.name,
                    "relation": node.relation_name or "" if node.resource_type == "model" else "",
                    "is_view": node.config.materialized in {"view", "kept"},
                    "phase": phases[unique_id],
                    "sql": node.compiled_code,
                    "counts_offences": bool(metadata and metadata.name == "assertions"),
                    "statements": _kept(node, list(compiled.values()), relations),
                }
            )
        return phases[unique_id]

    for unique_id in compiled:
        visit(unique_id)
    (folder / "nodes.json").write_text(json.dumps(nodes))


def _kept(node: Any, nodes: Iterable[Any], relations: Mapping[str, str]) -> list[str]:
    """What brings the tables that a node keeps up to the run, as dbt runs it."""
    if node.config.materialized != "kept":
        return []
    texts = {each.name: each.compiled_code for each in nodes if each.resource_type == "model"}
    metrics = [each.config.meta for each in nodes if each.name.startswith("metric_")]
    models = {**relations, "batches": '"lake"."main"."batches"'}
    return kept_statements(metrics, models, texts)


def kept_statements(
    metrics: Sequence[Mapping[str, Any]],
    models: Mapping[str, str],
    texts: Mapping[str, str],
    *,
    has_counts: bool = True,
) -> list[str]:
    """The statements of all metrics and of the counts, with all new batches in one stretch.

    Args:
        metrics: their definitions, with `metric_code`.
        models: relations by the names of models.
        texts: the SQL of views of events, by the names of models.
        has_counts: False leaves the counts alone.
    """
    macros, statements = metric_macros(), ["BEGIN"]
    keepers = list[Any]()
    macros.keepers_of(metrics, models, texts, keepers)
    keepers = [each for each in keepers if has_counts or each["code"]]
    macros.begin_statements(keepers, models, statements)
    bounds = ("getvariable('first_unseen')", macros.last_batch(models))
    macros.load_statements(bounds, keepers, models, statements)
    macros.end_statements(keepers, models, statements)
    return [*statements, "COMMIT"]


def kept_models() -> dict[str, str]:
    """The relations that kept tables are made from, by the names of models."""
    relations = {node.name: node.relation for node in compiled_nodes() if node.relation}
    return {**relations, "batches": '"lake"."main"."batches"'}


class CompiledDbt:
    """The project over one connection, which has the lake and an empty warehouse attached."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, warehouse: str | Path = ":memory:"
    ) -> None:
        """Attaches the warehouse; a file may be one that was left by another run.

        Args:
            connection: knows the lake.
            warehouse: file of the warehouse.
        """
        self._connection = connection
        connection.execute(f"ATTACH '{warehouse}' AS warehouse")
        self.prepare()

    def prepare(self) -> None:
        """Makes what is there before a phase is built, where it is missing."""
        for schema in ("catalog", "calendar", "landing", *_schemas()):
            self.execute(f"CREATE SCHEMA IF NOT EXISTS warehouse.{schema}")
        with (DBT_PROJECT / "reference" / "currencies.csv").open() as file:
            rows = list(csv.DictReader(file))
        self.write("catalog", currencies=pl.DataFrame(rows))
        self.execute(macro_sql("kept_tables()"))

    def detach(self) -> None:
        """Lets go of the warehouse."""
        self._connection.execute("DETACH warehouse")

    def moved_to(self, warehouse: Path) -> "CompiledDbt":
        """The project over another warehouse, in place of this one."""
        self.detach()
        return CompiledDbt(self._connection, warehouse)

    def write(self, schema: str, **frames: pl.DataFrame) -> None:
        """Replaces tables of the warehouse."""
        for name, frame in frames.items():
            self._connection.register("frame", frame.to_arrow())
            self._connection.execute(
                f"CREATE OR REPLACE TABLE warehouse.{schema}.{name} AS SELECT * FROM frame"
            )
            self._connection.unregister("frame")

    def build(self, phase: str) -> None:
        """Makes the tables and views of a phase again."""
        for _, statement in self.statements(phase):
            self._connection.execute(statement)

    def statements(self, phase: str) -> Iterator[tuple[str, str]]:
        """The statements that make the tables and views of a phase, with the name of each."""
        for node in compiled_nodes():
            if node.phase == phase and node.relation:
                kind = "VIEW" if node.is_view else "TABLE"
                for statement in node.statements:
                    yield node.name, statement
                yield node.name, f"CREATE OR REPLACE {kind} {node.relation} AS ({node.sql})"

    def execute(self, statement: str) -> None:
        """Runs a statement."""
        self._connection.execute(statement)

    def failed_tests(self) -> dict[str, int]:
        """The number of offences of each test that fails, once both phases are built."""
        failed = dict[str, int]()
        for node in compiled_nodes():
            if node.relation:
                continue
            total = "coalesce(sum(offences), 0)" if node.counts_offences else "count(*)"
            found = self._connection.execute(f"SELECT {total} FROM ({node.sql})").fetchone()
            if found and found[0]:
                failed[node.name] = int(found[0])
        return failed

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection, with the warehouse as its default database meanwhile."""
        default = str(self.rows("SELECT current_database() AS name")["name"][0])
        self._connection.execute("USE warehouse")
        yield self._connection
        self._connection.execute(f"USE {default}")

    def rows(self, sql: str) -> pl.DataFrame:
        """The result of a SELECT over the warehouse and the lake."""
        return self._connection.execute(sql).pl()

    def tuples(self, sql: str) -> list[tuple[Any, ...]]:
        """The same as tuples."""
        return self._connection.execute(sql).fetchall()


def seeds(
    files: Mapping[str, list[dict[str, str]]], columns: Mapping[str, list[str]]
) -> dict[str, pl.DataFrame]:
    """The files of a catalog as dbt loads them: text, and null for an empty cell."""
    return {
        name.removesuffix(".csv"): pl.DataFrame(
            [[row.get(column) or None for column in columns[name]] for row in rows],
            schema=dict.fromkeys(columns[name], pl.String),
            orient="row",
        )
        for name, rows in files.items()
    }


def _schemas() -> set[str]:
    return {node.relation.split(".")[1].strip('"') for node in compiled_nodes() if node.relation}
