"""What is billed, what is not and what waits, as a program reads it."""

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from pipelines.operations.summary import (
    NAMES_LISTED,
    UNBILLED_LISTED,
    CurrencyTotal,
    InvoiceSums,
    NotBilled,
    UnbilledName,
    billed,
    invoice_sums,
    not_billed,
    waiting,
)
from tests.worlds.marts import NO_INVOICES

AS_OF = "2026-03-10T12:00:00Z"
WIDEST = "99999999999999999999"
"""The most that a quantity holds before the point; two of them overflow DuckDB's own sum."""


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in NO_INVOICES:
            connection.execute(statement)
        yield connection


def add_invoice(
    marts: duckdb.DuckDBPyConnection,
    status: str,
    currency: str,
    amount: str,
    cut_at: str = "2026-03-10T00:00:00Z",
) -> None:
    row = {"status": status, "currency": currency, "amount": amount, "cut_at": cut_at}
    marts.execute(
        "INSERT INTO fct_invoices (status, currency, total_amount, cut_at) "
        "VALUES ($status, $currency, $amount::DECIMAL(38, 15), $cut_at)",
        row,
    )


def add_usage(
    marts: duckdb.DuckDBPyConnection,
    reason: str,
    *,
    customer: str | None = None,
    reference: str | None = None,
    metric: str | None = "requests",
    event_name: str | None = "http_request",
    events: int = 1,
    quantity: str | None = "1",
) -> None:
    row = [reason, metric, customer, reference, event_name, events, quantity]
    unit = None if metric is None else "request"
    marts.execute("INSERT INTO rpt_unbilled_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*row, unit])


def rows_of(marts: duckdb.DuckDBPyConnection, command: str) -> list[tuple[object, ...]]:
    """The rows that a printed command shows."""
    query = command.removeprefix('meterline sql "').removesuffix('"')
    assert command == f'meterline sql "{query}"'
    return marts.execute(query).fetchall()


def test_nothing_published_is_nothing_to_sum(marts: duckdb.DuckDBPyConnection) -> None:
    sums = invoice_sums(marts, AS_OF)

    assert sums == InvoiceSums([], [], [])
    assert (billed(sums).invoices, billed(sums).totals) == (0, [])
    assert not_billed(marts) == NotBilled(0, [])
    assert waiting(sums, AS_OF, held=0, unreadable=0, new=0) == []


def test_finalized_invoices_are_summed_by_currency(marts: duckdb.DuckDBPyConnection) -> None:
    add_invoice(marts, "finalized", "USD", "1.25")
    add_invoice(marts, "finalized", "USD", "-0.05")
    add_invoice(marts, "finalized", "KWD", "0")
    add_invoice(marts, "draft", "USD", "7")

    found = billed(invoice_sums(marts, AS_OF))

    assert found.invoices == 3
    assert found.totals == [CurrencyTotal("KWD", 1, "0.000"), CurrencyTotal("USD", 2, "1.20")]


def test_sum_of_invoices_is_exact_beyond_the_widest_amount(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    for sign in ("", "-", "", ""):
        add_invoice(marts, "finalized", "USD", f"{sign}90071992547409930000000.01")

    assert billed(invoice_sums(marts, AS_OF)).totals == [
        CurrencyTotal("USD", 4, "180143985094819860000000.02")
    ]


def test_draft_is_due_from_its_cut_on(marts: duckdb.DuckDBPyConnection) -> None:
    add_invoice(marts, "draft", "USD", "1", cut_at="2026-03-10T11:59:59Z")
    add_invoice(marts, "draft", "USD", "2", cut_at="2026-03-10T12:00:00Z")
    add_invoice(marts, "draft", "USD", "4", cut_at="2026-03-10T12:00:01Z")

    kinds = waiting(invoice_sums(marts, AS_OF), AS_OF, held=0, unreadable=0, new=0)

    assert [(kind.kind, kind.number, kind.totals) for kind in kinds] == [
        ("draft_not_due", 1, [CurrencyTotal("USD", 1, "4.00")]),
        ("draft_due", 2, [CurrencyTotal("USD", 2, "3.00")]),
    ]
    assert [[row[-1] for row in rows_of(marts, kind.command)] for kind in kinds] == [
        [Decimal(4)],
        [Decimal(1), Decimal(2)],
    ]


def test_invoice_of_another_state_is_neither_billed_nor_waiting(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    add_invoice(marts, "no such state", "USD", "1")

    assert invoice_sums(marts, AS_OF) == InvoiceSums([], [], [])


def test_period_without_invoice_is_counted_and_neither_billed_nor_waiting(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    add_invoice(marts, "unnumbered", "USD", "0")

    sums = invoice_sums(marts, AS_OF)

    assert sums == InvoiceSums(unnumbered=[CurrencyTotal("USD", 1, "0.00")])
    assert billed(sums).invoices == 0
    assert waiting(sums, AS_OF, held=0, unreadable=0, new=0) == []


@pytest.mark.parametrize(
    ("as_of", "held_command"),
    [
        (AS_OF, 'meterline sql "select path, reason from fct_landing_files'),
        (None, "meterline status --json"),
    ],
)
def test_files_wait_by_kind_with_what_shows_them(as_of: str | None, held_command: str) -> None:
    kinds = waiting(InvoiceSums(), as_of, held=1, unreadable=2, new=3)

    assert [(kind.kind, kind.number) for kind in kinds] == [
        ("file_held", 1),
        ("file_unreadable", 2),
        ("file_new", 3),
    ]
    assert kinds[0].command.startswith(held_command)
    assert kinds[2].command == "meterline run"


def test_reasons_with_most_events_come_first_and_metrics_of_one_stand_together(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    add_usage(marts, "late", customer="a", events=2)
    add_usage(marts, "late", customer="b", metric="egress_bytes", events=9, quantity="0.5")
    add_usage(marts, "late", customer="a", metric="egress_bytes", events=1, quantity="1.25")
    add_usage(marts, "not_charged", customer="a", events=5, quantity="5")
    add_usage(marts, "after_finalization", customer="a", events=-6, quantity="-6")

    found = not_billed(marts)

    assert found.pairs == 4
    assert [
        (usage.unbilled_reason, usage.metric_code, usage.event_count, usage.quantity)
        for usage in found.usage
    ] == [
        ("late", "egress_bytes", 10, "1.75"),
        ("late", "requests", 2, "1"),
        ("after_finalization", "requests", -6, "-6"),
        ("not_charged", "requests", 5, "5"),
    ]


def test_largest_names_are_those_with_most_quantity_then_with_most_events(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    add_usage(marts, "late", customer="no quantity", events=99, quantity=None)
    add_usage(marts, "late", customer="small", quantity="1")
    # One name may be a customer's, and a reference to another.
    add_usage(marts, "late", reference="large", quantity="4")
    add_usage(marts, "late", customer="large", quantity="-2.5", events=3)
    add_usage(marts, "late", customer="large", quantity="-2.5", events=4)
    add_usage(marts, "late", customer="more events", quantity="1", events=2)

    (usage,) = not_billed(marts).usage

    assert usage.names == 5
    assert usage.largest == [
        UnbilledName("large", is_customer=True, event_count=7, quantity="-5"),
        UnbilledName("large", is_customer=False, event_count=1, quantity="4"),
        UnbilledName("more events", is_customer=True, event_count=2, quantity="1"),
    ]
    assert len(usage.largest) == NAMES_LISTED


def test_usage_without_any_quantity_has_none(marts: duckdb.DuckDBPyConnection) -> None:
    add_usage(marts, "not_a_number", customer="few", quantity=None)
    add_usage(marts, "not_a_number", customer="many", quantity=None, events=2)

    (usage,) = not_billed(marts).usage

    assert usage.quantity is None
    assert [(name.name, name.quantity) for name in usage.largest] == [("many", None), ("few", None)]


def test_sum_of_quantities_is_exact_beyond_the_widest_quantity(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    for customer in ("a", "a", "b"):
        add_usage(marts, "late", customer=customer, quantity=f"{WIDEST}.999999999999999999")

    (usage,) = not_billed(marts).usage

    assert usage.quantity == "299999999999999999999.999999999999999997"
    assert [name.quantity for name in usage.largest] == [
        "199999999999999999999.999999999999999998",
        "99999999999999999999.999999999999999999",
    ]


def test_events_of_no_metric_stand_apart_by_name(marts: duckdb.DuckDBPyConnection) -> None:
    for name, events in (("login", 1), ("logout", 2)):
        named = {"event_name": name, "metric": None, "quantity": None}
        add_usage(marts, "no_metric", customer="a", events=events, **named)

    assert [
        (usage.metric_code, usage.event_name, usage.event_count, usage.unit)
        for usage in not_billed(marts).usage
    ] == [(None, "logout", 2, None), (None, "login", 1, None)]


def test_generation_of_an_earlier_version_has_no_names_of_events(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    add_usage(marts, "no_metric", customer="a", metric=None, quantity=None)
    marts.execute("ALTER TABLE rpt_unbilled_usage DROP COLUMN event_name")

    (usage,) = not_billed(marts).usage

    assert (usage.event_name, usage.event_count) == (None, 1)


@pytest.mark.parametrize("metrics", [1, UNBILLED_LISTED, UNBILLED_LISTED + 1, 1_000])
def test_summary_lists_so_many_pairs_and_counts_all(
    marts: duckdb.DuckDBPyConnection, metrics: int
) -> None:
    marts.execute(
        "INSERT INTO rpt_unbilled_usage BY NAME "
        "SELECT 'late' AS unbilled_reason, 'metric_' || metric AS metric_code, "
        "'a' AS customer_id, metric AS event_count, 1 AS quantity "
        f"FROM range(1, {metrics} + 1) AS metrics(metric)"
    )

    found = not_billed(marts)

    assert found.pairs == metrics
    assert [usage.event_count for usage in found.usage] == sorted(
        range(max(1, metrics + 1 - UNBILLED_LISTED), metrics + 1), reverse=True
    )
