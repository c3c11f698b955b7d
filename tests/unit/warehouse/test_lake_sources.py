from importlib import import_module

import polars as pl
import pytest

from pipelines.vocabulary.tables.columns import BATCH_ID, Column, LakeTable, decimal
from pipelines.warehouse.lake_sources import render_sources

yaml = import_module("yaml")


@pytest.mark.parametrize(
    "meaning",
    [
        "One row per credit.",
        'It says "x: y", {z} and [w].',
        "A # is no comment, - no list, `%` nothing special.",
        "A back\\slash, a ' and é × → 家.",
        "yes",
    ],
)
def test_every_text_comes_back_as_it_was_declared(meaning: str) -> None:
    table = LakeTable("credits", meaning, (BATCH_ID, decimal("amount", 15, meaning)))

    (source,) = yaml.safe_load(render_sources([table]))["sources"]

    (found,) = source["tables"]
    assert (found["name"], found["description"]) == ("credits", meaning)
    assert found["columns"][1] == {
        "name": "amount",
        "data_type": "decimal(38,15)",
        "description": meaning,
    }


def test_type_with_a_comma_is_one_type() -> None:
    properties = Column("properties", "MAP(VARCHAR, VARCHAR)", pl.Binary(), "As sent.")

    (source,) = yaml.safe_load(render_sources([LakeTable("t", "One row per t.", (properties,))]))[
        "sources"
    ]

    assert source["tables"][0]["columns"][0]["data_type"] == "map(varchar, varchar)"


def test_sources_are_those_of_the_attached_lake() -> None:
    (source,) = yaml.safe_load(render_sources([]))["sources"]

    assert (source["name"], source["database"], source["schema"]) == ("lake", "lake", "main")
