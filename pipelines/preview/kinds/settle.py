"""`settle`: lines to an amount due, by the SQL that bills."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.preview.faults import CaseError, Code, Fault
from pipelines.preview.kinds.kind import Key, Kind, Result
from pipelines.preview.settle_cases import SettleCase, read_settle_case
from pipelines.preview.settle_tables import Instants, instants_of, to_settle
from pipelines.preview.settle_warnings import warnings_of
from pipelines.warehouse import settling
from pipelines.warehouse.settling import RECIPE_VERSION

_AMOUNTS = ("amount", "discount_amount", "net_amount", "tax_amount", "credit_amount")
"""What a line of a result has."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """What a case comes to, by table; one row of totals."""

    lines: list[Row]
    discounts: list[Row]
    taxes: list[Row]
    blocks: list[Row]
    totals: list[Row]


def _answer(cases: Mapping[Key, SettleCase]) -> dict[Key, Result | CaseError]:
    instants = instants_of(cases)
    found: dict[Key, Result | CaseError] = {}
    for key, case in cases.items():
        if faults := [*_never_effective(case, instants[key])]:
            found[key] = CaseError(faults)
    right = {key: case for key, case in cases.items() if key not in found}
    settled = settling.settled(to_settle(right, instants))
    lines, totals = _by(settled.lines, "invoice_key"), _by(settled.totals, "invoice_key")
    taxes = _by(settled.taxes, "invoice_key")
    discounts, blocks = _by(settled.discounts, "payer_key"), _by(settled.credits, "payer_key")
    for key, case in right.items():
        rows = Rows(*(each.get(key, []) for each in (lines, discounts, taxes, blocks, totals)))
        faults = [*_overflows(case, rows)]
        found[key] = CaseError(faults) if faults else _result(case, rows)
    return found


def _warnings(cases: Mapping[Key, SettleCase]) -> dict[Key, list[str]]:
    instants = instants_of(cases)
    return {key: [*warnings_of(case, instants[key])] for key, case in cases.items()}


def _by(rows: pl.DataFrame, key: str) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row.pop(key), []).append(row)
    return found


def _never_effective(case: SettleCase, instants: Instants) -> Iterator[Fault]:
    for place in range(len(case.credits)):
        start, end = (instants.blocks[place][name] for name in ("effective_at", "expires_at"))
        if start is not None and end is not None and end <= start:
            path, reason = f"credits[{place}].expires_at", "is not after effective_at; correct one"
            yield Fault(Code.CONTRADICTION, path, reason, "credits", place, "expires_at")


def _overflows(case: SettleCase, rows: Rows) -> Iterator[Fault]:
    """What has more digits than an amount holds."""
    for line in rows.lines:
        if any(line[name] is None for name in _AMOUNTS):
            place = line["line_number"]
            path = f"lines[{place}]" if place < len(case.lines) else f"plan.{line['kind']}_amount"
            yield _overflow(path, "what becomes of it")
    for row in rows.discounts:
        if row["amount"] is None:
            yield _overflow("discounts", f"the amount of {row['discount_id']}")
    for row in rows.taxes:
        if row["base"] is None or row["amount"] is None:
            yield _overflow("taxes", f"the amount or the base of {row['tax_code']}")
    for name, text in rows.totals[0].items():
        if text is None:
            yield _overflow("", name)


def _overflow(path: str, what: str) -> Fault:
    reason = f"{what} has more digits than an amount may have; settle less, or fewer lines"
    return Fault(Code.OVERFLOW, path, reason)


def _result(case: SettleCase, rows: Rows) -> Result:
    ids = dict(enumerate(line.line_id for line in case.lines))
    discounts = {row["discount_id"]: row for row in rows.discounts}
    taxes = {row["tax_code"]: row for row in rows.taxes}
    return {
        "lines": [
            {"id": ids.get(row["line_number"], row["kind"])}
            | {name: row[name] for name in ("kind", *_AMOUNTS)}
            for row in rows.lines
        ],
        "discounts": [discounts[each.discount_id] for each, _ in case.discounts],
        "taxes": [taxes[each.tax_code] for each in case.taxes],
        "credits": [
            {name: row[name] for name in ("credit_id", "drawn", "balance")} for row in rows.blocks
        ],
        **rows.totals[0],
        "recipe_version": RECIPE_VERSION,
    }


KIND = Kind("settle", read_settle_case, _answer, _warnings)
