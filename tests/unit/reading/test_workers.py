"""Files become Parquet parts, as a whole or not at all, on one core as on several."""

import gzip
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pytest

from pipelines.landing.store import Landing
from pipelines.reading import workers
from pipelines.reading.dialects import DIALECTS
from pipelines.reading.formats.compression import read_blocks
from pipelines.reading.formats.lines import split_chunks
from pipelines.reading.parts import LandedFile, ParsedBatch, ParsedFile
from pipelines.reading.workers import parse_files
from pipelines.vocabulary.frames import PARSED_EVENTS, REJECTIONS
from tests.worlds.file_lines import ORIGIN, event_line


def _content(name: str, events: int) -> bytes:
    return b"".join(
        event_line(transaction_id=f"{name}-{number}") + b"\n" for number in range(events)
    )


def _dropped(folder: Path, contents: dict[str, bytes]) -> list[LandedFile]:
    """The files as discovery describes them, numbered in this order."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = folder / "cdn" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    listed = {row["path"]: row for row in Landing(str(folder)).list_objects().rows(named=True)}
    return [
        LandedFile(
            path=f"cdn/{name}",
            etag=listed[f"cdn/{name}"]["etag"],
            size_bytes=listed[f"cdn/{name}"]["size_bytes"],
            dialect=DIALECTS["metronome"],
            origin=replace(ORIGIN, file_id=file_id),
        )
        for file_id, name in enumerate(contents, start=1)
    ]


def _parsed(place: Path, contents: dict[str, bytes], processes: int = 1) -> ParsedBatch:
    files = _dropped(place / "landing", contents)
    return parse_files(Landing(str(place / "landing")), files, place / "parsed", processes)


def _events(batch: ParsedBatch) -> pl.DataFrame:
    parts = [pl.read_parquet(path) for path in batch.events]
    return pl.concat([pl.DataFrame(schema=PARSED_EVENTS), *parts]).sort("file_id", "line")


def _rejections(batch: ParsedBatch) -> pl.DataFrame:
    parts = [pl.read_parquet(path) for path in batch.rejections]
    return pl.concat([pl.DataFrame(schema=REJECTIONS), *parts]).sort("file_id", "line")


def test_file_is_counted_and_its_rows_lie_in_parquet(tmp_path: Path) -> None:
    raw = _content("a", 3) + b"\nnot json\n" + b"\n"

    batch = _parsed(tmp_path, {"a.ndjson.gz": gzip.compress(raw)})

    assert batch.files == (
        ParsedFile(
            file_id=1,
            unreadable=None,
            raw_bytes=len(raw),
            raw_sha256=hashlib.sha256(raw).hexdigest(),
            lines=6,
            blank=2,
            rejected=1,
        ),
    )
    assert _events(batch)["idempotency_key"].to_list() == ["a-0", "a-1", "a-2"]
    assert _rejections(batch).select("file_id", "line", "reason_code").rows() == [
        (1, 5, "malformed")
    ]


def test_every_part_is_sorted_by_key_hash_and_has_its_schema(tmp_path: Path) -> None:
    batch = _parsed(tmp_path, {"a.ndjson": _content("a", 50) + b"{\n", "b.json": b"{"})

    for path in batch.events:
        assert pl.read_parquet_schema(path) == PARSED_EVENTS
        assert pl.read_parquet(path)["key_hash"].is_sorted()
    for path in batch.rejections:
        assert pl.read_parquet_schema(path) == REJECTIONS


def test_no_files_and_empty_files_leave_no_parts(tmp_path: Path) -> None:
    assert _parsed(tmp_path, {}) == ParsedBatch((), (), ())

    batch = _parsed(tmp_path, {"a.ndjson": b"", "b.ndjson.gz": gzip.compress(b"")})

    nothing = hashlib.sha256(b"").hexdigest()
    assert [(file.lines, file.raw_sha256) for file in batch.files] == [(0, nothing)] * 2
    assert (batch.events, batch.rejections) == ((), ())


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        pytest.param(gzip.compress(_content("bad", 3))[:-1], "truncated gzip", id="truncated"),
        pytest.param(gzip.compress(_content("bad", 3)) + b"x", "gzip", id="trailing-garbage"),
        pytest.param(gzip.compress(b"\n" * 3_000_000), "times its", id="bomb"),
    ],
)
def test_unreadable_file_leaves_no_row_and_costs_no_other(
    bad: bytes, sentence: str, place: int, tmp_path: Path
) -> None:
    contents = [("good-1.ndjson", _content("x", 2)), ("good-2.ndjson", _content("y", 2) + b"{")]
    contents.insert(place, ("bad.ndjson.gz", bad))

    batch = _parsed(tmp_path, dict(contents))

    unreadable = batch.files[place]
    assert sentence in str(unreadable.unreadable)
    assert unreadable == ParsedFile(place + 1, unreadable.unreadable, 0, "", 0, 0)
    assert [file.file_id for file in batch.files if file.unreadable is None] == [
        number for number in (1, 2, 3) if number != place + 1
    ]
    assert _events(batch)["idempotency_key"].to_list() == ["x-0", "x-1", "y-0", "y-1"]
    assert _rejections(batch).height == 1


def test_file_overwritten_since_it_was_listed_is_unreadable(tmp_path: Path) -> None:
    files = _dropped(tmp_path, {"a.ndjson": _content("a", 2)})
    (tmp_path / "cdn" / "a.ndjson").write_bytes(_content("b", 3))

    (file,) = parse_files(Landing(str(tmp_path)), files, tmp_path / "parsed", 1).files

    assert file.unreadable == "it was changed after it was listed"


def test_file_appended_to_while_it_is_read_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = _dropped(tmp_path, {"a.ndjson": _content("a", 2)})

    def appending_read(landed: BinaryIO, size_bytes: int) -> Iterator[bytes]:
        yield from read_blocks(landed, size_bytes)
        with (tmp_path / "cdn" / "a.ndjson").open("ab") as appended:
            appended.write(_content("late", 1))

    monkeypatch.setattr("pipelines.reading.files.read_blocks", appending_read)
    batch = parse_files(Landing(str(tmp_path)), files, tmp_path / "parsed", 1)

    assert batch.files[0].unreadable == "it was changed after it was listed"
    assert batch.events == ()


def test_file_deleted_since_it_was_listed_is_unreadable(tmp_path: Path) -> None:
    files = _dropped(tmp_path, {"a.ndjson": b"{}", "b.ndjson": _content("b", 1)})
    (tmp_path / "cdn" / "a.ndjson").unlink()

    batch = parse_files(Landing(str(tmp_path)), files, tmp_path / "parsed", 1)

    assert batch.files[0].unreadable == "it was deleted before it could be read"
    assert _events(batch)["idempotency_key"].to_list() == ["b-0"]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of about 10 rows and chunks of about 3 lines, so that files come in several parts."""
    monkeypatch.setattr("pipelines.reading.parts.PART_ROWS", 10)
    monkeypatch.setattr(
        "pipelines.reading.formats.lines.split_chunks", partial(split_chunks, chunk_bytes=400)
    )
    monkeypatch.setattr("pipelines.reading.formats.compression._BLOCK_BYTES", 200)


