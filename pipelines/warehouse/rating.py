"""Rating: lines with quantities to amounts, by the SQL that bills.

The tables below are what the dbt project's macros of `macros/rating` read and give. Whoever rates
without a lake, as `meterline preview` does, fills them by hand.
"""

from dataclasses import dataclass

import polars as pl

from pipelines.warehouse.macro_chains import Answers, Stages, worked_out

_QUANTITY = pl.Decimal(38, 18)
_PRICE = pl.Decimal(30, 15)
_PERCENT = pl.Decimal(30, 15)
_AMOUNT = pl.Decimal(38, 15)

PRICES = pl.Schema(
    {
        "price_number": pl.Int64(),
        "charge_model": pl.String(),
        "group_by": pl.List(pl.String()),
        "unit_price": _PRICE,
        "unit_divisor": _QUANTITY,
        "unit_rounding": pl.String(),
        "free_units": _QUANTITY,
        "package_size": _QUANTITY,
        "package_rounding": pl.String(),
        "flat_amount": _PRICE,
        "quantity": _QUANTITY,
        "billed": pl.String(),
        "flat_at_zero": pl.Boolean(),
        "rate_percent": _PERCENT,
        "fixed_amount": _PRICE,
        "free_events": pl.Int64(),
        "free_amount": _QUANTITY,
        "minimum_per_event": _PRICE,
        "maximum_per_event": _PRICE,
        "minimum_amount": _PRICE,
        "maximum_amount": _PRICE,
        "priced_each": pl.String(),
        "commitment_amount": _PRICE,
        "commitment_overage_factor": _QUANTITY,
        "commitment_true_up": pl.Boolean(),
        "prorated": pl.Boolean(),
    }
)
"""A version of a charge: the columns of charges.csv with their defaults, null for no such term."""

PRICE_TIERS = pl.Schema(
    {
        "price_number": pl.Int64(),
        "from_units": _QUANTITY,
        "up_to_units": _QUANTITY,
        "unit_price": _PRICE,
        "rate_percent": _PERCENT,
        "flat_amount": _PRICE,
        "package_size": _QUANTITY,
        "maximum_amount": _PRICE,
    }
)
"""The tiers of these, as charge_tiers.csv has them; `up_to_units` null is open."""

PRICE_CELLS = pl.Schema(
    {
        "price_number": pl.Int64(),
        "properties": pl.List(pl.String()),
        "texts": pl.List(pl.String()),
        "unit_price": _PRICE,
    }
)
"""The cells of these: the properties that one fixes, sorted, and the text of each."""

CHARGES = pl.Schema(
    {
        "charge_number": pl.Int64(),
        "price_number": pl.Int64(),
        "minor_unit_digits": pl.Int64(),
        "rounding": pl.String(),
        "days": pl.Int64(),
        "of_days": pl.Int64(),
        "is_final": pl.Boolean(),
        "already_amount": _AMOUNT,
    }
)
"""A charge in a period: the share of the period, and what was billed of it before (or null).

`rounding` is `half_away` or `half_even`. While a period is not final, no minimum and no true-up is
due.
"""

CHARGE_LINES = pl.Schema(
    {
        "line_key": pl.Int64(),
        "charge_number": pl.Int64(),
        "group_key": pl.String(),
        "quantity": _QUANTITY,
        "event_count": pl.Int64(),
    }
)
"""A line of a charge, of kind usage or flat, by what was counted; a flat one has the quantity 1.

`line_key` is the run's own key, and in order of the lines of a charge. `group_key` is JSON.
"""

LINE_BUCKETS = pl.Schema(
    {"line_key": pl.Int64(), "bucket_number": pl.Int64(), "quantity": _QUANTITY}
)
"""The quantities of a line whose price is of each bucket, in order of time."""

LINE_EVENTS = pl.Schema({"line_key": pl.Int64(), "position": pl.Int64(), "value": _QUANTITY})
"""The values of a line whose price is of each event, in order."""

CHARGE_DISCOUNTS = pl.Schema(
    {
        "charge_number": pl.Int64(),
        "discount_number": pl.Int64(),
        "kind": pl.String(),
        "value": _QUANTITY,
    }
)
"""Discounts of a charge in the order in which they apply: of kind units, percent or amount."""

RATED_LINES = pl.Schema(
    {
        "line_key": pl.Int64(),
        "billed_quantity": pl.String(),
        "unit_price": pl.String(),
        "amount_unrounded": pl.String(),
        "amount": pl.String(),
        "discount_amount": pl.String(),
        "net_amount": pl.String(),
    }
)
"""What each line comes to, as texts; `amount` is null beyond the digits of an amount."""

RATED_TIERS = pl.Schema(
    {
        "line_key": pl.Int64(),
        "from_units": pl.String(),
        "up_to_units": pl.String(),
        "quantity": pl.String(),
        "packages": pl.String(),
        "unit_price": pl.String(),
        "rate_percent": pl.String(),
        "flat_amount": pl.String(),
        "amount_unrounded": pl.String(),
    }
)
"""The tiers that a line reaches, in order, over all of its buckets; as texts."""

