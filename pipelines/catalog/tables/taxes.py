"""taxes.csv: taxes that lines bear."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.catalog.cells import CODE, DATE, PERCENT, TEXT, YES_NO, one_of, shown
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Rule, Tables


@dataclass(frozen=True, kw_only=True)
class Tax(Row):
    """One row per tax and rate.

    The rate in force on the last local day of a line's service period is the line's.

    An edit changes every draft from the next run on, and no finalized invoice.
    """

    file_name = "taxes.csv"

    tax_code: str = column(CODE, "Code by which customers and charges name the tax.")
    valid_from: date = column(DATE, "First local day of this rate.")
    name: str = column(TEXT, "Name for people.")
    rate_percent: Decimal = column(PERCENT, "The rate, in hundredths.")
    inclusive: bool = column(
        YES_NO, "`yes`: prices include it; empty is no.", empty=False, is_optional=True
    )
    rounding: str = column(
        one_of("invoice", "line"),
        "Whether it is rounded once for an invoice, or for each line; empty is invoice.",
        empty="invoice",
        is_optional=True,
    )


def changed_kinds(tables: Tables) -> Iterator[Problem]:
    """A tax is inclusive at all its rates, or at none: prices were written for one or the other."""
    first_rates = dict[str, Tax]()
    for tax in tables.whole(Tax):
        first = first_rates.setdefault(tax.tax_code, tax)
        if tax.inclusive != first.inclusive:
            word, other = ("yes", "no") if tax.inclusive else ("no", "yes")
            yield tax.problem(
                "inclusive",
                f"{word} differs from {other} of the same tax in row {first.line}; use another "
                "tax_code",
            )


def unknown_taxes(row: type[Row]) -> Rule:
    """The rule that the `tax_codes` of a file are found in taxes.csv."""

    def rule(tables: Tables) -> Iterator[Problem]:
        known = set(tables.whole(Tax).frame["tax_code"])
        for each in tables[row].where(pl.col("tax_codes").list.len() > 0):
            for code in each.tax_codes:  # type: ignore[attr-defined]
                if code not in known:
                    yield each.problem(
                        "tax_codes",
                        f"{shown(code)} is not in taxes.csv; add it there or correct it here",
                    )

    return rule


TABLE = CatalogTable(
    Tax,
    key=("tax_code", "valid_from"),
    rules=(changed_kinds,),
    is_optional=True,
    is_priced=False,
    is_seed=False,
)
