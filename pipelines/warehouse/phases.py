"""The two phases of a dbt build, and which nodes of the project each of them builds.

A test belongs to the phase of the last model it reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Manifest: TypeAlias = Mapping[str, Any]
"""dbt's `manifest.json`."""

Relation: TypeAlias = tuple[str, str]
"""Schema and name of a table or view in the warehouse."""


@dataclass(frozen=True)
class DbtPhase:
    """One selection of the project, which is one op.

    Attributes:
        name: of the op.
        tag: of its models and seeds.
        not_yet: tag of what is built later; a test that reads such a model waits for it.
        failure: what did not happen when it failed, for the message.
    """

    name: str
    tag: str
    not_yet: str | None = None
    failure: str = "nothing was published"

    @property
    def select(self) -> str:
        """The selection, as dbt writes it."""
        return f"tag:{self.tag}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The selection, as arguments of dbt."""
        return ("--select", self.select, *(("--exclude", self.exclude) if self.exclude else ()))

    @property
    def exclude(self) -> str | None:
        """The exclusion, as dbt writes it."""
        return f"tag:{self.not_yet}" if self.not_yet else None


BILLING = DbtPhase(
    "billing",
    tag="billing",
    not_yet="marts",
    failure="no invoice was closed and nothing was published",
)
"""Seeds, metrics, rating, drafts: all that the close reads."""

MARTS = DbtPhase(
    "marts",
    tag="marts",
    failure="nothing was published; an invoice that this run closed stays closed",
)
"""What people read; it sees the invoices that were just closed."""


@dataclass(frozen=True)
class PhaseNodes:
    """The nodes of a phase, by dbt's unique ids.

    Attributes:
        all: models, seeds and tests.
        standing: those that come out the same as long as project and catalog do: seeds, what
            is made of seeds alone, views, and the tests that read nothing else. Views of metrics
            and marts are not among them, because the lineage shows when they were last looked at.
        standing_relations: the tables and views among `standing`.
    """

    all: frozenset[str]
    standing: frozenset[str]
    standing_relations: frozenset[Relation]


def nodes_of(phase: DbtPhase, manifest: Manifest) -> PhaseNodes:
    """The nodes that the phase builds, and those of them that may stand as they are.

    Args:
        phase: which one.
        manifest: of the whole project, as dbt wrote it.
    """
    nodes = manifest["nodes"]
    constant = _made_of_seeds(nodes)
    chosen: set[str] = set()
    standing: set[str] = set()
    for unique_id, node in nodes.items():
        is_test = node["resource_type"] == "test"
        if phase_tag(node, nodes, (phase.tag, phase.not_yet)) != phase.tag:
            continue
        chosen.add(unique_id)
        is_standing = unique_id in constant or (not is_test and is_passed_through(node))
        if is_standing or (is_test and constant.issuperset(node["depends_on"]["nodes"])):
            standing.add(unique_id)
    return PhaseNodes(
        frozenset(chosen),
        frozenset(standing),
        frozenset(
            (nodes[unique_id]["schema"], nodes[unique_id]["alias"])
            for unique_id in standing
            if nodes[unique_id]["resource_type"] != "test"
        ),
    )


def phase_tag(
    node: Mapping[str, Any], nodes: Mapping[str, Any], tags: tuple[str | None, ...]
) -> str | None:
    """The tag of the node, of several tags the last; a test has those of all that it reads."""
    is_test = node["resource_type"] == "test"
    read = [nodes[name] for name in node["depends_on"]["nodes"] if name in nodes] if is_test else []
    found = {tag for each in (read if is_test else [node]) for tag in each["tags"]}
    return next((tag for tag in reversed(tags) if tag in found), None)


def is_passed_through(node: Mapping[str, Any]) -> bool:
    """Whether the node is a view that only its readers look at; metrics and marts are shown."""
    kind = (node["resource_type"], node["config"]["materialized"])
    return kind == ("model", "view") and str(node["fqn"][1]) not in ("metrics", "marts")


def _made_of_seeds(nodes: Mapping[str, Any]) -> set[str]:
    """Seeds, and models that read seeds or each other alone."""
    constant = {name for name, node in nodes.items() if node["resource_type"] == "seed"}
    while True:
        more = {
            name
            for name, node in nodes.items()
            if node["resource_type"] == "model"
            and node["depends_on"]["nodes"]
            and constant.issuperset(node["depends_on"]["nodes"])
        }
        if more <= constant:
            return constant
        constant |= more
