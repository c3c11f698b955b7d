"""Each hostile line goes through the real stages, between two good lines that are accepted.

All lines of a dialect land in one file: plain, compressed, and with carriage returns.
"""

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.landing.store import Landing
from pipelines.reading.dialects import DIALECTS
from tests.hostile import lines, lines_of_dialects, lines_of_time
from tests.hostile.cases import KEY, PLACE_KEY, HostileLine, good_columns, good_line
from tests.hostile.landing_run import Outcome, drop, outcome_of
from tests.worlds.lakes import start_lake

CASES = {case.name: case for case in (*lines.LINES, *lines_of_time.LINES, *lines_of_dialects.LINES)}


@dataclass(frozen=True)
class Form:
    """The name, the line ends and the compression of the files of a run."""

    suffix: str
    line_end: bytes
    compress: Callable[[bytes], bytes]


PLAIN = Form(".ndjson", b"\n", bytes)
# Stored and not deflated, since mebibytes of spaces would make a decompression bomb.
GZIP_AND_CARRIAGE_RETURNS = Form(".jsonl.gz", b"\r\n", lambda raw: gzip.compress(raw, 0))


@dataclass(frozen=True)
class Placed:
    """A line of the corpus, and the place where it landed."""

    path: str
    line: int
    byte_offset: int
    content: bytes


@dataclass(frozen=True)
class LinesRun:
    """The outcome of all lines, and their places by case and `before`, `case` or `after`."""

    outcome: Outcome
    places: dict[tuple[str, str], Placed]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LinesRun:
    return _run(PLAIN, tmp_path_factory.mktemp("lines"))


def _run(form: Form, folder: Path) -> LinesRun:
    home = start_lake(folder / "home")
    places: dict[tuple[str, str], Placed] = {}
    for dialect in DIALECTS:
        path = f"{dialect}/lines{form.suffix}"
        raw = b"".join(_landed(path, dialect, form.line_end, places))
        drop(folder / "landing", [(path, form.compress(raw))])
    return LinesRun(outcome_of(home, Landing(str(folder / "landing"))), places)


def _landed(
    path: str, dialect: str, line_end: bytes, places: dict[tuple[str, str], Placed]
) -> Iterator[bytes]:
    number, offset = 0, 0
    for case in CASES.values():
        if case.dialect != dialect:
            continue
        for role, content in (
            ("before", good_line(dialect, f"before {case.name}")),
            ("case", case.content),
            ("after", good_line(dialect, f"after {case.name}")),
        ):
            number += 1
            ended = content + line_end
            # One carriage return belongs to the line end, even if it was part of the case.
            line = ended[:-1].removesuffix(b"\r")
            places[case.name, role] = Placed(path, number, offset, line)
            at = 0
            for index, (text, _) in enumerate(_records(case) if role == "case" else ()):
                at = content.index(text, at)
                places[case.name, f"record {index}"] = Placed(
                    path, number + index, offset + at, text
                )
                at += len(text)
            number += max(0, len(case.records) - 1) if role == "case" else 0
            offset += len(ended)
            yield ended


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_line_has_its_verdict_and_costs_no_neighbour(run: LinesRun, case: HostileLine) -> None:
    _assert_decided(run, case)


def test_compression_and_carriage_returns_change_no_verdict(tmp_path: Path) -> None:
    run = _run(GZIP_AND_CARRIAGE_RETURNS, tmp_path)

    for case in CASES.values():
        _assert_decided(run, case)
    assert run.outcome.findings == []


def _records(case: HostileLine) -> list[tuple[bytes, str]]:
    return [(text.replace(KEY, case.name.encode()), door) for text, door in case.records]


