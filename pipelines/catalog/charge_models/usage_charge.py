"""A usage charge: the columns of charges.csv that charges of every metric-based model have."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import (
    CODE,
    DIVISOR,
    FACTOR,
    NAMES,
    PRICE,
    TEXT,
    YES_NO,
    one_of,
    shown,
)
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.filters import FILTER, Condition, parse_filter
from pipelines.catalog.rows import Problem, column


@dataclass(frozen=True, kw_only=True)
class UsageCharge(Charge):
    """What a metric counted is priced."""

    metric_code: str = column(CODE, "The billable metric that is charged.")
    group_by: list[str] = column(
        NAMES, "Properties of the metric; each group of their values is a line.", empty=()
    )
    filters: str | None = column(
        FILTER,
        "Only this part of the metric, by properties of its group_by; empty is all of it. Usage "
        "in no part that the plan charges is listed as `filtered_out`.",
        empty=None,
        is_optional=True,
    )
    missing_dimension: str | None = column(
        TEXT,
        "The value of a group that lacks a property of `group_by`; usage that has this value "
        "counts with it. Empty: such usage is listed as `missing_dimension`, and is not billed.",
        empty=None,
        is_optional=True,
    )
    unit_divisor: Decimal = column(
        DIVISOR,
        "The quantity is divided by it, such as 1000 for thousands; empty is 1.",
        empty=Decimal(1),
        is_optional=True,
    )
    unit_rounding: str = column(
        one_of("none", "up", "down", "nearest"),
        "How the divided quantity becomes whole units; `nearest` is half away from 0; empty is "
        "none.",
        empty="none",
        is_optional=True,
    )
    unit: str | None = column(
        TEXT, "The unit that is printed; empty is the metric's.", empty=None, is_optional=True
    )
    priced_each: str = column(
        one_of("period", "bucket"),
        "`bucket`: each bucket of the metric is priced alone, and the amounts are added up; empty "
        "is period.",
        empty="period",
        is_optional=True,
    )
    commitment_amount: Decimal | None = column(
        PRICE,
        "What is committed to in each period, or in each bucket; empty is nothing.",
        empty=None,
        is_optional=True,
    )
    commitment_overage_factor: Decimal = column(
        FACTOR,
        "What usage above the commitment is multiplied by; empty is 1.",
        empty=Decimal(1),
        is_optional=True,
    )
    commitment_true_up: bool = column(
        YES_NO,
        "`no`: usage below the commitment costs no more than it is; empty is yes.",
        empty=True,
        is_optional=True,
    )

    def problems(self) -> Iterator[Problem]:
        """A commitment has an amount, and what stands for a missing property has a group."""
        yield from super().problems()
        if self.commitment_amount is None:
            if self.commitment_overage_factor != 1:
                yield self.problem("commitment_overage_factor", _NO_COMMITMENT)
            if not self.commitment_true_up:
                yield self.problem("commitment_true_up", _NO_COMMITMENT)
        if self.missing_dimension is not None and not self.group_by:
            yield self.problem(
                "missing_dimension",
                f"{shown(self.missing_dimension)} is for groups, and the charge has no group_by; "
                "empty it, or write the properties to group by",
            )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of its filter; none where it charges all of the metric."""
        return parse_filter(self.filters) if self.filters else ()


_NO_COMMITMENT = "is set without a commitment_amount; empty it, or write the amount"