RATED_EVENTS = pl.Schema(
    {
        "line_key": pl.Int64(),
        "position": pl.Int64(),
        "free": pl.String(),
        "charged": pl.Boolean(),
        "amount_unrounded": pl.String(),
    }
)
"""What each event of such a line comes to; texts."""

BOUND_LINES = pl.Schema(
    {
        "charge_number": pl.Int64(),
        "kind": pl.String(),
        "amount_unrounded": pl.String(),
        "amount": pl.String(),
    }
)
"""Lines of a charge as a whole: maximum, minimum, overage and true_up, none of them 0."""

CHARGE_TOTALS = pl.Schema(
    {
        "charge_number": pl.Int64(),
        "amount_unrounded": pl.String(),
        "amount": pl.String(),
        "difference": pl.String(),
    }
)
"""What a charge comes to: unrounded of its lines of kind usage and flat, and net of all lines.

`difference` is the amount less what was billed before, null where nothing was said of that.
`amount` is null where any line has none.
"""


@dataclass(frozen=True)
class ToRate:
    """What is rated; schemas `PRICES` to `CHARGE_DISCOUNTS`."""

    prices: pl.DataFrame
    tiers: pl.DataFrame
    cells: pl.DataFrame
    charges: pl.DataFrame
    lines: pl.DataFrame
    buckets: pl.DataFrame
    events: pl.DataFrame
    discounts: pl.DataFrame


@dataclass(frozen=True)
class Rated:
    """What it comes to; schemas `RATED_LINES` to `CHARGE_TOTALS`."""

    lines: pl.DataFrame
    tiers: pl.DataFrame
    events: pl.DataFrame
    bound_lines: pl.DataFrame
    totals: pl.DataFrame


_GIVEN = {
    "prices": PRICES,
    "tiers": PRICE_TIERS,
    "cells": PRICE_CELLS,
    "charges": CHARGES,
    "lines": CHARGE_LINES,
    "buckets": LINE_BUCKETS,
    "events": LINE_EVENTS,
    "discounts": CHARGE_DISCOUNTS,
}


def rated(given: ToRate) -> Rated:
    """What lines come to.

    Raises:
        InvariantError: a table has another schema.
    """
    tables = {name: (getattr(given, name), schema) for name, schema in _GIVEN.items()}
    return Rated(**worked_out(tables, _STAGES, _ANSWERS))


_STAGES: Stages = {
    "price_terms": ("price_terms", "prices"),
    "parts_counted": ("parts_counted", "lines", "charges", "price_terms", "buckets", "events"),
    "parts_converted": ("parts_converted", "parts_counted", "price_terms"),
    "parts_to_price": ("parts_to_price", "parts_converted", "price_terms", "lines", "discounts"),
    "parts_by_road": ("parts_by_road", "parts_to_price", "price_terms", "tiers"),
    "narrow_lines": ("narrow_lines", "parts_by_road", "tiers"),
    "tiers_to_rate": ("tiers_of_all_models", "parts_by_road", "tiers", "cells"),
    "tiers_rated": ("tiers_rated", "tiers_to_rate"),
    "events_rated": ("events_rated", "parts_by_road"),
    "lines_with_terms": ("lines_with_terms", "lines", "charges", "price_terms"),
    "amounts": (
        "amounts_of_all_models", "parts_by_road", "lines_with_terms", "tiers_rated",
        "events_rated",
    ),
    "amounts_by_part": ("amounts_by_part", "lines_with_terms", "parts_by_road", "amounts"),
    "lines_rated": (
        "lines_rated", "lines_with_terms", "parts_by_road", "tiers_rated", "amounts_by_part",
        "narrow_lines",
    ),
    "lines_discounted": ("lines_discounted", "lines_rated", "discounts"),
    "commitments": ("commitments_compared", "charges", "price_terms", "amounts_by_part"),
    "commitment_lines": ("commitment_lines", "commitments"),
    "charges_settled": (
        "charges_settled", "charges", "price_terms", "lines_discounted", "commitment_lines",
    ),
}  # fmt: skip
"""Each table with its macro and what that reads, in order."""

_ANSWERS: Answers = {
    "lines": ("lines_as_text", ("lines_discounted",), "line_key", RATED_LINES),
    "tiers": (
        "all_tiers_as_text", ("tiers_rated", "lines_rated"), "line_key, from_units_of_tier",
        RATED_TIERS,
    ),
    "events": ("events_as_text", ("events_rated",), "line_key, position", RATED_EVENTS),
    "bound_lines": (
        "bound_lines_as_text", ("charges_settled", "commitment_lines"), "charge_number, kind",
        BOUND_LINES,
    ),
    "totals": (
        "totals_as_text", ("charges_settled", "lines_rated"), "charge_number", CHARGE_TOTALS,
    ),
}  # fmt: skip
"""Each answer with its macro, what that reads, its order and its schema."""
