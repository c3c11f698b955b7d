"""Charge models: what a quantity costs, exactly and by tier (billing.md §7)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from witness.amounts import ceiling, floor
from witness.expressions import half_away

NOTHING = Fraction(0)


@dataclass(frozen=True)
class Tier:
    """Prices of the units above `from_units`, up to and with `up_to_units`; None is open."""

    from_units: Fraction
    up_to_units: Fraction | None
    unit_price: Fraction | None = None
    rate_percent: Fraction | None = None
    flat_amount: Fraction = NOTHING
    package_size: Fraction | None = None
    maximum_amount: Fraction | None = None


@dataclass(frozen=True)
class Cell:
    """The price of the groups that have these texts."""

    fixed: Mapping[str, str]
    unit_price: Fraction


@dataclass(frozen=True)
class Charge:
    """The columns of a charge that decide what it costs; None: there is no such term."""

    charge_model: str
    group_by: tuple[str, ...] = ()
    missing_dimension: str | None = None
    unit_price: Fraction | None = None
    unit_divisor: Fraction = Fraction(1)
    unit_rounding: str = "none"
    free_units: Fraction = NOTHING
    package_size: Fraction | None = None
    package_rounding: str = "up"
    flat_amount: Fraction = NOTHING
    quantity: Fraction = Fraction(1)
    billed: str = "period"
    prorated: bool = True
    flat_at_zero: bool = False
    rate_percent: Fraction = NOTHING
    fixed_amount: Fraction = NOTHING
    free_events: int | None = None
    free_amount: Fraction | None = None
    minimum_per_event: Fraction | None = None
    maximum_per_event: Fraction | None = None
    minimum_amount: Fraction | None = None
    maximum_amount: Fraction | None = None
    priced_each: str = "period"
    commitment_amount: Fraction | None = None
    commitment_overage_factor: Fraction = Fraction(1)
    commitment_true_up: bool = True
    tiers: tuple[Tier, ...] = ()
    cells: tuple[Cell, ...] = ()

    @property
    def has_terms_of_events(self) -> bool:
        """True if a total of the events' values does not decide the amount."""
        terms = (
            self.free_events, self.free_amount, self.minimum_per_event, self.maximum_per_event,
        )  # fmt: skip
        return any(term is not None for term in terms)


@dataclass(frozen=True)
class Reached:
    """What the units in a tier come to; `packages` None: the tier is priced by unit."""

    from_units: Fraction
    up_to_units: Fraction | None
    quantity: Fraction
    packages: Fraction | None
    unit_price: Fraction | None
    rate_percent: Fraction | None
    flat_amount: Fraction
    amount: Fraction


@dataclass(frozen=True)
class Paid:
    """What an event comes to."""

    place: int
    value: Fraction
    free: Fraction
    is_charged: bool
    amount: Fraction


def converted(charge: Charge, quantity: Fraction) -> Fraction:
    """The quantity divided by the unit divisor, in whole units if the charge asks for them.

    A negative quantity is converted to 0.
    """
    units = max(NOTHING, quantity / charge.unit_divisor)
    if charge.unit_rounding == "up":
        return ceiling(units)
    if charge.unit_rounding == "down":
        return floor(units)
    if charge.unit_rounding == "nearest":
        return half_away(units, 0)
    assert charge.unit_rounding == "none"
    return units


def billed_units(
    charge: Charge, quantities: Iterable[Fraction], pot: Fraction
) -> tuple[list[Fraction], Fraction]:
    """The billed quantity of each line or bucket, and what is left of the pot.

    Args:
        charge: its free units come off each quantity anew.
        quantities: as counted, in the order in which the pot is used up.
        pot: units that discounts give the charge, all together.
    """
    billed = []
    for quantity in quantities:
        units = max(NOTHING, converted(charge, quantity) - charge.free_units)
        taken = min(units, pot)
        pot -= taken
        billed.append(units - taken)
    return billed, pot


def packages(units: Fraction, size: Fraction, rounding: str) -> Fraction:
    """How many packages hold the units; `down` leaves out a package that is not full."""
    return ceiling(units / size) if rounding == "up" else floor(units / size)


def of_tier(charge: Charge, tier: Tier, units: Fraction) -> Reached:
    """What units in a tier cost: by unit or by package, with its flat amount, up to its cap."""
    count = None
    if tier.package_size is not None:
        count = packages(units, tier.package_size, charge.package_rounding)
    if charge.charge_model == "stairstep":
        price = NOTHING
    elif charge.charge_model == "graduated_percentage":
        assert tier.rate_percent is not None
        price = tier.rate_percent / 100
    else:
        assert tier.unit_price is not None
        price = tier.unit_price
    amount = (units if count is None else count) * price + tier.flat_amount
    if tier.maximum_amount is not None:
        amount = min(amount, tier.maximum_amount)
    return Reached(
        tier.from_units, tier.up_to_units, units, count,
        tier.unit_price, tier.rate_percent, tier.flat_amount, amount,
    )  # fmt: skip


