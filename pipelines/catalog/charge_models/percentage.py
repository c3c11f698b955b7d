"""Percentage: a part of the value of each event, and an amount for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from pipelines.catalog.cells import COUNT, PERCENT, PRICE, QUANTITY, shown
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import Problem, column


@dataclass(frozen=True, kw_only=True)
class Percentage(UsageCharge):
    """Each unit is money of an event, of which a percentage is due, and an amount per event."""

    rate_percent: Decimal = column(
        PERCENT, "Hundredths of each event's value; empty is 0.", empty=Decimal(0), is_optional=True
    )
    fixed_amount: Decimal = column(
        PRICE, "Due for each event; empty is 0.", empty=Decimal(0), is_optional=True
    )
    free_events: int | None = column(
        COUNT,
        "The first so many events of a period and group are free; empty is no such term.",
        empty=None,
        is_optional=True,
    )
    free_amount: Decimal | None = column(
        QUANTITY,
        "The first so much value of a period and group is free; empty is no such term.",
        empty=None,
        is_optional=True,
    )
    minimum_per_event: Decimal | None = column(
        PRICE, "Least that one charged event comes to; empty is none.", empty=None, is_optional=True
    )
    maximum_per_event: Decimal | None = column(
        PRICE, "Most that one charged event comes to; empty is none.", empty=None, is_optional=True
    )

    PER_EVENT: ClassVar[tuple[str, ...]] = (
        "free_events",
        "free_amount",
        "minimum_per_event",
        "maximum_per_event",
    )
    """Terms by which events of one total can come to different amounts."""

    @property
    def per_event(self) -> tuple[str, ...]:
        """Those terms that it has: with any of them, it prices single events only."""
        return tuple(name for name in self.PER_EVENT if getattr(self, name) is not None)

    def problems(self) -> Iterator[Problem]:
        """Bounds of an event are in order, and values are priced as they are."""
        yield from super().problems()
        yield from self.crossed_bounds("minimum_per_event", "maximum_per_event")
        if self.unit_rounding != "none":
            yield self.problem(
                "unit_rounding",
                f"{shown(self.unit_rounding)} would change the value of each event; empty it",
                "unsupported",
            )


MODEL = Percentage
