"""Discounts of a case: rows of discounts.csv, which a case does not give to anybody."""

from collections.abc import Iterable, Mapping

from pipelines.catalog.cells import shown
from pipelines.catalog.tables.discounts import Discount
from pipelines.preview.catalog_rows import ALWAYS, read_row
from pipelines.preview.faults import Code
from pipelines.preview.fields import Fields

OWNED: Mapping[str, object] = {
    "customer_id": None,
    "subscription_id": None,
    "plan_code": None,
    "starts_on": ALWAYS,
    "ends_on": None,
}
"""Columns of a discount that say for whom and when it is, and what they are in a case."""


def read_discounts(
    rows: Iterable[Fields], currency: str, usual: Mapping[str, object]
) -> list[tuple[Fields, Discount]]:
    """The discounts in the order of the case, without those that are ill-formed.

    Args:
        rows: their objects, which are not closed here.
        currency: of the case.
        usual: what else a column means that is left out.
    """
    found = list[tuple[Fields, Discount]]()
    for row in rows:
        own: dict[str, object] = {"discount_id": f"d{row.row}", **usual}
        if row.members.get("kind") == "amount":
            own["currency"] = currency
        discount = read_row(row, Discount, OWNED, own)
        if discount is None:
            row.close()
            continue
        if discount.discount_id in {each.discount_id for _, each in found}:
            reason = f"{shown(discount.discount_id)} is the id of another discount; write another"
            row.note(Code.CONTRADICTION, "discount_id", reason)
        if discount.kind == "amount" and discount.currency != currency:
            reason = f"{discount.currency} is not the currency of the case, {currency}; correct one"
            row.note(Code.CONTRADICTION, "currency", reason)
        found.append((row, discount))
    return found
