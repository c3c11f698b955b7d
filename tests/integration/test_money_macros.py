"""The money macros against Python's Decimal: every case of a test in one DuckDB query.

DuckDB works with 38 digits and a product of quantity and price has up to 68, so the macros take
the factors apart; here nothing is taken apart.
"""

from decimal import ROUND_DOWN, Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.vocabulary.money import minor_unit_digits, plain_decimal, round_half_away
from tests.worlds.dbt_macros import ask, macro_sql

EXACT = Context(prec=200)

AMOUNT_LIMIT = Decimal(10) ** 23
"""DECIMAL(38, 15) has 23 digits before the point; the promise is 10^15 currency units."""

FIXED = settings(max_examples=15, deadline=None, derandomize=True)
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


FACTORS = {"quantity": "decimal(38, 18)", "unit_price": "decimal(30, 15)"}
PRODUCT = (
    macro_sql("mul_exact('quantity', 'unit_price')"),
    macro_sql("mul_residue('quantity', 'unit_price')"),
)


@FIXED
@given(st.lists(st.tuples(decimals(20, 18), decimals(15, 15)), min_size=1, max_size=200))
def test_a_product_is_exact_to_its_last_digit(factors: list[tuple[Decimal, Decimal]]) -> None:
    fitting = [pair for pair in factors if abs(EXACT.multiply(*pair)) < AMOUNT_LIMIT]
    for pair, (amount, residue) in zip(fitting, ask(FACTORS, fitting, *PRODUCT), strict=True):
        product = EXACT.multiply(*pair)
        assert amount == product.quantize(Decimal("1e-15"), rounding=ROUND_DOWN, context=EXACT)
        assert EXACT.add(amount, Decimal(residue).scaleb(-33, EXACT)) == product, pair


@pytest.mark.parametrize(
    ("quantity", "unit_price", "expected"),
    [
        pytest.param("1000000000000000", "1", "1000000000000000", id="10^15 units of currency"),
        pytest.param("99999999999999999999.999999999999999999", "0.000000000000001",
                     "99999.999999999999999", id="largest quantity, smallest price"),
        pytest.param("0.000000000000000001", "999999999999999.999999999999999",
                     "0.000999999999999", id="smallest quantity, largest price"),
        pytest.param("0.5", "0.000000000000001", "0", id="half of the smallest amount is cut"),
        pytest.param("-1.5", "0.1", "-0.15", id="negative"),
    ],
)  # fmt: skip
def test_known_products(quantity: str, unit_price: str, expected: str) -> None:
    ((amount, _),) = ask(FACTORS, [(quantity, unit_price)], *PRODUCT)
    assert amount == Decimal(expected)


@pytest.mark.parametrize(
    ("quantity", "unit_price"),
    [
        pytest.param("100000000000000", "1000000000", id="10^23"),
        pytest.param("99999999999999999999", "999999999999999", id="10^35"),
        pytest.param("-99999999999999999999", "10000", id="-10^24"),
    ],
)
def test_a_product_that_no_amount_holds_is_null_and_others_stay(
    quantity: str, unit_price: str
) -> None:
    found = ask(FACTORS, [("2", "3"), (quantity, unit_price), ("4", "5")], *PRODUCT)

    assert [amount for amount, _ in found] == [Decimal(6), None, Decimal(20)]


@FIXED
@given(
    st.lists(
        st.tuples(decimals(22, 15), st.sampled_from(["JPY", "USD", "KWD", "CLF"])),
        min_size=1,
        max_size=200,
    )
)
def test_rounding_is_that_of_pipelines_money(amounts: list[tuple[Decimal, str]]) -> None:
    cases = [(amount, minor_unit_digits(currency)) for amount, currency in amounts]
    columns = {"amount": "decimal(38, 15)", "digits": "integer"}
    rounded = ask(columns, cases, macro_sql("round_to_minor_unit('amount', 'digits')"))
    for (amount, digits), (outcome,) in zip(cases, rounded, strict=True):
        assert outcome == round_half_away(amount, digits), (amount, digits)


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"),
    [(4, 2, 2), (5, 2, 3), (-5, 2, -3), (7, 3, 2), (8, 3, 3), (-8, 3, -3), (0, 7, 0), (1, 3, 0)],
)
def test_division_rounds_half_away_from_zero(dividend: int, divisor: int, expected: int) -> None:
    columns = {"dividend": "hugeint", "divisor": "hugeint"}
    outcome = ask(columns, [(dividend, divisor)], macro_sql("div_round('dividend', 'divisor')"))
    assert outcome == [(expected,)]


@FIXED
@given(st.lists(st.tuples(decimals(8, 18), decimals(5, 15)), min_size=1, max_size=40))
def test_a_sum_of_tiers_is_rounded_once(tiers: list[tuple[Decimal, Decimal]]) -> None:
    tiers = [(abs(quantity), abs(unit_price)) for quantity, unit_price in tiers]
    products = ask(FACTORS, tiers, *PRODUCT)
    columns = {"amount": "decimal(38, 15)", "amount_residue": "bigint"}
    carried = macro_sql("amount_of('(sum(amount_residue) // 1000000000000000000)')")
    ((unrounded,),) = ask(columns, products, f"sum(amount) + {carried}")
    rounded = ask(
        {"amount": "decimal(38, 15)"},
        [(unrounded,)],
        macro_sql("round_to_minor_unit('amount', '2')"),
    )
    exact = sum((EXACT.multiply(*tier) for tier in tiers), Decimal(0))
    assert rounded == [(round_half_away(exact, 2),)]


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


def test_an_amount_that_rounds_to_none_is_null() -> None:
    columns = {"amount": "decimal(38, 15)"}
    cases = [("99999999999999999999999.994",), ("99999999999999999999999.995",), ("1.005",)]
    rounded = ask(columns, cases, macro_sql("round_to_minor_unit('amount', '2')"))
    assert rounded == [(Decimal("99999999999999999999999.99"),), (None,), (Decimal("1.01"),)]


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
