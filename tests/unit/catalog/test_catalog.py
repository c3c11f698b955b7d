"""A catalog is typed exactly, warned about and digested."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog.catalog import (
    TABLES,
    Catalog,
    catalog_digest,
    read_catalog,
)
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.tables.charge_tiers import Tier
from pipelines.catalog.tables.customer_aliases import Alias
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.plans import Plan
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.periods.lives import when_cell
from pipelines.vocabulary.errors import CatalogError
from pipelines.vocabulary.frames import SOURCES
from tests.worlds.catalogs import METRICS, RIGHT, Edit, read


def days(count: int) -> timedelta:
    return timedelta(days=count)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_right_catalog_is_typed_exactly(tmp_path: Path) -> None:
    catalog = read(tmp_path)

    assert catalog.sources.select(pl.nth(range(7))).rows() == [
        ("cdn", "metronome", "cdn", days(34), days(33), days(1), "path"),
        ("app", "metronome", "shared", days(40), days(30), days(2), "last_modified"),
        ("api", "metronome", "shared", days(40), days(38), days(1), "last_modified"),
        ("raw", "metronome", "raw", None, None, days(0), "last_modified"),
    ]
    # What says nothing of it is read and decided as ever.
    assert catalog.sources.select(pl.nth(range(7, 12))).unique().rows() == [
        (False, False, [], [], [])
    ]
    assert catalog.frame(Customer).rows() == [
        ("acme", "Acme, Inc.", "USD", "America/New_York", 3, "reject", None, [], False, "INV"),
        ("zürich", "Zürich AG", "CHF", "Europe/Zurich", 0, "adjust", None, [], False, "INV"),
    ]
    assert catalog.frame(Alias).rows() == [
        ("web", "acme", None, at("2026-06-01")),
        ("web", "zürich", at("2026-06-01"), None),
        ("ops", "acme", at("2026-01-01"), at("2026-01-02T00:00:00.5")),
    ]
    assert catalog.frame(Plan).rows() == [
        ("basic", "Basic", "USD", None, None, "half_away"),
        ("local", "Local currency", None, None, None, "half_away"),
    ]
    price = date(2025, 1, 1)
    smallest, largest = Decimal("1E-15"), Decimal("999999999999999.999999999999999")
    assert catalog.frame(Charge).select(pl.nth(range(8))).rows() == [
        ("basic", "calls", "requests", "standard", smallest, ["region", "status"], price, None),
        ("basic", "calls", "requests", "standard", largest, [], date(2026, 2, 1), None),
        ("local", "traffic", "bytes", "graduated", None, [], price, None),
    ]
    # What other models have is absent, whatever an empty cell means to them.
    assert catalog.frame(Charge)["unit_divisor"].to_list() == [None] * 3
    assert catalog.frame(Charge)["flat_at_zero"].to_list() == [None, None, False]
    bound, absent = Decimal("100.5"), (None,) * 4
    assert catalog.frame(Tier).rows() == [
        ("local", "traffic", price, bound, None, Decimal("0.01"), Decimal(0), *absent),
        ("local", "traffic", price, Decimal(0), bound, Decimal("0.02"), Decimal(5), *absent),
    ]
    start, cut = when_cell(date(2026, 1, 1)), when_cell(date(2026, 3, 1))
    unsaid = (None, None, None, "fees")
    assert catalog.frame(Subscription).rows() == [
        ("s1", "acme", "basic", "month", 1, "calendar", start, cut, *unsaid),
        ("s2", "acme", "basic", "week", 2, "anniversary", cut, None, *unsaid),
        ("s3", "acme", "local", "day", 1, "calendar", start, None, *unsaid),
    ]


def schemas_of(catalog: Catalog) -> list[pl.Schema]:
    return [
        catalog.sources.schema,
        *(catalog.frame(table.row).schema for table in TABLES.values()),
    ]


def test_headers_alone_are_an_empty_catalog_of_the_same_types(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    headers = {name: content.splitlines()[0] for name, content in RIGHT.items()}

    empty = read(tmp_path, headers)

    assert empty.frame(Customer).is_empty()
    assert schemas_of(empty) == schemas_of(read(tmp_path / "full"))
    assert schemas_of(empty) == [SOURCES, *(table.schema for table in TABLES.values())]


def test_other_line_ends_and_quotes_are_the_same_rows(tmp_path: Path) -> None:
    quoted = Edit("plans.csv", "basic,Basic,USD", '"basic","Basic","USD"').of(RIGHT)
    windows = {name: content.replace("\n", "\r\n") for name, content in quoted.items()}
    (tmp_path / "unix").mkdir()

    catalog = read(tmp_path, windows)

    assert catalog.frame(Plan).equals(read(tmp_path / "unix").frame(Plan))
    assert catalog.files["plans.csv"] == windows["plans.csv"].encode()


def test_a_folder_without_a_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CatalogError, match=r"holds no catalog; it needs charge_tiers\.csv, charges\.csv"
    ):
        read_catalog(tmp_path / "nowhere", METRICS)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plans.csv").mkdir()

    with pytest.raises(CatalogError, match=r"plans\.csv: cannot be read from"):
        read(tmp_path, {**RIGHT, "plans.csv": None})


def test_a_period_longer_than_the_lateness_is_a_warning(tmp_path: Path) -> None:
    # A quarter has up to 92 days, and 3 of grace follow; `raw` has no limit.
    files = Edit("subscriptions.csv", "basic,month,1", "basic,quarter,1").of(RIGHT)

    warnings = read(tmp_path, files).warnings

    assert [warning.split(" refuses")[0] for warning in warnings] == [
        "source 'cdn'",
        "source 'app'",
        "source 'api'",
    ]
    assert "up to 95 days for subscription 's1' of 'acme'" in warnings[0]


@pytest.mark.parametrize(
    ("grace", "count"),
    [pytest.param(2, 0, id="exactly-the-lateness"), pytest.param(3, 1, id="one-day-more")],
)
def test_a_month_and_its_grace_are_held_against_33_days(
    tmp_path: Path, grace: int, count: int
) -> None:
    files = Edit("customers.csv", ",3,reject", f",{grace},reject").of(RIGHT)
    files["sources.csv"] = "\n".join(RIGHT["sources.csv"].splitlines()[:2])

    assert len(read(tmp_path, files).warnings) == count


def test_a_plan_without_charges_is_a_warning(tmp_path: Path) -> None:
    files = {**RIGHT, "charges.csv": RIGHT["charges.csv"].splitlines()[0]}
    files["charge_tiers.csv"] = RIGHT["charge_tiers.csv"].splitlines()[0]

    assert [
        warning for warning in read(tmp_path, files).warnings if warning.startswith("plan ")
    ] == [
        "plan 'basic' has subscriptions but no charges: its invoices are empty",
        "plan 'local' has subscriptions but no charges: its invoices are empty",
    ]


def test_the_digest_names_the_bytes_of_the_seven_files_alone(tmp_path: Path) -> None:
    digest = read(tmp_path).digest

    (tmp_path / "mapping.csv").write_text("region\n")
    assert read(tmp_path).digest == digest
    respelt = Edit("plans.csv", "Basic,USD", '"Basic",USD').of(RIGHT)
    assert read(tmp_path, respelt).digest != digest


def test_the_digest_tells_where_one_file_ends_and_the_next_begins() -> None:
    # Strung together as name, blank line, content, both would read the same.
    one = {"a.csv": b"1", "b.csv": b"b.csv\n\n2"}
    other = {"a.csv": b"1b.csv\n\n", "b.csv": b"2"}

    assert catalog_digest(one) != catalog_digest(other)
    assert catalog_digest(dict(reversed(one.items()))) == catalog_digest(one)