def _assert_records_decided(run: LinesRun, case: HostileLine) -> None:
    for index, (text, door) in enumerate(_records(case)):
        place = run.places[case.name, f"record {index}"]
        found = run.outcome.door(place.path, place.line)
        assert found == door, (case.name, index, _why(run, place))
        rows = run.outcome.accepted if door == "accepted" else run.outcome.refused
        row = rows[place.path, place.line]
        assert (row["byte_offset"], row["byte_length"]) == (place.byte_offset, len(text))
        if door != "accepted":
            assert row["line_sha256"] == hashlib.sha256(text).digest()


def _assert_decided(run: LinesRun, case: HostileLine) -> None:
    if case.records:
        _assert_records_decided(run, case)
        return
    place = run.places[case.name, "case"]
    found = run.outcome.door(place.path, place.line)
    assert found == (case.reason_code or case.verdict), (case.name, _why(run, place))
    if case.verdict == "accepted":
        _assert_reads(run, place, good_columns(case.dialect, case.name) | dict(case.reads))
    elif case.verdict != "blank":
        row = run.outcome.refused[place.path, place.line]
        assert row["verdict"] == case.verdict
        assert case.sentence in row["reason"]
        assert 10 < len(row["reason"]) < 300
        assert row["line_sha256"] == hashlib.sha256(place.content).digest()
        assert (row["byte_offset"], row["byte_length"]) == (place.byte_offset, len(place.content))
        winner = None if case.winner is None else run.places[case.winner, "case"].line
        assert row["winner_line"] == winner
    for role in ("before", "after"):
        _assert_reads(
            run, run.places[case.name, role], good_columns(case.dialect, f"{role} {case.name}")
        )


def _assert_reads(run: LinesRun, place: Placed, columns: dict[str, Any]) -> None:
    row = run.outcome.accepted.get((place.path, place.line))
    assert row is not None, _why(run, place)
    found = {name: row[name] for name in columns} | {"properties": dict(row["properties"])}
    if columns["idempotency_key"] == PLACE_KEY:
        digest = run.outcome.files[place.path]["raw_sha256"]
        columns = {**columns, "idempotency_key": f'["{digest}",{place.line}]'}
    assert found == columns
    assert (row["byte_offset"], row["byte_length"]) == (place.byte_offset, len(place.content))


def _why(run: LinesRun, place: Placed) -> str:
    return str(run.outcome.refused.get((place.path, place.line), {}).get("reason"))


def _verdicts(case: HostileLine) -> list[str]:
    if not case.records:
        return [case.verdict]
    known = ("accepted", "duplicate", "conflict", "blank")
    return [door if door in known else "rejected" for _, door in case.records]


def test_every_line_is_accounted_for(run: LinesRun) -> None:
    for path, file in run.outcome.files.items():
        dialect = path.split("/")[0]
        cases = sum(case.dialect == dialect for case in CASES.values())
        verdicts = Counter(
            verdict
            for case in CASES.values()
            if case.dialect == dialect
            for verdict in _verdicts(case)
        )
        assert file["status"] == "decided"
        assert file["lines"] == verdicts.total() + 2 * cases
        assert file["accepted"] == verdicts["accepted"] + 2 * cases
        for verdict in ("duplicate", "conflict", "rejected", "not_usage", "blank"):
            assert file[verdict] == verdicts[verdict], verdict


def test_the_checks_of_a_batch_find_nothing(run: LinesRun) -> None:
    assert run.outcome.findings == []
    assert run.outcome.waiting == 0


def test_the_corpus_is_well_formed() -> None:
    listed = [*lines.LINES, *lines_of_time.LINES, *lines_of_dialects.LINES]

    assert len(listed) >= 400
    assert [
        name for name, count in Counter(case.name for case in listed).items() if count > 1
    ] == []
    assert {case.dialect for case in listed} == DIALECTS.keys()
    for case in listed:
        assert b"\n" not in case.line, case.name
        assert case.winner is None or case.winner in CASES, case.name
        assert KEY not in case.content, case.name
        assert (case.reason_code is not None) == (case.verdict == "rejected"), case.name
