"""Two fixed ones of the many worlds, and proof that a wrong verdict would be seen."""

from pathlib import Path

import pytest

from tests.properties.many_worlds import check_world
from tests.worlds.landings import LandedWorld, VerdictRow

pytestmark = pytest.mark.usefixtures("compiled_scanner")


@pytest.mark.parametrize("number", [2, 11])
def test_two_roads_give_the_oracles_verdicts(number: int, tmp_path: Path) -> None:
    check_world(number, tmp_path)


def test_a_wrong_verdict_fails_the_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_differs(world: LandedWorld) -> list[VerdictRow]:
        (path, line, _, _, _, _), *others = expected_rows(world)
        return [(path, line, "rejected", "malformed", None, None), *others]

    expected_rows = LandedWorld.expected_rows
    monkeypatch.setattr(LandedWorld, "expected_rows", one_differs)
    with pytest.raises(AssertionError, match="first difference"):
        check_world(2, tmp_path)
