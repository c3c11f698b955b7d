"""The catalog's CSV files: their columns, and strict reading into rows.

Belongs here: what can be said of one file alone. Must not be put here: rules between rows or
files (see `catalog_rules`), anything that opens a file (see `catalog`).

Each row class is the header of its file: its fields are the columns in order, annotated with
the function that reads the cell. An empty cell is None where the type allows it. A column with
a default may be left out of the header, and an optional file out of the folder.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar, get_args, get_type_hints

from pipelines.catalog.cells import (
    DAYS_MAX,
    one_of,
    read_code,
    read_currency,
    read_date,
    read_folder,
    read_instant,
    read_names,
    read_price,
    read_quantity,
    read_text,
    read_time_zone,
    read_window,
    read_yes_no,
    refuse_ambiguous,
    shown,
    whole_number,
)
from pipelines.catalog.periods import ANCHORS, INTERVALS

INTERVAL_COUNT_MAX = 999
"""Most units of an interval in one period."""


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong at one place of the catalog, and what to do about it.

    Attributes:
        file_name: the CSV file.
        row: line of the file, from 1; 0 for the file as a whole.
        column: empty for the row as a whole.
        reason: a sentence that shows the value.
    """

    file_name: str
    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file_name}{row}{column}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A well-formed row; `line` is its line of the file, from 1."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow(Row):
    """sources.csv: one row per sender."""

    source: Annotated[str, read_folder]
    dialect: Annotated[str, read_code]
    dedupe_scope: Annotated[str | None, read_text]
    dedupe_window_days: Annotated[int | Literal["unlimited"] | None, read_window]
    max_lateness_days: Annotated[int | None, whole_number(1, DAYS_MAX)]
    future_skew_hours: Annotated[int | None, whole_number(0, 24 * DAYS_MAX)]
    received_at_from: Annotated[str, one_of("last_modified", "path")]
    idempotency_key_fields: Annotated[tuple[str, ...] | None, read_names] = None
    late_lookup: Annotated[bool | None, read_yes_no] = None
    conflicts_expected: Annotated[bool | None, read_yes_no] = None
    auto_customers: Annotated[bool | None, read_yes_no] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFieldRow(Row):
    """source_fields.csv: one row per field of a source's events; see `dialects.custom`."""

    source: Annotated[str, read_text]
    field: Annotated[str, read_text]
    path: Annotated[str, read_text]
    form: Annotated[str | None, read_text]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSchemaRow(Row):
    """event_schemas.csv: one row per attribute or dimension of a source's events of one name."""

    source: Annotated[str, read_text]
    event_name: Annotated[str, read_text]
    name: Annotated[str, read_text]
    kind: Annotated[str, one_of("attribute", "dimension")]
    is_required: Annotated[bool, read_yes_no]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow(Row):
    """customers.csv: one row per customer."""

    customer_id: Annotated[str, read_text]
    name: Annotated[str, read_text]
    currency: Annotated[str, read_currency]
    time_zone: Annotated[str, read_time_zone]
    grace_period_days: Annotated[int, whole_number(0, DAYS_MAX)]
    late_usage_policy: Annotated[str, one_of("reject", "adjust")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRow(Row):
    """customer_aliases.csv: one row per alias and validity `[from, to)`; None is open."""

    alias: Annotated[str, read_text]
    customer_id: Annotated[str, read_text]
    valid_from: Annotated[datetime | None, read_instant]
    valid_to: Annotated[datetime | None, read_instant]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow(Row):
    """plans.csv: one row per plan; without a currency it bills in the customer's."""

    plan_code: Annotated[str, read_code]
    name: Annotated[str, read_text]
    currency: Annotated[str | None, read_currency]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRow(Row):
    """charges.csv: one row per price version of a charge."""

    plan_code: Annotated[str, read_code]
    charge_code: Annotated[str, read_code]
    metric_code: Annotated[str, read_code]
    charge_model: Annotated[str, one_of("standard", "graduated")]
    unit_price: Annotated[Decimal | None, read_price]
    group_by: Annotated[tuple[str, ...] | None, read_names]
    valid_from: Annotated[date, read_date]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow(Row):
    """charge_tiers.csv: one row per tier of a graduated price version."""

    plan_code: Annotated[str, read_code]
    charge_code: Annotated[str, read_code]
    valid_from: Annotated[date, read_date]
    from_units: Annotated[Decimal, read_quantity]
    up_to_units: Annotated[Decimal | None, read_quantity]
    unit_price: Annotated[Decimal, read_price]
    flat_amount: Annotated[Decimal | None, read_price]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRow(Row):
    """subscriptions.csv: one row per subscription; dates are local, the end exclusive."""

    subscription_id: Annotated[str, read_text]
    customer_id: Annotated[str, read_text]
    plan_code: Annotated[str, read_code]
    interval: Annotated[str, one_of(*INTERVALS)]
    interval_count: Annotated[int, whole_number(1, INTERVAL_COUNT_MAX)]
    anchor: Annotated[str, one_of(*ANCHORS)]
    start_date: Annotated[date, read_date]
    end_date: Annotated[date | None, read_date]


RowT = TypeVar("RowT", bound=Row)
RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)


