"""Money: the minor unit of each currency, the one rounding, and the one way to write a number.

Belongs here: what is true of amounts whatever is billed. Must not be put here: prices, tiers
and totals, which dbt computes in SQL.

Decimals only, and never the thread's decimal context: its 28 digits would round a
DECIMAL(38,15) in silence, and another library may change it.
"""

from decimal import (
    ROUND_HALF_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    Underflow,
)

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
"""ISO 4217 codes that can stand on an invoice.

The active codes of February 2026, and the two withdrawn in 2025 and 2026 (periods before that
are still billed in them). Not among them: codes without a minor unit (gold XAU, the SDR XDR,
XTS for tests, …).

Source: ISO 4217 list one, minor units; ANG and BGN from list three.
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
"""Ten times the widest amount (38 digits); what does not fit raises, nothing is cut.

Python's ROUND_HALF_UP is half away from zero: it looks at the magnitude, not at the sign.
"""


def minor_unit_digits(currency: str) -> int:
    """Digits after the decimal point of the currency's minor unit: 2 for USD, 0 for JPY.

    Raises:
        ValueError: the code is not one of `KNOWN_CURRENCIES` (upper case).
    """
    if currency not in _MINOR_UNIT_DIGITS:
        raise ValueError(f"{currency!a} is no active ISO 4217 currency; write a code such as USD")
    return _MINOR_UNIT_DIGITS[currency]


def round_half_away(value: Decimal, digits: int) -> Decimal:
    """The value with exactly `digits` fraction digits, a half rounded away from zero.

    Half away is what a person does on paper and what most invoices promise; half to even
    (Python's default) would bill 0.125 and 0.135 with opposite signs of error. Zero is never
    negative: -0.004 gives 0.00.

    Args:
        value: any finite decimal.
        digits: fraction digits of the outcome, 0 or more.

    Raises:
        ValueError: the value is NaN or infinite, or `digits` is negative.
        decimal.InvalidOperation: the outcome has more than 400 digits.
    """
    _require_finite(value)
    if digits < 0:
        raise ValueError(f"digits is {digits}; an amount has 0 or more fraction digits")
    rounded = value.quantize(Decimal((0, (1,), -digits)), context=_EXACT)
    return rounded.copy_abs() if rounded.is_zero() else rounded


def plain_decimal(value: Decimal) -> str:
    """The one text of a number: no exponent, no trailing zeros, no plus sign, no negative zero.

    Equal numbers give equal text, so a digest over it depends on the value alone:
    1, 1.00 and 1E+0 are all `1`.

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
