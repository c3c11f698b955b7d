"""Minor units, rounding half away from zero, and the canonical text of a number."""

import csv
import decimal
from decimal import Decimal
from fractions import Fraction

import pytest

from pipelines.settings import DBT_PROJECT
from pipelines.vocabulary.money import (
    HALF_AWAY,
    HALF_EVEN,
    KNOWN_CURRENCIES,
    ROUNDINGS,
    exact_decimal,
    exact_sum,
    minor_unit_digits,
    plain_decimal,
    round_decimal,
    round_fraction,
    round_half_away,
)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        pytest.param("USD", 2, id="usual"),
        pytest.param("JPY", 0, id="yen-has-no-minor-unit"),
        pytest.param("ISK", 0, id="krona-of-iceland"),
        pytest.param("KWD", 3, id="dinar-in-thousandths"),
        pytest.param("IQD", 3, id="iso-not-local-custom"),
        pytest.param("CLF", 4, id="unidad-de-fomento"),
        pytest.param("UYW", 4, id="unidad-previsional"),
        pytest.param("XCG", 2, id="new-in-2025"),
        pytest.param("BGN", 2, id="withdrawn-in-2026"),
    ],
)
def test_minor_unit_is_that_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_unit_digits(currency) == digits


def test_every_known_currency_has_a_minor_unit() -> None:
    digits = [minor_unit_digits(currency) for currency in sorted(KNOWN_CURRENCIES)]

    # 178 codes of ISO 4217, less 13 without a minor unit, plus 2 withdrawn lately.
    assert len(digits) == 178 - 13 + 2
    assert {count: digits.count(count) for count in set(digits)} == {0: 17, 2: 141, 3: 7, 4: 2}


def test_dbt_rounds_to_the_same_minor_units() -> None:
    with (DBT_PROJECT / "reference" / "currencies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert {row["currency"]: int(row["minor_unit_digits"]) for row in rows} == {
        currency: minor_unit_digits(currency) for currency in KNOWN_CURRENCIES
    }
    assert len(rows) == len(KNOWN_CURRENCIES)


@pytest.mark.parametrize("currency", ["", "usd", "US", "XXX", "XAU", "XTS", "DEM", " USD"])
def test_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="is not an active ISO 4217 currency"):
        minor_unit_digits(currency)


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [
        pytest.param("1.235", 2, "1.24", id="half-goes-up"),
        pytest.param("-1.235", 2, "-1.24", id="negative-half-goes-down"),
        pytest.param("1.225", 2, "1.23", id="half-with-even-neighbour"),
        pytest.param("1.2349999999", 2, "1.23", id="just-below-half"),
        pytest.param("1.2350000001", 2, "1.24", id="just-above-half"),
        pytest.param("0.5", 0, "1", id="yen-half"),
        pytest.param("-0.5", 0, "-1", id="yen-negative-half"),
        pytest.param("0.0005", 3, "0.001", id="fils-half"),
        pytest.param("1", 2, "1.00", id="pads"),
        pytest.param("0", 2, "0.00", id="zero"),
        pytest.param("-0.004", 2, "0.00", id="no-negative-zero"),
        pytest.param("-0", 0, "0", id="negative-zero-itself"),
        pytest.param("9.995", 2, "10.00", id="carries"),
        pytest.param("1E+3", 2, "1000.00", id="exponent"),
        pytest.param(
            "12345678901234567890123.455", 2, "12345678901234567890123.46", id="past-2^53"
        ),
        pytest.param(
            "9" * 38 + ".5", 0, "1" + "0" * 38, id="wider-than-the-default-context-of-28-digits"
        ),
    ],
)
def test_a_half_is_rounded_away_from_zero(value: str, digits: int, rounded: str) -> None:
    assert str(round_half_away(Decimal(value), digits)) == rounded


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        round_half_away(Decimal(value), 2)
    with pytest.raises(ValueError, match="not a finite number"):
        plain_decimal(Decimal(value))


def test_negative_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="digits is -1"):
        round_half_away(Decimal(100), -1)


def test_what_does_not_fit_raises_instead_of_losing_digits() -> None:
    with pytest.raises(decimal.InvalidOperation):
        round_half_away(Decimal("1E+500"), 2)


