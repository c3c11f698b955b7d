"""The ten lines of the README that lead from a sender's file to an invoice, run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

from pipelines.settings import REPOSITORY
from tests.worlds.homes import prepared_home


def lines_of_the_readme() -> str:
    """The indented block of the chapter, as a person copies it."""
    readme = (REPOSITORY / "README.md").read_text()
    chapter = readme.partition("## Your first sender\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"^    (.*)$", chapter, re.MULTILINE))


def test_first_sender_has_an_invoice_after_the_lines_of_the_readme(tmp_path: Path) -> None:
    lines = lines_of_the_readme()
    commands, _, answer = lines.partition("\n# ")
    assert 4 <= len(commands.splitlines()) <= 10
    # The home has the parsed project already, which takes a stranger ten seconds more.
    prepared_home(tmp_path / "my" / "home")
    (tmp_path / "docs").symlink_to(REPOSITORY / "docs")
    binaries = Path(sys.executable).parent

    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (
        "Settings, catalog (1 customer, 1 subscription), dbt project and 2 metrics are right."
        in (" ".join(done.stdout.split()))
    )
    assert done.stdout.endswith(answer.replace("# ", "").strip() + "\n"), done.stdout[-300:]
