"""Names whose closed usage would belong to somebody else by today's catalog."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog.catalog import Catalog
from pipelines.lake.closed_book import reopened_periods
from pipelines.vocabulary.frames import MOVED_NAMES
from pipelines.vocabulary.reopened import NOTHING_REOPENED
from pipelines.vocabulary.tables import ACTS, BATCHES, CATALOGS, CLOSED_PERIODS
from pipelines.warehouse.moved_names import moved_names
from tests.worlds.catalogs import RIGHT, Edit, read
from tests.worlds.lakes import LakeInMemory, lake_rows

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)


def edited(folder: Path, *edits: Edit) -> Catalog:
    files = dict(RIGHT)
    for edit in edits:
        files = edit.of(files)
    folder.mkdir()
    return read(folder, files)


def closed_with(catalog: Catalog, later: Catalog | None = None) -> LakeInMemory:
    """A lake in which May and June of acme are closed, and of zürich by a later catalog."""
    contents = [
        {"batch_id": 1, "catalog_digest": used.digest, "file_name": name, "content": text}
        for used in {catalog.digest: catalog, (later or catalog).digest: later or catalog}.values()
        for name, text in ((name, content.decode()) for name, content in used.files.items())
    ]
    closings = [(2, "s2", "acme", catalog), *([(3, "s9", "zürich", later)] if later else [])]
    periods = [
        {
            "batch_id": batch_id,
            "subscription_id": subscription_id,
            "revision": 0,
            "state": "closed",
            "customer_id": customer_id,
            "metric_codes": "bytes,requests",
            "period_start_at": start,
            "period_end_at": end,
            "period_start_label": start.replace(tzinfo=None),
            "cut_at": end,
            "event_batch_id": 7,
            "catalog_digest": used.digest,
            "invoice_id": f"{subscription_id}/{start:%Y-%m-%d}",
        }
        for batch_id, subscription_id, customer_id, used in closings
        for start, end in ((MAY, JUNE), (JUNE, JULY))
    ]
    return LakeInMemory(
        {
            CATALOGS: lake_rows(CATALOGS, *contents),
            CLOSED_PERIODS: lake_rows(CLOSED_PERIODS, *periods),
        }
    )


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        pytest.param((), [], id="nothing was edited"),
        pytest.param(
            (Edit("charges.csv", "standard,0.000000000000001", "standard,7"),),
            [],
            id="names were not edited",
        ),
        pytest.param(
            (Edit("customer_aliases.csv", "web,acme,,2026-06-01", "web,acme,,2026-07-01"),
             Edit("customer_aliases.csv", "web,zürich,2026-06-01", "web,zürich,2026-07-01")),
            [],
            id="the customer has the name for longer",
        ),
        pytest.param(
            (Edit("customer_aliases.csv", "web,acme,,2026-06-01", "web,acme,,2026-05-20"),
             Edit("customer_aliases.csv", "web,zürich,2026-06-01", "web,zürich,2026-05-20")),
            [("web", datetime(2026, 5, 20, tzinfo=UTC), JUNE, "s2/2026-05-01")],
            id="another customer has the name earlier",
        ),
        pytest.param(
            (Edit("customer_aliases.csv", "web,acme,,2026-06-01T00:00:00Z\n", ""),),
            [("web", MAY, JUNE, "s2/2026-05-01")],
            id="nobody has the name any more",
        ),
    ],
)  # fmt: skip
def test_usage_that_was_counted_under_a_name_is_found(
    tmp_path: Path, edits: tuple[Edit, ...], expected: list[tuple[object, ...]]
) -> None:
    before = edited(tmp_path / "before")
    with closed_with(before) as lake:
        found = moved_names(lake, edited(tmp_path / "today", *edits))

    assert found.schema == MOVED_NAMES
    found = found.filter("is_moved")
    for metric in ("bytes", "requests"):
        of_metric = found.filter(metric_code=metric)
        rows = of_metric.select("name", "moved_from_at", "moved_to_at", "invoice_id").rows()
        assert rows == expected
        assert set(of_metric["event_batch_id"]) <= {7}
    assert found.height == 2 * len(expected)


def test_name_that_is_given_back_has_the_usage_of_the_first_closing(tmp_path: Path) -> None:
    before = edited(tmp_path / "before")
    # In between, `web` was zürich's since ever, and zürich's May and June were closed.
    meanwhile = edited(
        tmp_path / "meanwhile",
        Edit("customer_aliases.csv", "web,acme,,2026-06-01T00:00:00Z\n", ""),
        Edit("customer_aliases.csv", "web,zürich,2026-06-01T00:00:00Z,", "web,zürich,,"),
    )
    with closed_with(before, meanwhile) as lake:
        found = moved_names(lake, before).filter(metric_code="bytes", name="web")

    rows = found.select("moved_from_at", "invoice_id", "closing_batch_id", "is_moved").rows()
    assert sorted(rows) == [
        (MAY, "s2/2026-05-01", 2, False),
        (MAY, "s9/2026-05-01", 3, True),
        (JUNE, "s9/2026-06-01", 3, False),
    ]


def test_a_closing_ends_by_a_void_or_when_its_period_is_opened(tmp_path: Path) -> None:
    before = edited(tmp_path / "before")
    gone = Edit("customer_aliases.csv", "web,acme,,2026-06-01T00:00:00Z\n", "")
    today = edited(tmp_path / "today", gone)

    def ends(lake: LakeInMemory, reopened: pl.DataFrame = NOTHING_REOPENED) -> list[object]:
        found = moved_names(lake, today, reopened).filter(metric_code="bytes", is_moved=True)
        assert found["invoice_id"].to_list() == ["s2/2026-05-01"]
        return found["ended_batch_id"].to_list()

    with closed_with(before) as lake:
        assert ends(lake) == [None]
        # The run that opens it writes the next transaction.
        lake.append(BATCHES, lake_rows(BATCHES, {"batch_id": 2, "kind": "close"}))
        assert ends(lake, reopened_periods(lake, ["s2/2026-05-01"])) == [3]
        lake.append(ACTS, lake_rows(ACTS, {"batch_id": 5, "kind": "void",
                                           "invoice_id": "s2/2026-05-01"}))  # fmt: skip
        assert ends(lake) == [5]
        again = lake.table(CLOSED_PERIODS).filter(invoice_id="s2/2026-05-01")
        opened = again.with_columns(
            batch_id=pl.lit(4), revision=pl.lit(1, pl.Int32), state=pl.lit("reopened")
        )
        lake.append(CLOSED_PERIODS, opened.cast(CLOSED_PERIODS.schema))
        assert ends(lake) == [4]
