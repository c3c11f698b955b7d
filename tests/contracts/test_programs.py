"""Programs that tests start are like those that a shell starts, though they are forked."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.worlds.fork_server import PRELOADED
from tests.worlds.programs import Program, run_program

SHOW = """
import json, os, sys
print(json.dumps({
    "arguments": sys.argv, "name": __name__, "cwd": os.getcwd(), "home": os.environ.get("HOME"),
    "only": sorted(os.environ), "input": sys.stdin.read(), "leads": os.getpgid(0) == os.getpid(),
    "open": sorted(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else None,
}))
"""


def test_program_has_what_python_gives_it(tmp_path: Path) -> None:
    ran = run_program(["-c", SHOW, "a b", "ü"], {"HOME": "here"}, tmp_path)

    shown = json.loads(ran.stdout)
    opened = shown.pop("open")
    assert shown == {
        "arguments": ["-c", "a b", "ü"],
        "name": "__main__",
        "cwd": str(tmp_path),
        "home": "here",
        "only": ["HOME"],
        "input": "",
        "leads": True,
    }
    # Standard streams, and the folder that is being listed.
    assert opened in (None, ["0", "1", "2", "3"])
    assert (ran.returncode, ran.stderr) == (0, "")


def test_script_is_main_and_finds_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("WORD = 'near'")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "distant.py").write_text("WORD = 'far'")
    script = tmp_path / "script.py"
    script.write_text(
        "import distant, neighbour, sys\n"
        "print(__name__, sys.modules['__main__'].__file__, neighbour.WORD, distant.WORD, *sys.argv)"
    )

    ran = run_program([script, "x"], {"PYTHONPATH": str(tmp_path / "elsewhere")})

    assert ran.stdout.split() == ["__main__", str(script), "near", "far", str(script), "x"]


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no')", 1, "no\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
    ],
)
def test_program_ends_with_its_own_code(text: str, code: int, error: str) -> None:
    ran = run_program(["-c", text])

    assert (ran.returncode, ran.stdout) == (code, "")
    assert ran.stderr.endswith(error)


def test_program_runs_what_it_leaves_for_its_end() -> None:
    ran = run_program(["-c", "import atexit; atexit.register(print, 'last'); print('first')"])

    assert ran.stdout == "first\nlast\n"


WAIT = "import time; print('waits', flush=True); time.sleep(600)"


def test_kill_meets_one_program_alone() -> None:
    killed, other = Program(["-c", WAIT]), Program(["-c", WAIT])
    assert [each.stdout.readline() for each in (killed, other)] == ["waits\n"] * 2

    killed.kill()

    assert killed.wait() == -signal.SIGKILL
    assert other.poll() is None
    other.send_signal(signal.SIGTERM)
    assert other.communicate() == ("", "")
    assert other.returncode == -signal.SIGTERM
    killed.kill()  # It has ended, and its number may be another's.


def test_interrupt_is_an_exception_in_the_program() -> None:
    program = Program(["-c", WAIT])
    program.stdout.readline()

    program.send_signal(signal.SIGINT)

    _, errors = program.communicate()
    assert errors.endswith("KeyboardInterrupt\n")


def test_program_that_takes_too_long_is_killed() -> None:
    program = Program(["-c", WAIT])
    assert program.stdout.readline() == "waits\n"

    with pytest.raises(TimeoutError, match=r"took more than 0\.1 s"):
        program.communicate(timeout=0.1)
    assert program.returncode == -signal.SIGKILL


def test_libraries_are_there_before_the_program_and_the_product_is_not() -> None:
    loaded = "import json, sys; print(json.dumps(sorted(sys.modules)))"

    modules = set(json.loads(run_program(["-c", loaded]).stdout))

    assert modules >= set(PRELOADED)
    assert not {name for name in modules if name.split(".")[0] in ("pipelines", "tests")}
    assert not modules & {"duckdb", "polars", "pyarrow"}, "a fork would lose their threads"


def test_program_is_the_python_of_the_tests() -> None:
    ran = run_program(["-c", "import os, sys; print(sys.executable, os.getpid())"])

    executable, pid = ran.stdout.split()
    assert executable == sys.executable
    assert int(pid) != os.getpid()
