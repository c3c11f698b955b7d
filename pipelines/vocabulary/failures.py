"""Failures of the machine, explained: a full disk, too few open files, a damaged file.

Libraries say these in their own words. Their texts are recognized here, whatever library they come
from, so that a person reads one sentence: what happened, what was kept, and what to do.
"""

import re
from dataclasses import dataclass

from pipelines.vocabulary.errors import MeterlineError

KEPT = "What was committed is kept, nothing is half done, and the next run goes on from there."
"""True of every failure: a batch, a closing and a publication are each taken as a whole."""


@dataclass(frozen=True)
class _Failure:
    """A failure of the machine.

    Attributes:
        signs: a regular expression for the texts of libraries that mean it.
        what: what happened.
        to_do: what a person does about it.
    """

    signs: str
    what: str
    to_do: str


_FAILURES = (
    _Failure(
        r"no space left on device|disk quota exceeded|database or disk is full|errno (28|122)\b",
        "the disk is full",
        "Free space on the disk of METERLINE_HOME, or of the folder for temporary files, then run "
        "again.",
    ),
    _Failure(
        r"too many open files|errno (23|24)\b|unable to open database file",
        "this process may open too few files",
        "Raise the limit, for example with `ulimit -n 4096`, then run again.",
    ),
    _Failure(
        r"out of memory|cannot allocate memory|failed to allocate|MemoryError|errno 12\b"
        r"|process in the process pool was terminated abruptly",
        "the memory was not enough",
        "Lower METERLINE_BATCH_BYTES or METERLINE_MEMORY_LIMIT, or give the machine more memory, "
        "then run again.",
    ),
    _Failure(
        r"could not set lock on file|conflicting lock",
        "another program has a file of the home open",
        "Close it there: notebooks and BI tools open the published marts, never the warehouse. "
        "Then run again.",
    ),
    _Failure(
        r"database disk image is malformed|file is not a database"
        r"|not a valid duckdb database|corrupt|serialization error|wrong checksum"
        r"|checksum .*mismatch",
        "a file of the home is damaged",
        "Run `meterline verify --files`. If the lake is whole, remove the damaged file: what is in "
        "the folders `warehouse` and `dagster` is made again. Otherwise restore a backup.",
    ),
    _Failure(
        r"read-only file system|errno 30\b",
        "the disk can only be read",
        "Make it writable, or check whether the disk fails, then run again.",
    ),
    _Failure(
        r"permission denied|operation not permitted|errno (1|13)\b",
        "this user may not open a file",
        "Run as the user who owns METERLINE_HOME, or give this user access to the file.",
    ),
    _Failure(
        r"input/output error|disk i/o error|errno 5\b",
        "the disk does not answer as it should",
        "Check the disk and its free space, then run again.",
    ),
)


def failure_sentence(error: BaseException) -> str:
    """What a person reads about any error; the words of one that is ours are its own."""
    if isinstance(error, MeterlineError):
        return str(error)
    return sentence_of(type(error).__name__, str(error))


def sentence_of(kind: str, message: str) -> str:
    """Sentences about an error that is not ours: what happened, what was kept, what to do.

    Args:
        kind: the name of the exception.
        message: what it says.
    """
    return explained(kind, message) or unforeseen(kind, message)


def explained(kind: str, message: str) -> str | None:
    """Sentences about a failure of the machine; None if the text tells of none.

    Args:
        kind: the name of the exception.
        message: what it says.
    """
    text = f"{kind}: {message}"
    for failure in _FAILURES:
        if re.search(failure.signs, text, re.IGNORECASE):
            return f"{failure.what} ({first_line(message) or kind}). {KEPT} {failure.to_do}"
    return None


def unforeseen(kind: str, message: str) -> str:
    """Sentences about an error that nobody foresaw."""
    said = f": {first_line(message)}" if first_line(message) else ""
    return f"an error that nobody foresaw: {kind}{said}. {KEPT} Please report it with its log."


def first_line(message: str) -> str:
    """The first line that is not blank, without a full stop."""
    return next((line.strip() for line in message.splitlines() if line.strip()), "").rstrip(".")
