"""Money: the minor unit of each currency, the one rounding, and the one way to write a number.

dbt computes prices, tiers and totals, in SQL.

All values are decimals. The thread's decimal context is never used: its 28 digits would round a
DECIMAL(38,15) silently, and another library may change it.
"""

from collections.abc import Iterable
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)
from fractions import Fraction
from functools import reduce

_CODES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
        GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
        LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
        XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

_WITHDRAWN_CODES_BY_DIGITS = {2: "ANG BGN"}

_MINOR_UNIT_DIGITS = {
    currency: digits
    for codes_by_digits in (_CODES_BY_DIGITS, _WITHDRAWN_CODES_BY_DIGITS)
    for digits, codes in codes_by_digits.items()
    for currency in codes.split()
}

KNOWN_CURRENCIES = frozenset(_MINOR_UNIT_DIGITS)
"""The ISO 4217 codes in which an invoice can be made out.

They are the active codes of February 2026 and two that were withdrawn in 2025 and 2026. Periods
before the withdrawal are still billed in those two. Codes without a minor unit are left out, such
as gold (XAU), the SDR (XDR) and the code for tests (XTS).

Source: ISO 4217 list one, minor units. ANG and BGN: list three.
"""

_EXACT = Context(
    prec=400,
    rounding=ROUND_HALF_UP,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow, Underflow, Clamped],
)
"""Room for ten times the digits of the widest amount (38). A value that does not fit raises.

Python's ROUND_HALF_UP rounds a half away from zero: it ignores the sign.
"""

_EXACT_SUM = Context(prec=_EXACT.prec, traps=[Inexact, InvalidOperation])

HALF_AWAY, HALF_EVEN = "half_away", "half_even"

ROUNDINGS = (HALF_AWAY, HALF_EVEN)
"""How a half is rounded: away from zero, or to the even neighbour."""

_OF_DECIMAL = {HALF_AWAY: ROUND_HALF_UP, HALF_EVEN: ROUND_HALF_EVEN}


def minor_unit_digits(currency: str) -> int:
    """Fraction digits of the currency's minor unit: 2 for USD, 0 for JPY.

    Raises:
        ValueError: the code is not one of `KNOWN_CURRENCIES`, which are in upper case.
    """
    if currency not in _MINOR_UNIT_DIGITS:
        raise ValueError(
            f"{currency!a} is not an active ISO 4217 currency; write a code such as USD"
        )
    return _MINOR_UNIT_DIGITS[currency]


def round_half_away(value: Decimal, digits: int) -> Decimal:
    """The value with exactly `digits` fraction digits, a half rounded away from zero.

    A person with paper rounds like this, and most invoices promise it. Half to even, Python's
    default, would round 0.125 down and 0.135 up. A result of zero has no sign.

    Example, with 2 digits: 0.125 gives 0.13, -0.125 gives -0.13, and -0.004 gives 0.00.

    Args:
        value: any finite decimal.
        digits: fraction digits of the result, 0 or more.

    Raises:
        ValueError: the value is NaN or infinite, or `digits` is negative.
        decimal.InvalidOperation: the result has more than 400 digits.
    """
    return round_decimal(value, digits)


def round_decimal(value: Decimal, digits: int, rounding: str = HALF_AWAY) -> Decimal:
    """The value with exactly `digits` fraction digits, rounded once; see `round_half_away`.

    Args:
        value: any finite decimal.
        digits: fraction digits of the result, 0 or more.
        rounding: one of `ROUNDINGS`.

    Raises:
        ValueError: the value is NaN or infinite, or `digits` is negative.
        decimal.InvalidOperation: the result has more than 400 digits.
    """
    _require_finite(value)
    if digits < 0:
        raise ValueError(f"digits is {digits}; an amount has 0 or more fraction digits")
    last = Decimal((0, (1,), -digits))
    rounded = value.quantize(last, rounding=_OF_DECIMAL[rounding], context=_EXACT)
    return rounded.copy_abs() if rounded.is_zero() else rounded


def round_fraction(value: Fraction, digits: int, rounding: str = HALF_AWAY) -> Decimal:
    """The fraction with at most `digits` fraction digits, rounded once from its exact value.

    Example, with 2 digits: 1200 × 265/365 is 871.2328…, which gives 871.23. 1/8 gives 0.13 by
    `half_away` and 0.12 by `half_even`.

    Args:
        value: any fraction.
        digits: fraction digits, 0 or more.
        rounding: one of `ROUNDINGS`.
    """
    scaled = abs(value) * 10**digits
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    half = 2 * rest - scaled.denominator
    is_up = half > 0 or (half == 0 and (rounding == HALF_AWAY or whole % 2 == 1))
    units = whole + is_up
    return Decimal((int(value < 0 and units > 0), tuple(map(int, str(units))), -digits))


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """The sum, with every digit; 0 of no value.

    Raises:
        decimal.Inexact: it has more than 400 digits.
    """
    return reduce(_EXACT_SUM.add, values, Decimal(0))


def exact_decimal(value: Fraction, digits: int) -> Decimal:
    """The fraction itself where it ends as a decimal; else rounded half away to `digits` digits.

    Example, with 18 digits: 1/8 is 0.125, and 2/3 is 0.666666666666666667.
    """
    denominator, ends_after = value.denominator, 0
    for factor in (2, 5):
        power = 0
        while denominator % factor == 0:
            denominator //= factor
            power += 1
        ends_after = max(ends_after, power)
    return round_fraction(value, ends_after if denominator == 1 else digits)


def amount_text(amount: Decimal, currency: str) -> str:
    """The amount with exactly the digits of its currency's minor unit.

    Example: 3.25 is `3.25` in USD and `3.250` in KWD.

    Args:
        amount: in the major unit. It has no digit beyond the minor one.
        currency: one of `KNOWN_CURRENCIES`.
    """
    return f"{amount:.{minor_unit_digits(currency)}f}"


def plain_decimal(value: Decimal) -> str:
    """The one text of a number: no exponent, no trailing zeros, no plus sign, no negative zero.

    Equal numbers have equal texts, so a digest of the text depends on the value alone.

    Example: 1, 1.00 and 1E+0 all give `1`.

    Raises:
        ValueError: the value is NaN or infinite.
    """
    _require_finite(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if value.is_zero() else text


def _require_finite(value: Decimal) -> None:
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number; no amount is NaN or infinite")
