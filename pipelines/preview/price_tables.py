"""Price tables: cases as the SQL of rating takes them. Nothing is worked out here."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.percentage import Percentage
from pipelines.catalog.rows import REQUIRED, columns_of
from pipelines.catalog.tables.charge_cells import ChargeCell
from pipelines.catalog.tables.charge_tiers import Tier
from pipelines.catalog.tables.charges import TERMS
from pipelines.preview.group_keys import group_key
from pipelines.preview.kinds.kind import Key
from pipelines.preview.price_cases import PriceCase
from pipelines.preview.priced_usage import UsageLine
from pipelines.warehouse.rating import (
    CHARGE_DISCOUNTS,
    CHARGE_LINES,
    CHARGES,
    LINE_BUCKETS,
    LINE_EVENTS,
    PRICE_CELLS,
    PRICE_TIERS,
    PRICES,
    ToRate,
)

Numbered = Mapping[int, tuple[Key, UsageLine]]
"""The lines of all cases, and the case of each, by line_key."""

_USUAL = {
    name: None if column.usual is REQUIRED else column.usual for name, column in TERMS.items()
}
"""What a charge of a model without a term is rated by."""

_OF_A_TIER = [name for name in PRICE_TIERS if name != "price_number"]


def numbered(cases: Mapping[Key, PriceCase]) -> Numbered:
    """The lines of cases, numbered from 1 in the order of cases, charges and groups."""
    lines = ((key, line) for key, case in cases.items() for line in case.lines)
    return dict(enumerate(lines, 1))


def to_rate(cases: Mapping[Key, PriceCase], lines: Numbered) -> ToRate:
    """The tables of cases; a case has one price and one charge, and its key is their number."""
    return ToRate(
        prices=frame_of((price_row(key, case.charge) for key, case in cases.items()), PRICES),
        tiers=frame_of(
            (tier_row(key, tier) for key, case in cases.items() for tier in case.tiers),
            PRICE_TIERS,
        ),
        cells=frame_of(
            (cell_row(key, cell) for key, case in cases.items() for cell in case.cells),
            PRICE_CELLS,
        ),
        charges=frame_of((_charge(key, case) for key, case in cases.items()), CHARGES),
        lines=frame_of(
            (_line(number, key, cases[key], line) for number, (key, line) in lines.items()),
            CHARGE_LINES,
        ),
        buckets=frame_of(
            (
                {"line_key": number, "bucket_number": place, "quantity": quantity}
                for number, (_, line) in lines.items()
                for place, quantity in enumerate(line.buckets)
            ),
            LINE_BUCKETS,
        ),
        events=frame_of(
            (
                {"line_key": number, "position": place, "value": value}
                for number, (_, line) in lines.items()
                for place, value in line.events
            ),
            LINE_EVENTS,
        ),
        discounts=frame_of(
            (
                {"charge_number": key, "discount_number": place, "kind": discount.kind}
                | {"value": discount.value}
                for key, case in cases.items()
                for place, discount in enumerate(case.discounts)
            ),
            CHARGE_DISCOUNTS,
        ),
    )


def price_row(number: int, charge: Charge) -> dict[str, Any]:
    """A row of `PRICES`; a term that charges of the model do not have is what it usually is."""
    own = columns_of(type(charge))
    terms = {name: getattr(charge, name) if name in own else _USUAL.get(name) for name in PRICES}
    return terms | {"price_number": number}


def tier_row(number: int, tier: Tier) -> dict[str, Any]:
    """A row of `PRICE_TIERS`."""
    return {"price_number": number} | {name: getattr(tier, name) for name in _OF_A_TIER}


def cell_row(number: int, cell: ChargeCell) -> dict[str, Any]:
    """A row of `PRICE_CELLS`."""
    fixed = cell.fixed
    return {
        "price_number": number,
        "properties": [*fixed],
        "texts": [*fixed.values()],
        "unit_price": cell.unit_price,
    }


def _charge(key: Key, case: PriceCase) -> dict[str, Any]:
    return {
        "charge_number": key,
        "price_number": key,
        "minor_unit_digits": case.minor_unit_digits,
        "rounding": case.rounding,
        "days": case.days,
        "of_days": case.of_days,
        "is_final": case.is_final,
        "already_amount": case.already_amount,
    }


def _line(number: int, key: Key, case: PriceCase, line: UsageLine) -> dict[str, Any]:
    is_total = isinstance(case.charge, Percentage) and not case.charge.per_event
    return {
        "line_key": number,
        "charge_number": key,
        "group_key": group_key(line.group),
        "quantity": line.priced,
        "event_count": line.event_count if is_total else 0,
    }


def frame_of(rows: Iterable[Mapping[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """The rows as a frame of this schema; each decimal has the digits of its column."""
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    for row in rows:
        for name, values in columns.items():
            values.append(row[name])
    return pl.DataFrame(
        {name: pl.Series(columns[name], dtype=dtype) for name, dtype in schema.items()}
    )
