"""What came of one dbt invocation: the nodes that failed, and what each test asserts and found."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import InvariantError, MeterlineError

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

_FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
"""dbt's statuses of a node that stops the run; a skipped node only follows one of them."""

_ROW_TEXT_MAX = 300
"""How many characters of an offending row a message shows."""


@dataclass(frozen=True)
class Assertion:
    """What one assertion of a test found.

    Attributes:
        name: what is claimed.
        offences: how many rows offend against it; 0 when it holds.
        first_rows: the first of these rows, each as JSON: who each is about, and by how much it is
            wrong.
        what_to_do: what a person does when it fails; `meta` of the test. Empty: nobody said.
    """

    name: str
    offences: int
    first_rows: tuple[str, ...]
    what_to_do: str = ""

    def sentence(self) -> str:
        """What offends, by how much, and what to do about it."""
        rows = ", ".join(
            row if len(row) <= _ROW_TEXT_MAX else f"{row[:_ROW_TEXT_MAX]}…"
            for row in self.first_rows
        )
        count = counted(self.offences, "row")
        advice = f"; {self.what_to_do}" if self.what_to_do else ""
        return f"{self.name} fails for {count}, such as {rows}{advice}"


@dataclass(frozen=True)
class NodeFailure:
    """A node that ended badly.

    Attributes:
        unique_id: dbt's name of it, such as `model.meterline.fct_invoices`.
        file: where it is defined, relative to the project.
        message: the assertions that fail, or what dbt said.
    """

    unique_id: str
    file: str
    message: str


@dataclass(frozen=True)
class PhaseOutcome:
    """What came of one dbt invocation.

    Attributes:
        node_events: dbt's structured event of each node that ended, in that order.
        assertions: by the unique id of the test, what each of its assertions found.
        failures: models, seeds and tests that failed.
        skipped: how many nodes did not run because of them.
    """

    node_events: tuple[Mapping[str, Any], ...]
    assertions: Mapping[str, tuple[Assertion, ...]]
    failures: tuple[NodeFailure, ...]
    skipped: int

    def require_success(self, selection: str, consequence: str = "nothing was published") -> None:
        """Nothing, when every node passed.

        Args:
            selection: what was built, for the message.
            consequence: what did not happen because of it, for the message.

        Raises:
            InvariantError: a model or a test failed.
        """
        if not self.failures:
            return
        listed = "\n".join(
            f"  - {failure.unique_id} ({failure.file}): {failure.message}"
            for failure in self.failures
        )
        raise InvariantError(
            f"dbt {selection}: expected every model and test to pass, found "
            f"{len(self.failures)} failed and {self.skipped} skipped after them; "
            f"{consequence}:\n{listed}"
        )


def outcome_of(
    invocation: "dbtRunnerResult", node_events: Sequence[Mapping[str, Any]]
) -> PhaseOutcome:
    """What came of the invocation.

    Raises:
        MeterlineError: dbt itself broke off.
        KeyboardInterrupt: the run was interrupted.
    """
    if isinstance(invocation.exception, KeyboardInterrupt | SystemExit):
        raise KeyboardInterrupt("dbt was interrupted; its queries are cancelled")
    if invocation.exception is not None or invocation.result is None:
        raise MeterlineError(f"dbt broke off: {invocation.exception}") from invocation.exception
    results = getattr(invocation.result, "results", ())
    assertions = {
        result.node.unique_id: _assertions(result)
        for result in results
        if result.node.resource_type == "test"
    }
    failures = tuple(
        NodeFailure(
            result.node.unique_id,
            result.node.original_file_path,
            _message(result, assertions.get(result.node.unique_id, ())),
        )
        for result in results
        if str(result.status) in _FAILED
    )
    skipped = sum(str(result.status) == "skipped" for result in results)
    return PhaseOutcome(tuple(node_events), assertions, failures, skipped)


def _assertions(result: Any) -> tuple[Assertion, ...]:
    """What the materialization `test` of our project found; nothing when the query failed."""
    try:
        found = json.loads(result.adapter_response.get("_message", ""))
    except ValueError:
        return ()
    if not isinstance(found, list):
        return ()
    what_to_do = " ".join(str(result.node.config.meta.get("what_to_do", "")).split())
    return tuple(
        Assertion(each["assertion"], each["offences"], tuple(each["first_rows"] or ()), what_to_do)
        for each in found
    )


def _message(result: Any, assertions: Sequence[Assertion]) -> str:
    broken = [assertion.sentence() for assertion in assertions if assertion.offences]
    return ".\n    ".join(broken) or " ".join(str(result.message).split())