def graduated(charge: Charge, units: Fraction, _: Fraction | None) -> Iterator[Reached]:
    """Each tier for the units that lie in it; also by percentage."""
    for tier in charge.tiers:
        if units > tier.from_units:
            end = units if tier.up_to_units is None else min(units, tier.up_to_units)
            yield of_tier(charge, tier, end - tier.from_units)


def volume(charge: Charge, units: Fraction, _: Fraction | None) -> Iterator[Reached]:
    """The tier that holds the units, for all of them; of a stairstep its flat amount alone."""
    for tier in charge.tiers:
        if tier.from_units < units and (tier.up_to_units is None or units <= tier.up_to_units):
            yield of_tier(charge, tier, units)


def package(charge: Charge, units: Fraction, price: Fraction | None) -> Iterator[Reached]:
    """Packages of one size at one price."""
    assert charge.package_size is not None
    assert price is not None
    count = packages(units, charge.package_size, charge.package_rounding)
    yield Reached(NOTHING, None, units, count, price, None, NOTHING, count * price)


def at_one_price(_: Charge, units: Fraction, price: Fraction | None) -> Iterator[Reached]:
    """Each unit at the price of the charge, or of the group's cell."""
    assert price is not None
    yield Reached(NOTHING, None, units, None, price, None, NOTHING, units * price)


Model = Callable[[Charge, Fraction, Fraction | None], Iterator[Reached]]

MODELS: dict[str, Model] = {
    "standard": at_one_price,
    "graduated": graduated,
    "volume": volume,
    "package": package,
    "stairstep": volume,
    "graduated_percentage": graduated,
    "matrix": at_one_price,
}
"""Models whose amounts stand in tiers."""


def price_of(charge: Charge, group: Mapping[str, str | None]) -> Fraction | None:
    """The price of one unit or package of a group; None: tiers have it.

    The cell that fixes most of the group's texts has it, else the charge.
    """
    fitting = [
        cell
        for cell in charge.cells
        if all(group.get(name) == text for name, text in cell.fixed.items())
    ]
    if fitting:
        return max(fitting, key=lambda cell: len(cell.fixed)).unit_price
    return charge.unit_price


def priced(charge: Charge, units: Fraction, price: Fraction | None) -> list[Reached]:
    """The tiers that the units reach; their amounts add up to the model's amount.

    No units cost nothing, except the first tier's flat amount with `flat_at_zero`.
    """
    if units > 0:
        return [*MODELS[charge.charge_model](charge, units, price)]
    if charge.flat_at_zero:
        return [of_tier(charge, charge.tiers[0], NOTHING)]
    return []


def added_up(of_buckets: Iterable[Sequence[Reached]]) -> list[Reached]:
    """The tiers that any bucket reaches, each with its figures added up over all of them."""
    sums = dict[Fraction, Reached]()
    for tiers in of_buckets:
        for tier in tiers:
            before = sums.get(tier.from_units)
            if before is None:
                sums[tier.from_units] = tier
                continue
            count = None
            if tier.packages is not None and before.packages is not None:
                count = before.packages + tier.packages
            sums[tier.from_units] = replace(
                before,
                quantity=before.quantity + tier.quantity,
                packages=count,
                flat_amount=before.flat_amount + tier.flat_amount,
                amount=before.amount + tier.amount,
            )
    return [sums[start] for start in sorted(sums)]


def flat_fee(charge: Charge, share: Fraction) -> Fraction:
    """The fee of a period; a fee that is billed once is whole, whatever the share."""
    is_whole = charge.billed == "once" or not charge.prorated
    return charge.flat_amount * charge.quantity * (Fraction(1) if is_whole else share)


def percentage(charge: Charge, quantity: Fraction, event_count: int) -> Fraction:
    """The amount of a total where no term is for single events."""
    assert not charge.has_terms_of_events
    return converted(charge, quantity) * charge.rate_percent / 100 + event_count * (
        charge.fixed_amount
    )


def paid_events(charge: Charge, values: Sequence[tuple[int, Fraction]]) -> list[Paid]:
    """What each event of a period and group comes to.

    Args:
        charge: a percentage, with or without terms for single events.
        values: the place of each event and its value as sent, in order of position.
    """
    left, paid = charge.free_amount, list[Paid]()
    for number, (place, sent) in enumerate(values, start=1):
        value = converted(charge, sent)
        is_early = charge.free_events is None or number <= charge.free_events
        has_room = left is None or left > 0
        has_terms = charge.free_events is not None or left is not None
        free = NOTHING
        if has_terms and is_early:
            free = value if left is None else min(value, left)
        is_free = has_terms and is_early and has_room and free == value
        if left is not None:
            left -= free
        amount = NOTHING if is_free else _of_charged_event(charge, value - free)
        paid.append(Paid(place, value, free, not is_free, amount))
    return paid


def _of_charged_event(charge: Charge, value: Fraction) -> Fraction:
    amount = value * charge.rate_percent / 100 + charge.fixed_amount
    if charge.minimum_per_event is not None:
        amount = max(amount, charge.minimum_per_event)
    if charge.maximum_per_event is not None:
        amount = min(amount, charge.maximum_per_event)
    return amount
