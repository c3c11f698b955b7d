"""Failure logs: the trace of an error that nobody foresaw, in a file that its sentence names."""

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pipelines.vocabulary.visible import visible, visible_lines

LOGS_KEPT = 20
"""The newest logs of a home; older ones are deleted when another is written."""


def write_failure_log(folder: Path, trace: str) -> Path | None:
    """The file with the trace, in the folder or among temporary files; None if no disk takes it.

    Args:
        folder: of the home's logs; made if it is missing.
        trace: all that is known, as Python writes it.
    """
    now = datetime.now(UTC)
    name = f"{now:%Y-%m-%dT%H-%M-%S.%fZ}-{os.getpid()}.log"
    command = visible(" ".join(sys.argv))
    text = f"{now.isoformat()}\n{command}\n\n{visible_lines(trace)}"
    for place in (folder, Path(tempfile.gettempdir())):
        path = place / (name if place == folder else f"meterline-{name}")
        try:
            place.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            _forget(path)
            continue
        for older in sorted(folder.glob("*.log"))[:-LOGS_KEPT]:
            _forget(older)
        return path
    return None


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
