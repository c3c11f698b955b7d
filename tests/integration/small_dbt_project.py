"""A dbt project with one tag per story, for tests of how dbt is run and shown.

Belongs here: models that pass, fail, reach out or take long. Must not be put here: the SQL of
the product (see `dbt_world`).
"""

from pathlib import Path
from textwrap import dedent

PROJECT = {
    "dbt_project.yml": """
        name: small
        profile: small
        seeds: {small: {+column_types: {price: varchar}, +tags: [good]}}
        models: {small: {+materialized: table}}
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
        models: [{name: wrong, columns: [{name: amount, data_tests: [not_null]}]}]
        unit_tests:
          - {name: not_for_runs, model: wrong, given: [], expect: {rows: [{amount: 1}]}}
    """,
    "seeds/prices.csv": "price\n1.10\n",
    "models/seen_batches.sql": """
        {{ config(tags='good') }} select count(*) as batches from {{ source('lake', 'batches') }}
    """,
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
    return folder
