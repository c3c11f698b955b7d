"""What metrics count is kept once by digest, whatever is said about them for people."""

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb

from pipelines.vocabulary.tables import DEFINITIONS
from pipelines.warehouse.definitions import Definitions, definitions_of
from tests.worlds.commits import batch_rows
from tests.worlds.lakes import open_lake

REQUESTS = {"aggregation": "count", "description": "Requests", "event_name": "http_request"}


def read(*metrics: Mapping[str, object]) -> Definitions:
    """The definitions of a warehouse whose metrics say this, and are called m0, m1 …"""
    with duckdb.connect() as warehouse:
        warehouse.execute("CREATE SCHEMA metering")
        warehouse.execute(
            "CREATE TABLE metering.int_metrics_defined (metric_code TEXT, definition TEXT)"
        )
        for number, metric in enumerate(metrics):
            warehouse.execute(
                "INSERT INTO metering.int_metrics_defined VALUES (?, ?)",
                [f"m{number}", json.dumps(metric)],
            )
        return definitions_of(warehouse)


def test_what_is_counted_is_kept_with_the_minor_units() -> None:
    content = json.loads(read(REQUESTS).content)

    assert content["metrics"] == {
        "m0": {"aggregation": "count", "event_name": "http_request"},
    }
    assert {name: content["minor_units"][name] for name in ("JPY", "EUR", "KWD", "CLF")} == {
        "JPY": 0,
        "EUR": 2,
        "KWD": 3,
        "CLF": 4,
    }


def test_the_digest_changes_with_what_is_counted_alone() -> None:
    digest = read(REQUESTS).digest

    assert read(REQUESTS | {"description": "All requests"}).digest == digest
    assert read(dict(reversed(REQUESTS.items()))).digest == digest
    assert read(REQUESTS | {"event_name": "login"}).digest != digest
    assert read(REQUESTS, REQUESTS).digest != digest


def test_definitions_are_written_once(lake_home: Path) -> None:
    definitions = read(REQUESTS)
    with open_lake(lake_home, read_only=False) as lake:
        for batch_id in (1, 2):
            rows = definitions.rows(lake, batch_id)
            assert rows.height == (batch_id == 1)
            lake.commit_batch(batch_id, {**batch_rows(batch_id), DEFINITIONS: rows}, {})

        assert lake.table(DEFINITIONS).rows() == [(1, definitions.digest, definitions.content)]
