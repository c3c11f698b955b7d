"""The invariants of the lake as asset checks; each blocks what comes after it.

Belongs here: how a finding appears in Dagster. Must not be put here: what holds (see
`conservation`), or dbt's tests, which dagster-dbt turns into checks (see `dbt_assets`).
"""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from pipelines.audit.invariant import Finding, Invariant
from pipelines.vocabulary.errors import InvariantError


def check_specs(invariants: Iterable[Invariant]) -> list[dg.AssetCheckSpec]:
    """One blocking check per invariant, shown at the lake table it speaks of."""
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
    """One result per finding; a failed one shows how many rows offend, and some of them."""
    for finding in findings:
        yield dg.AssetCheckResult(
            check_name=finding.invariant.name,
            asset_key=dg.AssetKey(["lake", finding.invariant.table]),
            passed=finding.holds,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"offences": finding.offences}
            | ({} if finding.holds else {"sample": finding.sample}),
        )


def require_all(findings: Sequence[Finding]) -> None:
    """Nothing, when every invariant holds.

    Raises:
        InvariantError: one does not; it names each, with its offences.
    """
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        listed = "\n".join(
            f"  - {finding.invariant.name}: {finding.invariant.meaning} "
            f"Found {finding.offences} offences, such as {finding.sample}"
            for finding in broken
        )
        raise InvariantError(
            f"expected every invariant of the lake to hold, found {len(broken)} of "
            f"{len(findings)} broken; no invoice was closed and nothing was published:\n{listed}"
        )
