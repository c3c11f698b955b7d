"""The money macros against Python's Decimal: every case of a test in one DuckDB query.

DuckDB works with 38 digits and a product of quantity and price has up to 68, so the macros take
the factors apart; here nothing is taken apart.
"""

from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.vocabulary.money import KNOWN_CURRENCIES, minor_unit_digits, plain_decimal
from tests.worlds.dbt_macros import ask, macro_sql

EXACT = Context(prec=200)

AMOUNT_LIMIT = Decimal(10) ** 23
"""DECIMAL(38, 15) has 23 digits before the point; the promise is 10^15 currency units."""

FIXED = settings(max_examples=6, deadline=None, derandomize=True)
"""The same random cases on every machine."""


def decimals(integer_digits: int, fraction_digits: int) -> st.SearchStrategy[Decimal]:
    """Decimals of a DECIMAL type: its ends, the neighbours of powers of ten, and any."""
    largest = 10 ** (integer_digits + fraction_digits) - 1
    near_powers = [
        10**power + step for power in range(integer_digits + fraction_digits) for step in (-1, 0, 1)
    ]
    units = st.one_of(
        st.sampled_from([*near_powers, largest]), st.integers(min_value=0, max_value=largest)
    )
    signed = st.builds(lambda number, sign: number * sign, units, st.sampled_from([1, 1, -1]))
    return signed.map(lambda number: Decimal(number).scaleb(-fraction_digits, EXACT))


FACTORS = {
    "quantity": "decimal(38, 18)", "remainder": "hugeint", "divisor": "hugeint",
    "unit_price": "decimal(30, 15)",
}  # fmt: skip
PRODUCT = "({})".format(
    macro_sql(
        "with_product('cases', whole('quantity'), fraction_units('quantity', 18), 'remainder', "
        "'divisor', 'unit_price', 'amount')"
    )
)
TEXT = macro_sql("ratio_text('amount', 'divisor')")
ROUNDED = "cast({} as varchar)"


def priced(quantity: Decimal, remainder: int, divisor: int, unit_price: Decimal) -> Fraction:
    """What a quantity with so many parts of 10^-18 costs."""
    return (Fraction(quantity) + Fraction(remainder, divisor * 10**18)) * Fraction(unit_price)


