"""The trace of an error is kept, wherever a disk takes it."""

import tempfile
from pathlib import Path

import pytest

from pipelines.cli.failure_log import LOGS_KEPT, write_failure_log


def test_a_log_has_the_trace_and_nothing_in_it_acts(tmp_path: Path) -> None:
    log = write_failure_log(tmp_path / "home" / "logs", "Traceback:\n  a\x1b[2J\ud800\nValueError")

    assert log is not None
    assert log.parent == tmp_path / "home" / "logs"
    assert log.read_text().endswith("\n\nTraceback:\n  a\\x1b[2J\\ud800\nValueError")


def test_the_newest_logs_are_kept(tmp_path: Path) -> None:
    logs = [write_failure_log(tmp_path, str(number)) for number in range(LOGS_KEPT + 2)]

    assert sorted(tmp_path.iterdir()) == sorted(log for log in logs[2:] if log)


def test_a_disk_that_is_full_sends_the_log_to_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, free = tmp_path / "full", tmp_path / "free"
    free.mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(free))
    written = Path.write_text

    def refuse(path: Path, *arguments: object, **options: object) -> int:
        if path.is_relative_to(full):
            path.touch()
            raise OSError(28, "No space left on device")
        return written(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", refuse)
    log = write_failure_log(full, "trace")

    assert log is not None
    assert log.parent == free
    assert list(full.iterdir()) == []


def test_no_disk_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)

    assert write_failure_log(tmp_path, "trace") is None
