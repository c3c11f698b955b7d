"""The closed book that the bench makes is one that its questions can be asked of."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.closed_book import START, Question, closed_days, make_catalog, show_table
from pipelines.catalog.calendar import earliest_in_time, periods_until
from pipelines.catalog.catalog import read_catalog
from pipelines.catalog.closed_time import collisions
from pipelines.lake.closed_book import closed_spans
from pipelines.settings import metric_codes
from pipelines.vocabulary.tables import CLOSED_PERIODS
from tests.worlds.lakes import LakeInMemory


def test_open_time_of_its_catalog_begins_where_its_closed_days_end(tmp_path: Path) -> None:
    make_catalog(tmp_path, 2, 34)
    catalog = read_catalog(tmp_path, metric_codes())
    with LakeInMemory({CLOSED_PERIODS: closed_days(2, 0, 3, 1)}) as lake:
        spans = closed_spans(lake)

    assert spans["subscription_id"].to_list() == ["subscription-0000000", "subscription-0000001"]
    assert set(spans["span_end_label"]) == {START + timedelta(days=3)}
    assert collisions(catalog, spans, metric_codes()) == []
    as_of = datetime(2025, 1, 5, tzinfo=UTC)
    starts = periods_until(catalog, spans, as_of)["period_start_label"]
    assert sorted(set(starts)) == [START + timedelta(days=day) for day in (3, 4, 5)]


def test_usage_without_a_bound_is_asked_about_for_ever(tmp_path: Path) -> None:
    make_catalog(tmp_path, 1, None)
    received_at = closed_days(1, 0, 1, 1)["cut_at"]
    assert earliest_in_time(read_catalog(tmp_path, metric_codes()), received_at) is None


def test_table_has_a_row_for_each_question() -> None:
    table = show_table([Question("which time is closed", 3_000, 6.6, 1.54, 218 * 2**20)])
    assert table.splitlines()[1].split("  ")[0] == "which time is closed"
    assert table.splitlines()[1].split()[-4:] == ["3,000", "6.6", "1.5", "218"]
