"""Terms of a catalog: what closing keeps of it, and that no edit changes what was kept."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from pipelines.catalog.calendar import periods_until
from pipelines.catalog.catalog import Catalog, catalog_of, stored_tables
from pipelines.invoicing.document_values import canonical_json, sha256_of
from pipelines.invoicing.terms import Terms
from pipelines.lake.closed_book import periods_without_terms
from pipelines.vocabulary.frames import CLOSED_SPANS, DRAFT_LINES
from pipelines.vocabulary.tables import CLOSED_PERIODS, INVOICES, TERMS
from pipelines.warehouse.definitions import Definitions
from pipelines.warehouse.terms import terms_of_drafts, terms_rows
from tests.worlds.book_runs import BookHome
from tests.worlds.catalogs import METRICS, RIGHT
from tests.worlds.edited_catalogs import Files
from tests.worlds.lakes import LakeInMemory, lake_rows
from tests.worlds.later_catalogs import FILES

AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
DEFINITIONS = Definitions(canonical_json({"metrics": {code: {"unit": code} for code in METRICS}}))


def catalog(files: Mapping[str, str]) -> Catalog:
    """The catalog, also if it says what bills do not know yet."""
    contents = {name: text.encode() for name, text in files.items()}
    return catalog_of(stored_tables(contents), contents)


def all_terms(files: Mapping[str, str] = RIGHT) -> dict[str, Terms]:
    """The terms of every period until then."""
    of = catalog(files)
    periods = periods_until(of, pl.DataFrame(schema=CLOSED_SPANS), AS_OF)
    drafts = periods.with_columns(
        invoice_id=pl.format("{}/{}", "subscription_id", "period_start_date")
    )
    lines = pl.DataFrame(schema=DRAFT_LINES)
    return terms_of_drafts(drafts, lines, periods, of, DEFINITIONS)


def terms_of(subscription_id: str, files: Mapping[str, str] = RIGHT) -> list[dict[str, Any]]:
    """The terms of a subscription's periods, in their order."""
    found = sorted((key, each.text) for key, each in all_terms(files).items())
    return [json.loads(text) for name, text in found if name.startswith(f"{subscription_id}/")]


def test_each_period_has_the_prices_of_its_first_day() -> None:
    january, february = terms_of("s1")

    assert [row["valid_from"] for row in january["charges"]] == ["2025-01-01"]
    assert [row["valid_from"] for row in february["charges"]] == ["2026-02-01"]
    assert january["customer"]["customer_id"] == "acme"
    assert january["plan"]["plan_code"] == "basic"
    assert january["metrics"] == {"requests": {"unit": "requests"}}
    assert january["share"] == {"service_days": 31, "full_days": 31}


def test_tiers_are_part_of_their_charge() -> None:
    (charge,) = terms_of("s3")[0]["charges"]

    assert [(row["from_units"], row["flat_amount"]) for row in charge["tiers"]] == [
        ("0", "5"),
        ("100.5", "0"),
    ]


def test_discounts_taxes_and_commitments_come_when_the_catalog_has_them() -> None:
    files = {**RIGHT, **FILES}
    files["customers.csv"] = files["customers.csv"].replace("policy\n", "policy,tax_codes\n")
    files["customers.csv"] = files["customers.csv"].replace("reject\n", "reject,vat\n")
    files["customers.csv"] = files["customers.csv"].replace("adjust\n", "adjust,\n")

    january = terms_of("s1", files)[0]

    assert [row["discount_id"] for row in january["discounts"]] == ["d1"]
    assert [row["commitment_id"] for row in january["commitments"]] == ["m1"]
    assert [(row["tax_code"], row["rate_percent"]) for row in january["taxes"]] == [("vat", "19")]
    assert terms_of("s3", files)[0]["commitments"] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        pytest.param("charges.csv", ",0.000000000000001,", ",2,", True, id="a price"),
        pytest.param("charge_tiers.csv", "100.5,,0.01,", "100.5,,0.03,", False, id="of others"),
        pytest.param("customers.csv", "zürich,Zürich AG", "zürich,Z", False, id="another customer"),
        pytest.param("customers.csv", '"Acme, Inc."', "Acme", True, id="the customer"),
        pytest.param("plans.csv", "basic,Basic", "basic,B", True, id="the plan"),
        pytest.param("sources.csv", "app,metronome,shared,40", "app,metronome,shared,41", False,
                     id="a source"),
    ],
)  # fmt: skip
def test_terms_follow_from_what_concerns_the_period(
    file: str, old: str, new: str, changes: bool
) -> None:
    assert old in RIGHT[file]
    edited = {**RIGHT, file: RIGHT[file].replace(old, new)}

    assert (terms_of("s1", edited)[0] != terms_of("s1")[0]) is changes


