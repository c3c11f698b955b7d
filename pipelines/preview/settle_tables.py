"""Settle tables: cases as the SQL of settling takes them. Nothing is worked out here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.periods.lives import NOTHING_CLOSED, WHEN, resolved, when_cell
from pipelines.preview.kinds.kind import Key
from pipelines.preview.price_tables import frame_of
from pipelines.preview.settle_cases import SettleCase
from pipelines.vocabulary.money import minor_unit_digits
from pipelines.warehouse.settling import (
    CREDITS,
    DISCOUNTS,
    INVOICE_LINES,
    INVOICES,
    TAXES,
    ToSettle,
)

SPAN = ("effective_at", "expires_at", "voided_at")
"""The *when*s of a block of credit."""


@dataclass(frozen=True)
class Instants:
    """The instants of a case.

    Attributes:
        period_end: None: it has none.
        blocks: for each block of credit, its `SPAN` by name.
    """

    period_end: datetime | None
    blocks: list[dict[str, datetime | None]]


_COPIED_OF_DISCOUNT = (
    "discount_id",
    "kind",
    "value",
    "charge_codes",
    "spread",
    "periods",
    "priority",
)
_COPIED_OF_CREDIT = ("credit_id", "amount", "currency", "priority", "cost_basis", "charge_codes",
                     "kinds")  # fmt: skip
_COPIED_OF_TAX = ("tax_code", "rate_percent", "inclusive", "rounding")


def instants_of(cases: Mapping[Key, SettleCase]) -> dict[Key, Instants]:
    """The instants of all cases, worked out together."""
    whens = [
        (key, case.time_zone, name, when)
        for key, case in cases.items()
        for name, when in [
            ("period_end", when_cell(case.period_end)),
            *((name, getattr(block, name)) for block in case.credits for name in SPAN),
        ]
    ]
    frame = pl.DataFrame(
        whens,
        {
            "subscription_id": pl.Int64(),
            "time_zone": pl.String(),
            "name": pl.String(),
            "when": WHEN,
        },
        orient="row",
    )
    at = iter(resolved(frame, NOTHING_CLOSED, "when")["when_at"])
    return {
        key: Instants(next(at), [{name: next(at) for name in SPAN} for _ in case.credits])
        for key, case in cases.items()
    }


def to_settle(cases: Mapping[Key, SettleCase], instants: Mapping[Key, Instants]) -> ToSettle:
    """The tables of cases; a case has one invoice and one payer, and its key is their number."""
    return ToSettle(
        invoices=frame_of(
            (_invoice(key, case, instants[key]) for key, case in cases.items()), INVOICES
        ),
        lines=frame_of(
            (
                {"invoice_key": key, "line_number": place, "kind": line.kind}
                | {"charge_code": line.charge_code, "amount": line.amount}
                | {"tax_codes": line.tax_codes}
                for key, case in cases.items()
                for place, line in enumerate(case.lines)
            ),
            INVOICE_LINES,
        ),
        discounts=frame_of(
            (
                {name: getattr(discount, name) for name in _COPIED_OF_DISCOUNT}
                | {"payer_key": key, "used": used}
                for key, case in cases.items()
                for discount, used in case.discounts
            ),
            DISCOUNTS,
        ),
        taxes=frame_of(
            (
                {name: getattr(tax, name) for name in _COPIED_OF_TAX} | {"invoice_key": key}
                for key, case in cases.items()
                for tax in case.taxes
            ),
            TAXES,
        ),
        credits=frame_of(
            (
                {name: getattr(block, name) for name in _COPIED_OF_CREDIT}
                | at
                | {"payer_key": key, "minor_unit_digits": minor_unit_digits(block.currency)}
                for key, case in cases.items()
                for block, at in zip(case.credits, instants[key].blocks, strict=True)
            ),
            CREDITS,
        ),
    )


def _invoice(key: Key, case: SettleCase, instants: Instants) -> dict[str, Any]:
    plan = case.plan
    return {
        "invoice_key": key,
        "payer_key": key,
        "invoice_place": 1,
        "currency": case.currency,
        "minor_unit_digits": minor_unit_digits(case.currency),
        "rounding": case.rounding,
        "is_tax_exempt": case.is_tax_exempt,
        "minimum_amount": plan.minimum_amount,
        "maximum_amount": plan.maximum_amount,
        "days": plan.days,
        "of_days": plan.of_days,
        "period_end_at": instants.period_end,
    }
