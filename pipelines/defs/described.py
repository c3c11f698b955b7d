"""Described: what the lineage says about each asset and check besides its name and its edges."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from pipelines.warehouse.column_lineage import Lineage, Place, origins
from pipelines.warehouse.phases import Manifest

BUCKET_KEY = dg.AssetKey("bucket")
"""The landing itself, which senders write to and Meterline only lists and reads."""

_CLAIMS = {
    "unique_key": "{columns} is unique",
    "not_null": "{columns} is never null",
    "one_of": "{columns} has a known value",
    "relationships": "{columns} refers to an existing row",
    "no_overlap": "spans of one {columns} never overlap",
}
"""Kind of an assertion without a name → what it claims."""


def bucket(landing: str) -> dg.AssetSpec:
    """The landing as the left end of the lineage; nothing here makes it.

    Args:
        landing: a folder or `s3://bucket/prefix`.
    """
    return dg.AssetSpec(
        BUCKET_KEY,
        group_name="0_bucket",
        description=(
            "The files that senders drop, in the landing. Senders write them, and Meterline only "
            "reads. Each run observes how many files there are and how many are new."
        ),
        kinds={"s3" if landing.startswith("s3://") else "file"},
        metadata={"dagster/uri": dg.MetadataValue.text(landing)},
    )


def described(
    assets: Iterable[dg.AssetsDefinition | dg.AssetSpec], manifest: Manifest, owner: str
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets with their owner; a table that dbt reads also has what dbt's source says of it.

    Args:
        assets: of Python and of dbt.
        manifest: of the dbt project. Its sources declare the tables of the lake and the calendar.
        owner: `team:name`, or the address of a person.
    """
    sources = {
        dg.AssetKey([source["source_name"], source["name"]]): source
        for source in manifest["sources"].values()
    }

    def said(spec: dg.AssetSpec) -> dg.AssetSpec:
        source = sources.get(spec.key)
        if source is None:
            return spec.replace_attributes(owners=[owner])
        columns = [
            dg.TableColumn(name, column.get("data_type") or "", column["description"])
            for name, column in source["columns"].items()
        ]
        return spec.replace_attributes(
            owners=[owner], description=source["description"].strip()
        ).merge_attributes(metadata={"dagster/column_schema": dg.TableSchema(columns=columns)})

    return [
        said(asset) if isinstance(asset, dg.AssetSpec) else asset.map_asset_specs(said)
        for asset in assets
    ]


def check_sentence(test: Mapping[str, Any]) -> str:
    """What the dbt test claims, in one sentence.

    A test of assertions claims each of them. Any other test says it by its name.

    Example: `assert_every_metric_is_reconciled` gives "Every metric is reconciled."
    """
    said = test["meta"].get("description")
    if said:
        return str(said)
    assertions = (test.get("test_metadata") or {}).get("kwargs", {}).get("all")
    if not isinstance(assertions, list):
        words = test["name"].removeprefix("assert_").replace("_", " ")
        return f"{words[:1].upper()}{words[1:]}."
    table = test["name"].removeprefix("assertions_of_")
    claims = [_claim(kind, given) for each in assertions for kind, given in each.items()]
    return f"Every row of {table} keeps this: {'; '.join(claims)}."


def _claim(kind: str, given: Mapping[str, Any]) -> str:
    if "name" in given:
        return str(given["name"]).replace("_", " ")
    columns = given.get("columns") or given.get("within") or [given.get("column_name", "")]
    named = ", ".join([*columns, *given.get("nullable_columns", ())])
    return _CLAIMS.get(kind, f"{kind} ({{columns}})").format(columns=named)


def lineage_metadata(
    model: str, lineage: Lineage, keys: Mapping[str, dg.AssetKey]
) -> dict[str, Any]:
    """Where each column of a mart comes from: for tools as Dagster's own, and as a table to read.

    Dagster's open UI hides its own kind of column lineage, so people read the table. Its rows go
    all the way back to lake, catalog and calendar.

    Args:
        model: dbt's unique id of the mart.
        lineage: of all models; empty when it is not known.
        keys: the asset of each node, by unique id.
    """
    if model not in lineage:
        return {}
    standard = dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(keys[place.node], place.column) for place in places]
            for column, places in lineage[model].items()
        }
    )
    rows = [
        dg.TableRecord(
            {
                "column": column,
                "goes back to": _listed(sorted(origins(lineage, Place(model, column))), keys)
                or "no column: a count or a constant",
            }
        )
        for column in lineage[model]
    ]
    return {
        "dagster/column_lineage": standard,
        "where_columns_come_from": dg.MetadataValue.table(rows),
    }


def _listed(places: Iterable[Place], keys: Mapping[str, dg.AssetKey]) -> str:
    return ", ".join(f"{'.'.join(keys[place.node].path)}.{place.column}" for place in places)
