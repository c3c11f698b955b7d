from typing import Any

import pytest

from pipelines.warehouse.phases import BILLING, MARTS, DbtPhase, nodes_of


def node(kind: str, tag: str, *reads: str, materialized: str = "table") -> dict[str, Any]:
    return {
        "resource_type": kind,
        "tags": [tag] if tag else [],
        "depends_on": {"nodes": list(reads)},
        "config": {"materialized": materialized},
        "fqn": ["project", "metrics" if materialized == "metric" else "folder", "name"],
        "schema": "schema",
        "alias": "alias",
    }


def view(tag: str, *reads: str) -> dict[str, Any]:
    return node("model", tag, *reads, materialized="view")


NODES = {
    "seed.prices": node("seed", "billing"),
    "model.stg_prices": view("billing", "seed.prices"),
    "model.int_prices": node("model", "billing", "model.stg_prices"),
    "model.stg_events": view("billing", "source.events"),
    "model.metric": {
        **view("billing", "model.stg_events"),
        "fqn": ["project", "metrics", "metric"],
    },
    "model.int_usage": node("model", "billing", "model.metric", "model.int_prices"),
    "model.stg_invoices": view("marts", "source.invoices"),
    "model.fct_usage": node("model", "marts", "model.int_usage", "model.stg_invoices"),
    "model.fct_days": {
        **view("marts", "model.fct_usage"),
        "fqn": ["project", "marts", "fct_days"],
    },
    "test.prices": node("test", "", "seed.prices", "model.stg_prices"),
    "test.events": node("test", "", "model.stg_events"),
    "test.usage": node("test", "", "model.int_usage", "model.int_prices"),
    "test.invoices": node("test", "", "model.stg_invoices"),
    "test.both": node("test", "", "model.int_usage", "model.fct_usage"),
    "test.of_a_test": node("test", "of_tests"),
}
MANIFEST = {"nodes": NODES}


def test_every_node_but_a_test_of_tests_belongs_to_one_phase() -> None:
    billing, marts = nodes_of(BILLING, MANIFEST).all, nodes_of(MARTS, MANIFEST).all

    assert billing.isdisjoint(marts)
    assert billing | marts == set(NODES) - {"test.of_a_test"}


def test_a_test_waits_for_the_last_model_it_reads() -> None:
    assert {name for name in nodes_of(MARTS, MANIFEST).all if name.startswith("test.")} == {
        "test.invoices",
        "test.both",
    }


@pytest.mark.parametrize(
    ("phase", "standing"),
    [
        # Metric and mart are shown anew with each run; the view of events stands, its test not.
        pytest.param(
            BILLING,
            {"seed.prices", "model.stg_prices", "model.int_prices", "model.stg_events",
             "test.prices"},
            id="billing",
        ),
        pytest.param(MARTS, {"model.stg_invoices"}, id="marts"),
    ],
)  # fmt: skip
def test_what_follows_from_project_and_catalog_alone_stands(
    phase: DbtPhase, standing: set[str]
) -> None:
    assert nodes_of(phase, MANIFEST).standing == standing


def test_relations_of_what_stands_are_named() -> None:
    named = {"nodes": {name: {**each, "alias": name} for name, each in NODES.items()}}

    assert nodes_of(MARTS, named).standing_relations == {("schema", "model.stg_invoices")}
