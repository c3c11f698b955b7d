"""New invoices and lines as Dagster shows them: amounts with their currency, plain numbers."""

from decimal import Decimal

import polars as pl

from pipelines.defs.assets.invoices import invoices_shown, lines_shown
from pipelines.invoicing.finalize import ClosedInvoices

INVOICES = pl.DataFrame(
    {
        "invoice_number": ["INV-000001", "INV-000002"],
        "invoice_id": ["b/2026-05-01", "a/2026-05-01"],
        "subscription_id": ["b", "a"],
        "total_amount": pl.Series([Decimal("772"), Decimal(0)], dtype=pl.Decimal(38, 15)),
        "currency": ["JPY", "KWD"],
    }
)
LINES = pl.DataFrame(
    {
        "invoice_id": ["a/2026-05-01", "b/2026-05-01", "b/2026-05-01"],
        "line_id": ["a/2026-05-01/x/{}", "b/2026-05-01/x/{}", "b/2026-05-01/minimum/x/{}"],
        "quantity": pl.Series([Decimal(0), Decimal("1.50"), None], dtype=pl.Decimal(38, 18)),
        "amount": pl.Series([Decimal(0), Decimal("770"), Decimal(2)], dtype=pl.Decimal(38, 15)),
    }
)


def closed(invoices: pl.DataFrame, lines: pl.DataFrame) -> ClosedInvoices:
    return ClosedInvoices(invoices, lines, *(pl.DataFrame() for _ in range(3)))


def test_amounts_have_the_digits_and_the_code_of_their_currency() -> None:
    shown = closed(INVOICES, LINES)
    assert invoices_shown(shown).rows() == [
        ("INV-000001", "b", "772 JPY"),
        ("INV-000002", "a", "0.000 KWD"),
    ]
    assert lines_shown(shown).rows() == [
        ("a/2026-05-01/x/{}", "0", "0.000 KWD"),
        ("b/2026-05-01/x/{}", "1.5", "770 JPY"),
        ("b/2026-05-01/minimum/x/{}", None, "2 JPY"),
    ]


def test_nothing_new_is_an_empty_table() -> None:
    shown = closed(INVOICES.clear(), LINES.clear())
    assert invoices_shown(shown).columns == ["invoice_number", "subscription_id", "total_amount"]
    assert lines_shown(shown).columns == ["line_id", "quantity", "amount"]