@FIXED
@given(
    st.lists(
        st.tuples(
            decimals(20, 18).map(EXACT.abs),
            st.integers(0, 10**18 - 1),
            st.integers(1, 10**18 - 1),
            decimals(15, 15).map(EXACT.abs),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_a_product_is_exact_and_rounded_once(
    cases: list[tuple[Decimal, int, int, Decimal]],
) -> None:
    cases = [(each[0], each[1] % each[2], *each[2:]) for each in cases]
    rounded = [
        ROUNDED.format(macro_sql(f"rounded_ratio('amount', '{digits}', \"'half_away'\")"))
        for digits in (0, 2, 3)
    ]
    columns = ("amount_whole", "amount_units", "amount_rest", TEXT, *rounded)
    for case, found in zip(cases, ask(FACTORS, cases, *columns, relation=PRODUCT), strict=True):
        whole, units, rest, text, *amounts = found
        exact = priced(*case)
        assert whole + Fraction(units, 10**33) + Fraction(rest, case[2] * 10**33) == exact
        assert abs(Fraction(text) - exact) <= Fraction(1, 2 * 10**18)
        for digits, amount in zip((0, 2, 3), amounts, strict=True):
            expected = (exact * 10**digits + Fraction(1, 2)) // 1 / Fraction(10**digits)
            if expected >= AMOUNT_LIMIT:
                assert amount is None
            else:
                assert Fraction(amount) == expected


@pytest.mark.parametrize(
    ("case", "text", "half_away", "half_even"),
    [
        pytest.param(("1000000000000000", 0, 1, "1"), "1000000000000000", "1000000000000000",
                     "1000000000000000", id="10^15 units of currency"),
        pytest.param(("99999999999999999999.999999999999999999", 0, 1, "0.000000000000001"),
                     "99999.999999999999999999999999999999999", "100000", "100000",
                     id="largest quantity, smallest price"),
        pytest.param(("2.5", 0, 1, "0.01"), "0.025", "0.03", "0.02", id="half of a cent"),
        pytest.param(("3.5", 0, 1, "0.01"), "0.035", "0.04", "0.04", id="half, to even"),
        pytest.param(("2.5", 1, 3, "0.01"), "0.025", "0.03", "0.03", id="a little more than half"),
        pytest.param(("0.333333333333333333", 1, 3, "1"), "0.333333333333333333", "0.33", "0.33",
                     id="a third"),
        pytest.param(("0.333333333333333333", 1, 3, "0.015"), "0.005", "0.01", "0",
                     id="a third that is half of a cent"),
        pytest.param(("99999999999999", 0, 1, "999999999"), "99999999899999000000001",
                     "99999999899999000000001", "99999999899999000000001", id="23 digits"),
        pytest.param(("100000000000000", 0, 1, "1000000000"), "100000000000000000000000", None,
                     None, id="10^23"),
        pytest.param(("9999999999999999999.999999", 0, 1, "10000"),
                     "99999999999999999999999.99", "99999999999999999999999.99",
                     "99999999999999999999999.99", id="largest amount"),
        pytest.param(("9999999999999999999.9999995", 0, 1, "10000"),
                     "99999999999999999999999.995", None, None, id="rounded to none"),
    ],
)  # fmt: skip
def test_known_products(
    case: tuple[object, ...], text: str, half_away: str | None, half_even: str | None
) -> None:
    amounts = [
        macro_sql(f"rounded_ratio('amount', '2', \"'{rounding}'\")")
        for rounding in ("half_away", "half_even")
    ]
    ((found, *rounded),) = ask(FACTORS, [case], TEXT, *amounts, relation=PRODUCT)

    assert found == text
    assert rounded == [None if each is None else Decimal(each) for each in (half_away, half_even)]


ROUNDED_NARROW = macro_sql("rounded_narrow('amount', 'digits')")
RATIO_OF_NARROW = macro_sql("ratio_of_narrow('amount', 'ratio')")
ROUNDED_TO_NARROW = macro_sql("rounded_to_narrow('quantity')")
IS_NARROW = macro_sql(f"is_narrow_quantity('quantity', '{ROUNDED_TO_NARROW}')")
DIGITS = sorted({minor_unit_digits(currency) for currency in KNOWN_CURRENCIES})
"""The digits that a minor unit may have."""


@FIXED
@given(st.lists(decimals(17, 21).map(EXACT.abs), min_size=1, max_size=60))
def test_a_narrow_amount_is_rounded_once_and_half_away(amounts: list[Decimal]) -> None:
    halves = [Decimal(f"{odd}e-{digits + 1}") for digits in DIGITS for odd in (5, 15)]
    amounts = [*amounts, *halves, *(half - Decimal("1e-21") for half in halves)]
    cases = [(amount, digits) for amount in amounts for digits in DIGITS]
    found = ask(
        {"amount": "decimal(38, 21)", "digits": "integer"},
        cases,
        ROUNDED_NARROW,
        *(f"ratio_{name}" for name in ("whole", "units", "rest")),
        relation=f"(select *, {RATIO_OF_NARROW} from cases)",
    )
    for (amount, digits), (rounded, whole, units, rest) in zip(cases, found, strict=True):
        exact = Fraction(amount)
        assert rounded == (exact * 10**digits + Fraction(1, 2)) // 1 / Fraction(10**digits)
        assert (whole + Fraction(units, 10**33), rest) == (exact, 0)
        assert 0 <= units < 10**33


@pytest.mark.parametrize(
    ("quantity", "is_narrow"),
    [("999999999999.999999", True), ("0.000001", True), ("0", True), ("0.0000005", False),
     ("0.000000000000000001", False), ("999999999999.9999995", False), ("1000000000000", False),
     ("99999999999999999999.999999999999999999", False), (None, None)],
)  # fmt: skip
def test_narrow_quantities(quantity: str | None, is_narrow: bool | None) -> None:
    as_narrow = f"case when {IS_NARROW} then cast({ROUNDED_TO_NARROW} as decimal(18, 6)) end"
    ((found, narrow),) = ask({"quantity": "decimal(38, 18)"}, [(quantity,)], IS_NARROW, as_narrow)
    assert found == is_narrow
    assert narrow == (Decimal(quantity) if quantity is not None and is_narrow else None)


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"),
    [(4, 2, 2), (5, 2, 3), (-5, 2, -3), (7, 3, 2), (8, 3, 3), (-8, 3, -3), (0, 7, 0), (1, 3, 0)],
)
def test_division_rounds_half_away_from_zero(dividend: int, divisor: int, expected: int) -> None:
    columns = {"dividend": "hugeint", "divisor": "hugeint"}
    outcome = ask(columns, [(dividend, divisor)], macro_sql("div_round('dividend', 'divisor')"))
    assert outcome == [(expected,)]


WIDE_SUM = macro_sql("wide_sum('amount')")
AMOUNT_OF_SUM = macro_sql("amount_of_sum()")
LARGEST_AMOUNT = "99999999999999999999999.999999999999999"


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        pytest.param([LARGEST_AMOUNT], LARGEST_AMOUNT, id="the largest"),
        pytest.param([LARGEST_AMOUNT, "0.000000000000001"], None, id="one more"),
        pytest.param([LARGEST_AMOUNT] * 9, None, id="more than 128 bits"),
        pytest.param([LARGEST_AMOUNT, LARGEST_AMOUNT, f"-{LARGEST_AMOUNT}"], LARGEST_AMOUNT,
                     id="more than 128 bits in between"),
        pytest.param(["0.015", "9999999999.985"], "10000000000", id="small ones"),
        pytest.param(["0.015", "10000000000.985"], "10000000001", id="small and large"),
    ],
)  # fmt: skip
def test_a_sum_of_amounts_is_exact_or_null(amounts: list[str], expected: str | None) -> None:
    columns = {"amount": "decimal(38, 15)"}
    summed = f"(select {WIDE_SUM} from cases) as sums"
    found = ask(columns, [(each,) for each in amounts], f"(select {AMOUNT_OF_SUM} from {summed})")
    assert set(found) == {(None if expected is None else Decimal(expected),)}


