"""Proration: an amount for a share of local days, as an exact fraction."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Share:
    """A share of a full period.

    Attributes:
        days: local days in which the service is in force.
        of: local days of the full period; more than 0.
    """

    days: int
    of: int

    @property
    def fraction(self) -> Fraction:
        """Days of days, never a rounded factor."""
        return Fraction(self.days, self.of)

    def amount_of(self, amount: Decimal) -> Fraction:
        """The exact amount for the share, to be rounded once.

        Example: 50.00 for 24 of 31 days is 1200/31, which is 38.709…, and 38.71 on the line.
        """
        return Fraction(amount) * self.fraction
