"""Payers: several invoices that share what discounts and blocks of credit have left."""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import polars as pl

from pipelines.preview.fields import Fields, Members
from pipelines.preview.json_cases import read_cases
from pipelines.preview.settle_cases import read_settle_case
from pipelines.preview.settle_tables import instants_of, to_settle
from pipelines.warehouse.settling import INVOICES, Settled, ToSettle, settled
from witness.amounts import exact_text, minor_digits, rounded
from witness.settling import settle_answer

Case = dict[str, Any]
Result = dict[str, Any]

LINE_COLUMNS = ("kind", "amount", "discount_amount", "net_amount", "tax_amount", "credit_amount")


def settled_together(payers: Sequence[Sequence[Case]]) -> Settled:
    """What cases come to that are the invoices of payers, in order, as the SQL that bills says.

    The discounts and credits of a payer are those of its first case. Invoices are numbered through.
    """
    cases = [case for invoices in payers for case in invoices]
    text = json.dumps([{"id": str(place)} | case for place, case in enumerate(cases)])
    read = {}
    for place, case in enumerate(read_cases(text, by_line=False)):
        assert isinstance(case, Members)
        fields = Fields(case)
        read[place] = read_settle_case(fields)
        fields.raise_faults()
    given = to_settle(read, instants_of(read))
    places = [
        {"invoice_key": sum(map(len, payers[:payer])) + place, "payer_key": payer,
         "invoice_place": place + 1}
        for payer, invoices in enumerate(payers)
        for place in range(len(invoices))
    ]  # fmt: skip
    owner = pl.DataFrame(places)
    first = owner.filter(invoice_place=1).select("payer_key", first="invoice_key")
    return settled(
        ToSettle(
            invoices=given.invoices.drop("payer_key", "invoice_place")
            .join(owner, on="invoice_key")
            .select(*INVOICES),
            lines=given.lines,
            discounts=_of_payers(given.discounts, first),
            taxes=given.taxes,
            credits=_of_payers(given.credits, first),
        )
    )


def _of_payers(rows: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """The rows of each payer's first case."""
    return (
        rows.rename({"payer_key": "first"})
        .join(first, on="first", how="inner")
        .drop("first")
        .select(rows.columns)
    )


def settled_one_by_one(invoices: Sequence[Case]) -> list[Result]:
    """The same invoices of one payer as the witness settles them, each told what is left."""
    discounts = [
        {"discount_id": f"d{place}"} | row
        for place, row in enumerate(invoices[0].get("discounts") or ())
    ]
    blocks = [
        {"credit_id": f"c{place}"} | row
        for place, row in enumerate(invoices[0].get("credits") or ())
    ]
    times = dict.fromkeys((row["discount_id"] for row in discounts), 0)
    results = []
    for case in invoices:
        in_force = [
            row for row in discounts
            if row.get("periods") is None or times[row["discount_id"]] < row["periods"]
        ]  # fmt: skip
        result = settle_answer(case | {"discounts": in_force, "credits": blocks})
        left = {row["credit_id"]: row["balance"] for row in result["credits"]}
        blocks = [row | {"amount": left[row["credit_id"]]} for row in blocks]
        for row, given in zip(in_force, result["discounts"], strict=True):
            times[row["discount_id"]] += _has_effect(given, row, case)
            if given["left"] is not None:
                row["used"] = exact_text(_worth(row, case) - Fraction(given["left"]))
        results.append(result)
    return results


def _worth(row: Mapping[str, Any], case: Case) -> Fraction:
    digits = minor_digits(case.get("currency") or "USD")
    return rounded(Fraction(row["value"]), digits, case.get("rounding") or "half_away")


def _has_effect(given: Mapping[str, Any], row: Mapping[str, Any], case: Case) -> bool:
    if given["left"] is None:
        return Fraction(given["amount"]) != 0
    used = Fraction(row.get("used") or 0)
    return max(Fraction(0), _worth(row, case) - used) != Fraction(given["left"])