def test_the_lake_holds_each_text_once() -> None:
    terms = all_terms()
    digests = sorted({each.digest for each in terms.values()})
    held, used = digests[0], digests[:3]
    known = lake_rows(TERMS, {"batch_id": 1, "terms_digest": held, "canonical_json": "{}"})

    with LakeInMemory({TERMS: known}) as lake:
        found = terms_rows(lake, terms, [*used, *used], 7)

    assert found["terms_digest"].to_list() == used[1:]
    assert set(found["batch_id"]) == {7}
    assert found.schema == TERMS.schema
    for digest, text in found.select("terms_digest", "canonical_json").iter_rows():
        assert sha256_of(text) == digest


CATALOG: Files = {
    "sources.csv": [{"source": "cdn", "dialect": "metronome", "received_at_from": "last_modified"}],
    "customers.csv": [
        {
            "customer_id": "acme",
            "name": "Acme",
            "currency": "USD",
            "time_zone": "Etc/UTC",
            "grace_period_days": "0",
            "late_usage_policy": "reject",
        }
    ],
    "plans.csv": [{"plan_code": "calls", "name": "Calls", "currency": "USD"}],
    "charges.csv": [
        {
            "plan_code": "calls",
            "charge_code": "requests",
            "metric_code": "requests",
            "charge_model": "standard",
            "unit_price": "1",
            "valid_from": "2026-01-01",
        }
    ],
    "charge_tiers.csv": [],
    "customer_aliases.csv": [],
    "subscriptions.csv": [
        {
            "subscription_id": "s1",
            "customer_id": "acme",
            "plan_code": "calls",
            "interval": "month",
            "interval_count": "1",
            "anchor": "calendar",
            "start_date": "2026-01-01",
        }
    ],
}


@pytest.mark.parametrize("numbers_zero", [True, False])
def test_a_catalog_edited_in_place_never_changes_the_terms_of_a_closed_period(
    numbers_zero: bool,
) -> None:
    """Also of a period that was closed without an invoice."""
    home = BookHome(has_dbt=False, numbers_zero=numbers_zero)
    home.run(CATALOG, datetime(2026, 2, 2, tzinfo=UTC), [])
    kept = home.lake.table(TERMS)
    charge = CATALOG["charges.csv"][0] | {"unit_price": "2"}

    home.run({**CATALOG, "charges.csv": [charge]}, datetime(2026, 3, 2, tzinfo=UTC), [])

    closed = home.lake.table(CLOSED_PERIODS).sort("period_start_at")
    texts = dict(home.lake.table(TERMS).select("terms_digest", "canonical_json").iter_rows())
    prices = [
        [row["unit_price"] for row in json.loads(texts[digest])["charges"]]
        for digest in closed["terms_digest"]
    ]
    assert prices == [["1"], ["2"]]
    assert home.lake.table(TERMS).head(1).equals(kept)
    assert closed["recipe"].to_list() == [1, 1]
    assert periods_without_terms(home.lake) == 0
    invoices = home.lake.table(INVOICES).sort("series_number")
    expected = closed["terms_digest"].to_list() if numbers_zero else []
    assert invoices["terms_digest"].to_list() == expected
    assert [json.loads(text)["terms_digest"] for text in invoices["canonical_json"]] == expected
    home.close()
