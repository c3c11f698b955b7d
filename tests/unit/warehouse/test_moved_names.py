"""Names whose closed usage would belong to somebody else by today's catalog."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.catalog.catalog import Catalog
from pipelines.lake.lake import Lake
from pipelines.vocabulary.frames import MOVED_NAMES
from pipelines.vocabulary.tables import CATALOGS, CLOSED_PERIODS
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


def closed_with(catalog: Catalog) -> Lake:
    """A lake in which May and June of acme are closed, by one invoice each."""
    contents = [
        {"batch_id": 1, "catalog_digest": catalog.digest, "file_name": name, "content": text}
        for name, text in ((name, content.decode()) for name, content in catalog.files.items())
    ]
    periods = [
        {
            "batch_id": 2,
            "subscription_id": "s2",
            "revision": 0,
            "state": "closed",
            "customer_id": "acme",
            "metric_codes": "bytes,requests",
            "period_start_at": start,
            "period_end_at": end,
            "period_start_label": start.replace(tzinfo=None),
            "cut_at": end,
            "event_batch_id": 7,
            "catalog_digest": catalog.digest,
            "invoice_id": f"s2/{start:%Y-%m-%d}",
        }
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
    for metric in ("bytes", "requests"):
        of_metric = found.filter(metric_code=metric)
        rows = of_metric.select("name", "moved_from_at", "moved_to_at", "invoice_id").rows()
        assert rows == expected
        assert set(of_metric["event_batch_id"]) <= {7}
    assert found.height == 2 * len(expected)
