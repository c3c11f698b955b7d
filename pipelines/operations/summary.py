"""Summary: what is billed, what is not and why, and what waits; each with where its rows are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from pipelines.vocabulary.money import amount_text, plain_decimal

UNBILLED_LISTED = 50
"""Pairs of reason and metric that a summary lists; whatever is beyond is counted alone."""

NAMES_LISTED = 3
"""Names that it lists for each of them."""

WAITING_KINDS = {
    "draft_not_due": "drafts not due yet",
    "draft_due": "drafts that are due",
    "file_held": "held files",
    "file_unreadable": "unreadable files",
    "file_new": "files not taken in yet",
    "file_unclaimed": "files that no run can take in",
}
"""What can wait, with its words."""

_DRAFTS = (
    "select invoice_id, customer_id, cut_at, currency, total_amount from fct_invoices "
    "where status = 'draft' and cut_at {comparison} '{as_of}'"
)
_FILES = (
    "select path, reason from fct_landing_files "
    "where status = '{status}' and healed_by_file_id is null"
)


_EXACT_SUM = """{{
    'whole': sum(trunc({0}))::DECIMAL(38, 0),
    'rest': sum((({0} % 1) * 1000000000000000000)::BIGINT)::DECIMAL(38, 0)
}}"""
"""SQL: the sum of decimals, in whole units and in units of 10^-18. Amounts and quantities take up
to 38 digits, so that DuckDB's own sum of two of them may overflow."""

_Sum = Mapping[str, Decimal | None]
"""Such a sum as it is read; both of its parts are None where there is nothing to add."""


@dataclass(frozen=True)
class CurrencyTotal:
    """Invoices in one currency.

    Attributes:
        currency: ISO 4217 code.
        invoices: how many there are.
        total_amount: their sum, a decimal in the major unit with the digits of the currency.
    """

    currency: str
    invoices: int
    total_amount: str


@dataclass(frozen=True)
class Billed:
    """Finalized invoices of the published generation.

    Attributes:
        invoices: how many there are, in all currencies.
        totals: the same by currency.
        command: shows them.
    """

    invoices: int
    totals: list[CurrencyTotal]
    command: str


@dataclass(frozen=True)
class UnbilledName:
    """Usage of one name that is on no invoice for one reason.

    Attributes:
        name: a customer's id, or the reference that leads to no customer.
        is_customer: False for such a reference.
        event_count: accepted events.
        quantity: decimal in the metric's unit; None when the events have none.
    """

    name: str
    is_customer: bool
    event_count: int
    quantity: str | None


@dataclass(frozen=True)
class UnbilledUsage:
    """Usage of one metric that is on no invoice for one reason.

    Attributes:
        unbilled_reason: as in `rpt_unbilled_usage`.
        metric_code: the metric; None for events that no metric matches.
        event_name: name of the events where no metric matches them, else None.
        event_count: accepted events. One that two metrics match counts for both.
        quantity: decimal in `unit`; None when the events have none.
        unit: of the quantity; None without metric.
        names: how many customers and unattributed references there are.
        largest: those with the largest quantities, then with most events; `NAMES_LISTED` at most.
        command: shows the rows.
    """

    unbilled_reason: str
    metric_code: str | None
    event_name: str | None
    event_count: int
    quantity: str | None
    unit: str | None
    names: int
    largest: list[UnbilledName]
    command: str


@dataclass(frozen=True)
class NotBilled:
    """Usage of the published generation that is on no invoice.

    Attributes:
        pairs: how many pairs of reason and metric there are.
        usage: a row for each. Reasons with most events come first; `UNBILLED_LISTED` at most.
    """

    pairs: int = 0
    usage: list[UnbilledUsage] = field(default_factory=list)


@dataclass(frozen=True)
class Waiting:
    """Drafts or files of one kind that wait.

    Attributes:
        kind: one of `WAITING_KINDS`.
        number: how many there are.
        totals: of drafts: the same by currency.
        command: shows them, or takes them in.
    """

    kind: str
    number: int
    totals: list[CurrencyTotal]
    command: str


@dataclass(frozen=True)
class InvoiceSums:
    """All invoices of the published generation by state and currency.

    Attributes:
        finalized: invoices with a number.
        due: drafts whose cut has passed.
        not_due: the other drafts.
        unnumbered: periods that came to 0 and were closed without an invoice.
    """

    finalized: list[CurrencyTotal] = field(default_factory=list)
    due: list[CurrencyTotal] = field(default_factory=list)
    not_due: list[CurrencyTotal] = field(default_factory=list)
    unnumbered: list[CurrencyTotal] = field(default_factory=list)


def invoice_sums(marts: duckdb.DuckDBPyConnection, as_of: str) -> InvoiceSums:
    """The published invoices by state and currency, summed in SQL.

    Args:
        marts: the published marts.
        as_of: the instant that they speak for, RFC 3339.
    """
    rows = marts.execute(
        f"""
        SELECT CASE
                WHEN status IN ('finalized', 'unnumbered') THEN status
                WHEN cut_at <= $as_of::TIMESTAMPTZ THEN 'due'
                ELSE 'not_due'
            END AS state,
            currency, count(*) AS invoices, {_EXACT_SUM.format("total_amount")} AS total
        FROM fct_invoices WHERE status IN ('finalized', 'unnumbered', 'draft')
        GROUP BY ALL ORDER BY currency
        """,
        {"as_of": as_of},
    ).pl()
    sums = InvoiceSums()
    for state, currency, invoices, total in rows.iter_rows():
        amount = amount_text(_decimal(total), currency)
        getattr(sums, state).append(CurrencyTotal(currency, invoices, amount))
    return sums


