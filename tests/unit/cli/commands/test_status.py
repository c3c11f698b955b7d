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