@pytest.mark.parametrize(
    ("whole", "units", "divisor", "expected"),
    [
        pytest.param(10**20 - 1, 10**18 - 1, 1, "99999999999999999999.999999999999999999",
                     id="the largest"),
        pytest.param(10**20, 0, 1, None, id="21 digits"),
        pytest.param(10**20, 0, 3, "33333333333333333333.333333333333333333", id="a third of it"),
        pytest.param(-(10**20), 0, 1, None, id="21 digits below zero"),
        pytest.param(10**25, 0, 1, None, id="more than 128 bits in between"),
        pytest.param(10**20 - 1, 2 * 10**18 - 1, 2, "50000000000000000000.5", id="rounded up"),
    ],
)  # fmt: skip
def test_a_quotient_that_no_quantity_holds_is_null(
    whole: int, units: int, divisor: int, expected: str | None
) -> None:
    columns = dict.fromkeys(("whole", "units", "divisor"), "hugeint")
    found = ask(
        columns,
        [(whole, units, divisor), (3, 0, 2)],
        macro_sql("div_exact('whole', 'units', 'divisor')"),
    )
    assert found == [(None if expected is None else Decimal(expected),), (Decimal("1.5"),)]


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        pytest.param((2 * 10**20, 1), (2 * 10**20, 0), "1e-18", id="sums that are no quantity"),
        pytest.param((5, 0), (4, 10**18), "0", id="units that make a whole one"),
        pytest.param((-(10**21), 0), (-(10**21), 3), "-3e-18", id="below zero"),
        pytest.param((10**30, 0), (0, 0), None, id="a difference that is no quantity"),
    ],
)
def test_a_difference_of_sums_does_not_overflow(
    expected: tuple[int, int], actual: tuple[int, int], difference: str | None
) -> None:
    columns = dict.fromkeys(
        ("expected_whole", "expected_units", "actual_whole", "actual_units"), "hugeint"
    )
    found = ask(
        columns, [(*expected, *actual)], macro_sql("difference_of_parts('expected', 'actual')")
    )
    assert found == [(None if difference is None else Decimal(difference),)]


@FIXED
@given(st.lists(decimals(20, 18), min_size=1, max_size=100))
def test_the_text_of_a_number_is_that_of_pipelines_money(numbers: list[Decimal]) -> None:
    cases = [(number,) for number in numbers]
    texts = ask({"number": "decimal(38, 18)"}, cases, macro_sql("decimal_text('number')"))
    assert texts == [(plain_decimal(number),) for number in numbers]
