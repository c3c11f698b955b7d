"""The macros that read a sender's text, against Python's Decimal and json."""

import json
import re
from decimal import Context, Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.warehouse.metric_macros import metric_definition, valued_events_sql
from tests.worlds.dbt_macros import ask, macro_sql

WIDE = Context(prec=5000, Emax=10**6, Emin=-(10**6))

NUMBER = re.compile(r"([-+]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]+))?", re.ASCII)

FIXED = settings(max_examples=15, deadline=None, derandomize=True)


def read_with_macros(texts: list[str], integer_digits: int, fraction_digits: int) -> list[Any]:
    """The decimal of each text, as catalogs are read."""
    digits = f"integer_digits={integer_digits}, fraction_digits={fraction_digits}"
    value = macro_sql(f"exact_decimal('text', {digits})")
    return [value for (value,) in ask({"text": "varchar"}, [(text,) for text in texts], value)]


def read_as_values(texts: list[str], fraction_digits: int, expression: str = "v") -> list[Any]:
    """The value of each text, or why it is none, as metrics read it."""
    options = {"aggregation": "sum", "value": expression, "fraction_digits": fraction_digits}
    sql = valued_events_sql(metric_definition(options), "events", ["place"])
    properties = "map(['v', 'zero'], [text, '0'])"
    with duckdb.connect() as connection:
        connection.register("texts", pa.table({"text": texts, "place": range(len(texts))}))
        return connection.execute(
            f"with events as (select *, {properties} as properties from texts) "
            f"select value, unmetered_reason from ({sql}) order by place"
        ).fetchall()


def read_with_decimal(text: str, integer_digits: int, fraction_digits: int) -> tuple[Any, Any]:
    """The value, or the reason why a DECIMAL of these digits does not hold it exactly."""
    match = NUMBER.fullmatch(text)
    if match is None:
        return None, "not_a_number"
    mantissa, exponent = Decimal(text.lower().partition("e")[0]), int(match[4] or 0)
    if mantissa.is_zero():
        return Decimal(0), None
    if abs(exponent) > 100_000:
        return None, "too_large" if exponent > 0 else "too_precise"
    value = mantissa.scaleb(exponent, WIDE).normalize(WIDE)
    if value.adjusted() >= integer_digits:
        return None, "too_large"
    _, _, last_place = value.as_tuple()
    assert isinstance(last_place, int)
    return (None, "too_precise") if -last_place > fraction_digits else (value, None)


digits = st.text("0123456789", min_size=1, max_size=25)
zeros_and_nines = st.text("09", min_size=1, max_size=25)
number_texts = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "-", "+"]),
        st.one_of(st.just("0"), digits, zeros_and_nines),
        st.one_of(st.just(""), st.builds("." .__add__, st.one_of(digits, zeros_and_nines))),
        st.one_of(st.just(""), st.builds("e{}".format, st.integers(-45, 45)),
                  st.builds("E+{}".format, st.integers(0, 45))),
    ),
)  # fmt: skip


@FIXED
@given(
    st.lists(st.one_of(number_texts, st.text(max_size=6)), min_size=1, max_size=200),
    st.sampled_from([(20, 18), (20, 0), (15, 15), (20, 2)]),
)
def test_a_text_is_read_exactly_or_not_at_all(texts: list[str], limits: tuple[int, int]) -> None:
    expected = [read_with_decimal(text, *limits) for text in texts]
    values = [value for value, _ in expected]
    assert list(zip(texts, read_with_macros(texts, *limits), strict=True)) == list(
        zip(texts, values, strict=True)
    )


@FIXED
@given(
    st.lists(st.one_of(number_texts, st.text(alphabet=st.characters(exclude_categories=["Cs"]),
                                             max_size=6)), min_size=1, max_size=200),
    st.sampled_from([18, 9, 2, 0]),
)  # fmt: skip
def test_a_value_is_read_exactly_or_says_why_not(texts: list[str], digits: int) -> None:
    expected = [read_with_decimal(text, 20, digits) for text in texts]
    assert list(zip(texts, read_as_values(texts, digits), strict=True)) == list(
        zip(texts, expected, strict=True)
    )


@FIXED
@given(st.lists(st.builds(str, st.decimals(-(10**12), 10**12, places=6)), min_size=1))
def test_a_step_reads_a_number_as_the_value_alone_does(texts: list[str]) -> None:
    assert read_as_values(texts, 18, "v + zero") == read_as_values(texts, 18)


