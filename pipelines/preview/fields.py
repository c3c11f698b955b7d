"""Fields: the members of a case, read strictly and each once; every fault of a case is found."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pipelines.catalog import cells
from pipelines.catalog.cells import CURRENCY, TIME_ZONE, Kind, refuse_ambiguous, shown
from pipelines.preview.faults import CaseError, Code, Fault

ROWS_MAX = 1_000
"""Most rows of a table in a case."""

When = date | datetime
"""A local date, or an instant with a zone."""

_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(?:\.(\d+))?", re.ASCII)
_DIGITS = (20, 18)
"""Most digits of a decimal before and after its point."""

T = TypeVar("T")


@dataclass(frozen=True)
class Number:
    """A JSON number, by its source text."""

    text: str


class Members(dict[str, object]):
    """A JSON object; `repeated` are the members that it has twice."""

    repeated: tuple[str, ...] = ()


def members_of(pairs: list[tuple[str, object]]) -> Members:
    """The object of these members, for the JSON parser."""
    found = Members(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        found.repeated = tuple(sorted({name for name in names if names.count(name) > 1}))
    return found


@dataclass
class Fields:
    """The members of one object of a case.

    A reader gives the value of a member, or notes what is wrong with it and gives None. `close`
    notes what nobody asked for. `CaseError` is raised once, with all that was noted.

    Attributes:
        members: as the JSON parser gives them.
        path: of the object in the case; empty for the case.
        table: the catalog table of which the object is a row; empty for none.
        row: its place there.
        faults: what is wrong with the case, in its order.
    """

    members: Members
    path: str = ""
    table: str = ""
    row: int = 0
    faults: list[Fault] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def text(self, name: str, kind: Kind, default: object = None) -> Any:
        """A cell of the catalog, read by its kind; absent or empty gives the default."""
        return self._read(name, lambda value: _cell(value, kind), default)

    def needed(self, name: str, kind: Kind) -> Any:
        """A cell of the catalog that must be there."""
        if self.members.get(name) == []:
            self.note(Code.MISSING_FIELD, name, "is an empty list; write a value")
        self.require(name)
        return self._read(name, lambda value: _cell(value, kind), None)

    def when(self, name: str) -> When | None:
        """A local date or an instant."""
        return self._read(name, read_when, None)

    def decimal(self, name: str) -> Decimal | None:
        """An exact number, which may be negative."""
        return self._read(name, _decimal, None)

    def time_zone(self) -> str:
        """The member `time_zone`; Etc/UTC where it is left out."""
        return str(self.text("time_zone", TIME_ZONE) or "Etc/UTC")

    def currency(self) -> str:
        """The member `currency`; USD where it is left out."""
        return str(self.text("currency", CURRENCY) or "USD")

    def know(self, *names: str) -> None:
        """Says that these members are read elsewhere."""
        self._asked.update(names)

    def has(self, name: str) -> bool:
        """True if the member has a value; null and an empty cell are none."""
        return self.members.get(name) not in (None, "")

    def require(self, *names: str) -> None:
        """Notes each of these members that is not there."""
        for name in names:
            if not self.has(name):
                self.note(Code.MISSING_FIELD, name, "is missing; write it")

    def one_of(self, *names: str) -> str | None:
        """The one of these members that is there; notes that none is, or several."""
        there = [name for name in names if self.has(name)]
        if not there:
            self.note(Code.MISSING_FIELD, "", f"expected one of {', '.join(names)}, found none")
        elif len(there) > 1:
            self.note(
                Code.CONTRADICTION,
                "",
                f"expected one of {', '.join(names)}, found {' and '.join(there)}; leave one",
            )
        return there[0] if len(there) == 1 else None

    def inner(self, name: str, table: str = "") -> "Fields":
        """The object of a member; without members where it is left out or none."""
        self._asked.add(name)
        value = self.members.get(name)
        if value is not None and not isinstance(value, Members):
            self.note(Code.BAD_VALUE, name, f"expected an object, found {_found(value)}")
        inner = value if isinstance(value, Members) else Members()
        return Fields(inner, self._path(name), table, 0, self.faults)

    def rows(self, name: str, table: str = "", most: int = ROWS_MAX) -> "list[Fields]":
        """The objects of a member that is a list; none where it is left out."""
        return list(self._rows(name, self._listed(name, most), table))

    def decimals(self, name: str, most: int = ROWS_MAX) -> list[Decimal]:
        """The exact numbers of a member that is a list; none where it is left out."""
        found = []
        for place, value in enumerate(self._listed(name, most)):
            try:
                found.append(_decimal(value))
            except ValueError as error:
                self.note(Code.BAD_VALUE, f"{name}[{place}]", str(error))
        return found

    def _listed(self, name: str, most: int) -> list[object]:
        self._asked.add(name)
        value = self.members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.note(Code.BAD_VALUE, name, f"expected a list, found {_found(value)}")
            return []
        if len(value) > most:
            self.note(Code.TOO_LARGE, name, f"has {len(value)} rows; at most {most} are taken")
            return []
        return value

    def _rows(self, name: str, rows: list[object], table: str) -> "Iterator[Fields]":
        for row, value in enumerate(rows):
            path = self._path(f"{name}[{row}]")
            if isinstance(value, Members):
                yield Fields(value, path, table, row, self.faults)
            else:
                reason = f"expected an object, found {_found(value)}"
                self.faults.append(Fault(Code.BAD_VALUE, path, reason, table, row))

    def note(self, code: Code, name: str, reason: str) -> None:
        """Notes what is wrong with a member; an empty name stands for the object."""
        self.faults.append(Fault(code, self._path(name), reason, self.table, self.row, name))

    def close(self) -> None:
        """Notes the members that nobody asked for, and those that are there twice."""
        for name in self.members:
            if name not in self._asked and not name.startswith("_"):
                known = ", ".join(sorted(self._asked))
                self.note(Code.UNKNOWN_FIELD, name, f"is not known here; known are {known}")
        for name in self.members.repeated:
            self.note(Code.BAD_VALUE, name, "is there twice; write it once")

    def raise_faults(self) -> None:
        """Raises `CaseError` if anything was noted."""
        if self.faults:
            raise CaseError(self.faults)

    def _read(self, name: str, read: Callable[[object], T], default: T | None) -> T | None:
        self._asked.add(name)
        value = self.members.get(name)
        # An empty list is an empty cell; dates and numbers beside the catalog are no cells.
        if value in (None, "") or (value == [] and read not in (read_when, _decimal)):
            return default
        try:
            return read(value)
        except ValueError as error:
            self.note(Code.BAD_VALUE, name, str(error))
            return None

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}".strip(".")


def property_text(value: object) -> str | None:
    """The text of a property, as a sender's JSON has it; None for what is no text, number or flag.

    Args:
        value: as the JSON parser gives it.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    return value if isinstance(value, str) else None