@dataclass(frozen=True)
class Record:
    """A row as text: it has every column, though a cell may be ill-formed."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table(Generic[RowT_co]):
    """One file as read.

    Attributes:
        file_name: the CSV file.
        records: rows that have every column, as text.
        rows: those of them whose every cell is well-formed.
        problems: what kept the others out.
    """

    file_name: str
    records: tuple[Record, ...]
    rows: tuple[RowT_co, ...]
    problems: tuple[Problem, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every line of the file is among `rows`."""
        return not self.problems

    @property
    def is_readable(self) -> bool:
        """Whether every line is among `records`, so that an absent key is truly absent."""
        return all(problem.column for problem in self.problems)


@dataclass(frozen=True)
class Tables:
    """The files of a catalog as read; one of `OPTIONAL_FILES` may be absent, and is empty."""

    sources: Table[SourceRow]
    customers: Table[CustomerRow]
    customer_aliases: Table[AliasRow]
    plans: Table[PlanRow]
    charges: Table[ChargeRow]
    charge_tiers: Table[TierRow]
    subscriptions: Table[SubscriptionRow]
    source_fields: Table[SourceFieldRow]
    event_schemas: Table[EventSchemaRow]

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with single cells, rows and files."""
        return [problem for table in vars(self).values() for problem in table.problems]


FILE_NAMES = tuple(f"{field.name}.csv" for field in fields(Tables))
"""The files of a catalog."""

OPTIONAL_FILES = frozenset({"source_fields.csv", "event_schemas.csv"})
"""Those that a folder need not have."""


def read_tables(files: Mapping[str, bytes]) -> Tables:
    """The rows of the catalog, each either well-formed or among the problems.

    Args:
        files: name → bytes; a name of `FILE_NAMES` that is absent is a problem, unless it is
            one of `OPTIONAL_FILES`.
    """
    return Tables(
        sources=_read_table("sources.csv", files, SourceRow),
        customers=_read_table("customers.csv", files, CustomerRow),
        customer_aliases=_read_table("customer_aliases.csv", files, AliasRow),
        plans=_read_table("plans.csv", files, PlanRow),
        charges=_read_table("charges.csv", files, ChargeRow),
        charge_tiers=_read_table("charge_tiers.csv", files, TierRow),
        subscriptions=_read_table("subscriptions.csv", files, SubscriptionRow),
        source_fields=_read_table("source_fields.csv", files, SourceFieldRow),
        event_schemas=_read_table("event_schemas.csv", files, EventSchemaRow),
    )


def _read_table(file_name: str, files: Mapping[str, bytes], row_type: type[RowT]) -> Table[RowT]:
    if file_name in OPTIONAL_FILES and file_name not in files:
        return Table(file_name, (), (), ())
    readers = _cell_readers(row_type)
    lines, problems = _csv_lines(file_name, files.get(file_name))
    records, rows = list[Record](), list[RowT]()
    if lines:
        header, optional = lines[0][1], _optional_columns(row_type)
        left_out = optional - set(header)
        readers = {name: reader for name, reader in readers.items() if name not in left_out}
        if reason := _header_reason(header, list(readers)):
            return Table(file_name, (), (), (*problems, Problem(file_name, 1, "", reason)))
    for line, cells in lines[1:]:
        if reason := _row_reason(cells, len(readers)):
            problems.append(Problem(file_name, line, "", reason))
            continue
        record = Record(line, dict(zip(readers, cells, strict=True)))
        records.append(record)
        values, cell_problems = _read_cells(file_name, record, readers)
        problems.extend(cell_problems)
        if not cell_problems:
            rows.append(row_type(line=line, **values))
    return Table(file_name, tuple(records), tuple(rows), tuple(problems))


def _csv_lines(
    file_name: str, content: bytes | None
) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    # Every line with its number, up to the first that is no CSV.
    reason = _content_reason(content)
    if content is None or reason:
        return [], [Problem(file_name, 0, "", reason)]
    reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    lines, line = list[tuple[int, list[str]]](), 1
    try:
        for cells in reader:
            lines.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        return lines, [Problem(file_name, line, "", f"is no CSV from here on: {error}")]
    return lines, []


def _content_reason(content: bytes | None) -> str:
    if content is None:
        return "the file is missing; add it, with its header alone if it has no rows"
    if not content:
        return "the file is empty; write at least its header"
    if content.startswith(b"\xef\xbb\xbf"):
        return "the file starts with a byte order mark; save it as plain UTF-8"
    # What reads the file after us may take a lone or odd line end differently.
    if content.count(b"\r") not in {0, content.count(b"\n")} or content.count(
        b"\r\n"
    ) != content.count(b"\r"):
        return "the file mixes line ends; save it with one kind"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"the file is not UTF-8 in row {line}; save it as UTF-8"
    return ""


def _header_reason(header: list[str], columns: list[str]) -> str:
    if header == columns:
        return ""
    missing = ", ".join(name for name in columns if name not in header) or "none"
    unknown = ", ".join(shown(name) for name in header if name not in columns) or "none"
    return (
        f"the header is not {','.join(columns)} (missing: {missing}; unknown: {unknown}); "
        "write exactly that"
    )


def _row_reason(cells: list[str], count: int) -> str:
    if not cells:
        return "is blank; remove the line"
    if len(cells) != count:
        return f"has {len(cells)} cells and the header {count}; write one per column, empty or not"
    return ""


def _read_cells(
    file_name: str, record: Record, readers: Mapping[str, tuple[Callable[[str], object], bool]]
) -> tuple[dict[str, object], list[Problem]]:
    values, problems = dict[str, object](), list[Problem]()
    for column, cell in record.cells.items():
        reader, may_be_empty = readers[column]
        try:
            refuse_ambiguous(cell)
            values[column] = None if may_be_empty and not cell else reader(cell)
        except ValueError as error:
            problems.append(Problem(file_name, record.line, column, str(error)))
    return values, problems


def _optional_columns(row_type: type[Row]) -> set[str]:
    return {field.name for field in fields(row_type) if field.default is not MISSING}


def _cell_readers(row_type: type[Row]) -> dict[str, tuple[Callable[[str], object], bool]]:
    # Column → how its cell is read, and whether it may be empty.
    hints = get_type_hints(row_type, include_extras=True)
    return {
        column: (hint.__metadata__[0], type(None) in get_args(hint.__origin__))
        for column, hint in hints.items()
        if column != "line"
    }
