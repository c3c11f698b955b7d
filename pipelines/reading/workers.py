"""Workers: processes that parse the files of a batch into Parquet parts.

A file is parsed as a whole or not at all: an unreadable file leaves no row. Workers are spawned,
never forked, and end with the process that started them.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pipelines.landing.store import Landing
from pipelines.reading.file_reading import FileReading, unreadable
from pipelines.reading.hold_rule import HoldRule
from pipelines.reading.parse import parse_chunk
from pipelines.reading.parts import LandedFile, ParsedBatch, ParsedFile, Parts
from pipelines.vocabulary.errors import UnreadableFileError

PARALLEL_BYTES_MIN = 8 * 1024 * 1024
"""A batch with fewer landed bytes is parsed in this process: to start others takes longer."""

_TASK_BYTES = 32 * 1024 * 1024


def parse_files(
    landing: Landing,
    files: list[LandedFile],
    folder: Path,
    processes: int,
    hold: HoldRule | None = None,
) -> ParsedBatch:
    """The counts of every file, and their rows in Parquet parts below `folder`.

    A bad file does not affect other files.

    Args:
        landing: the landing that holds the files.
        files: the file versions to read, in any order.
        folder: where the parts are written. It is created if it does not exist.
        processes: the most processes that read at a time.
        hold: the rule that decides which files are held. None: no file is held.

    Raises:
        LandingError: the store does not answer.
    """
    if not files:
        return ParsedBatch((), (), ())
    folder.mkdir(parents=True, exist_ok=True)
    tasks = list(_tasks(files))
    if (
        processes == 1
        or len(tasks) == 1
        or sum(file.size_bytes for file in files) < (PARALLEL_BYTES_MIN)
    ):
        batches = [
            _parse_task(landing, task, folder / f"{i:06d}", hold) for i, task in enumerate(tasks)
        ]
    else:
        with ProcessPoolExecutor(
            max_workers=processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_die_with_parent,
            initargs=(os.getpid(),),
        ) as pool:
            futures = [
                pool.submit(_parse_task, landing, task, folder / f"{i:06d}", hold)
                for i, task in enumerate(tasks)
            ]
            batches = [future.result() for future in futures]
    return ParsedBatch(
        files=tuple(sorted((f for b in batches for f in b.files), key=lambda f: f.file_id)),
        events=tuple(path for b in batches for path in b.events),
        rejections=tuple(path for b in batches for path in b.rejections),
        held_names=tuple(path for b in batches for path in b.held_names),
    )


def _tasks(files: list[LandedFile]) -> Iterator[list[LandedFile]]:
    task: list[LandedFile] = []
    task_bytes = 0
    for file in files:
        if task and task_bytes + file.size_bytes > _TASK_BYTES:
            yield task
            task, task_bytes = [], 0
        task.append(file)
        task_bytes += file.size_bytes
    if task:
        yield task


def _parse_task(
    landing: Landing, task: list[LandedFile], prefix: Path, hold: HoldRule | None
) -> ParsedBatch:
    parts = Parts(prefix)
    files = tuple(_parse_file(landing, file, parts, hold) for file in task)
    events, rejections = parts.finish()
    return ParsedBatch(files, events, rejections, held_names=parts.held_names)


def _parse_file(
    landing: Landing, file: LandedFile, parts: Parts, hold: HoldRule | None
) -> ParsedFile:
    reading = FileReading(landing, file, parse_chunk)
    try:
        for parsed in reading.chunks():
            parts.add(parsed)
    except UnreadableFileError as error:
        parts.forget_file()
        return unreadable(file, error)
    found = reading.parsed_file(hold)
    if found.held:
        parts.hold_file()
    else:
        parts.keep_file()
    return found


def _die_with_parent(parent: int) -> None:
    """Has the kernel end this worker when the run's process ends, however that happens."""
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != parent:  # The parent ended before the signal was set.
        os._exit(1)
