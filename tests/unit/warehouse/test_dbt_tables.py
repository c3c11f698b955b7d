"""Whom an unread file of a source holds back: those whom dbt attributed events of it to."""

from datetime import timedelta
from pathlib import Path

import duckdb

from pipelines.settings import Settings
from pipelines.vocabulary.frames import SOURCE_CUSTOMERS
from pipelines.warehouse.dbt_tables import opened, source_customers
from tests.worlds.files import NOON

HOUR = timedelta(hours=1)


def test_a_source_feeds_whom_its_events_are_attributed_to(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.warehouse.parent.mkdir()
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        warehouse.execute("SET TimeZone = 'Asia/Tokyo'")
        warehouse.execute("CREATE SCHEMA attribution")
        warehouse.execute(
            "CREATE TABLE attribution.int_events_counted"
            "(source VARCHAR, customer_id VARCHAR, first_received_at TIMESTAMPTZ)"
        )
        warehouse.executemany(
            "INSERT INTO attribution.int_events_counted VALUES (?, ?, ?)",
            [
                ("cdn", "acme", NOON + HOUR),
                ("cdn", "acme", NOON),
                ("cdn", "globex", NOON + HOUR),
                ("app", "acme", NOON + 2 * HOUR),
                ("app", None, NOON),
            ],
        )

    with opened(settings.warehouse) as warehouse:
        found = source_customers(warehouse, "attribution.int_events_counted")

    assert found.schema == SOURCE_CUSTOMERS
    assert sorted(found.rows()) == [
        ("app", "acme", NOON + 2 * HOUR),
        ("cdn", "acme", NOON),
        ("cdn", "globex", NOON + HOUR),
    ]