def is_unicode(text: str) -> bool:
    """False if the text has half of a pair that stands for one character."""
    return text.isascii() or not _HALVES.search(text)


_HALVES = re.compile("[\ud800-\udfff]")


def read_when(value: object) -> When:
    """A local date or an instant with a zone; raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"expected a date or an instant, found {_found(value)}")
    return cells.read_when(value)


def _cell(value: object, kind: Kind) -> object:
    text = _cell_text(value)
    refuse_ambiguous(text, kind)
    return kind.read(text)


def _cell_text(value: object) -> str:
    """A JSON value as the cell of a CSV file."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Number):
        return value.text
    if isinstance(value, list):
        return ";".join(_cell_text(each) for each in value)
    if not isinstance(value, str):
        raise ValueError(f"expected a cell, found {_found(value)}")
    return value


def _decimal(value: object) -> Decimal:
    text = value.text if isinstance(value, Number) else value
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None or not isinstance(text, str):
        raise ValueError(
            f"expected a plain decimal like -0.0025, found {_found(value)}; write no exponent, "
            "separator or plus sign"
        )
    digits = len(match[1]), len(match[2] or "")
    if digits[0] > _DIGITS[0] or digits[1] > _DIGITS[1]:
        raise ValueError(
            f"{shown(text)} has {digits[0]} digits before the point and {digits[1]} after it; at "
            f"most {_DIGITS[0]} and {_DIGITS[1]} are kept exactly"
        )
    return Decimal(text)


def _found(value: object) -> str:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Number):
        return shown(value.text)
    words = {bool: "a flag", list: "a list", Members: "an object", type(None): "null"}
    return words.get(type(value), "another value")
