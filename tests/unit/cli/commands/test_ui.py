"""`meterline ui`: which UI it opens, and how it ends."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.defs import dagster_home
from pipelines.settings import Settings

Call = Callable[..., Result]


def test_ui_opens_at_the_port_and_ends_with_its_exit_code(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def open_ui(settings: Settings, port: int) -> int:
        opened.append((settings.home, port))
        return 3

    monkeypatch.setattr(dagster_home, "open_ui", open_ui)
    called = call("ui", "--port", "4000")

    assert called.exit_code == 3
    assert opened == [(home, 4000)]
    assert "Dagster UI: http://127.0.0.1:4000" in called.stdout
