"""Marts published from rows written by hand, for tests of those who read them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.warehouse.generations import ChainHead, Generation, GenerationFacts, digest_inputs
from pipelines.warehouse.publish import CheckSummary, publish

FCT_INVOICES = """
CREATE TABLE fct_invoices (
    invoice_id VARCHAR, status VARCHAR, invoice_number VARCHAR, series_number BIGINT,
    customer_id VARCHAR, subscription_id VARCHAR, currency VARCHAR, period_start_at TIMESTAMPTZ,
    period_end_at TIMESTAMPTZ, cut_at TIMESTAMPTZ, total_amount DECIMAL(38, 15)
)
"""

DIM_BILLING_PERIODS = """
CREATE TABLE dim_billing_periods (
    invoice_id VARCHAR, customer_id VARCHAR, subscription_id VARCHAR, time_zone VARCHAR,
    period_start_date DATE
)
"""

RPT_UNBILLED_USAGE = """
CREATE TABLE rpt_unbilled_usage (
    unbilled_reason VARCHAR, metric_code VARCHAR, customer_id VARCHAR, unattributed_ref VARCHAR,
    event_name VARCHAR, event_count BIGINT, quantity DECIMAL(38, 18), unit VARCHAR
)
"""

NO_INVOICES = (FCT_INVOICES, DIM_BILLING_PERIODS, RPT_UNBILLED_USAGE)
"""The marts that a report reads, without rows and with the columns that it reads."""


def play_host_in(time_zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB behaves as on a host in that zone; of the real one it asks but once a process."""
    connect = duckdb.connect

    def connect_there(*arguments: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*arguments, **options)
        connection.execute(f"SET TimeZone = '{time_zone}'")
        return connection

    monkeypatch.setattr(duckdb, "connect", connect_there)


def publish_marts(home: Path, *statements: str) -> Generation:
    """The tables that the statements make in schema `marts`, as the home's new generation."""
    warehouse = home / "warehouse" / "warehouse.duckdb"
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE SCHEMA marts")
        connection.execute("USE marts")
        for statement in statements:
            connection.execute(statement)
    facts = GenerationFacts(
        as_of=datetime(2026, 3, 10, 12, tzinfo=UTC),
        batch_id=1,
        catalog_digest="c" * 64,
        code_revision="d" * 64,
        inputs_digest=digest_inputs({}),
        chain_head=ChainHead(invoices=0, chain_sha256="0" * 64),
    )
    return publish(home / "published", warehouse, [], facts, CheckSummary(passed=1))