@pytest.mark.parametrize(
    "text",
    ["", " 5", "5 ", "5\n", ".5", "5.", "1e", "1e+", "--1", "0x10", "1_000", "1,000",
     "NaN", "nan", "inf", "-Infinity", "true", "null", "\u0661", "\uff11", "1\u00a0", "1e5.0"],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_with_macros([text], 20, 18) == [None]
    assert read_as_values([text], 18) == [(None, "not_a_number")]


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        pytest.param("-0", "0", None, id="no negative zero"),
        pytest.param("+5", "5", None, id="a plus sign"),
        pytest.param("-007.50", "-7.5", None, id="leading zeros"),
        pytest.param("0.1234567890123456789", None, "too_precise", id="19 fraction digits"),
        pytest.param("0.1234567890123456780", "0.123456789012345678", None, id="a zero after 18"),
        pytest.param("99999999999999999999", "99999999999999999999", None, id="20 digits"),
        pytest.param("100000000000000000000", None, "too_large", id="21 digits"),
        pytest.param(
            "1.2222222222222222e-05", None, "too_precise", id="a float as Python writes it"
        ),
        pytest.param("1.5E-7", "0.00000015", None, id="negative exponent"),
        pytest.param("0.0010E+22", "10000000000000000000", None, id="exponent and leading zeros"),
        pytest.param("0e999999999999999999", "0", None, id="zero to any power"),
        pytest.param("1e99999999999999999999", None, "too_large", id="exponent beyond an integer"),
        pytest.param("1e-99999999999999999999", None, "too_precise", id="and its opposite"),
        pytest.param("0." + "0" * 500 + "1e501", "1", None, id="far zeros, brought back"),
        pytest.param("9007199254740993", "9007199254740993", None, id="beyond 2^53"),
    ],
)
def test_known_texts(text: str, value: str | None, reason: str | None) -> None:
    read = None if value is None else Decimal(value)
    assert read_with_macros([text], 20, 18) == [read]
    assert read_as_values([text], 18) == [(read, reason)]


@FIXED
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=4), min_size=1))
def test_a_group_key_is_canonical_json(groups: list[dict[str, str]]) -> None:
    columns = {"names": "json", "texts": "json"}
    cases = [(json.dumps(list(group)), json.dumps(list(group.values()))) for group in groups]
    names, texts = "cast(names as varchar[])", "cast(texts as varchar[])"
    keys = ask(
        columns, cases, macro_sql(f"event_group_key('list_sort({names})', 'map({names}, {texts})')")
    )
    for group, (key,) in zip(groups, keys, strict=True):
        expected = json.dumps(group, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        # DuckDB writes \u001F where Python writes \u001f.
        assert key.lower() == expected.lower()
        assert json.loads(key) == group


@pytest.mark.parametrize(
    ("text", "is_nested"),
    [
        pytest.param("[]", True, id="empty-array"),
        pytest.param('["a", {"b": null}]', True, id="array"),
        pytest.param('{"a":1}', True, id="object"),
        pytest.param("[a", False, id="begins-like-one"),
        pytest.param("{a}", False, id="braces-around-a-word"),
        pytest.param('"[]"', False, id="quoted"),
        pytest.param("a[]", False, id="inside"),
        pytest.param("17", False, id="number"),
        pytest.param("", False, id="empty"),
        pytest.param(None, False, id="missing"),
    ],
)
def test_an_array_or_object_is_no_dimension(text: str | None, is_nested: bool) -> None:
    key = macro_sql("event_group_key(\"['b']\", \"map(['b'], [text])\")")
    filled = macro_sql("event_group_key(\"['b']\", \"map(['b'], [text])\", \"'none'\")")
    alone = macro_sql('event_group_key("cast([] as varchar[])", "map([\'b\'], [text])")')

    def shown(value: str | None) -> str | None:
        return None if value is None else json.dumps({"b": value}, separators=(",", ":"))

    kept = None if is_nested else text
    expected = (shown(kept), shown("none" if kept is None else kept), "{}")
    assert ask({"text": "varchar"}, [(text,)], key, filled, alone) == [expected]


def test_a_group_without_one_of_its_dimensions_has_no_key() -> None:
    group_key = macro_sql(
        "event_group_key(\"['method', 'status']\", \"map(['status'], [status])\")"
    )
    assert ask({"status": "varchar"}, [("200",)], group_key) == [(None,)]
