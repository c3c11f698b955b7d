"""A tiered charge: a usage charge whose prices are in charge_tiers.csv."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipelines.catalog.cells import YES_NO, shown
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import Problem, column
from pipelines.catalog.tables.charge_tiers import Tier
from pipelines.vocabulary.money import plain_decimal


@dataclass(frozen=True, kw_only=True)
class TieredCharge(UsageCharge):
    """The tier that a quantity reaches has its price."""

    TIERS_NEED: ClassVar[tuple[str, ...]] = ("unit_price",)
    """Columns that every tier of the model fills."""

    TIERS_MAY_HAVE: ClassVar[tuple[str, ...]] = ("package_size",)
    """Columns that only tiers of some models have, and those of this one may."""

    flat_at_zero: bool | None = column(
        YES_NO,
        "Whether the flat amount of the first tier is due when the quantity is 0. It must be said "
        "where that amount is not 0. A charge with `group_by` has no line of a group that was not "
        "used, so nothing is due for it.",
        empty=None,
        is_optional=True,
    )

    def tier_problems(self, tiers: Sequence[Tier]) -> Iterator[Problem]:
        """What is wrong with the tiers of this charge, and what it must say of the first one."""
        if not tiers:
            yield self.problem(
                "charge_model",
                f"{shown(self.charge_model)} has its prices in charge_tiers.csv, which has no "
                "tiers of this charge; add them",
                "missing",
            )
            return
        first = tiers[0]
        if first.flat_amount and self.flat_at_zero is None:
            yield self.problem(
                "flat_at_zero",
                f"is not said, but the first tier has the flat_amount "
                f"{plain_decimal(first.flat_amount)} (charge_tiers.csv, row {first.line}); write "
                "yes if it is due when nothing is used, or no",
                "missing",
            )
        for tier in tiers:
            yield from self._wrong_terms(tier)

    def _wrong_terms(self, tier: Tier) -> Iterator[Problem]:
        of_model = f"a tier of a {self.charge_model} charge"
        for name in self.TIERS_NEED:
            if getattr(tier, name) is None:
                yield tier.problem(name, f"is empty; {of_model} needs it", "missing")
        for name in ("unit_price", "rate_percent", "package_size"):
            if (
                getattr(tier, name) is not None
                and name not in self.TIERS_NEED + self.TIERS_MAY_HAVE
            ):
                yield tier.problem(name, f"is set, but {of_model} has no {name}; empty it")
