"""Cells of the catalog: each kind of value, read strictly from text.

A reader gives the value of a cell's text, or raises a ValueError whose sentence shows the value and
says what to write.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import polars as pl

from pipelines.periods import lives
from pipelines.periods.rhythm import WEEKDAYS
from pipelines.periods.zones import known_time_zones
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.instants import instant_of, parse_rfc3339
from pipelines.vocabulary.limits import NAME_BYTES_MAX
from pipelines.vocabulary.money import minor_unit_digits
from pipelines.vocabulary.tables import UTC_MICROSECONDS

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_DECIMAL = re.compile(r"(0|[1-9]\d*)(?:\.(\d+))?", re.ASCII)
_WHOLE = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

YEARS = (1970, 2999)
"""First and last year of a date: a typing error must not make a million periods."""

DAYS_MAX = 36_500
"""Longest window, lateness or grace: a hundred years."""

UNLIMITED: Final = "unlimited"
"""Written for a window without end."""


@dataclass(frozen=True)
class Kind:
    """What the cells of a column hold.

    Attributes:
        read: the text of a cell → its value.
        dtype: of the values in a frame.
        written: how a person writes it, for the reference.
        is_literal: True: a cell may be the word `null`, which stands for nothing but itself.
        choices: the words of a closed list; none where there is no such list.
    """

    read: Callable[[str], object]
    dtype: pl.DataType
    written: str
    is_literal: bool = False
    choices: tuple[str, ...] = ()


def shown(value: str) -> str:
    """The value in quotes, on one line and not too long, whatever it holds."""
    return repr(value if len(value) <= 64 else value[:63] + "…")


def read_text(cell: str) -> str:
    """Any text of at most `NAME_BYTES_MAX` bytes: names, and ids that senders chose."""
    if not cell:
        raise ValueError("is empty; write a value")
    size = len(cell.encode())
    if size > NAME_BYTES_MAX:
        raise ValueError(f"{shown(cell)} has {size} bytes; at most {NAME_BYTES_MAX} are read")
    return cell


def read_code(cell: str) -> str:
    """A code of our own: it becomes part of line ids and file names."""
    if not _CODE.fullmatch(read_text(cell)):
        raise ValueError(
            f"{shown(cell)} is no code; write letters, digits, '_', '-' and '.' only, "
            "a letter or digit first"
        )
    return cell


def read_folder(cell: str) -> str:
    """A name that a folder of the landing can have."""
    if "/" in read_text(cell) or cell[0] in "._":
        raise ValueError(
            f"{shown(cell)} can be no folder of the landing; write a name without '/' "
            "that does not start with '.' or '_'"
        )
    return cell


def read_currency(cell: str) -> str:
    """A code of `KNOWN_CURRENCIES`."""
    minor_unit_digits(cell)
    return cell


def read_time_zone(cell: str) -> str:
    """A name of `known_time_zones`."""
    if cell not in known_time_zones():
        raise ValueError(
            f"{shown(cell)} is no IANA time zone; write a name such as Europe/Berlin or Etc/UTC"
        )
    return cell


def read_date(cell: str) -> date:
    """A local date, year-month-day."""
    try:
        day = date.fromisoformat(cell) if _DATE.fullmatch(cell) else None
    except ValueError:
        day = None
    if day is None:
        advice = "there is no such day" if _DATE.fullmatch(cell) else "write it like 2026-01-31"
        raise ValueError(f"{shown(cell)} is no date; {advice}")
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(f"{cell} lies outside the years {YEARS[0]} to {YEARS[1]}; correct it")
    return day


def read_instant(cell: str) -> datetime:
    """An RFC 3339 instant with zone, as UTC."""
    # TimestampError is a ValueError that shows the value.
    return instant_of(parse_rfc3339(cell))


def read_names(cell: str) -> list[str]:
    """Names separated by semicolons, in the order written."""
    names = cell.split(";")
    if "" in names or any(name != name.strip() for name in names):
        raise ValueError(
            f"{shown(cell)} has an empty name or spaces around one; write names like region;status"
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{shown(cell)} has a name twice; write each once")
    return [read_text(name) for name in names]


def one_of(*choices: str) -> Kind:
    """A word from a closed list."""

    def read(cell: str) -> str:
        if cell not in choices:
            raise ValueError(f"{shown(cell)} is not known; write one of: {', '.join(choices)}")
        return cell

    written = ", ".join(f"`{choice}`" for choice in choices)
    return Kind(read, pl.String(), written, choices=choices)


def read_yes_no(cell: str) -> bool:
    """`yes` or `no`."""
    return one_of("yes", "no").read(cell) == "yes"


def whole_number(least: int, most: int) -> Kind:
    """A whole number between two bounds, both included."""

    def read(cell: str) -> int:
        if not _WHOLE.fullmatch(cell) or not least <= int(cell) <= most:
            raise ValueError(f"{shown(cell)} is no whole number from {least} to {most}; correct it")
        return int(cell)

    return Kind(read, pl.Int32(), f"whole number, {least} to {most}")


def decimal_number(integer_digits: int, fraction_digits: int) -> Kind:
    """A plain decimal of 0 or more that fits its column exactly."""

    def read(cell: str) -> Decimal:
        match = _DECIMAL.fullmatch(cell)
        if match is None:
            raise ValueError(
                f"{shown(cell)} is no plain decimal of 0 or more; write it like 0.0025, "
                "without sign, exponent or separators"
            )
        integer, fraction = match.group(1), match.group(2) or ""
        if len(integer) > integer_digits or len(fraction) > fraction_digits:
            raise ValueError(
                f"{shown(cell)} has {counted(len(integer), 'digit')} before the point and "
                f"{len(fraction)} after it; at most {integer_digits} and {fraction_digits} are "
                "kept exactly"
            )
        return Decimal(cell)

    return Kind(
        read,
        pl.Decimal(integer_digits + fraction_digits, fraction_digits),
        f"decimal, {integer_digits} + {fraction_digits} digits",
    )


def bounded(kind: Kind, wanted: str, is_allowed: Callable[[Decimal], bool]) -> Kind:
    """A decimal within bounds; `wanted` says them, like `above 0`."""

    def read(cell: str) -> object:
        value = kind.read(cell)
        assert isinstance(value, Decimal)  # noqa: S101 -- for the type checker
        if not is_allowed(value):
            raise ValueError(f"{shown(cell)} is out of bounds; write a decimal {wanted}")
        return value

    return replace(kind, read=read, written=f"{kind.written}, {wanted}")


def significant_digits(value: Decimal) -> int:
    """How many digits stand from the first to the last one that is not 0.

    Example: 1000 and 0.001 have 1, and 1024.50 has 5.
    """
    return len("".join(map(str, value.as_tuple().digits)).strip("0"))


def read_window(cell: str) -> str:
    """A number of days, or `unlimited`, as written."""
    if cell != UNLIMITED:
        try:
            whole_number(1, DAYS_MAX).read(cell)
        except ValueError as error:
            raise ValueError(f"{error}, or write {UNLIMITED!r}") from None
    return cell


def refuse_ambiguous(cell: str, kind: Kind) -> None:
    """Refuse what two readers of the file may take differently, or a person cannot see."""
    if cell != cell.strip():
        raise ValueError(f"{shown(cell)} has spaces around it; remove them")
    if _CONTROL.search(cell):
        raise ValueError(f"{shown(cell)} has control characters; remove them")
    # dbt may read the word as an absent value.
    if cell.lower() == "null" and not kind.is_literal:
        raise ValueError(f"{shown(cell)} is ambiguous; leave the cell empty, or use another name")


TEXT = Kind(read_text, pl.String(), "text")
CODE = Kind(read_code, pl.String(), "code")
FOLDER = Kind(read_folder, pl.String(), "name of a folder")
CURRENCY = Kind(read_currency, pl.String(), "ISO 4217 code")
TIME_ZONE = Kind(read_time_zone, pl.String(), "IANA time zone")
DATE = Kind(read_date, pl.Date(), "local date, like 2026-01-31")
INSTANT = Kind(read_instant, UTC_MICROSECONDS, "RFC 3339 instant with zone")
NAMES = Kind(read_names, pl.List(pl.String()), "names, separated by `;`")
YES_NO = Kind(read_yes_no, pl.Boolean(), "`yes`, `no`")
WINDOW = Kind(read_window, pl.String(), f"whole number, 1 to {DAYS_MAX}, or `{UNLIMITED}`")

PRICE = decimal_number(integer_digits=15, fraction_digits=15)
"""A unit price or flat amount in the currency's major unit."""

