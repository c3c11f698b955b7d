"""How many closed lines would be counted otherwise today, as a program reads it."""

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.operations.closed_differences import MART, ClosedDifferences, closed_differences


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {MART} (invoice_id VARCHAR, metric_code VARCHAR)")
        yield connection


def test_lines_invoices_and_metrics_are_counted(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        f"INSERT INTO {MART} VALUES ('i', 'requests'), ('i', 'egress'), ('j', 'requests')"
    )

    found = closed_differences(marts)

    assert (found.lines, found.invoices, found.metrics) == (3, 2, ["egress", "requests"])
    query = found.command.removeprefix('meterline sql "').removesuffix('"')
    assert len(marts.execute(query).fetchall()) == 3


def test_no_difference_is_nothing_to_say(marts: duckdb.DuckDBPyConnection) -> None:
    assert closed_differences(marts) == ClosedDifferences()


def test_generation_of_an_earlier_version_says_nothing() -> None:
    with duckdb.connect() as marts:
        assert closed_differences(marts) == ClosedDifferences()
