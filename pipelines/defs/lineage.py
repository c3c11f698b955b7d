"""dbt's nodes in Dagster's lineage graph: which are shown, and where each test is a check."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from pipelines.defs.described import check_sentence
from pipelines.warehouse.phases import BILLING, MARTS, is_passed_through, phase_tag

CATALOG_KEY = dg.AssetKey("catalog")
"""The catalog as Python validated and froze it; seeds are loaded from it."""


class LineageTranslator(DagsterDbtTranslator):
    """dbt's nodes in the lineage graph; `dbt_project.yml` names the group of each folder."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """dagster-dbt's, with the frozen catalog before every seed."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if self.get_resource_props(manifest, unique_id)["resource_type"] != "seed":
            return spec
        return spec.replace_attributes(deps=[CATALOG_KEY])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """dagster-dbt's; that of a seed has no heading for the SQL that a seed has not."""
        if dbt_resource_props["resource_type"] == "seed":
            return str(dbt_resource_props["description"])
        return super().get_description(dbt_resource_props)


def lineage_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as dagster-dbt is to see it: tables, seeds and metrics, with their checks.

    A view that is only passed through is made ephemeral, for edges go through such models. Each
    test is attached to one node, as its check: see `_host`.
    """
    written = manifest["nodes"]
    nodes = {
        name: {**node, "config": {**node["config"], "materialized": "ephemeral"}}
        if is_passed_through(node)
        else node
        for name, node in written.items()
    }
    parents = dict(manifest["parent_map"])
    children = {
        name: [child for child in found if not child.startswith("test.")]
        for name, found in manifest["child_map"].items()
    }
    for name, node in nodes.items():
        if node["resource_type"] != "test":
            continue
        said = {**node["meta"], "description": check_sentence(node)}
        nodes[name] = {**node, "meta": said}
        host = _host(node, written, children)
        if host:
            nodes[name] |= {"attached_node": host, "depends_on": {"nodes": [host]}}
            parents[name] = [host]
            children[host].append(name)
    return {**manifest, "nodes": nodes, "parent_map": parents, "child_map": children}


def _host(
    test: Mapping[str, Any], nodes: Mapping[str, Any], children: Mapping[str, Sequence[str]]
) -> str | None:
    """The node that shows the test as its check; None for a test of nothing.

    It is the node that the test is written for, unless the test reads a mart and that is none;
    else the last node it reads. For a view that is passed through it is the next table made of
    it in the same phase, or else the seed that the view is made of.
    """
    tags = (BILLING.tag, MARTS.tag)
    phase = phase_tag(test, nodes, tags)

    def shown(name: str, links: Callable[[str], Iterable[str]]) -> Iterator[str]:
        if name not in nodes or phase_tag(nodes[name], nodes, tags) != phase:
            return
        if not is_passed_through(nodes[name]):
            yield name
            return
        for linked in links(name):
            yield from shown(linked, links)

    read = filter(None, [test.get("attached_node"), *reversed(test["depends_on"]["nodes"])])
    found = (
        host
        for name in read
        for links in (lambda view: children[view], lambda view: nodes[view]["depends_on"]["nodes"])
        for host in shown(name, links)
    )
    return next(found, None)


def asset_keys(manifest: Mapping[str, Any]) -> dict[str, dg.AssetKey]:
    """The asset of each model, seed and source, by dbt's unique id."""
    translator = LineageTranslator()
    nodes = {**manifest["nodes"], **manifest["sources"]}
    return {
        name: translator.get_asset_key(node)
        for name, node in nodes.items()
        if node["resource_type"] in ("model", "seed", "source")
    }


def mart_keys(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Keys of the marts: the models of the folder `marts`, in the order of their names."""
    return sorted(
        LineageTranslator().get_asset_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    )
