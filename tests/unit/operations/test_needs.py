"""What a probe says of a home: nothing when all is well, else a sentence with what to do."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.operations.attention import OldestUndecided
from pipelines.operations.needs import needs_of
from pipelines.operations.report import HomeReport, UnreadObject
from pipelines.settings import Settings
from tests.worlds.commits import commit_events
from tests.worlds.lakes import open_lake
from tests.worlds.marts import publish_marts
from tests.worlds.reports import NOTHING, WAITING

HELD = replace(WAITING, path="raw/h\x1b[2J.ndjson", status="held")
UNREAD_NAME = "left out by `paths` of its source: *.gz"


def waited(hours: int, seconds: int = 0) -> HomeReport:
    oldest = OldestUndecided(
        "raw/a\u202e", "pending", "2026-03-10T12:00:00Z", hours * 3600 + seconds
    )
    return replace(NOTHING, oldest_undecided=oldest)


def unread(*reasons: str) -> HomeReport:
    objects = [UnreadObject(f"raw/{reason[:3]}", reason) for reason in reasons]
    return replace(NOTHING, not_read=objects)


@pytest.mark.parametrize(
    ("report", "needs"),
    [
        pytest.param(NOTHING, [], id="nothing"),
        pytest.param(
            replace(NOTHING, held=[HELD]),
            [
                "1 file is held or unreadable, the first is raw/h\\x1b[2J.ndjson; "
                "`meterline status` says what to do"
            ],
            id="a held file",
        ),
        pytest.param(
            replace(NOTHING, quarantined=[WAITING], held=[HELD]),
            [
                "2 files are held or unreadable, the first is raw/h\\x1b[2J.ndjson; "
                "`meterline status` says what to do"
            ],
            id="two files",
        ),
        pytest.param(waited(24), [], id="exactly a day"),
        pytest.param(
            waited(24, 1),
            [
                "raw/a\\u202e has waited for 24 hours to be decided; `meterline run` takes in what "
                "has landed"
            ],
            id="a second more",
        ),
        pytest.param(
            unread(
                "unfinished upload (the name begins with _ or . or ends in .tmp or .part)",
                UNREAD_NAME,
            ),
            [],
            id="what nobody meant as usage",
        ),
        pytest.param(
            unread(UNREAD_NAME, "no row for source 'cnd' in sources.csv"),
            [
                "1 object of the landing is not read, the first is raw/no : no row for source "
                "'cnd' in sources.csv"
            ],
            id="a sender that nobody knows",
        ),
    ],
)
def test_what_needs_a_person_is_a_sentence(
    report: HomeReport, needs: list[str], tmp_path: Path
) -> None:
    assert needs_of(report, Home(Settings(home=tmp_path))) == needs


def test_bounds_are_those_of_the_alarms(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, alarm_waiting_files=1, alarm_undecided_hours=25)
    report = replace(waited(25), held=[HELD])

    assert needs_of(report, Home(settings)) == []


def test_a_batch_that_was_never_published_needs_a_person(lake_home: Path) -> None:
    def needs_after(batch_id: int) -> list[str]:
        with open_lake(lake_home, read_only=False) as lake:
            commit_events(lake, lake_home, batch_id)
        return needs_of(NOTHING, home)

    home = Home(Settings(home=lake_home))
    never = "batch {} is decided and was never published; `meterline run` says what keeps it back"

    assert needs_of(NOTHING, home) == []
    assert needs_after(1) == [never.format(1)]
    publish_marts(lake_home, "CREATE TABLE t AS SELECT 1 AS a")  # This generation has batch 1.
    assert needs_of(NOTHING, home) == []
    assert needs_after(2) == [never.format(2)]


@pytest.mark.parametrize(
    ("pid", "needs"),
    [
        (os.getpid(), []),
        (2**22 + 1, ["run r1 was killed; `meterline run` goes on where it stopped"]),
    ],
    # A process id in a test's name would be another one in each worker.
    ids=["at work", "killed"],
)
def test_a_run_that_was_killed_needs_a_person_and_one_at_work_does_not(
    lake_home: Path, pid: int, needs: list[str]
) -> None:
    with open_lake(lake_home, read_only=False) as lake:
        commit_events(lake, lake_home, 1)
    (lake_home / "writer.json").write_text(json.dumps({"run_id": "r1", "pid": pid}))

    assert needs_of(NOTHING, Home(Settings(home=lake_home))) == needs
