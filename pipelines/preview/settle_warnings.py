"""Settle warnings: what stands in a case and has no effect, which may be a slip of the pen."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from pipelines.catalog.tables.credits import Credit
from pipelines.preview.settle_cases import SettleCase
from pipelines.preview.settle_tables import Instants

_COVERED = ("usage", "flat")
"""Kinds of lines on which discounts of charges fall."""


def warnings_of(case: SettleCase, instants: Instants) -> Iterator[str]:
    """A sentence for each discount, tax and block of credit that has no effect on any line."""
    codes = {line.charge_code for line in case.lines if line.kind in _COVERED}
    for place, (discount, _) in enumerate(case.discounts):
        if discount.charge_codes and not codes & set(discount.charge_codes):
            yield (
                f"discounts[{place}].charge_codes: no line of the kinds usage and flat is of them, "
                "so nothing is taken off; compare them with the lines"
            )
    borne = {code for line in case.lines for code in line.tax_codes}
    has_bound = case.plan.minimum_amount is not None or case.plan.maximum_amount is not None
    has_line_of_all = has_bound or any(not line.tax_codes for line in case.lines)
    for place, tax in enumerate(case.taxes):
        if not has_line_of_all and tax.tax_code not in borne:
            yield f"taxes[{place}].tax_code: no line bears it; compare it with tax_codes of lines"
    for place, (block, at) in enumerate(zip(case.credits, instants.blocks, strict=True)):
        if reason := _never_pays(case, block, at, instants.period_end):
            yield f"credits[{place}].{reason}, so it pays nothing"


def _never_pays(
    case: SettleCase, block: Credit, at: Mapping[str, datetime | None], end: datetime | None
) -> str:
    """The column of a block for which it pays nothing, and why; empty if there is none."""
    if block.currency != case.currency:
        return f"currency: {block.currency} is not {case.currency}, the currency of the case"
    starts, expires, voided = at["effective_at"], at["expires_at"], at["voided_at"]
    if end is None:
        return ""
    if starts is not None and end < starts:
        return "effective_at: is after period_end"
    if expires is not None and expires < end:
        return "expires_at: is before period_end"
    if voided is not None and voided <= end:
        return "voided_at: is not after period_end"
    return ""
