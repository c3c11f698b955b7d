"""What the lineage says of assets and checks besides names and edges."""

from typing import Any

import dagster as dg
import pytest

from pipelines.defs.described import (
    BUCKET_KEY,
    bucket,
    check_sentence,
    described,
    lineage_metadata,
)
from pipelines.warehouse.column_lineage import Place


def dbt_test(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "meta": {}, **more}


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        pytest.param(
            dbt_test("assert_every_metric_is_reconciled"),
            "Every metric is reconciled.",
            id="its name",
        ),
        pytest.param(
            dbt_test("assert_one_clock", meta={"description": "There is one clock."}),
            "There is one clock.",
            id="what it says itself",
        ),
        pytest.param(
            dbt_test("not_null_wrong_amount", test_metadata={"kwargs": {"column_name": "amount"}}),
            "Not null wrong amount.",
            id="a generic test",
        ),
        pytest.param(
            dbt_test(
                "assertions_of_plans",
                test_metadata={
                    "kwargs": {
                        "all": [
                            {"unique_key": {"columns": ["a"], "nullable_columns": ["b"]}},
                            {"not_null": {"column_name": "c"}},
                            {"no_overlap": {"within": ["d"]}},
                            {"row_satisfies": {"name": "tiers_add_up", "expression": "x"}},
                            {"another": {"column_name": "e"}},
                        ]
                    }
                },
            ),
            "Every row of plans keeps this: a, b is unique; c is never null; spans of one d never "
            "overlap; tiers add up; another (e).",
            id="assertions",
        ),
    ],
)
def test_check_says_what_it_claims(test: dict[str, Any], sentence: str) -> None:
    assert check_sentence(test) == sentence


@pytest.mark.parametrize(
    ("landing", "kind"), [("s3://bucket/usage", "s3"), ("/srv/landing", "file")]
)
def test_bucket_says_where_it_is(landing: str, kind: str) -> None:
    spec = bucket(landing)
    assert (spec.key, spec.kinds) == (BUCKET_KEY, {kind})
    assert spec.metadata["dagster/uri"].value == landing


def test_assets_have_an_owner_and_the_words_of_their_source() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec(["lake", "invoices"]), dg.AssetSpec("alone")])
    def made():  # type: ignore[no-untyped-def]
        """Makes both; Dagster refuses an annotation that names no outputs."""

    source = {
        "source_name": "lake",
        "name": "invoices",
        "description": "One row per invoice.\n",
        "columns": {"total": {"data_type": "decimal(38, 15)", "description": "In its currency."}},
    }
    found = described([made, dg.AssetSpec("bucket")], {"sources": {"x": source}}, "a@example.com")

    specs = {
        spec.key.to_user_string(): spec for spec in dg.Definitions(found).resolve_all_asset_specs()
    }
    assert {spec.owners[0] for spec in specs.values()} == {"a@example.com"}
    assert specs["lake/invoices"].description == "One row per invoice."
    (column,) = specs["lake/invoices"].metadata["dagster/column_schema"].columns
    assert (column.name, column.type) == ("total", "decimal(38, 15)")
    assert column.description == "In its currency."
    assert "dagster/column_schema" not in specs["alone"].metadata


def test_mart_shows_its_lineage_to_tools_and_to_people() -> None:
    keys = {"mart": dg.AssetKey(["marts", "bill"]), "seed": dg.AssetKey(["catalog", "prices"])}
    lineage = {"mart": {"total": (Place("seed", "price"),), "currency": ()}}

    shown = lineage_metadata("mart", lineage, keys)

    standard = shown["dagster/column_lineage"].deps_by_column
    assert standard["total"] == [dg.TableColumnDep(keys["seed"], "price")]
    assert [record.data for record in shown["where_columns_come_from"].records] == [
        {"column": "total", "goes back to": "catalog.prices.price"},
        {"column": "currency", "goes back to": "no column: a count or a constant"},
    ]
    assert lineage_metadata("another", lineage, keys) == {}
