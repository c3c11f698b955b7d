"""charge_tiers.csv: the prices of charges whose model has tiers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from pipelines.catalog.cells import CODE, DATE, PERCENT, PRICE, QUANTITY, SIZE, TEXT
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Tables
from pipelines.vocabulary.money import plain_decimal

PriceVersion = tuple[str, str, str, date]
"""Plan, charge, subscription ("" for every one on the plan), and the first day of the version."""


@dataclass(frozen=True, kw_only=True)
class Tier(Row):
    """One row per tier of a charge's price version.

    An edit changes every draft from the next run on, and no finalized invoice. For other prices,
    add the tiers of a new price version instead of editing those of an old one.
    """

    file_name = "charge_tiers.csv"

    plan_code: str = column(CODE, "The plan.")
    charge_code: str = column(CODE, "The charge.")
    valid_from: date = column(DATE, "Its price version.")
    from_units: Decimal = column(QUANTITY, "Lower bound, exclusive; the first tier begins at 0.")
    up_to_units: Decimal | None = column(
        QUANTITY, "Upper bound, inclusive; empty is open.", empty=None
    )
    unit_price: Decimal | None = column(
        PRICE,
        "Price of one unit within the tier, or of one block of `package_size`; empty in a "
        "stairstep tier, and where `rate_percent` is set.",
        empty=None,
    )
    flat_amount: Decimal = column(
        PRICE, "Charged once when the tier is reached; empty is 0.", empty=Decimal(0)
    )
    subscription_id: str | None = column(
        TEXT,
        "Tiers of a negotiated charge, as in charges.csv; empty is the plan's own.",
        empty=None,
        is_optional=True,
    )
    rate_percent: Decimal | None = column(
        PERCENT,
        "Of a graduated_percentage tier: hundredths of each unit within the tier.",
        empty=None,
        is_optional=True,
    )
    package_size: Decimal | None = column(
        SIZE,
        "Of a graduated or volume tier: its units are sold in blocks of so many; empty is by unit.",
        empty=None,
        is_optional=True,
    )
    maximum_amount: Decimal | None = column(
        PRICE,
        "Most that the tier comes to, its flat amount included; empty is no limit.",
        empty=None,
        is_optional=True,
    )

    @property
    def price(self) -> PriceVersion:
        """The price version it belongs to."""
        return self.plan_code, self.charge_code, self.subscription_id or "", self.valid_from


def tiers_by_price(tables: Tables) -> dict[PriceVersion, list[Tier]]:
    """The tiers of each price version, from the lowest on."""
    prices = defaultdict[PriceVersion, list[Tier]](list)
    for tier in from_the_lowest(tables.whole(Tier)):
        prices[tier.price].append(tier)
    return prices


def from_the_lowest(tiers: Iterable[Tier]) -> list[Tier]:
    """The tiers in the order of their lower bounds."""
    return sorted(tiers, key=lambda tier: (tier.from_units, tier.line))


def broken_tiers(tables: Tables) -> Iterator[Problem]:
    """The tiers of a price version join from 0 to open, without gap or overlap."""
    for tiers in tiers_by_price(tables).values():
        yield from gaps_between(tiers)


def gaps_between(tiers: Sequence[Tier]) -> Iterator[Problem]:
    """Where tiers do not join from 0 to open.

    Args:
        tiers: those of one price version, from the lowest on; at least one.
    """
    first, last = tiers[0], tiers[-1]
    if first.from_units != 0:
        yield first.problem(
            "from_units", f"{plain_decimal(first.from_units)} begins the first tier; write 0"
        )
    for tier, after in pairwise(tiers):
        if tier.up_to_units is None or tier.up_to_units != after.from_units:
            yield after.problem(
                "from_units",
                f"{plain_decimal(after.from_units)} is not where the tier before it ends "
                f"({_bound(tier.up_to_units)}, row {tier.line}); tiers join without gap or "
                "overlap",
            )
    for tier in tiers:
        if tier.up_to_units is not None and tier.up_to_units <= tier.from_units:
            yield tier.problem(
                "up_to_units",
                f"{plain_decimal(tier.up_to_units)} is not above from_units "
                f"{plain_decimal(tier.from_units)}; correct one",
            )
    if last.up_to_units is not None:
        yield last.problem(
            "up_to_units",
            f"{plain_decimal(last.up_to_units)} ends the last tier, and usage above it "
            "has no price; leave it empty",
        )


def _bound(up_to_units: Decimal | None) -> str:
    return "open" if up_to_units is None else plain_decimal(up_to_units)


TABLE = CatalogTable(
    Tier,
    key=("plan_code", "charge_code", "subscription_id", "valid_from", "from_units"),
    references=(
        Reference(("plan_code", "charge_code", "subscription_id", "valid_from"), "charges.csv"),
    ),
    rules=(broken_tiers,),
)
