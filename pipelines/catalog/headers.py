"""Headers: which columns the files of a catalog have, and what differs from an earlier catalog."""

import csv
import io
from collections.abc import Iterator, Mapping

from pipelines.catalog.catalog import TABLES


def columns_left_out(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """The columns that bills know and a file leaves out, by file; they count as empty.

    Args:
        files: name → bytes of a catalog that is right.
    """
    found = {}
    for name, table in TABLES.items():
        if name in files:
            header = _header(files[name])
            known = (each for each in table.columns if each.is_optional and each.is_priced)
            found[name] = [each.name for each in known if each.name not in header]
    return {name: columns for name, columns in found.items() if columns}


def changed_headers(before: Mapping[str, bytes], files: Mapping[str, bytes]) -> Iterator[str]:
    """A sentence for each file that came, went, or has other columns than before.

    Args:
        before: name → bytes of an earlier catalog.
        files: the same of today's.
    """
    for name in TABLES:
        if name not in before and name in files:
            yield f"{name} is new since the last run"
        elif name in before and name not in files:
            yield f"{name} was there at the last run, and is gone: it counts as empty"
        elif name in files:
            old, new = _header(before[name]), _header(files[name])
            added = [each for each in new if each not in old]
            gone = [each for each in old if each not in new]
            if added:
                yield f"{name} has {', '.join(added)}, which it had not at the last run"
            if gone:
                yield f"{name} had {', '.join(gone)} at the last run: they count as empty now"


def _header(content: bytes) -> list[str]:
    """The names of the columns, of a file that is right."""
    return next(csv.reader(io.StringIO(content.decode(), newline="")))
