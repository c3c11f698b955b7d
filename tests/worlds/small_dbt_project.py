"""A dbt project with a tag for each story, for tests of how dbt is run and shown in Dagster."""

import json
import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from textwrap import dedent

import duckdb

from pipelines.lake.catalog_databases import SqliteCatalog
from pipelines.lake.lake import Lake
from pipelines.settings import DBT_PROJECT, Settings
from pipelines.warehouse.dbt_plugin import connection_environment
from pipelines.warehouse.dbt_runner import PreparedProject, prepare_project, run_phase
from pipelines.warehouse.phase_outcome import PhaseOutcome
from tests.worlds.lakes import start_lake
from tests.worlds.made_once import made_once

BORROWED = ("macros/engine", "macros/text", "tests/generic")
"""Folders of the product's project that say how a node is built."""

PROJECT = {
    "dbt_project.yml": """
        name: small
        profile: small
        seeds: {small: {+column_types: {price: varchar}, +tags: [good]}}
        models: {small: {+materialized: table}}
        data_tests: {small: {+meta: {what_to_do: correct the price}}}
    """,
    "profiles.yml": """
        small:
          target: warehouse
          outputs:
            warehouse:
              type: duckdb
              path: "{{ env_var('METERLINE_WAREHOUSE', 'warehouse.duckdb') }}"
              threads: 1
              plugins: [{module: pipelines.warehouse.dbt_plugin}]
    """,
    "models/properties.yml": """
        sources: [{name: lake, database: lake, schema: main, tables: [{name: batches}]}]
        models:
          - {name: wrong, columns: [{name: amount, data_tests: [not_null]}]}
          - name: stg_prices
            data_tests: [{assertions: {name: assertions_of_stg_prices, arguments: {all: [
              {not_null: {column_name: price}}, {unique_key: {columns: [price]}}]}}}]
        unit_tests:
          - {name: not_for_runs, model: wrong, given: [], expect: {rows: [{amount: 1}]}}
    """,
    "seeds/prices.csv": "price\n1.10\n",
    "models/seen_batches.sql": """
        {{ config(tags='good') }} select count(*) as batches from {{ source('lake', 'batches') }}
    """,
    "models/stg_prices.sql": """
        {{ config(materialized='view', tags='good') }} select * from {{ ref('prices') }}
    """,
    "models/priced.sql": "{{ config(tags='good') }} select * from {{ ref('stg_prices') }}",
    "models/wrong.sql": "{{ config(tags='failing') }} select null::integer as amount",
    "models/after_wrong.sql": "{{ config(tags='failing') }} select * from {{ ref('wrong') }}",
    "models/outside.sql": "{{ config(tags='outside') }} select * from read_text('/etc/hostname')",
    "models/slow.sql": """
        {{ config(tags='slow') }} select sum(hash(a.range, b.range) % 7) as total
        from range(10000000) as a, range(10000000) as b
    """,
}


def write_project(folder: Path) -> Path:
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    for name in BORROWED:
        shutil.copytree(DBT_PROJECT / name, folder / name)
    return folder


def small_project() -> PreparedProject:
    """The project and its parsed form; whoever asks reads it and must not change it."""
    folder = made_once(
        "small-project",
        lambda folder: prepare_project(write_project(folder / "project"), folder / "artifacts"),
    )
    return prepare_project(folder / "project", folder / "artifacts")


class SmallHome:
    """A home with a lake, and the small project's artifacts."""

    def __init__(self, folder: Path, project: PreparedProject) -> None:
        self.folder = folder
        self.project = project
        self.catalog = SqliteCatalog(folder / "lake" / "catalog.sqlite")
        self.seeds = folder / "catalog"
        self.warehouse = folder / "warehouse" / "warehouse.duckdb"
        self.reported: list[str] = []
        for path in (self.seeds, self.warehouse.parent):
            path.mkdir(exist_ok=True)

    def lake(self, *, read_only: bool = True) -> Lake:
        return Lake(self.catalog, self.folder / "lake" / "data", read_only=read_only)

    def nodes(self) -> list[str]:
        return list(json.loads(self.project.manifest_file.read_text())["nodes"])

    def build(self, tag: str, snapshot_id: int | None = None) -> PhaseOutcome:
        return self.run(["--select", f"tag:{tag}"], snapshot_id)

    def run(
        self, selection: Sequence[str] | AbstractSet[str], snapshot_id: int | None = None
    ) -> PhaseOutcome:
        if snapshot_id is None:
            with self.lake() as lake:
                snapshot_id = lake.snapshot_id()
        return run_phase(
            self.project,
            selection,
            connection=connection_environment(
                warehouse=self.warehouse,
                lake_catalog=self.catalog,
                lake_data=self.folder / "lake" / "data",
                lake_snapshot=snapshot_id,
                readable_folders=[self.seeds],
                threads=1,
                memory_limit="1GiB",
            ),
            seed_folder=self.seeds,
            artifacts=self.folder / "dbt",
            report=self.reported.append,
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as warehouse:
            return warehouse.execute(query).fetchall()


def home_with_calendar(folder: Path, digest: str, prices: str) -> Settings:
    """A home in which a run wrote a calendar, made from a catalog with these prices."""
    made = Settings(home=start_lake(folder))
    made.warehouse.parent.mkdir()
    with duckdb.connect(str(made.warehouse)) as warehouse:
        warehouse.execute("create schema calendar")
        warehouse.execute(f"create table calendar.clock as select '{digest}' as catalog_digest")
    frozen = made.frozen_catalogs / digest
    frozen.mkdir(parents=True)
    (frozen / "prices.csv").write_text(prices)
    return made
