"""Sample tables: the expected invoices of the sample as CSV files, for people who read tables.

`python -m tests.golden.sample_tables` compares the files in `sample_invoices/` with the invoices
recomputed from the web log and the catalog. `--write` replaces them; then say why in `why.md`.
"""

import argparse
import csv
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from tests.golden.recompute_sample import Invoice, Line, Row, Tier, expected_invoices

EXPECTED = Path(__file__).resolve().parent / "sample_invoices"


def tables(invoices: list[Invoice]) -> dict[str, list[Row]]:
    """The tables of invoices, of lines, and of tiers of lines that have them, by file name."""
    lines = [(invoice, line) for invoice in invoices for line in invoice["lines"]]
    return {
        "invoices.csv": [_invoice_row(invoice) for invoice in invoices],
        "lines.csv": [_line_row(invoice, line) for invoice, line in lines],
        "tiers.csv": [
            _tier_row(invoice, line, tier)
            for invoice, line in lines
            if line["charge_model"] in {"graduated", "volume"}
            for tier in line["tiers"]
        ],
    }


def _invoice_row(invoice: Invoice) -> Row:
    return {
        "invoice_id": invoice["invoice_id"],
        "customer_id": invoice["customer_id"],
        "plan_code": invoice["plan_code"],
        "status": invoice["status"],
        "period_start_at": _instant(invoice["period_start_at"]),
        "period_end_at": _instant(invoice["period_end_at"]),
        "cut_at": _instant(invoice["cut_at"]),
        "currency": invoice["currency"],
        "total_amount": str(invoice["total_amount"]),
    }


def _line_row(invoice: Invoice, line: Line) -> Row:
    return {
        "invoice_id": invoice["invoice_id"],
        "charge_code": line["charge_code"],
        "group_key": line["group_key"],
        "metric_code": line["metric_code"] or "",
        "charge_model": line["charge_model"],
        "price_valid_from": line["price_valid_from"],
        "event_count": str(line["event_count"]),
        "quantity": _shortest(line["quantity"]),
        "currency": invoice["currency"],
        "amount": str(line["amount"]),
    }


def _tier_row(invoice: Invoice, line: Line, tier: Tier) -> Row:
    return {
        "invoice_id": invoice["invoice_id"],
        "charge_code": line["charge_code"],
        "group_key": line["group_key"],
        "from_units": _shortest(tier["from_units"]),
        "up_to_units": _shortest(tier["up_to_units"]),
        "unit_price": _shortest(tier["unit_price"]),
        "flat_amount": _shortest(tier["flat_amount"]),
        "quantity": _shortest(tier["quantity"]),
        "currency": invoice["currency"],
        "unrounded_amount": _shortest(tier["amount"]),
    }


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _shortest(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def read_expected(name: str) -> list[Row]:
    """The rows of one golden file."""
    with (EXPECTED / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_expected(name: str, rows: list[Row]) -> None:
    """Writes one golden file."""
    with (EXPECTED / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Compares with the golden files, or replaces them."""
    parser = argparse.ArgumentParser(description="The sample's invoices from the web log, as CSV.")
    parser.add_argument("--write", action="store_true", help="replace the golden files")
    is_writing: bool = parser.parse_args().write
    for name, rows in tables(expected_invoices()).items():
        if is_writing:
            write_expected(name, rows)
        if read_expected(name) != rows:
            raise SystemExit(f"{EXPECTED / name} is not what the log and the catalog give")
        sys.stdout.write(f"{name}: {len(rows)} rows, as expected\n")


if __name__ == "__main__":
    main()