def test_a_sum_has_every_digit() -> None:
    wide, small = Decimal("9" * 20 + "." + "9" * 18), Decimal("0.000000000000000001")

    with decimal.localcontext(prec=3):
        assert exact_sum([wide, small]) == Decimal("1" + "0" * 20)
        assert str(exact_sum([wide, wide, -small])) == "1" + "9" * 20 + "." + "9" * 17 + "7"
        assert exact_sum([]) == 0


def test_a_sum_of_too_many_digits_raises() -> None:
    with pytest.raises(decimal.Inexact):
        exact_sum([Decimal("1E+400"), Decimal(1)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("0", "0", id="zero"),
        pytest.param("-0.00", "0", id="negative-zero"),
        pytest.param("0E-18", "0", id="zero-of-a-scale"),
        pytest.param("0E+5", "0", id="zero-with-an-exponent"),
        pytest.param("1.500", "1.5", id="trailing-zeros"),
        pytest.param("100", "100", id="zeros-before-the-point-stay"),
        pytest.param("1E+2", "100", id="exponent"),
        pytest.param("-1.0E-7", "-0.0000001", id="small-negative"),
        pytest.param("10.010", "10.01", id="inner-zeros-stay"),
        pytest.param(
            "12345678901234567890.123456789012345678",
            "12345678901234567890.123456789012345678",
            id="38-digits",
        ),
    ],
)
def test_equal_numbers_have_one_text(value: str, text: str) -> None:
    assert plain_decimal(Decimal(value)) == text
    assert Decimal(text) == Decimal(value)


def test_the_threads_decimal_context_changes_nothing() -> None:
    value = Decimal("-98765432109876543210.123456789012345675")

    with decimal.localcontext(prec=3, rounding=decimal.ROUND_DOWN) as context:
        context.traps[decimal.Inexact] = True
        rounded, text = round_half_away(value, 17), plain_decimal(value)

    assert str(rounded) == "-98765432109876543210.12345678901234568"
    assert text == "-98765432109876543210.123456789012345675"


@pytest.mark.parametrize(
    ("value", "digits", "rounding", "rounded"),
    [
        pytest.param("1200/31", 2, HALF_AWAY, "38.71", id="24-of-31-days-of-50"),
        pytest.param("1/8", 2, HALF_AWAY, "0.13", id="half-goes-away-from-zero"),
        pytest.param("-1/8", 2, HALF_AWAY, "-0.13", id="also-below-zero"),
        pytest.param("1/8", 2, HALF_EVEN, "0.12", id="half-goes-to-the-even"),
        pytest.param("3/8", 2, HALF_EVEN, "0.38", id="which-may-be-up"),
        pytest.param("-3/8", 2, HALF_EVEN, "-0.38", id="or-down"),
        pytest.param("1250001/10000000", 2, HALF_EVEN, "0.13", id="more-than-half-goes-up"),
        pytest.param("-1/300", 2, HALF_AWAY, "0.00", id="zero-has-no-sign"),
        pytest.param("2/3", 0, HALF_AWAY, "1", id="no-digits"),
    ],
)
def test_fraction_is_rounded_once_from_its_exact_value(
    value: str, digits: int, rounding: str, rounded: str
) -> None:
    assert str(round_fraction(Fraction(value), digits, rounding)) == rounded


@pytest.mark.parametrize("thousandths", range(-31, 32))
def test_fraction_of_a_decimal_is_rounded_as_the_decimal_is(thousandths: int) -> None:
    value = Decimal(thousandths) / 1000
    assert round_fraction(Fraction(value), 2) == round_half_away(value, 2)
    for rounding in ROUNDINGS:
        exact = round_fraction(Fraction(value), 2, rounding)
        assert str(round_decimal(value, 2, rounding)) == str(exact)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-7", "-7"),
        ("1/8", "0.125"),
        ("1/64", "0.015625"),
        ("2/3", "0.666666666666666667"),
        ("-1/3", "-0.333333333333333333"),
        # 70 digits that end are all kept.
        (f"1/{2**70}", f"0.{5**70:070d}"),
    ],
)
def test_quotient_that_ends_is_exact_and_another_has_18_digits(value: str, text: str) -> None:
    assert plain_decimal(exact_decimal(Fraction(value), 18)) == text
