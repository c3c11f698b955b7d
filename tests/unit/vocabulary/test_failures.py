"""A failure of the machine is a sentence, whatever library it comes from."""

import errno
import os
import sqlite3
from concurrent.futures.process import BrokenProcessPool

import duckdb
import polars as pl
import pytest

from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.failures import KEPT, failure_sentence


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/srv/home/x")


@pytest.mark.parametrize(
    ("error", "begins", "ends"),
    [
        pytest.param(
            os_error(errno.ENOSPC),
            "the disk is full ([Errno 28] No space left on device: '/srv/home/x'). ",
            "or of the folder for temporary files, then run again.",
            id="disk, said by the system",
        ),
        pytest.param(
            os_error(errno.EDQUOT), "the disk is full (", "then run again.", id="disk quota"
        ),
        pytest.param(
            sqlite3.OperationalError("database or disk is full"),
            "the disk is full (database or disk is full). ",
            "then run again.",
            id="disk, said by SQLite",
        ),
        pytest.param(
            duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
            "the disk is full (",
            "then run again.",
            id="disk, said by DuckDB",
        ),
        pytest.param(
            pl.exceptions.ComputeError("No space left on device (os error 28)"),
            "the disk is full (",
            "then run again.",
            id="disk, said by Polars",
        ),
        pytest.param(
            os_error(errno.EMFILE),
            "this process may open too few files (",
            "Raise the limit, for example with `ulimit -n 4096`, then run again.",
            id="files, said by the system",
        ),
        pytest.param(
            sqlite3.OperationalError("unable to open database file"),
            "this process may open too few files (",
            "then run again.",
            id="files, said by SQLite",
        ),
        pytest.param(
            duckdb.IOException('IO Error: Cannot open file "x": Too many open files'),
            "this process may open too few files (",
            "then run again.",
            id="files, said by DuckDB",
        ),
        pytest.param(
            MemoryError(),
            "the memory was not enough (MemoryError). ",
            "or give the machine more memory, then run again.",
            id="memory, said by Python",
        ),
        pytest.param(
            duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data"),
            "the memory was not enough (",
            "then run again.",
            id="memory, said by DuckDB",
        ),
        pytest.param(
            BrokenProcessPool(
                "A process in the process pool was terminated abruptly while the future was "
                "running or pending."
            ),
            "the memory was not enough (A process in the process pool was terminated abruptly",
            "then run again.",
            id="memory, taken from a worker",
        ),
        pytest.param(
            duckdb.IOException('IO Error: Could not set lock on file "w.duckdb": Conflicting lock'),
            "another program has a file of the home open (",
            "Then run again.",
            id="lock",
        ),
        pytest.param(
            sqlite3.DatabaseError("database disk image is malformed"),
            "a file of the home is damaged (",
            "Otherwise restore a backup.",
            id="damage, said by SQLite",
        ),
        pytest.param(
            duckdb.IOException(
                'IO Error: The file "w" exists, but it is not a valid DuckDB database file!'
            ),
            "a file of the home is damaged (",
            "Otherwise restore a backup.",
            id="damage, said by DuckDB",
        ),
        pytest.param(
            os_error(errno.EROFS), "the disk can only be read (", "then run again.", id="read-only"
        ),
        pytest.param(
            os_error(errno.EACCES),
            "this user may not open a file ([Errno 13] Permission denied: '/srv/home/x'). ",
            "or give this user access to the file.",
            id="permission",
        ),
        pytest.param(
            os_error(errno.EIO),
            "the disk does not answer as it should (",
            "Check the disk and its free space, then run again.",
            id="disk error, said by the system",
        ),
        pytest.param(
            sqlite3.OperationalError("disk I/O error"),
            "the disk does not answer as it should (disk I/O error). ",
            "then run again.",
            id="disk error, said by SQLite",
        ),
        pytest.param(
            ZeroDivisionError("division by zero"),
            "an error that nobody foresaw: ZeroDivisionError: division by zero. ",
            "Please report it with its log.",
            id="anything else",
        ),
        pytest.param(
            KeyError(), "an error that nobody foresaw: KeyError. ", "with its log.", id="no words"
        ),
    ],
)
def test_a_failure_says_what_happened_what_was_kept_and_what_to_do(
    error: Exception, begins: str, ends: str
) -> None:
    sentence = failure_sentence(error)

    assert sentence.startswith(begins)
    assert KEPT in sentence
    assert sentence.endswith(ends)


def test_an_error_of_ours_keeps_its_words() -> None:
    error = InvariantError("expected 1, found 2: no space left on device")

    assert failure_sentence(error) == str(error)


def test_only_the_first_line_of_a_long_message_is_shown() -> None:
    error = duckdb.IOException("\n  Too many open files.\nLINE 1: select\n")

    assert "(Too many open files). " in failure_sentence(error)
