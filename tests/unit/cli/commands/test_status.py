"""`meterline status`: what it prints of a home."""

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Call = Callable[..., Result]


def test_status_of_an_untouched_home(call: Call, home: Path) -> None:
    called = call("status")
    report = json.loads(call("status", "--json").stdout)

    assert called.exit_code == 0
    assert "Nothing has been taken in yet" in called.stdout
    assert (report["as_of"], report["generation"], report["in_progress"]) == (None, None, [])
    assert "digest" not in report
    assert not home.exists()


def test_digest_of_an_untouched_home_is_an_error(call: Call) -> None:
    called = call("status", "--digest", "--json")

    assert called.exit_code == 1
    assert json.loads(called.stdout)["error"] == "LakeError"
    assert "run `meterline run` first" in json.loads(called.stdout)["message"]


def test_digest_is_added_on_request(call: Call, migrated_home: Path) -> None:
    as_json = call("status", "--digest", "--json", METERLINE_HOME=str(migrated_home))
    digest = json.loads(as_json.stdout)["digest"]
    as_text = call("status", "--digest", METERLINE_HOME=str(migrated_home))

    assert len(digest) == 64
    assert as_text.stdout.endswith(f"digest {digest}\n")


def test_check_of_a_home_that_is_well_says_nothing(call: Call) -> None:
    called = call("status", "--check")

    assert (called.exit_code, called.stdout, called.stderr) == (0, "", "")
    assert json.loads(call("status", "--check", "--json").stdout) == {"needs": []}


def test_check_says_what_needs_a_person_and_ends_with_3(call: Call, tmp_path: Path) -> None:
    stray = tmp_path / "landing" / "nobody" / "a\x1b[2J.json"
    stray.parent.mkdir()
    stray.write_text("{}")
    told = (
        "1 object of the landing is not read, the first is nobody/a\\x1b[2J.json: no row for "
        "source 'nobody' in sources.csv"
    )
    called, as_json = call("status", "--check"), call("status", "--check", "--json")

    assert called.exit_code == as_json.exit_code == 3
    assert called.stdout == f"needs a person {told}\n"
    assert json.loads(as_json.stdout) == {"needs": [told]}


def test_check_that_cannot_tell_ends_with_1(call: Call, tmp_path: Path) -> None:
    assert call("status", "--check", METERLINE_LANDING=str(tmp_path / "gone")).exit_code == 1
