"""The macros of shares against Python's fractions: every case of a test in one DuckDB query."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.dbt_macros import ask, macro_sql
from witness.amounts import allocated, rounded

FIXED = settings(max_examples=6, deadline=None, derandomize=True)
"""The same random cases on every machine."""

LARGEST = 10**27 - 1
"""The greatest number of minor units that a thousand lines come to."""

NEAR_POWERS = [10**power + step for power in (0, 1, 9, 17, 18, 19, 26) for step in (-1, 0, 1)]
WHOLE = st.one_of(st.sampled_from(NEAR_POWERS), st.integers(0, LARGEST), st.integers(0, 9))
POSITIVE = WHOLE.map(lambda number: max(number, 1))
SIGNED = st.builds(lambda number, sign: number * sign, WHOLE, st.sampled_from([1, -1]))

PRODUCTS = {"one": "hugeint", "other": "hugeint", "divisor": "hugeint", "rounding": "varchar"}
PRODUCT = macro_sql("product_over('one', 'other', 'divisor')")
ROUNDED = macro_sql("rounded_product('one', 'other', 'divisor')")
ALLOCATED = macro_sql("allocated('whole', 'weights', 'total')")
WEIGHTS = {"whole": "hugeint", "weights": "hugeint[]", "total": "hugeint"}


@FIXED
@given(
    st.lists(
        st.tuples(SIGNED, SIGNED, POSITIVE, st.sampled_from(["half_away", "half_even"])),
        min_size=1,
        max_size=80,
    )
)
def test_a_product_over_a_divisor_is_exact_and_rounded_once(
    cases: list[tuple[int, int, int, str]],
) -> None:
    columns = f"({PRODUCT})['cut']", f"({PRODUCT})['rest']", ROUNDED
    # The quotient of all that fits is an amount, and has no more digits than one.
    cases = [case for case in cases if abs(case[0] * case[1]) // case[2] <= 10**37]
    for case, (cut, rest, whole) in zip(cases, ask(PRODUCTS, cases, *columns), strict=True):
        one, other, divisor, rounding = case
        exact = Fraction(one * other, divisor)
        assert cut == int(exact)
        assert cut * divisor + rest == one * other
        assert whole == rounded(exact, 0, rounding)


@pytest.mark.parametrize(
    ("one", "half_away", "half_even"),
    [(5, 1, 0), (-5, -1, 0), (15, 2, 2), (-15, -2, -2), (25, 3, 2), (4, 0, 0), (-4, 0, 0),
     (6, 1, 1), (0, 0, 0)],
)  # fmt: skip
def test_a_half_is_rounded_by_the_column(one: int, half_away: int, half_even: int) -> None:
    cases = [(one, 1, 10, "half_away"), (one, 1, 10, "half_even")]
    of_integers = macro_sql("rounded_integers('(one * other)', 'divisor')")

    assert ask(PRODUCTS, cases, ROUNDED, of_integers) == [
        (half_away, half_away),
        (half_even, half_even),
    ]


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A whole that is not above the signed weights, or one that is below 0 over positive ones."""
    weights = draw(st.lists(st.one_of(WHOLE, WHOLE, WHOLE, SIGNED), max_size=9))
    if draw(st.booleans()):
        return draw(SIGNED), [abs(weight) for weight in weights]
    return draw(st.integers(0, max(sum(weights), 0))), weights


@FIXED
@given(st.lists(shares(), min_size=1, max_size=60))
def test_parts_are_the_shares_by_largest_remainder(cases: list[tuple[int, list[int]]]) -> None:
    rows = [(whole, str(weights), sum(weights)) for whole, weights in cases]

    for (whole, weights), (parts,) in zip(cases, ask(WEIGHTS, rows, ALLOCATED), strict=True):
        expected = allocated(Fraction(whole), [Fraction(weight) for weight in weights], 0)
        assert parts == expected
        assert sum(expected) == (whole if sum(weights) > 0 else 0)


@pytest.mark.parametrize(
    ("whole", "weights", "parts"),
    [
        (200, [900, 500], [129, 71]),
        (1, [1, 1, 1], [1, 0, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
        (1, [0, 1], [0, 1]),
        (-1, [1, 1], [0, -1]),
        (100, [1000, -200], [125, -25]),
        (1, [5, -2], [2, -1]),
        (0, [3, 4], [0, 0]),
        (5, [], []),
        (5, [0, 0], [0, 0]),
        (5, [1, -1], [0, 0]),
        (5, [1, -2], [0, 0]),
    ],
)
def test_known_parts(whole: int, weights: list[int], parts: list[int]) -> None:
    ((found,),) = ask(WEIGHTS, [(whole, str(weights), sum(weights))], ALLOCATED)

    assert found == parts


MONEY = {"amount": "decimal(38, 18)", "minor_unit_digits": "bigint", "rounding": "varchar"}


@pytest.mark.parametrize(
    ("amount", "minors"),
    [
        # In minor units of a currency with 0, 2, 3 and 4 digits.
        ("0", (0, 0, 0, 0)),
        ("1", (1, 100, 1000, 10000)),
        ("-1.5", (-2, -150, -1500, -15000)),
        ("0.005", (0, 1, 5, 50)),
        ("-0.00005", (0, 0, 0, -1)),
        ("0.000049999999999999", (0, 0, 0, 0)),
        ("-0.499999999999999999", (0, -50, -500, -5000)),
        ("99999999999999999999.999999999999999999", tuple(10**power for power in (20, 22, 23, 24))),
    ],
)
def test_a_decimal_in_minor_units(amount: str, minors: tuple[int, ...]) -> None:
    cases = [(amount, digits, "half_away") for digits in (0, 2, 3, 4)]

    found = ask(MONEY, cases, macro_sql("minor_of_decimal('amount')"))

    assert found == [(minor,) for minor in minors]
