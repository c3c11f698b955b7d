"""The money macros against Python's Decimal: every case of a test in one DuckDB query.

DuckDB works with 38 digits and a product of quantity and price has up to 68, so the macros take
the factors apart; here nothing is taken apart.
"""

from decimal import ROUND_DOWN, Context, Decimal

import duckdb
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
    macro_sql("mul_exact('quantity', 'unit_price', \"'sub-1'\")"),
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
def test_a_product_that_no_amount_holds_raises_and_names_its_row(
    quantity: str, unit_price: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=r"23 integer digits.* of sub-1"):
        ask(FACTORS, [(quantity, unit_price)], *PRODUCT)


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


def test_a_sum_beyond_20_digits_raises_and_names_its_row() -> None:
    columns = {"quantity": "decimal(38, 18)"}
    sum_exact = macro_sql("sum_exact('quantity', \"'sub-1'\")")
    largest = "99999999999999999999.999999999999999999"
    assert ask(columns, [(largest,)], sum_exact) == [(Decimal(largest),)]
    # 1.5 times the largest still fits into 128 bits, and a bare sum would let it pass.
    with pytest.raises(duckdb.InvalidInputException, match=r"found the sum 1499.* of sub-1"):
        ask(columns, [(largest,), ("50000000000000000000",)], sum_exact)


@FIXED
@given(st.lists(decimals(20, 18), min_size=1, max_size=100))
def test_the_text_of_a_number_is_that_of_pipelines_money(numbers: list[Decimal]) -> None:
    cases = [(number,) for number in numbers]
    texts = ask({"number": "decimal(38, 18)"}, cases, macro_sql("decimal_text('number')"))
    assert texts == [(plain_decimal(number),) for number in numbers]
