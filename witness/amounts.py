"""Amounts: minor units, rounding, allocation and the texts of numbers (billing.md §8 and §9)."""

from collections.abc import Sequence
from fractions import Fraction

from witness.expressions import FRACTION_DIGITS, half_away

_MINOR_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


def minor_digits(currency: str) -> int:
    """The fraction digits of a currency's smallest coin: 2 unless ISO 4217 says otherwise.

    Example: 0 for JPY, 2 for USD, 3 for KWD.
    """
    found = [digits for digits, codes in _MINOR_DIGITS.items() if currency in codes.split()]
    return found[0] if found else 2


def ceiling(number: Fraction) -> Fraction:
    """The least whole number that is not below this one."""
    return Fraction(-((-number.numerator) // number.denominator))


def floor(number: Fraction) -> Fraction:
    """The greatest whole number that is not above this one."""
    return Fraction(number.numerator // number.denominator)


def rounded(amount: Fraction, digits: int, rounding: str) -> Fraction:
    """The amount in whole minor units.

    Example, with 2 digits: 0.125 gives 0.13 by `half_away` and 0.12 by `half_even`.

    Args:
        amount: exact.
        digits: fraction digits of the minor unit.
        rounding: `half_away` or `half_even`.
    """
    if rounding == "half_even":
        # Python rounds a fraction exactly, and a half to the even neighbour.
        return Fraction(round(amount * 10**digits), 10**digits)
    assert rounding == "half_away"
    return half_away(amount, digits)


def allocated(total: Fraction, weights: Sequence[Fraction], digits: int) -> list[Fraction]:
    """The part of a total that falls on each line, by largest remainder.

    Each share is cut down at the minor unit. One unit more then goes to each of the greatest
    remainders, and of equal ones to the earlier line. The parts add up to the total.

    Example: 2.00 over lines of 9.00 and 5.00 is 1.29 and 0.71.

    Args:
        total: in whole minor units.
        weights: what is left of each line, in their order.
        digits: fraction digits of the minor unit.
    """
    whole = sum(weights, Fraction(0))
    if whole <= 0:
        return [Fraction(0)] * len(weights)
    shares = [total * 10**digits * weight / whole for weight in weights]
    units = [floor(share) for share in shares]
    missing = int(total * 10**digits - sum(units))
    by_remainder = sorted(
        range(len(shares)), key=lambda place: (units[place] - shares[place], place)
    )
    for place in by_remainder[:missing]:
        units[place] += 1
    return [unit / 10**digits for unit in units]


def exact_text(number: Fraction) -> str:
    """The number itself where it ends as a decimal; else half away at 18 digits.

    Example: 1/8 is `0.125`, and 2/3 is `0.666666666666666667`.
    """
    rest, digits = number.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        digits = max(digits, power)
    if rest != 1:
        digits = FRACTION_DIGITS
        number = half_away(number, digits)
    units = number * 10**digits
    assert units.denominator == 1
    text = str(abs(units.numerator)).rjust(digits + 1, "0")
    if digits:
        text = f"{text[:-digits]}.{text[-digits:]}".rstrip("0").rstrip(".")
    return f"-{text}" if units < 0 else text
