"""Each hostile file goes through the real stages: it is decided as a whole or not at all."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from pipelines.landing.store import Landing
from pipelines.reading.formats import compression
from tests.hostile.files import (
    FILES,
    IGNORED_NAMES,
    HostileFile,
    one_line,
    usage,
)
from tests.hostile.landing_run import Outcome, drop, outcome_of
from tests.worlds.lakes import start_lake

SOURCE = "metronome"
_COUNTED = ("accepted", "duplicate", "conflict", "rejected", "blank")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("files")
    home = start_lake(folder / "home")
    drop(folder / "landing", ((f"{SOURCE}/{file.name}", file.content) for file in FILES))
    drop(folder / "landing", ((f"{SOURCE}/{name}", one_line(name)) for name in IGNORED_NAMES))
    return outcome_of(home, Landing(str(folder / "landing")))


@pytest.mark.parametrize("file", FILES, ids=[ascii(file.name)[:60] for file in FILES])
def test_file_is_decided_whole_or_not_at_all(outcome: Outcome, file: HostileFile) -> None:
    path = f"{SOURCE}/{file.name}"
    row = outcome.files[path]

    if file.doors is None:
        assert (row["status"], row["reason_code"]) == ("quarantined", file.reason_code)
        assert file.sentence in row["reason"]
        assert [row[name] for name in ("lines", *_COUNTED)] == [0] * 6
        assert (row["raw_bytes"], row["raw_sha256"]) == (None, None)
        assert not any(place == path for place, _ in (*outcome.accepted, *outcome.refused))
    else:
        assert row["status"] == "decided", row["reason"]
        assert outcome.doors(path) == list(file.doors)
        verdicts = Counter(door if door in _COUNTED else "rejected" for door in file.doors)
        assert {name: row[name] for name in _COUNTED} == {name: verdicts[name] for name in _COUNTED}


@pytest.mark.parametrize("name", IGNORED_NAMES, ids=ascii)
def test_name_is_not_read_but_counted(outcome: Outcome, name: str) -> None:
    path = f"{SOURCE}/{name}"

    assert IGNORED_NAMES[name] in outcome.ignored[path]
    assert path not in outcome.files


def test_the_checks_of_a_batch_find_nothing(outcome: Outcome) -> None:
    assert outcome.findings == []
    assert outcome.waiting == 0
    assert len(outcome.ignored) == len(IGNORED_NAMES)
    assert len(outcome.files) == len(FILES)


def test_a_file_beyond_a_limit_of_size_costs_no_other(
    lake_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "OBJECT_BYTES_MAX", 2_000)
    monkeypatch.setattr(compression, "RAW_BYTES_MAX", 10_000)
    line = len(usage("exact 00", 1))
    contents = {
        "a-exact.json": b" " * (2_000 - line) + usage("exact 00", 1),
        "b-beyond.json": b" " * (2_001 - line) + usage("beyond 0", 1),
        "c-exact.json.gz": gzip.compress(b" " * (10_000 - line) + usage("exact 01", 1)),
        "d-beyond.json.gz": gzip.compress(b" " * (10_001 - line) + usage("beyond 1", 1)),
    }
    drop(tmp_path / "landing", ((f"{SOURCE}/{name}", bytes_) for name, bytes_ in contents.items()))

    found = outcome_of(lake_home, Landing(str(tmp_path / "landing")))

    assert [(row["status"], row["reason"], row["accepted"]) for row in found.files.values()] == [
        ("decided", None, 1),
        ("quarantined", "2001 bytes landed; at most 2000 are read", 0),
        ("decided", None, 1),
        ("quarantined", "more than 10000 bytes once decompressed", 0),
    ]
