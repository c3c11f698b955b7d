"""Cases of the kind `price`, written short."""

from typing import Any

Case = dict[str, Any]
Row = dict[str, Any]


def price_case(charge: Row, **more: Any) -> Case:
    """A case of a charge; `more` are other fields of the case."""
    return {"id": "case", "kind": "price", "charge": charge} | more


def standard(unit_price: str, **columns: Any) -> Row:
    """A standard charge."""
    return {"charge_model": "standard", "unit_price": unit_price} | columns


def tiers(*rows: tuple[str | None, str, str]) -> list[Row]:
    """Tiers by their upper bound, unit price and flat amount; None is open."""
    return [
        {"up_to_units": end, "unit_price": unit_price, "flat_amount": flat_amount}
        for end, unit_price, flat_amount in rows
    ]


def graduated(rows: list[Row], **columns: Any) -> Row:
    """A graduated charge, or with `charge_model` another that has tiers with unit prices."""
    return {"charge_model": "graduated", "flat_at_zero": False, "tiers": rows} | columns


TIERS = tiers(("100", "0.02", "3"), (None, "0.01", "1"))
"""The tiers of the contract's small examples."""
