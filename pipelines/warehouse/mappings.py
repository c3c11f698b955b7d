"""Mappings: the seeds that metrics join, whose rows for one key may never hold at one instant.

Two rows that do would count an event twice. dbt finds that after everything was built, and cannot
say which rows they are. Here they are found before.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.catalog.cells import shown
from pipelines.catalog.csv_files import BYTE_ORDER_MARK
from pipelines.catalog.rows import Problem
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.metric_files import joins_of
from pipelines.warehouse.phases import Manifest

_FOLDER = "reference"
"""The seeds that belong to the code. Its revision covers them, so that a change counts anew."""

_NO_TEXT = re.compile(r"[-+.\d].*|true|false|yes|no|t|f|y|n|null", re.IGNORECASE | re.DOTALL)
"""Keys that a loader may take for numbers, dates or booleans, where all of a column are such."""

_SHOWN_MAX = 20
"""Most problems that are listed for a mapping."""


@dataclass(frozen=True)
class JoinedMapping:
    """A seed that a metric joins.

    Attributes:
        metric: name of the metric's file.
        project_dir: folder of the dbt project.
        path: the seed's CSV file below it.
        key: its column with the key.
        valid_from: its column with the first instant of a row.
        valid_to: its column with the first instant after it.
        properties: its columns that are added to events.
        is_text: True if the key is declared as a text.
    """

    metric: str
    project_dir: Path
    path: str
    key: str
    valid_from: str
    valid_to: str
    properties: tuple[str, ...]
    is_text: bool

    def problem(self, row: int, column: str, reason: str) -> Problem:
        """What is wrong at one place of the file."""
        return Problem(self.path, row, column, reason)


def require_sound_mappings(manifest: Manifest, project_dir: Path) -> None:
    """Goes on only if no mapping that a metric joins would count an event twice.

    Args:
        manifest: of the whole project, as dbt wrote it.
        project_dir: folder of the dbt project.

    Raises:
        MeterlineError: with every problem, and the rows.
    """
    problems = [str(problem) for problem in mapping_problems(manifest, project_dir)]
    if problems:
        lines = "\n".join(problems)
        raise MeterlineError(
            f"the mappings that metrics join have {counted(len(problems), 'problem')}; nothing was "
            f"billed:\n{lines}"
        )


def mapping_problems(manifest: Manifest, project_dir: Path) -> Iterator[Problem]:
    """What is wrong with the mappings that the metrics of a project join.

    Args:
        manifest: of the whole project, as dbt wrote it.
        project_dir: folder of the dbt project.
    """
    nodes: Mapping[str, Any] = manifest["nodes"]
    seeds = {node["name"]: node for node in nodes.values() if node["resource_type"] == "seed"}
    for node in nodes.values():
        is_metric = node["resource_type"] == "model" and node["name"].startswith("metric_")
        if not is_metric or "joins" not in node.get("raw_code", ""):
            continue
        name = f"{node['name']}.sql"
        try:
            joins = joins_of(node["raw_code"])
            if joins is not None:
                yield from _problems(_joined(name, project_dir, joins, seeds))
        except ValueError as error:
            yield Problem(name, 0, "", str(error))


def _joined(
    metric: str, project_dir: Path, joins: Mapping[str, Any], seeds: Mapping[str, Mapping[str, Any]]
) -> JoinedMapping:
    for option in ("seed", "key"):
        if not isinstance(joins.get(option), str):
            raise ValueError(f"joins: expected a text as {option}, found {joins.get(option)}")
    seed = seeds.get(joins["seed"])
    if seed is None:
        raise ValueError(f"joins: there is no seed {shown(joins['seed'])}; add its CSV file")
    key = str(joins.get("column", joins["key"]))
    return JoinedMapping(
        metric=metric,
        project_dir=project_dir,
        path=seed["original_file_path"],
        key=key,
        valid_from=str(joins.get("valid_from", "valid_from")),
        valid_to=str(joins.get("valid_to", "valid_to")),
        properties=tuple(map(str, joins.get("properties") or ())),
        is_text=(seed["config"].get("column_types") or {}).get(key) in {"varchar", "text"},
    )


def _problems(mapping: JoinedMapping) -> Iterator[Problem]:
    if Path(mapping.path).parts[0] != _FOLDER:
        reason = (
            f"{mapping.metric} joins it, and no run would see a change of it here; move it to the "
            f"folder {_FOLDER} of the dbt project"
        )
        yield mapping.problem(0, "", reason)
    try:
        rows = _rows(mapping)
    except ValueError as error:
        yield mapping.problem(0, "", str(error))
        return
    keys = [key for _, key, _, _ in rows if key]
    if keys and not mapping.is_text and all(map(_NO_TEXT.fullmatch, keys)):
        reason = (
            "every cell could be taken for something other than a text, and 007 for 7; give the "
            f"seed `config: {{column_types: {{{mapping.key}: varchar}}}}` in a yml file beside it"
        )
        yield mapping.problem(0, mapping.key, reason)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("rows", _table(rows))
        for line, column, cell in connection.execute(_ILL_FORMED).fetchall():
            reason = f"{shown(cell)} is no instant; write one like 2026-02-01T00:00:00Z"
            yield mapping.problem(line, getattr(mapping, column), reason)
        for line, key, earlier, at in connection.execute(_OVERLAPS).fetchall():
            since = "from the beginning" if at is None else f"from {at} UTC"
            reason = (
                f"{shown(key)} is in row {earlier} too, and {since} both hold: each event of that "
                f"time would count twice in {mapping.metric}; let {mapping.valid_to} of one be "
                f"{mapping.valid_from} of the other, or remove one"
            )
            yield mapping.problem(line, mapping.key, reason)


_Row = tuple[int, str, str, str]
"""Line, key, first instant, first instant after it, as the cells have them."""


def _rows(mapping: JoinedMapping) -> list[_Row]:
    """The rows of the file.

    Raises:
        ValueError: it cannot be read, or lacks a column.
    """
    try:
        content = (mapping.project_dir / mapping.path).read_bytes().removeprefix(BYTE_ORDER_MARK)
        reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
        header = next(reader, [])
        used = (mapping.key, mapping.valid_from, mapping.valid_to)
        for name in (*used, *mapping.properties):
            if name not in header:
                raise ValueError(
                    f"the column {shown(name)} is missing, which {mapping.metric} joins; add it"
                )
        places = [header.index(name) for name in used]
        rows, line = list[_Row](), reader.line_num + 1
        for cells in reader:
            if cells:
                key, start, end = (cells[place] for place in places)
                rows.append((line, key, start, end))
            line = reader.line_num + 1
    except (OSError, UnicodeDecodeError, csv.Error, IndexError) as error:
        raise ValueError(f"cannot be read as CSV in UTF-8: {error}; correct it") from None
    return rows


def _table(rows: list[_Row]) -> pa.Table:
    kinds = {"line": pa.int64(), "key": pa.string(), "valid_from": pa.string(),
             "valid_to": pa.string()}  # fmt: skip
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    arrays = [
        pa.array(list(values), kind) for values, kind in zip(columns, kinds.values(), strict=True)
    ]
    return pa.table(arrays, names=list(kinds))


_ILL_FORMED = f"""
    SELECT line, side, cell FROM (
        SELECT line, 'valid_from' AS side, valid_from AS cell FROM rows
        UNION ALL SELECT line, 'valid_to' AS side, valid_to AS cell FROM rows
    )
    WHERE cell <> '' AND try_cast(cell AS TIMESTAMPTZ) IS NULL
    ORDER BY ALL LIMIT {_SHOWN_MAX}
"""

_OVERLAPS = f"""
    WITH spans AS (
        SELECT line, key,
            coalesce(try_cast(nullif(valid_from, '') AS TIMESTAMPTZ), '-infinity') AS from_at,
            coalesce(try_cast(nullif(valid_to, '') AS TIMESTAMPTZ), 'infinity') AS to_at
        FROM rows WHERE key <> ''
    ),
    followed AS (
        SELECT *, max(to_at) OVER before AS covered_to, arg_max(line, to_at) OVER before AS earlier
        FROM spans WHERE from_at < to_at
        WINDOW before AS (
            PARTITION BY key ORDER BY from_at, line
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
    )
    SELECT line, key, earlier,
        CASE WHEN isfinite(from_at) THEN strftime(from_at, '%Y-%m-%d %H:%M:%S') END
    FROM followed WHERE covered_to > from_at ORDER BY line LIMIT {_SHOWN_MAX}
"""
"""A row overlaps if and only if it begins before all earlier ones of its key have ended."""
