"""The closed book of a home whose invoices are older than the book."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog.calendar import periods_until
from pipelines.catalog.catalog import Catalog
from pipelines.lake.closed_book import closed_spans
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.tables import BATCHES, CATALOGS, CLOSED_PERIODS, INVOICES
from pipelines.warehouse.book_fill import fill_closed_book
from pipelines.warehouse.stored_catalogs import last_good_catalog
from tests.worlds.catalogs import METRICS, RIGHT, Edit, read
from tests.worlds.lakes import lake_rows, open_lake

NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)


def facts_of(catalog: Catalog) -> RunFacts:
    return RunFacts(NOON, NOON, catalog.digest, catalog.files, "d" * 64)


def invoice(
    catalog: Catalog, number: int, subscription_id: str, start: str, end: str
) -> dict[str, Any]:
    """An invoice of acme in New York, whose days begin at 05:00 UTC and have three of grace."""
    return {
        "batch_id": 2,
        "invoice_id": f"{subscription_id}/{start}",
        "series_number": number,
        "subscription_id": subscription_id,
        "period_start_at": datetime.fromisoformat(f"{start}T05:00:00Z"),
        "period_end_at": datetime.fromisoformat(f"{end}T05:00:00Z"),
        "cut_at": datetime.fromisoformat(f"{end}T05:00:00Z"),
        "event_batch_id": 1,
        "catalog_digest": catalog.digest,
    }


def close(lake: Lake, catalog: Catalog, *invoices: dict[str, Any]) -> None:
    """Commits these invoices as a version before the closed book did."""
    facts, batch_id = facts_of(catalog), lake.last_batch_id() + 1
    rows = [{**row, "batch_id": batch_id} for row in invoices]
    lake.commit_batch(
        batch_id,
        {
            BATCHES: facts.batch_row(batch_id, "close"),
            CATALOGS: facts.catalog_rows(batch_id, lake),
            INVOICES: lake_rows(INVOICES, *rows),
        },
        {},
    )


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    folder = tmp_path / "catalog"
    folder.mkdir()
    return read(folder)


def test_each_invoice_closes_its_period_as_its_own_catalog_has_it(
    lake_home: Path, tmp_path: Path, catalog: Catalog
) -> None:
    edited = tmp_path / "edited"
    edited.mkdir()
    # By now the rhythm is another one; what was closed by months stays closed by months.
    later = read(
        edited, Edit("subscriptions.csv", "s1,acme,basic,month,1", "s1,acme,basic,day,1").of(RIGHT)
    )
    with open_lake(lake_home, read_only=False) as lake:
        close(lake, catalog, invoice(catalog, 1, "s1", "2026-01-01", "2026-02-01"))
        close(lake, later, invoice(later, 2, "s3", "2026-01-01", "2026-01-02"))

        assert fill_closed_book(lake, facts_of(later)) == 2
        rows = lake.table(CLOSED_PERIODS).sort("subscription_id").to_dicts()
        batches = lake.table(BATCHES).sort("batch_id")["kind"].to_list()
        assert fill_closed_book(lake, facts_of(later)) == 0

    assert batches[-1] == "fill"
    first, second = rows
    assert (first["interval"], first["service_days"], first["invoice_id"]) == (
        "month",
        31,
        "s1/2026-01-01",
    )
    assert (first["metric_codes"], first["event_batch_id"]) == ("requests", 1)
    assert (first["plan_code"], first["state"], first["revision"]) == ("basic", "closed", 0)
    assert first["period_end_label"] == datetime(2026, 2, 1)  # noqa: DTZ001 -- a label
    assert first["terms_digest"] is None
    assert second["invoice_id"] == "s3/2026-01-01"


def test_empty_periods_before_an_invoice_are_closed_without_one(
    lake_home: Path, catalog: Catalog
) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        close(lake, catalog, invoice(catalog, 1, "s3", "2026-01-03", "2026-01-04"))
        assert fill_closed_book(lake, facts_of(catalog)) == 3
        spans = closed_spans(lake)
        rows = lake.table(CLOSED_PERIODS).sort("period_start_at")["invoice_id"].to_list()
        periods = periods_until(catalog, spans, NOON)

    assert rows == [None, None, "s3/2026-01-03"]
    assert spans["span_end_label"].to_list() == [datetime(2026, 1, 4)]  # noqa: DTZ001 -- a label
    assert periods.filter(subscription_id="s3")["period_start_at"].min() == datetime(
        2026, 1, 4, 5, tzinfo=UTC
    )


def test_an_invoice_of_fees_in_advance_closes_no_period(lake_home: Path, catalog: Catalog) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        ahead = invoice(catalog, 1, "s1", "2026-01-01", "2026-02-01")
        close(lake, catalog, ahead | {"invoice_id": "s1/2026-01-01/advance", "kind": "advance"})

        assert fill_closed_book(lake, facts_of(catalog)) == 0
        assert closed_spans(lake).is_empty()


def test_invoice_of_no_period_is_said_and_writes_nothing(lake_home: Path, catalog: Catalog) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        close(lake, catalog, invoice(catalog, 1, "s9", "2026-01-03", "2026-01-04"))
        with pytest.raises(InvariantError, match="s9/2026-01-03: expected a period of s9"):
            fill_closed_book(lake, facts_of(catalog))
        assert lake.table(CLOSED_PERIODS).is_empty()


def test_home_without_invoices_has_nothing_to_write_down(lake_home: Path, catalog: Catalog) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        assert fill_closed_book(lake, facts_of(catalog)) == 0
        assert lake.last_batch_id() == 0


def test_events_are_decided_by_the_last_good_catalog_with_the_senders_of_today(
    lake_home: Path, tmp_path: Path, catalog: Catalog
) -> None:
    folder = tmp_path / "refused"
    folder.mkdir()
    files = Edit("subscriptions.csv", "s1,acme", "s9,acme").of(RIGHT)
    refused = read(folder, Edit("sources.csv", "cdn,metronome", "new,lago").of(files))
    with open_lake(lake_home, read_only=False) as lake:
        close(lake, catalog, invoice(catalog, 1, "s1", "2026-01-01", "2026-02-01"))
        # The book is filled before the catalog of the run is judged.
        assert fill_closed_book(lake, facts_of(refused)) == 1
        good = last_good_catalog(lake, refused, METRICS)
        assert last_good_catalog(lake, catalog, METRICS).digest == catalog.digest

    assert "s1,acme" in good.files["subscriptions.csv"].decode()
    assert "new" in good.sources["source"].to_list()
