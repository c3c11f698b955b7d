"""Descriptions: what the dbt project says of the marts, as comments."""

import json

from pipelines.warehouse.descriptions import Description, comment_statements, described_marts
from tests.worlds.homes import prepared_project


def test_a_description_has_a_line_for_each_paragraph_and_item() -> None:
    text = "It was,\nin order:\n\n- `late`: too late\n  to count;\n- `current`: it counts.\n"
    node = {
        "resource_type": "model",
        "schema": "marts",
        "alias": "fct_things",
        "description": "One row per\n  thing.\n",
        "columns": {"state": {"description": text}},
    }
    nodes = {
        "model.a": node,
        "model.b": node | {"schema": "staging"},
        "test.c": {"resource_type": "test"},
    }

    assert described_marts({"nodes": nodes}) == {
        "fct_things": Description(
            "One row per thing.",
            {"state": "It was, in order:\n\n- `late`: too late to count;\n- `current`: it counts."},
        )
    }


def test_a_quote_in_a_description_ends_no_statement() -> None:
    described = {"a": Description("It's one.", {"b": "It's two."})}

    assert list(comment_statements({"a": ["b"], "c": ["b"]}, described)) == [
        """COMMENT ON TABLE "a" IS 'It''s one.'""",
        """COMMENT ON COLUMN "a"."b" IS 'It''s two.'""",
    ]


def test_every_mart_of_the_project_and_every_column_is_described() -> None:
    described = described_marts(json.loads(prepared_project().manifest_file.read_bytes()))

    assert "fct_invoices" in described
    assert {name for name, each in described.items() if not each.table} == set()
    assert {
        (name, column)
        for name, each in described.items()
        for column, meaning in each.columns.items()
        if not meaning
    } == set()
