import dagster as dg
import pytest

from pipelines.audit.conservation import INVARIANTS
from pipelines.audit.invariant import Finding, Invariant
from pipelines.defs.checks import check_results, check_specs, require_all
from pipelines.vocabulary.errors import InvariantError

ADDS_UP = Invariant("adds_up", "file_decisions", "Lines add up (I-1).", "select 1")
HOLDS = Finding(ADDS_UP, 0, "")
BROKEN = Finding(ADDS_UP, 3, "file 7: 10 lines, 9 decided")


def test_every_invariant_of_the_lake_is_a_blocking_check() -> None:
    specs = check_specs(INVARIANTS)
    assert [spec.name for spec in specs] == [invariant.name for invariant in INVARIANTS]
    assert all(spec.blocking and spec.asset_key.path[0] == "lake" for spec in specs)


def test_finding_that_holds_passes() -> None:
    (shown,) = check_results([HOLDS])
    assert shown.passed
    assert shown.metadata["offences"] == dg.IntMetadataValue(0)
    require_all([HOLDS])


def test_broken_invariant_fails_its_check_and_shows_what_offends() -> None:
    (shown,) = check_results([BROKEN])
    assert not shown.passed
    assert shown.severity is dg.AssetCheckSeverity.ERROR
    assert shown.metadata["sample"] == dg.TextMetadataValue("file 7: 10 lines, 9 decided")
    with pytest.raises(
        InvariantError, match=r"1 of 2 broken(.|\n)*from a backup:\n(.|\n)*adds_up(.|\n)*3 offences"
    ):
        require_all([HOLDS, BROKEN])