QUANTITY = decimal_number(integer_digits=20, fraction_digits=18)
"""A number of the metric's units."""

SIZE = bounded(QUANTITY, "above 0", lambda value: value > 0)
"""A number of the metric's units that something is divided by."""

DIVISOR_DIGITS_MAX = 18
"""Most significant digits of what quantities are divided by: exact fractions of it fit in SQL."""

DIVISOR = bounded(
    SIZE,
    f"of at most {DIVISOR_DIGITS_MAX} significant digits",
    lambda value: significant_digits(value) <= DIVISOR_DIGITS_MAX,
)
"""What quantities of the metric's units are divided by."""

_SMALL = decimal_number(integer_digits=4, fraction_digits=15)

PERCENT = bounded(_SMALL, "from 0 to 1000", lambda value: value <= 1000)
"""So many hundredths."""

FACTOR = bounded(
    decimal_number(integer_digits=4, fraction_digits=4), "of 1 or more", lambda value: value >= 1
)
"""What an amount is multiplied by; it never lowers it."""

MULTIPLE = bounded(_SMALL, "above 0", lambda value: value > 0)
"""How many times something usual."""

COUNT = whole_number(0, 999_999_999)
"""A number of events or documents."""


def read_when(cell: str) -> date | datetime:
    """A local date, or an instant with zone as UTC."""
    if not _DATE.match(cell):
        advice = "write it like 2026-01-31, or as an instant like 2026-01-31T13:45:00Z"
        raise ValueError(f"{shown(cell)} is no date; {advice}")
    if _DATE.fullmatch(cell):
        return read_date(cell)
    at = read_instant(cell)
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise ValueError(f"{cell} lies outside the years {YEARS[0]} to {YEARS[1]}; correct it")
    return at


def read_anchor_day(cell: str) -> str:
    """A day of the month or of the week, as written."""
    if cell not in WEEKDAYS and not (_WHOLE.fullmatch(cell) and 1 <= int(cell) <= 31):
        raise ValueError(f"expected 1 to 31 or a weekday such as monday, found {shown(cell)}")
    return cell


WHEN = Kind(
    lambda cell: lives.when_cell(read_when(cell)),
    lives.WHEN,
    "local date, like 2026-01-31, or RFC 3339 instant with zone",
)
"""A local date, which is its first instant in the customer's zone, or an instant."""

ANCHOR_DAY = Kind(read_anchor_day, pl.String(), f"1 to 31, or `{WEEKDAYS[0]}` to `{WEEKDAYS[-1]}`")
