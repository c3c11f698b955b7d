"""The dbt project keeps its layers and its promises: rules over dbt's own manifest.

Each rule is a function from the manifest's nodes to offences. It is run over the project, and
over a bad example, which it must catch. Rules about the text of files are in `test_dbt_files`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from pipelines.defs.lineage import LineageTranslator
from pipelines.periods.rhythm import ANCHORS, INTERVALS
from pipelines.settings import DBT_PROJECT, REPOSITORY
from pipelines.vocabulary.tables import LAKE_TABLES
from tests.worlds.homes import prepared_project

PARENTS_MAX = 7
VIEW_CHAIN_MAX = 4

INTERMEDIATE = r"int_[a-z_]+_([a-z]*ed|kept|by_[a-z]+)|int_calendar(_digest|_changes)?"

PREFIXES = {
    "staging": r"stg_(lake|landing|calendar|catalog)__[a-z_]+",
    "metrics": r"metric_[a-z_]+",
    "marts": r"(dim|fct|rpt)_[a-z_]+",
} | dict.fromkeys(
    ("attribution", "metering", "rating", "invoicing", "books", "reconciliation"), INTERMEDIATE
)
"""Folder → what its models are called: what was done to the rows, their grain, a charge model.

The calendar, its digest and its changes are a thing of their own."""

ENTERED_BY_PYTHON_AFTER_BILLING = {
    "source.meterline.lake.invoices",
    "source.meterline.lake.invoice_lines",
}
"""Written by the close, which reads what billing made: billing must not read them."""

STAGING_FOR_MARTS = {
    "dim_customers": ("stg_catalog__customers", "stg_catalog__customer_aliases"),
    "dim_plans": ("stg_catalog__plans",),
    "dim_charges": ("stg_catalog__charges",),
    "dim_billing_periods": ("stg_calendar__clock", "stg_lake__invoices"),
    "fct_usage_by_day": ("stg_catalog__subscriptions",),
}
"""Marts that show a staged table's own rows, the bounds of a period, or whose a subscription is: no
rule lies between."""

WITHOUT_UNIT_TEST = {
    "int_metrics_defined",
    "int_metrics_totalled",
    "int_usage_kept",
    "int_usage_by_day",
    "int_usage_bucketed",
    "int_invoiced_usage_by_day",
    "int_events_counted",
    "int_events_unmetered",
    "int_calendar_changes",
}
"""They are made of the metrics in dbt's graph, or of tables that are kept: a unit test of dbt can
give neither. `test_dbt_extending.py` and `test_dbt_project_build.py` build them,
`test_prices_of_buckets.py` has cases of buckets, `test_revenue_by_day.py` those of invoiced usage,
`test_calendar_changes.py` those of the last."""

VIEWS_OF_LISTS = {"fct_revenue_by_day": "int_revenue_allocated"}
"""Views of lists that are kept, and where these are tested when they are made: a test of the view
would read all of the past in each run."""

ROAD_OF_EVENTS = {"int_events_assigned"}
"""The road of single events: prices of each event read it, and tests compare bills with it."""

EXACT_TYPES = re.compile(
    r"bigint|integer|hugeint|boolean|date|timestamp|timestamptz|varchar(\[\])?"
    r"|map\(varchar, varchar\)|decimal\((38, 18|38, 15|30, 15|18, 6|20, 15|38, 21)\)"
    r"|struct\((\w+ (varchar(\[\])?|boolean|struct\((\w+ varchar(\[\])?(, )?)+\)\[\])(, )?)+\)\[\]"
)

Node = Mapping[str, Any]
Rule = Callable[[Mapping[str, Node]], Iterator[str]]


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(prepared_project().manifest_file.read_text())
    return parsed


def models(nodes: Mapping[str, Node]) -> Iterator[Node]:
    """The models among the nodes."""
    yield from (node for node in nodes.values() if node["resource_type"] == "model")


def parents(nodes: Mapping[str, Node], node: Node) -> Iterator[Node]:
    """Models and seeds a node reads; sources are not nodes."""
    yield from (nodes[name] for name in inputs(node) if name in nodes)


def inputs(node: Node) -> list[str]:
    """Unique ids of all that a node reads; a seed reads nothing."""
    return list(node["depends_on"].get("nodes", ()))


def layer(node: Node) -> str:
    """First folder of a model; `seed` for a seed."""
    return "seed" if node["resource_type"] == "seed" else str(node["fqn"][1])


def keeps_tables(node: Node) -> bool:
    """True for a view of tables that are kept: statements beside its query make them.

    They are kept by the batch, which is a row of the lake as it is, and they are made of all that
    decides about an event.
    """
    return bool(node["config"].get("materialized") == "kept")


def misnamed_models(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in models(nodes):
        if not re.fullmatch(PREFIXES.get(layer(node), "no such folder"), node["name"]):
            yield f"{node['name']} stands in {layer(node)}"


def layers_skipped(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in models(nodes):
        raw_inputs = [
            name
            for name in inputs(node)
            if name.startswith("source.") or layer(nodes[name]) == "seed"
        ]
        if layer(node) == "staging" and len(inputs(node)) != 1:
            yield f"{node['name']} joins"
        if layer(node) != "staging" and raw_inputs and not keeps_tables(node):
            yield f"{node['name']} reads {raw_inputs}, which is for staging"
        for parent in parents(nodes, node):
            if layer(parent) == "marts" and layer(node) != "marts":
                yield f"{node['name']} reads the mart {parent['name']}"
            is_short_cut = layer(node) == "marts" and layer(parent) == "staging"
            if is_short_cut and parent["name"] not in STAGING_FOR_MARTS.get(node["name"], ()):
                yield f"{node['name']} reads {parent['name']} past the models between them"


def models_with_many_parents(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in models(nodes):
        names = {parent["name"] for parent in parents(nodes, node)}
        # However many metrics there are, they are one thing to their reader.
        counted = {"metric_…" if name.startswith("metric_") else name for name in names}
        if len(counted) > PARENTS_MAX and not keeps_tables(node):
            yield f"{node['name']} reads {len(counted)} models"


def long_chains_of_views(nodes: Mapping[str, Node]) -> Iterator[str]:
    def chain(node: Node) -> int:
        if node["resource_type"] != "model" or node["config"]["materialized"] != "view":
            return 0
        return 1 + max((chain(parent) for parent in parents(nodes, node)), default=0)

    for node in models(nodes):
        if chain(node) > VIEW_CHAIN_MAX:
            yield f"{node['name']} ends a chain of {chain(node)} views"


def lines_of_what(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in models(nodes):
        kinds = re.findall(r"(\w*?)_lines", node["name"])
        if not all(kind.endswith(("_file", "_invoice")) for kind in kinds):
            yield f"{node['name']} does not say whether a file's lines or an invoice's"


def folders_of_several_kinds(nodes: Mapping[str, Node]) -> Iterator[str]:
    kinds: dict[str, set[str]] = {}
    for node in models(nodes):
        kind = f"{sorted(node['config']['tags'])} in {node['config']['schema']}"
        kinds.setdefault("/".join(node["fqn"][1:-1]), set()).add(kind)
    for folder, found in kinds.items():
        if len(found) > 1:
            yield f"{folder} holds {sorted(found)}"


def phases_mixed(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in nodes.values():
        if node["resource_type"] not in ("model", "seed"):
            continue
        phases = {"billing", "marts"} & set(node["config"]["tags"])
        if len(phases) != 1:
            yield f"{node['name']} is in phases {sorted(phases)}"
        if phases != {"billing"}:
            continue
        yield from (
            f"{node['name']} of billing reads {parent['name']} of marts"
            for parent in parents(nodes, node)
            if "marts" in parent["config"]["tags"]
        )
        for name in ENTERED_BY_PYTHON_AFTER_BILLING & set(inputs(node)):
            yield f"{node['name']} of billing reads {name}"


def undocumented(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in nodes.values():
        if node["resource_type"] not in ("model", "seed"):
            continue
        if not node["description"].startswith("One row per "):
            yield f"{node['name']} does not say what a row is"
        for column in node["columns"].values():
            if not column["description"].rstrip().endswith((".", "`", "%")):
                yield f"{node['name']}.{column['name']} has no sentence"
            if node["resource_type"] == "model" and not EXACT_TYPES.fullmatch(
                column["data_type"] or ""
            ):
                yield f"{node['name']}.{column['name']} is {column['data_type']}"


def assertions_of(node: Node) -> list[tuple[str, Mapping[str, Any]]]:
    """Name of the generic test and arguments of each assertion; empty for another test."""
    metadata = node.get("test_metadata") or {}
    listed = metadata["kwargs"]["all"] if metadata.get("name") == "assertions" else []
    return [next(iter(assertion.items())) for assertion in listed]


def untested_keys(nodes: Mapping[str, Node]) -> Iterator[str]:
    keyed = {
        node["attached_node"]
        for node in nodes.values()
        if node["resource_type"] == "test"
        and any(kind == "unique_key" for kind, _ in assertions_of(node))
    }

    def is_tested(name: str) -> bool:
        """By itself; the rows of a view or a seed also by each table that is made of them."""
        is_view = nodes[name]["config"].get("materialized") in ("view", "kept", "seed")
        readers = [each for each, node in nodes.items() if name in inputs(node)]
        tables = [
            each
            for each in readers
            if nodes[each]["resource_type"] == "model" and nodes[each]["name"] not in ROAD_OF_EVENTS
        ]
        listed = VIEWS_OF_LISTS.get(nodes[name]["name"])
        return (
            name in keyed
            or (is_view and bool(tables) and all(map(is_tested, tables)))
            or any(nodes[each]["name"] == listed for each in keyed)
        )

    for name, node in nodes.items():
        if node["name"] in ROAD_OF_EVENTS:
            continue
        if node["resource_type"] in ("model", "seed") and not is_tested(name):
            yield f"{node['name']} has no test of its key"


def assertions_standing_alone(nodes: Mapping[str, Node]) -> Iterator[str]:
    """Each test is a query and a check of its own: what is asserted of a model is one."""
    for node in nodes.values():
        if node["resource_type"] != "test" or not node.get("attached_node"):
            continue
        model = nodes[node["attached_node"]]["name"]
        if node["name"] != f"assertions_of_{model}" or not assertions_of(node):
            yield f"{node['name']} is no entry of assertions_of_{model}"
        names = [(kind, repr(given)) for kind, given in assertions_of(node)]
        if len(names) > len(set(names)):
            yield f"{node['name']} asserts something twice"


def amounts_without_currency(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in models(nodes):
        has_amount = any(name.endswith("amount") for name in node["columns"])
        if layer(node) == "marts" and has_amount and "currency" not in node["columns"]:
            yield f"{node['name']} has an amount and no currency"


def marts_without_contract(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in models(nodes):
        if layer(node) == "marts" and not node["config"]["contract"]["enforced"]:
            yield f"{node['name']} has no enforced contract"


def published_views_of_other_rooms(nodes: Mapping[str, Node]) -> Iterator[str]:
    """A mart that is a view is published as one, beside the marts alone."""
    for node in models(nodes):
        if layer(node) != "marts" or node["config"]["materialized"] != "view":
            continue
        for name in inputs(node):
            if name not in nodes or layer(nodes[name]) != "marts":
                yield f"the view {node['name']} reads {name}, which is not published"


def severities_below_error(nodes: Mapping[str, Node]) -> Iterator[str]:
    for node in nodes.values():
        if node["resource_type"] == "test" and node["config"]["severity"].lower() != "error":
            yield f"{node['name']} only warns"


RULES: tuple[Rule, ...] = (
    misnamed_models,
    layers_skipped,
    models_with_many_parents,
    long_chains_of_views,
    lines_of_what,
    folders_of_several_kinds,
    phases_mixed,
    undocumented,
    untested_keys,
    assertions_standing_alone,
    amounts_without_currency,
    marts_without_contract,
    published_views_of_other_rooms,
    severities_below_error,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_project_keeps_the_rule(rule: Rule, manifest: dict[str, Any]) -> None:
    assert list(rule(manifest["nodes"])) == []


def a_model(name: str, folder: str, *reads: str, **changes: Any) -> dict[str, Node]:
    """A model as the manifest has it, for the bad examples."""
    config = {
        "materialized": "view",
        "tags": ["billing"],
        "schema": folder,
        "contract": {"enforced": False},
    }
    column = {"name": "amount", "description": "A sentence.", "data_type": "decimal(38, 15)"}
    node = {
        "name": name,
        "resource_type": "model",
        "fqn": ["meterline", folder, name],
        "depends_on": {"nodes": [f"model.{read}" for read in reads]},
        "config": config,
        "description": "One row per thing.",
        "columns": {"amount": column},
    }
    return {f"model.{name}": node | changes}


def a_chain(length: int) -> dict[str, Node]:
    chain = a_model("int_a_0ed", "metering")
    for place in range(1, length):
        chain |= a_model(f"int_a_{place}ed", "metering", f"int_a_{place - 1}ed")
    return chain


MANY = {f"int_{letter}_made": a_model(f"int_{letter}_made", "metering") for letter in "abcdefgh"}

BAD_EXAMPLES: dict[Rule, dict[str, Node]] = {
    misnamed_models: a_model("tmp_things", "metering"),
    layers_skipped: a_model("fct_things", "marts") | a_model("int_a_made", "rating", "fct_things"),
    models_with_many_parents: a_model("int_x_made", "metering", *MANY)
    | {name: node for made in MANY.values() for name, node in made.items()},
    long_chains_of_views: a_chain(VIEW_CHAIN_MAX + 1),
    lines_of_what: a_model("int_lines_rated", "rating"),
    folders_of_several_kinds: a_model("int_a_made", "rating")
    | a_model("int_b_made", "rating", config={"tags": ["marts"], "schema": "rating"}),
    phases_mixed: a_model(
        "int_a_made",
        "metering",
        depends_on={"nodes": sorted(ENTERED_BY_PYTHON_AFTER_BILLING)},
    ),
    undocumented: a_model("int_a_made", "metering", description="Things."),
    untested_keys: a_model("int_a_made", "metering"),
    assertions_standing_alone: a_model("int_a_made", "metering")
    | {
        "test.a": {
            "name": "not_null_int_a_made_amount",
            "resource_type": "test",
            "attached_node": "model.int_a_made",
        }
    },
    amounts_without_currency: a_model("fct_things", "marts"),
    marts_without_contract: a_model("fct_things", "marts"),
    published_views_of_other_rooms: a_model("fct_things", "marts", "int_a_made")
    | a_model("int_a_made", "rating"),
    severities_below_error: {
        "test.a": {"name": "a", "resource_type": "test", "config": {"severity": "WARN"}}
    },
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_catches_a_bad_example(rule: Rule) -> None:
    assert list(rule(BAD_EXAMPLES[rule])) != []


@pytest.mark.parametrize(
    ("name", "group"),
    [
        pytest.param("charges", "1_catalog", id="seed"),
        pytest.param("stg_catalog__charges", "1_catalog", id="staged seed"),
        pytest.param("stg_lake__accepted_events", "3_events", id="staged event"),
        pytest.param("stg_calendar__open_periods", "4_calendar", id="staged period"),
        pytest.param("stg_lake__closed_periods", "4_calendar", id="closed period"),
        pytest.param("int_periods_united", "5_metrics", id="period"),
        pytest.param("metric_requests", "5_metrics", id="metric"),
        pytest.param("int_invoice_lines_rated", "6_rating", id="rated"),
        pytest.param("int_invoices_drafted", "7_invoices", id="drafted"),
        pytest.param("int_invoices_united", "8_marts", id="after the close"),
        pytest.param("fct_invoices", "8_marts", id="mart"),
    ],
)
def test_group_follows_the_flow(manifest: dict[str, Any], name: str, group: str) -> None:
    (node,) = (node for node in manifest["nodes"].values() if node["name"] == name)
    assert LineageTranslator().get_group_name(node) == group


def test_every_metric_is_found_and_defined(manifest: dict[str, Any]) -> None:
    files = {path.stem.removeprefix("metric_") for path in DBT_PROJECT.glob("models/metrics/*.sql")}
    metrics = {node["name"]: node for node in models(manifest["nodes"]) if layer(node) == "metrics"}
    readers = [
        node
        for node in models(manifest["nodes"])
        if node["name"] in ("int_events_assigned", "int_usage_kept")
    ]

    assert {f"metric_{code}" for code in files} == set(metrics)
    for node in readers:
        read = {parent["name"] for parent in parents(manifest["nodes"], node)}
        assert set(metrics) <= read, "a metric that no model reads"
    for name, node in metrics.items():
        definition = node["config"]["meta"]
        assert name == f"metric_{definition['metric_code']}"
        assert definition["description"]
        assert definition["unit"]


def test_every_rule_has_a_unit_test(manifest: dict[str, Any]) -> None:
    tested = {unit_test["model"] for unit_test in manifest["unit_tests"].values()}
    rules = {
        node["name"]
        for node in models(manifest["nodes"])
        if node["name"].startswith(("int_", "metric_"))
    }
    assert rules - tested == WITHOUT_UNIT_TEST


def test_every_source_is_documented_as_the_lake_has_it(manifest: dict[str, Any]) -> None:
    documented = {
        source["name"]: {
            column["name"]: (column["data_type"].upper(), column["description"].strip())
            for column in source["columns"].values()
        }
        for source in manifest["sources"].values()
        if source["source_name"] == "lake"
    }
    assert set(documented.pop("schema_version"))
    assert documented == {
        table.name: {column.name: (column.sql_type, column.meaning) for column in table.columns}
        for table in LAKE_TABLES
    }


NAMED_ELSEWHERE = {"generate_schema_name", "known_aggregations", "metric_usage"} | {
    name
    for module in ("rating", "settling")
    for name in re.findall(
        r'"(\w+)"', (REPOSITORY / f"pipelines/warehouse/{module}.py").read_text()
    )
}
"""dbt calls the first, tests of columns name the second, previews render the others."""


def test_every_macro_is_documented_and_used(manifest: dict[str, Any]) -> None:
    texts = "".join(path.read_text() for path in DBT_PROJECT.rglob("*.sql"))
    for macro in manifest["macros"].values():
        name = macro["name"].removeprefix("test_")
        is_found_by_name = re.match(r"_|default__|duckdb__|materialization_", name)
        if macro["package_name"] != "meterline" or is_found_by_name:
            continue
        is_test = macro["name"].startswith("test_")
        assert is_test or macro["description"], f"{name} has no description"
        assert is_test or name in NAMED_ELSEWHERE or len(re.findall(rf"\b{name}\(", texts)) > 1, (
            f"{name} is not called"
        )


AGGREGATION_PARTS = {"traits", "partial", "merge", "final"}
OPTIONAL_PARTS = {"carry", "windows", "total"}


def test_every_spelling_of_an_engine_is_dispatched(manifest: dict[str, Any]) -> None:
    texts = "".join(path.read_text() for path in (DBT_PROJECT / "macros").rglob("*.sql"))
    for macro in manifest["macros"].values():
        spelling = re.fullmatch(r"(?:default|duckdb)__(\w+)", macro["name"])
        if macro["package_name"] != "meterline" or spelling is None:
            continue
        is_found_by_name = re.search("aggregations|charge_models", macro["path"])
        assert is_found_by_name or f"adapter.dispatch('{spelling[1]}')" in texts, macro["name"]


def test_every_aggregation_has_all_parts(manifest: dict[str, Any]) -> None:
    parts: dict[str, set[str]] = {}
    for macro in manifest["macros"].values():
        if macro["path"].startswith("macros/aggregations/"):
            name = macro["path"].removeprefix("macros/aggregations/").removesuffix(".sql")
            parts.setdefault(name, set()).add(macro["name"])
    assert {"count", "sum"} <= set(parts)
    for name, found in parts.items():
        parts_found = {macro.removeprefix(f"default__{name}_") for macro in found}
        assert AGGREGATION_PARTS <= parts_found <= AGGREGATION_PARTS | OPTIONAL_PARTS, name


def test_every_charge_model_is_found(manifest: dict[str, Any]) -> None:
    folder = DBT_PROJECT / "macros" / "rating" / "charge_models"
    parts = {"price_tiers", "price_amounts"}
    for path in folder.glob("*.sql"):
        found = {
            part
            for macro in manifest["macros"].values()
            for part in parts
            if macro["original_file_path"].endswith(f"charge_models/{path.name}")
            and macro["name"].endswith(f"__{path.stem}_{part}")
        }
        assert len(found) == 1, f"{path.name}: expected one of {parts}, found {found}"
        is_narrow = f"default__{path.stem}_narrow_tier" in path.read_text()
        assert not is_narrow or found == {"price_tiers"}, f"{path.name} has no wide form"


def test_every_interval_and_anchor_of_the_catalog_passes_the_test_of_its_seed(
    manifest: dict[str, Any],
) -> None:
    tests = [
        node for node in manifest["nodes"].values() if node["name"] == "assertions_of_subscriptions"
    ]
    listed = {
        given["column_name"]: given["values"]
        for node in tests
        for kind, given in assertions_of(node)
        if kind == "one_of"
    }
    assert listed["interval"] == list(INTERVALS)
    assert listed["anchor"] == list(ANCHORS)


def test_no_package_is_needed(manifest: dict[str, Any]) -> None:
    packages = {node["package_name"] for node in manifest["nodes"].values()}
    assert packages == {"meterline"}
    assert not list(DBT_PROJECT.glob("*packages.yml"))
