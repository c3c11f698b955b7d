"""Checks: the invariants of the lake as asset checks. A failed one blocks all later assets.

dagster-dbt makes checks of dbt's tests; see `defs.dbt`.
"""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from pipelines.audit.invariant import Finding, Invariant
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.visible import visible


def check_specs(invariants: Iterable[Invariant]) -> list[dg.AssetCheckSpec]:
    """One blocking check per invariant, shown at the lake table that it is about."""
    return [
        dg.AssetCheckSpec(
            name=invariant.name,
            asset=dg.AssetKey(["lake", invariant.table]),
            description=invariant.meaning,
            blocking=True,
        )
        for invariant in invariants
    ]


def check_results(findings: Iterable[Finding]) -> Iterator[dg.AssetCheckResult]:
    """One result per finding; a failed one shows the number of offences and some of them."""
    for finding in findings:
        yield dg.AssetCheckResult(
            check_name=finding.invariant.name,
            asset_key=dg.AssetKey(["lake", finding.invariant.table]),
            passed=finding.holds,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"offences": finding.offences}
            | ({} if finding.holds else {"sample": visible(finding.sample)}),
        )


def require_all(findings: Sequence[Finding]) -> None:
    """Passes if every invariant holds.

    Raises:
        InvariantError: an invariant is broken; the message names each broken one.
    """
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        listed = "\n".join(
            f"  - {finding.invariant.name}: {finding.invariant.meaning} "
            f"Found {counted(finding.offences, 'offence')}, such as {finding.sample}"
            for finding in broken
        )
        raise InvariantError(
            f"expected every invariant of the lake to hold, found {len(broken)} of "
            f"{len(findings)} broken; no invoice was closed and nothing was published; run "
            "`meterline run` again, and if it says the same, rows of the lake were changed, so "
            f"restore the home from a backup:\n{listed}"
        )
