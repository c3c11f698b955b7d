"""Column lineage: which columns of a model its own columns are computed from.

It follows values, from the SQL that dbt compiled. A column that only joins, filters or groups rows
is not followed. `count(*)` and a constant come from no column.
"""

import json
import os
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pipelines.warehouse.dbt_runner import PreparedProject
from pipelines.warehouse.phases import Manifest, is_passed_through


class Place(NamedTuple):
    """A column of a node of dbt.

    Attributes:
        node: dbt's unique id of a model, a seed or a source.
        column: its name.
    """

    node: str
    column: str


Lineage: TypeAlias = Mapping[str, Mapping[str, tuple[Place, ...]]]
"""Unique id of a model → each of its columns → the columns that it is computed from, sorted."""

_FILE = "column_lineage.json"
"""In the folder of the parsed project, so that another project has another file."""


def kept_lineage(project: PreparedProject, manifest: Manifest, compiled: Path) -> Lineage:
    """The lineage of every model, computed once for each digest of the project.

    It is empty until all models were compiled, and is then not kept.

    Args:
        project: the parsed project.
        manifest: its manifest.
        compiled: the folder in which dbt wrote the compiled SQL of this project.
    """
    file = project.folder / _FILE
    if file.is_file():
        kept = json.loads(file.read_text())
        return {
            model: {column: tuple(Place(*place) for place in places) for column, places in of_model}
            for model, of_model in kept
        }
    statements = _statements(manifest, compiled)
    if statements is None:
        return {}
    lineage = lineage_of_columns(manifest, statements)
    written = file.with_suffix(f".{os.getpid()}")
    written.write_text(json.dumps([(model, list(of.items())) for model, of in lineage.items()]))
    written.replace(file)
    return lineage


def _statements(manifest: Manifest, compiled: Path) -> dict[str, str] | None:
    """The compiled SQL by the model's unique id; None if that of a model is missing."""
    files = {
        name: compiled / node["package_name"] / node["original_file_path"]
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    if not all(file.is_file() for file in files.values()):
        return None
    return {name: file.read_text() for name, file in files.items()}


def lineage_of_columns(manifest: Manifest, statements: Mapping[str, str]) -> Lineage:
    """The columns that each column is computed from, as the lineage graph shows the nodes.

    A view that is only passed through is left out: what it is computed from stands for it.

    Args:
        manifest: of the whole project.
        statements: the compiled SQL of models, by unique id.
    """
    nodes = {**manifest["nodes"], **manifest["sources"]}
    direct = _direct_lineage(nodes, statements)

    def shown(place: Place) -> set[Place]:
        node = nodes[place.node]
        if node["resource_type"] != "model" or not is_passed_through(node):
            return {place}
        return {end for each in direct[place.node].get(place.column, ()) for end in shown(each)}

    return {
        model: {
            column: tuple(sorted({end for place in places for end in shown(place)}))
            for column, places in of_model.items()
        }
        for model, of_model in direct.items()
        if not is_passed_through(nodes[model])
    }


def origins(lineage: Lineage, place: Place) -> set[Place]:
    """The columns of seeds and sources, such as the lake, that the column goes back to."""
    if place.node not in lineage:
        return {place}
    read = lineage[place.node].get(place.column, ())
    return {origin for each in read for origin in origins(lineage, each)}


def _direct_lineage(
    nodes: Mapping[str, Any], statements: Mapping[str, str]
) -> dict[str, dict[str, set[Place]]]:
    """The columns that each column reads, views included; models in the order of their reading."""
    # Imported here: only the first run of a project needs the parser of SQL.
    from sqlglot import MappingSchema, exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    relations: dict[tuple[str, str], str] = {}
    schema = MappingSchema(dialect="duckdb")

    def know(name: str, columns: Iterable[str]) -> None:
        folder, table = nodes[name]["schema"], nodes[name].get("alias") or nodes[name]["identifier"]
        relations[folder, table] = name
        types = dict.fromkeys(columns, "varchar")
        schema.add_table(exp.table_(table, folder, nodes[name]["database"]), types, "duckdb")

    for name, node in nodes.items():
        if node["resource_type"] in ("seed", "source"):
            know(name, node["columns"])
    found: dict[str, dict[str, set[Place]]] = {}
    reads = {name: nodes[name]["depends_on"].get("nodes", ()) for name in statements}
    for name in filter(statements.__contains__, TopologicalSorter(reads).static_order()):
        query: Any = qualify(
            parse_one(statements[name], dialect="duckdb"),
            schema=schema,
            dialect="duckdb",
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        _align(query)
        scope = build_scope(query)
        found[name] = {}
        for column in query.named_selects:
            tree = lineage(column, query, schema, scope=scope, dialect="duckdb", trim_selects=False)
            leaves = (leaf for leaf in tree.walk() if isinstance(leaf.expression, exp.Table))
            found[name][column] = {
                Place(relations[key], leaf.name.rpartition(".")[2].strip('"'))
                for leaf in leaves
                if (key := (leaf.expression.db, leaf.expression.name)) in relations
            }
        know(name, found[name])
    return found


def _align(query: Any) -> None:
    """Gives both sides of a `union by name` the same columns in one order, a null for one it lacks.

    sqlglot pairs the columns of two sides by their place alone.
    """
    from sqlglot import exp

    for union in query.find_all(exp.SetOperation):
        if not union.args.get("by_name"):
            continue
        names = dict.fromkeys([*union.left.named_selects, *union.right.named_selects])
        for side in (union.left, union.right):
            known = {each.alias_or_name: each for each in side.selects}
            aligned = [known.get(name) or exp.alias_(exp.null(), name) for name in names]
            side.set("expressions", aligned)
        union.set("by_name", False)