def billed(sums: InvoiceSums) -> Billed:
    """The finalized invoices."""
    query = (
        "select invoice_number, customer_id, currency, total_amount from fct_invoices "
        "where status = 'finalized' order by series_number"
    )
    return Billed(_count(sums.finalized), sums.finalized, _command(query))


def not_billed(marts: duckdb.DuckDBPyConnection) -> NotBilled:
    """Usage on no invoice by reason and metric; names are ranked and cut in SQL."""
    rows = marts.execute(
        f"""
        WITH unbilled AS (
            -- A generation of an earlier version has no such column.
            SELECT NULL::VARCHAR AS event_name WHERE false
            UNION ALL BY NAME
            SELECT * FROM rpt_unbilled_usage
        ),
        per_name AS (
            SELECT unbilled_reason, metric_code, unit, customer_id, unattributed_ref,
                CASE WHEN metric_code IS NULL THEN event_name END AS event_name,
                sum(event_count)::BIGINT AS events,
                {_EXACT_SUM.format("quantity")} AS total,
                abs(sum(quantity::DOUBLE)) AS size
            FROM unbilled GROUP BY ALL
        ),
        ranked AS (
            SELECT *, row_number() OVER (
                PARTITION BY unbilled_reason, metric_code, event_name
                ORDER BY size DESC NULLS LAST, events DESC, customer_id, unattributed_ref
            ) AS place
            FROM per_name
        ),
        per_metric AS (
            SELECT unbilled_reason, metric_code, event_name, unit,
                sum(events)::BIGINT AS event_count,
                {{
                    'whole': sum(total.whole)::DECIMAL(38, 0),
                    'rest': sum(total.rest)::DECIMAL(38, 0)
                }} AS total,
                count(*) AS names,
                list({{
                    'name': coalesce(customer_id, unattributed_ref),
                    'is_customer': customer_id IS NOT NULL,
                    'event_count': events,
                    'total': total
                }} ORDER BY place) FILTER (place <= {NAMES_LISTED}) AS largest
            FROM ranked GROUP BY ALL
        )
        SELECT *, count(*) OVER () AS pairs FROM per_metric
        ORDER BY max(abs(event_count)) OVER (PARTITION BY unbilled_reason) DESC,
            unbilled_reason, abs(event_count) DESC, metric_code, event_name
        LIMIT {UNBILLED_LISTED}
        """
    ).pl()
    usage = [_unbilled_usage(**row) for row in rows.drop("pairs").iter_rows(named=True)]
    return NotBilled(rows["pairs"][0] if rows.height else 0, usage)


def waiting(
    sums: InvoiceSums,
    as_of: str | None,
    held: int,
    unreadable: int,
    new: int,
    unclaimed: int = 0,
) -> list[Waiting]:
    """Drafts and files that wait; kinds of which there are none are left out.

    Args:
        sums: the published invoices.
        as_of: the instant that they speak for, RFC 3339; None before the first generation.
        held: held files that nothing has healed.
        unreadable: the same for unreadable ones.
        new: files that have landed and that no run has decided.
        unclaimed: files that have landed and that no run can take in.
    """
    # Without marts there is nothing to query; the report lists the files.
    files = _command(_FILES) if as_of else "meterline status --json"
    kinds = [
        Waiting(
            "draft_not_due",
            _count(sums.not_due),
            sums.not_due,
            _command(_DRAFTS.format(comparison=">", as_of=as_of)),
        ),
        Waiting(
            "draft_due",
            _count(sums.due),
            sums.due,
            _command(_DRAFTS.format(comparison="<=", as_of=as_of)),
        ),
        Waiting("file_held", held, [], files.format(status="held")),
        Waiting("file_unreadable", unreadable, [], files.format(status="quarantined")),
        Waiting("file_new", new, [], "meterline run"),
        Waiting("file_unclaimed", unclaimed, [], "meterline status --json"),
    ]
    return [kind for kind in kinds if kind.number]


def _unbilled_usage(*, total: _Sum, largest: list[dict[str, Any]], **row: Any) -> UnbilledUsage:
    query = (
        "select customer_id, unattributed_ref, event_count, quantity, example_path, example_line "
        f"from rpt_unbilled_usage where unbilled_reason = '{row['unbilled_reason']}'"
    )
    if row["metric_code"] is not None:
        query += f" and metric_code = '{row['metric_code']}'"
    return UnbilledUsage(
        **row,
        quantity=_quantity(total),
        largest=[UnbilledName(quantity=_quantity(name.pop("total")), **name) for name in largest],
        command=_command(query),
    )


def _command(query: str) -> str:
    # No name of a sender or customer is in a query: a person copies it into a shell.
    return f'meterline sql "{query}"'


def _count(totals: list[CurrencyTotal]) -> int:
    return sum(total.invoices for total in totals)


def _quantity(total: _Sum) -> str | None:
    return None if total["whole"] is None else plain_decimal(_decimal(total))


def _decimal(total: _Sum) -> Decimal:
    # From text, because arithmetic would round to the 28 digits of the thread's context.
    whole, rest = int(total["whole"] or 0), int(total["rest"] or 0)
    return Decimal(f"{whole * 10**18 + rest}E-18")
