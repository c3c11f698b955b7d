"""Metering run: runs `meterline`, and prints the CPU seconds of its parts up to metered usage.

It shares the parts of `bench.timed_parts`. The nodes of dbt that `int_usage_metered` is made of
have parts of their own. The processes that read landed files count for the part that starts them.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from bench.timed_parts import Clock, run_timed

TARGET = "model.meterline.int_usage_metered"
"""The model that ends metering, by dbt's unique id."""

METERING = "metering: "
"""How the names of the parts begin that are dbt up to metered usage."""

MODEL = f"{METERING}model "
"""How the name of the part of one model begins."""

INVOKING = f"{METERING}invoking dbt"

BEFORE_DBT = (
    "catalog",
    "calendar",
    "lake: opening",
    "lake: queries",
    "lake: committing",
    "reading and deciding",
    "checks of the lake",
    "index of held keys",
)
"""The other parts from landed files to metered usage.

What later steps ask of the lake, the catalog and the calendar is in them: a little too much.
"""


def is_up_to_usage(part: str) -> bool:
    """Whether a part is one from landed files to metered usage."""
    return part in BEFORE_DBT or part.startswith(METERING)


def up_to(target: str, parents: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The target and all that it is made of.

    Args:
        target: unique id of a node.
        parents: what each node reads, by unique id.
    """
    found, open_nodes = {target}, [target]
    while open_nodes:
        new = set(parents.get(open_nodes.pop(), ())) - found
        found |= new
        open_nodes.extend(new)
    return frozenset(found)


def part_of_node(kind: str, unique_id: str, reads: Sequence[str], needed: AbstractSet[str]) -> str:
    """The part of a node of dbt.

    Args:
        kind: `model`, `test` or `seed`.
        unique_id: of the node.
        reads: the nodes that it reads.
        needed: the nodes of metering; a test is one of them if it reads no other node.
    """
    is_metering = needed >= set(reads) if kind == "test" else unique_id in needed
    if not is_metering:
        return f"dbt: other {kind} nodes"
    return MODEL + unique_id.rpartition(".")[2] if kind == "model" else f"{METERING}{kind}s"


def _wrap(clock: Clock) -> None:
    needed: set[str] = set()

    def part(runner: Any, manifest: Any, *_: Any) -> str:
        if not needed:
            parents = {
                name: node.depends_on_nodes
                for name, node in manifest.nodes.items()
                if node.resource_type == "model"
            }
            needed.update(up_to(TARGET, parents))
        node = runner.node
        reads = () if node.resource_type == "seed" else node.depends_on_nodes
        return part_of_node(str(node.resource_type), node.unique_id, reads, needed)

    clock.wrap_nodes(part)
    clock.wrap_by(
        "pipelines.defs.dbt",
        "run_phase",
        lambda _, selection: INVOKING if TARGET in selection else "dbt: invoking it later",
    )


def main() -> None:
    """Runs `meterline` with the arguments of this process."""
    run_timed(Clock(cpu=lambda: sum(os.times()[:4])), sys.argv[1:], _wrap)


if __name__ == "__main__":
    main()