@pytest.mark.usefixtures("small_parts")
def test_large_file_is_written_in_parts_and_loses_nothing(tmp_path: Path) -> None:
    contents = {"a.ndjson": _content("a", 35), "b.ndjson": _content("b", 4) + b"{\n" * 20}

    batch = _parsed(tmp_path, contents)

    assert len(batch.events) > 3
    assert _events(batch).select("file_id", "line").rows() == [
        *((1, line) for line in range(1, 36)),
        *((2, line) for line in range(1, 5)),
    ]
    assert _rejections(batch)["line"].to_list() == list(range(5, 25))


@pytest.mark.usefixtures("small_parts")
def test_parts_of_a_file_that_turns_out_unreadable_are_deleted(tmp_path: Path) -> None:
    truncated = gzip.compress(_content("bad", 400), compresslevel=0)[:-1]
    contents = {
        "a.ndjson": _content("a", 3),
        "bad.ndjson.gz": truncated,
        "c.ndjson": _content("c", 15),
    }

    batch = _parsed(tmp_path, contents)

    assert batch.files[1].unreadable
    assert set(_events(batch)["file_id"]) == {1, 3}
    assert set((tmp_path / "parsed").iterdir()) == {*batch.events, *batch.rejections}


def test_several_processes_give_what_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {f"{number}.ndjson": _content(str(number), 20) + b"{\n\n" for number in range(5)}
    contents["5.ndjson.gz"] = gzip.compress(b"{}")[:-1]
    alone = _parsed(tmp_path / "alone", contents)

    monkeypatch.setattr(workers, "PARALLEL_BYTES_MIN", 0)
    monkeypatch.setattr(workers, "_TASK_BYTES", 1)
    together = _parsed(tmp_path / "together", contents, processes=2)

    assert together.files == alone.files
    assert len(together.events) == 5  # one task per file, one part per task, none of the bad file
    assert _events(together).equals(_events(alone))
    assert _rejections(together).equals(_rejections(alone))


STALLED_RUN = """
import os, sys, time
from contextlib import contextmanager
from pathlib import Path
from pipelines.reading import workers
from pipelines.reading.dialects import DIALECTS
from pipelines.landing.store import Landing
from pipelines.reading.parse import FileOrigin

class StalledLanding(Landing):
    @contextmanager
    def opened(self, path, etag, size_bytes):
        (Path(self.address) / f"{os.getpid()}.reading").touch()
        time.sleep(600)
        yield

if __name__ == "__main__":
    workers.PARALLEL_BYTES_MIN, workers._TASK_BYTES = 0, 1
    reader = DIALECTS["metronome"]
    files = [
        workers.LandedFile(str(number), "", 1, reader, FileOrigin(number, "cdn", "cdn", 0))
        for number in (1, 2)
    ]
    place = Path(sys.argv[1])
    workers.parse_files(StalledLanding(str(place)), files, place / "parsed", 2)
"""


def test_workers_die_with_a_killed_run(tmp_path: Path) -> None:
    """The workers inherit a pipe, which ends only when the last of them has ended."""
    script = tmp_path / "stalled_run.py"
    script.write_text(STALLED_RUN)
    command = [sys.executable, str(script), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as run:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("*.reading"))) < 2 and time.monotonic() < deadline:
            assert run.poll() is None
            time.sleep(0.05)
        reading = list(tmp_path.glob("*.reading"))
        run.kill()
        run.communicate(timeout=30)

    assert len(reading) == 2
