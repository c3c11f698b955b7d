"""Cases of prices: what is refused and where, what rating is given, and what becomes of it."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from pipelines.warehouse import rating
from pipelines.warehouse.rating import Rated, ToRate
from tests.worlds.previews import Case, answers_to, error_of, result_of

STANDARD: Case = {"charge_model": "standard", "unit_price": "2"}
FLAT: Case = {"charge_model": "flat", "flat_amount": "50"}
PACKAGE: Case = {"charge_model": "package", "unit_price": "4", "package_size": "50"}
PERCENTAGE: Case = {"charge_model": "percentage", "rate_percent": "2"}
MATRIX: Case = {
    "charge_model": "matrix",
    "cells": [{"match": {"region": "eu"}, "unit_price": "2"}],
}
GRADUATED: Case = {
    "charge_model": "graduated",
    "tiers": [{"up_to_units": "10", "unit_price": "2"}, {"unit_price": "1"}],
}
EU, US, NONE = ({"group": {"region": text}, "quantity": "1"} for text in ("eu", "us", None))


def price(charge: Case, **more: Any) -> Case:
    """A case of the kind `price`; 1 was used unless it says something else."""
    is_flat = charge.get("charge_model") == "flat"
    used = {} if is_flat or {"groups", "buckets", "events"} & more.keys() else {"quantity": "1"}
    return {"kind": "price", "charge": charge} | used | more


def tiered(*tiers: Case, **more: Any) -> Case:
    return price(GRADUATED | {"tiers": list(tiers)} | more)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ToRate]:
    """What rating is given. Each line comes to 1.00."""
    given: list[ToRate] = []

    def rated(to_rate: ToRate) -> Rated:
        given.append(to_rate)
        return everything_is_one(to_rate)

    monkeypatch.setattr(rating, "rated", rated)
    return given


def everything_is_one(given: ToRate) -> Rated:
    amounts = dict.fromkeys(("amount_unrounded", "amount", "net_amount"), "1")
    lines = [
        {"line_key": number, "billed_quantity": "7", "unit_price": None, "discount_amount": "0"}
        | amounts
        for number in given.lines["line_key"]
    ]
    totals = [
        {"charge_number": number, "amount_unrounded": "1", "amount": "1"}
        | {"difference": None if already is None else "3"}
        for number, already in given.charges.select("charge_number", "already_amount").iter_rows()
    ]
    return Rated(
        pl.DataFrame(lines, rating.RATED_LINES),
        pl.DataFrame(schema=rating.RATED_TIERS),
        pl.DataFrame(schema=rating.RATED_EVENTS),
        pl.DataFrame(schema=rating.BOUND_LINES),
        pl.DataFrame(totals, rating.CHARGE_TOTALS),
    )


REFUSED = {
    "no charge": ({"kind": "price"}, "missing_field", "charge"),
    "a charge that is a text": (
        {"kind": "price", "charge": "x", "quantity": 1}, "bad_value", "charge",
    ),
    "no model": (price({"unit_price": "1"}), "missing_field", "charge.charge_model"),
    "unknown model": (price({"charge_model": "tiered"}), "bad_value", "charge.charge_model"),
    "a plan": (price(STANDARD | {"plan_code": "x"}), "unknown_field", "charge.plan_code"),
    "a metric": (price(STANDARD | {"metric_code": "x"}), "unknown_field", "charge.metric_code"),
    "a date": (
        price(STANDARD | {"valid_from": "2026-01-01"}), "unknown_field", "charge.valid_from",
    ),
    "no price": (price({"charge_model": "standard"}), "missing_field", "charge.unit_price"),
    "a list for a model": (
        price({"charge_model": []}), "missing_field", "charge.charge_model",
    ),
    "a list for a price": (price(STANDARD | {"unit_price": []}), "missing_field",
                           "charge.unit_price"),
    "a list for a quantity": (price(STANDARD, quantity=[]), "bad_value", "quantity"),
    "a price below 0": (price(STANDARD | {"unit_price": "-1"}), "bad_value", "charge.unit_price"),
    "a price of 16 digits": (
        price(STANDARD | {"unit_price": "0.0000000000000001"}), "bad_value", "charge.unit_price",
    ),
    "a divisor of 19 digits": (
        price(STANDARD | {"unit_divisor": "1.234567890123456789"}),
        "bad_value", "charge.unit_divisor",
    ),
    "a term of other models": (
        price(STANDARD | {"package_size": "5"}), "contradiction", "charge.package_size",
    ),
    "a flat charge of groups": (
        price(FLAT | {"group_by": ["region"]}), "contradiction", "charge.group_by",
    ),
    "rounding of each event": (
        price(PERCENTAGE | {"unit_rounding": "up"}), "not_supported", "charge.unit_rounding",
    ),
    "a minimum above the maximum": (
        price(STANDARD | {"minimum_amount": "2.01", "maximum_amount": "2"}),
        "contradiction", "charge.minimum_amount",
    ),
    "bounds of an event": (
        price(PERCENTAGE | {"minimum_per_event": "2", "maximum_per_event": "1"}, events=[]),
        "contradiction", "charge.minimum_per_event",
    ),
    "a factor without commitment": (
        price(STANDARD | {"commitment_overage_factor": "1.5"}),
        "contradiction", "charge.commitment_overage_factor",
    ),
    "no usage": ({"kind": "price", "charge": STANDARD}, "missing_field", ""),
    "no usage of an ill-formed charge": (
        {"kind": "price", "charge": STANDARD | {"free_units": "x"}}, "missing_field", "",
    ),
    "two usages": (price(STANDARD, groups=[EU], quantity="1"), "contradiction", ""),
    "usage of a flat charge": (price(FLAT, quantity="1"), "contradiction", "quantity"),
    "events of a flat charge": (price(FLAT, events=[]), "contradiction", "events"),
    "event count of a flat charge": (price(FLAT, event_count=1), "contradiction", "event_count"),
    "event count of groups": (
        price(STANDARD, groups=[EU], event_count=1), "contradiction", "event_count",
    ),
    "event count below 0": (price(STANDARD, event_count=-1), "bad_value", "event_count"),
    "a quantity in words": (price(STANDARD, quantity="1e3"), "bad_value", "quantity"),
    "no quantity of a group": (
        price(STANDARD, groups=[{"group": {}}]), "missing_field", "groups[0].quantity",
    ),
    "a group of a list": (
        price(STANDARD, groups=[EU | {"group": {"region": []}}]),
        "bad_value", "groups[0].group.region",
    ),
    "no value of an event": (price(STANDARD, events=[{}]), "missing_field", "events[0].value"),
    "an unknown member of an event": (
        price(STANDARD, events=[{"value": 1, "at": 1}]), "unknown_field", "events[0].at",
    ),
    "a bucket of nothing": (
        price(STANDARD | {"priced_each": "bucket"}, buckets=["1", None]),
        "bad_value", "buckets[1]",
    ),
    "buckets of a period": (price(STANDARD, buckets=["1"]), "contradiction", "buckets"),
    "a period of buckets": (
        price(STANDARD | {"priced_each": "bucket"}), "contradiction", "buckets",
    ),
    "a quantity of no group": (
        price(STANDARD | {"group_by": ["region"]}), "contradiction", "quantity",
    ),
    "a group beside group_by": (
        price(STANDARD | {"group_by": ["cloud"], "missing_dimension": "x"}, groups=[EU]),
        "contradiction", "groups[0].group.region",
    ),
    "a group that lacks a property": (
        price(STANDARD, groups=[EU, NONE]), "contradiction", "groups[1].group.region",
    ),
    "an event that lacks a property": (
        price(STANDARD, events=[{"value": 1, "group": {"region": "eu"}}, {"value": 1}]),
        "contradiction", "events[1].group.region",
    ),
    "missing dimension without groups": (
        price(STANDARD | {"missing_dimension": "x"}), "contradiction", "charge.missing_dimension",
    ),
    "a matrix of no group": (price(MATRIX), "missing_field", "groups"),
    "a matrix of nothing": (
        price(MATRIX | {"cells": []}, groups=[{"group": {}, "quantity": 1}]),
        "contradiction", "charge.group_by",
    ),
    "a group without price": (price(MATRIX, groups=[EU, US]), "contradiction", "groups[1]"),
    "an event without price": (
        price(MATRIX, events=[{"value": 1, "group": {"region": "us"}}]),
        "contradiction", "events[0]",
    ),
    "cells of another model": (
        price(STANDARD | {"cells": MATRIX["cells"]}), "contradiction", "charge.cells[0]",
    ),
    "a cell of no property": (
        price(MATRIX | {"cells": [{"match": {"cloud": "aws"}, "unit_price": 1}]}, groups=[EU]),
        "contradiction", "charge.cells[0].match",
    ),
    "cells that tie": (
        price(MATRIX | {"cells": MATRIX["cells"] * 2}, groups=[EU]),
        "contradiction", "charge.cells[1].match",
    ),
    "a cell that matches nothing": (
        price(MATRIX | {"cells": [{"match": {}, "unit_price": 1}]}, groups=[EU]),
        "bad_value", "charge.cells[0].match",
    ),
    "no tiers": (price({"charge_model": "volume"}), "missing_field", "charge.tiers"),
    "an empty list of tiers": (tiered(), "missing_field", "charge.tiers"),
    "tiers of another model": (
        price(STANDARD | {"tiers": GRADUATED["tiers"][1:]}), "contradiction", "charge.tiers[0]",
    ),
    "flat_at_zero is not said": (
        tiered({"unit_price": 1, "flat_amount": "0.01"}), "missing_field", "charge.flat_at_zero",
    ),
    "no price of a tier": (tiered({}), "missing_field", "charge.tiers[0].unit_price"),
    "a rate of a tier": (
        tiered({"unit_price": 1, "rate_percent": 1}),
        "contradiction", "charge.tiers[0].rate_percent",
    ),
    "the last tier ends": (
        tiered({"unit_price": 1, "up_to_units": 1}),
        "contradiction", "charge.tiers[0].up_to_units",
    ),
    "an open tier in the middle": (
        tiered({"unit_price": 1}, {"unit_price": 2}),
        "contradiction", "charge.tiers[0].up_to_units",
    ),
    "tiers that overlap": (
        tiered({"unit_price": 1, "up_to_units": 5}, {"from_units": 4, "unit_price": 2}),
        "contradiction", "charge.tiers[1].from_units",
    ),
    "a tier of nothing": (
        tiered({"unit_price": 1, "from_units": 0, "up_to_units": 0}, {"unit_price": 2}),
        "contradiction", "charge.tiers[0].up_to_units",
    ),
    "the first tier begins at 1": (
        tiered({"from_units": 1, "unit_price": 1}), "contradiction", "charge.tiers[0].from_units",
    ),
    "a plan of a tier": (
        tiered({"unit_price": 1, "plan_code": "x"}), "unknown_field", "charge.tiers[0].plan_code",
    ),
    "no days": (price(FLAT, share={"of": 31}), "missing_field", "share.days"),
    "a share of nothing": (price(FLAT, share={"days": 0, "of": 0}), "bad_value", "share.of"),
    "a share above 1": (price(FLAT, share={"days": 32, "of": 31}), "contradiction", "share.days"),
    "a share in words": (price(FLAT, share="half"), "bad_value", "share"),
    "already billed nothing": (price(FLAT, already_billed={}), "missing_field",
                               "already_billed.amount"),
    "already billed of groups": (
        price(STANDARD, groups=[EU], already_billed={"amount": 1}),
        "contradiction", "already_billed",
    ),
    "already billed usage of a flat charge": (
        price(FLAT, already_billed={"amount": 1, "quantity": 1}),
        "contradiction", "already_billed.quantity",
    ),
    "already billed of 16 digits": (
        price(FLAT, already_billed={"amount": "0.0000000000000001"}),
        "bad_value", "already_billed.amount",
    ),
    "unknown currency": (price(FLAT, currency="XAU"), "bad_value", "currency"),
    "unknown rounding": (price(FLAT, rounding="up"), "bad_value", "rounding"),
    "unknown flag": (price(FLAT, is_final="maybe"), "bad_value", "is_final"),
    "unknown member": (price(FLAT, prices=[]), "unknown_field", "prices"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_case_that_is_refused_says_where(name: str) -> None:
    case, code, path = REFUSED[name]

    error = error_of(case)

    assert (error["code"], error["path"]) == (code, path), error["message"]


DISCOUNTS: dict[str, tuple[list[Case], str, str]] = {
    "no kind": ([{"value": 1}], "missing_field", "discounts[0].kind"),
    "a list for a value": (
        [{"kind": "percent", "value": []}], "missing_field", "discounts[0].value",
    ),
    "an owner": (
        [{"kind": "percent", "value": 1, "plan_code": "x"}],
        "unknown_field", "discounts[0].plan_code",
    ),
    "a date": (
        [{"kind": "percent", "value": 1, "starts_on": "2026-01-01"}],
        "unknown_field", "discounts[0].starts_on",
    ),
    "over 100 percent": (
        [{"kind": "percent", "value": "100.1"}], "contradiction", "discounts[0].value",
    ),
    "another currency": (
        [{"kind": "amount", "value": 1, "currency": "EUR"}],
        "contradiction", "discounts[0].currency",
    ),
    "a currency of percent": (
        [{"kind": "percent", "value": 1, "currency": "USD"}],
        "contradiction", "discounts[0].currency",
    ),
    "one id twice": (
        [{"kind": "percent", "value": 1, "discount_id": "d1"}, {"kind": "percent", "value": 1}],
        "contradiction", "discounts[1].discount_id",
    ),
    "another charge": (
        [{"kind": "percent", "value": 1, "charge_codes": ["b"]}],
        "contradiction", "discounts[0].charge_codes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISCOUNTS)
def test_discount_that_is_refused_says_where(name: str) -> None:
    discounts, code, path = DISCOUNTS[name]

    error = error_of(price(STANDARD | {"charge_code": "a"}, discounts=discounts))

    assert (error["code"], error["path"]) == (code, path), error["message"]


@pytest.mark.parametrize("charge", [FLAT, PERCENTAGE])
def test_units_are_taken_off_usage_that_has_a_price(charge: Case) -> None:
    error = error_of(price(charge, discounts=[{"kind": "units", "value": 1}]))

    assert (error["code"], error["path"]) == ("contradiction", "discounts[0].kind")


@pytest.mark.parametrize(
    "term", ["free_events", "free_amount", "minimum_per_event", "maximum_per_event"]
)
@pytest.mark.parametrize("used", [{"quantity": "1"}, {"groups": [EU]}])
def test_terms_of_an_event_need_events(term: str, used: Case, asked: list[ToRate]) -> None:
    charge = PERCENTAGE | {term: 0}

    error = error_of(price(charge, **used))

    assert (error["code"], error["path"]) == ("events_needed", next(iter(used)))
    assert term in error["message"]
    assert result_of(price(charge, events=[]))
    assert result_of(price(PERCENTAGE, **used))


def test_problems_have_table_row_and_column() -> None:
    tiers = [
        {"unit_price": 1, "up_to_units": 5, "rate_percent": 1},
        {"unit_price": 2, "from_units": 4},
    ]

    error = error_of(price(GRADUATED | {"tiers": tiers, "package_size": "1"}))

    assert [(each["table"], each["row"], each["column"]) for each in error["problems"]] == [
        ("charges", 0, "package_size"),
        ("charge_tiers", 0, "rate_percent"),
        ("charge_tiers", 1, "from_units"),
    ]


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (price(STANDARD | {"free_units": "x", "plan_code": "x"}), "unknown_field"),
        (price({"charge_model": "standard", "free_units": "x"}), "missing_field"),
        (price(STANDARD | {"free_units": "x", "package_size": "1"}), "bad_value"),
        (price(PERCENTAGE | {"unit_rounding": "up", "package_size": "1"}), "contradiction"),
        (price(PERCENTAGE | {"unit_rounding": "up", "free_events": 0}), "not_supported"),
        (price(PERCENTAGE | {"free_events": 0}, discounts=[{}] * 1001), "events_needed"),
    ],
)
def test_first_code_of_the_list_is_told(case: Case, code: str) -> None:
    assert error_of(case)["code"] == code


@pytest.mark.parametrize(
    ("case", "path"),
    [
        (tiered(*[{"unit_price": 1}] * 1001), "charge.tiers"),
        (price(STANDARD, groups=[EU] * 1001), "groups"),
        (price(STANDARD, events=[{"value": 1}] * 100_001), "events"),
        (price(STANDARD | {"priced_each": "bucket"}, buckets=[1] * 100_001), "buckets"),
    ],
    ids=["tiers", "groups", "events", "buckets"],
)
def test_case_with_too_many_rows_is_refused(case: Case, path: str) -> None:
    error = error_of(case)

    assert (error["code"], error["path"]) == ("too_large", path)


def test_as_many_rows_as_are_taken(asked: list[ToRate]) -> None:
    many = [{"unit_price": 1, "up_to_units": bound} for bound in range(1, 1000)]

    assert result_of(tiered(*many, {"unit_price": 1}))
    assert result_of(price(STANDARD, groups=[EU] * 1000))["lines"][0]["quantity"] == "1000"


MOST = "99999999999999999999.999999999999999999"
LEAST = "0.000000000000000001"


@pytest.mark.parametrize(
    ("case", "path"),
    [
        (price(STANDARD, quantity=MOST, already_billed={"quantity": LEAST, "amount": 0}),
         "already_billed.quantity"),
        (price(STANDARD | {"group_by": ["region"], "missing_dimension": "eu"},
               groups=[EU | {"quantity": MOST}, NONE | {"quantity": LEAST}]), "groups[0]"),
        (price(STANDARD, events=[{"value": f"-{MOST}"}, {"value": f"-{LEAST}"}]), "events[0]"),
        (price(STANDARD | {"priced_each": "bucket"}, buckets=[MOST, LEAST]), "buckets"),
        (price(PERCENTAGE, events=[{"value": each} for each in (MOST, f"-{MOST}", LEAST)]),
         "events[0]"),
    ],
    ids=["already billed", "groups", "events", "buckets", "values above 0"],
)  # fmt: skip
def test_sum_that_is_no_quantity_is_overflow(case: Case, path: str) -> None:
    error = error_of(case)

    assert (error["code"], error["path"]) == ("overflow", path)
    assert "quantity" in error["message"]


def test_sums_are_exact_up_to_the_last_digit(asked: list[ToRate]) -> None:
    events = [{"value": "99999999999999999999"}, {"value": "0.999999999999999998"}]

    result = result_of(price(STANDARD, events=[*events, {"value": LEAST}]))

    assert result["lines"][0]["quantity"] == MOST
    assert asked[0].lines["quantity"].to_list()[0] == pl.Series([MOST]).str.to_decimal(scale=18)[0]


def lines_of(asked: list[ToRate]) -> list[tuple[object, ...]]:
    lines = asked[-1].lines.select("group_key", pl.col("quantity").cast(pl.Float64), "event_count")
    return lines.rows()


def test_missing_dimension_is_added_to_the_group_that_occurs(asked: list[ToRate]) -> None:
    charge = STANDARD | {"missing_dimension": "eu"}
    groups = [
        {"group": {"region": "us"}, "quantity": "5"},
        {"group": {"region": None}, "quantity": "2", "event_count": 3},
        {"group": {}, "quantity": "4"},
        {"group": {"region": "eu"}, "quantity": "1.5", "event_count": 4},
    ]

    lines = result_of(price(charge, groups=groups))["lines"]

    assert [(line["group"], line["quantity"], line["event_count"]) for line in lines] == [
        ({"region": "eu"}, "7.5", 7),
        ({"region": "us"}, "5", 0),
    ]
    assert lines_of(asked) == [('{"region":"eu"}', 7.5, 0), ('{"region":"us"}', 5, 0)]


def test_events_of_one_group_stay_in_order(asked: list[ToRate]) -> None:
    charge = PERCENTAGE | {"missing_dimension": "eu", "free_events": 1}
    regions = ("us", None, "eu", None)
    events = [
        {"value": value, "group": {"region": region}}
        for value, region in zip((10, -20, 30, 40), regions, strict=True)
    ]

    lines = result_of(price(charge, events=events))["lines"]

    assert [(line["group"], line["quantity"], line["event_count"]) for line in lines] == [
        ({"region": "eu"}, "50", 3),
        ({"region": "us"}, "10", 1),
    ]
    assert lines_of(asked) == [('{"region":"eu"}', 50, 0), ('{"region":"us"}', 10, 0)]
    assert asked[0].events.with_columns(pl.col("value").cast(pl.Int64)).rows() == [
        (1, 1, -20), (1, 2, 30), (1, 3, 40), (2, 0, 10),
    ]  # fmt: skip


def test_events_of_another_model_are_their_sum(asked: list[ToRate]) -> None:
    (line,) = result_of(price(STANDARD, events=[{"value": 1}, {"value": "-3.5"}]))["lines"]

    assert (line["quantity"], line["event_count"], line["events"]) == ("-2.5", 2, [])
    assert asked[0].events.is_empty()
    assert lines_of(asked) == [("{}", -2.5, 0)]


@pytest.mark.parametrize(
    ("charge", "used", "count"),
    [
        (PERCENTAGE, {"quantity": 60, "event_count": 4}, 4),
        (PERCENTAGE, {"groups": [EU | {"event_count": 4}]}, 4),
        (PERCENTAGE, {"events": [{"value": 15}] * 4}, 4),
        (PERCENTAGE | {"free_events": 1}, {"events": [{"value": 15}] * 4}, 0),
        (STANDARD, {"quantity": 60, "event_count": 4}, 0),
    ],
)
def test_rating_counts_events_that_it_is_not_given(
    charge: Case, used: Case, count: int, asked: list[ToRate]
) -> None:
    (line,) = result_of(price(charge, **used))["lines"]

    assert line["event_count"] == 4
    assert asked[0].lines["event_count"].to_list() == [count]


def test_event_below_0_takes_nothing_off_the_total_of_a_percentage(asked: list[ToRate]) -> None:
    (line,) = result_of(price(PERCENTAGE, events=[{"value": 10}, {"value": -4}]))["lines"]

    assert line["quantity"] == "6"
    assert lines_of(asked) == [("{}", 10, 2)]
    assert asked[0].events.is_empty()


def test_groups_are_in_order_of_their_texts(asked: list[ToRate]) -> None:
    texts = ["b", "a b", "", "B", "é", "a", "😀", "\ufb01", "a!"]
    groups = [{"group": {"x": text, "a": "1"}, "quantity": 1} for text in texts]
    groups += [{"group": {"a": "0", "x": "z"}, "quantity": 1}]

    lines = result_of(price(STANDARD | {"group_by": ["x", "a"]}, groups=groups))["lines"]

    assert [(line["group"]["a"], line["group"]["x"]) for line in lines] == [
        ("0", "z"), ("1", ""), ("1", "B"), ("1", "a"), ("1", "a b"), ("1", "a!"),
        ("1", "b"), ("1", "é"), ("1", "\ufb01"), ("1", "😀"),
    ]  # fmt: skip
    assert asked[0].lines["line_key"].to_list() == list(range(1, 11))


@pytest.mark.parametrize(
    ("charge", "used", "groups"),
    [
        (STANDARD, {"groups": []}, [{}]),
        (STANDARD, {"events": []}, [{}]),
        (STANDARD | {"group_by": ["region"]}, {"groups": []}, []),
        (STANDARD | {"group_by": ["region"]}, {"events": []}, []),
        (STANDARD | {"priced_each": "bucket"}, {"buckets": []}, [{}]),
        (FLAT, {}, [{}]),
    ],
)
def test_charge_without_groups_has_a_line_of_nothing(
    charge: Case, used: Case, groups: list[Case], asked: list[ToRate]
) -> None:
    assert [line["group"] for line in result_of(price(charge, **used))["lines"]] == groups


def test_values_of_groups_are_texts_as_in_events(asked: list[ToRate]) -> None:
    groups = [{"group": {"x": value, "_note": "n"}, "quantity": 1} for value in (True, "1.0")]
    answers = answers_to({"id": "a"} | price(STANDARD, groups=groups))

    lines = answers[0]["result"]["lines"]

    assert [line["group"] for line in lines] == [{"x": "1.0"}, {"x": "true"}]


def test_group_by_may_name_what_looks_like_a_note(asked: list[ToRate]) -> None:
    groups = [{"group": {"_x": "1"}, "quantity": 1}]
    charge = MATRIX | {"group_by": ["_x"], "cells": [{"match": {"_x": "1"}, "unit_price": 1}]}

    assert result_of(price(charge, groups=groups))["lines"][0]["group"] == {"_x": "1"}
    assert asked[0].cells["properties"].to_list() == [["_x"]]


def test_rating_is_given_the_terms_of_a_charge_and_usual_ones(asked: list[ToRate]) -> None:
    charge = PERCENTAGE | {"fixed_amount": "0.30", "free_events": 0, "prorated": False}

    result_of(price(charge, events=[]))

    (row,) = asked[0].prices.rows(named=True)
    assert {name: value if value is None else str(value) for name, value in row.items()} == {
        "price_number": "0",
        "charge_model": "percentage",
        "group_by": "[]",
        "unit_price": None,
        "unit_divisor": "1.000000000000000000",
        "unit_rounding": "none",
        "free_units": "0E-18",
        "package_size": None,
        "package_rounding": "up",
        "flat_amount": "0E-15",
        "quantity": "1.000000000000000000",
        "billed": "period",
        "flat_at_zero": None,
        "rate_percent": "2.000000000000000",
        "fixed_amount": "0.300000000000000",
        "free_events": "0",
        "free_amount": None,
        "minimum_per_event": None,
        "maximum_per_event": None,
        "minimum_amount": None,
        "maximum_amount": None,
        "priced_each": "period",
        "commitment_amount": None,
        "commitment_overage_factor": "1.000000000000000000",
        "commitment_true_up": "True",
        "prorated": "False",
    }


def test_rating_is_given_all_tables_by_their_schemas(asked: list[ToRate]) -> None:
    cases = [
        price(GRADUATED, share={"days": 24, "of": 31}, is_final=False, currency="JPY"),
        price(MATRIX, groups=[EU], rounding="half_even"),
        price(STANDARD | {"priced_each": "bucket"}, buckets=["3", "1"]),
        price(PERCENTAGE | {"free_events": 1}, events=[{"value": 5}]),
        price(PACKAGE, quantity="2", already_billed={"quantity": "10", "amount": "20"}),
    ]

    answered = answers_to(*({"id": str(place)} | case for place, case in enumerate(cases)))

    assert [answer["ok"] for answer in answered] == [True] * 5
    (given,) = asked
    for frame, schema in (
        (given.prices, rating.PRICES),
        (given.tiers, rating.PRICE_TIERS),
        (given.cells, rating.PRICE_CELLS),
        (given.charges, rating.CHARGES),
        (given.lines, rating.CHARGE_LINES),
        (given.buckets, rating.LINE_BUCKETS),
        (given.events, rating.LINE_EVENTS),
        (given.discounts, rating.CHARGE_DISCOUNTS),
    ):
        assert frame.schema == schema
    assert given.charges.drop("already_amount").rows() == [
        (0, 0, 0, "half_away", 24, 31, False),
        (1, 1, 2, "half_even", 1, 1, True),
        (2, 2, 2, "half_away", 1, 1, True),
        (3, 3, 2, "half_away", 1, 1, True),
        (4, 4, 2, "half_away", 1, 1, True),
    ]
    tiers = given.tiers.select("price_number", "from_units", "up_to_units", "unit_price")
    assert tiers.cast(pl.Int64).rows() == [(0, 0, 10, 2), (0, 10, None, 1)]
    assert given.cells.drop("unit_price").rows() == [(1, ["region"], ["eu"])]
    assert given.buckets.cast(pl.Int64).rows() == [(3, 0, 3), (3, 1, 1)]
    assert given.events.cast(pl.Int64).rows() == [(4, 0, 5)]
    # Of the last, the 10 that were billed are rated again, with the 2 that were not.
    assert given.lines["quantity"].cast(pl.Int64).to_list() == [1, 1, 4, 5, 12]
    assert [str(each) for each in given.charges["already_amount"].drop_nulls()] == [
        "20.000000000000000"
    ]


def test_tiers_are_in_order_of_their_bounds(asked: list[ToRate]) -> None:
    result_of(tiered({"from_units": 5, "unit_price": 1},
                     {"from_units": 0, "up_to_units": 5, "unit_price": 2}))  # fmt: skip

    assert asked[0].tiers["from_units"].cast(pl.Int64).to_list() == [0, 5]


@pytest.mark.parametrize(
    ("match", "properties", "texts"),
    [
        ({"region": "eu", "cloud": "*"}, ["region"], ["eu"]),
        ({"region": "eu", "cloud": None}, ["region"], ["eu"]),
        ({"region": "a;b=c|%", "cloud": " x"}, ["cloud", "region"], [" x", "a;b=c|%"]),
        ("region=a%3Bb;cloud=*", ["region"], ["a;b"]),
    ],
)
def test_match_is_an_object_or_what_the_catalog_writes(
    match: object, properties: list[str], texts: list[str], asked: list[ToRate]
) -> None:
    charge = MATRIX | {"unit_price": "9", "cells": [{"match": match, "unit_price": "2"}]}

    assert result_of(price(charge, groups=[{"group": {"region": "x", "cloud": "y"},
                                            "quantity": 1}]))  # fmt: skip
    assert asked[0].cells.select("properties", "texts").rows() == [(properties, texts)]


def test_discounts_are_in_the_order_in_which_they_apply(asked: list[ToRate]) -> None:
    discounts: list[Case] = [
        {"kind": "amount", "value": 1},
        {"kind": "percent", "value": 2, "discount_id": "z"},
        {"kind": "percent", "value": 3, "discount_id": "b"},
        {"kind": "amount", "value": 4, "priority": 99},
        {"kind": "units", "value": 5, "priority": 1},
    ]

    result_of(price(STANDARD, discounts=discounts, currency="EUR"))

    given = asked[0].discounts.sort("discount_number").with_columns(pl.col("value").cast(pl.Int64))
    assert given.drop("charge_number", "discount_number").rows() == [
        ("units", 5), ("amount", 4), ("percent", 3), ("percent", 2), ("amount", 1),
    ]  # fmt: skip


def answered_with(
    monkeypatch: pytest.MonkeyPatch, case: Case, change: Callable[[Rated], Rated]
) -> Case:
    monkeypatch.setattr(rating, "rated", lambda given: change(everything_is_one(given)))
    (answer,) = answers_to({"id": "a"} | case)
    return answer


def test_lines_of_the_charge_follow_in_the_order_of_an_invoice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = ("true_up", "overage", "minimum", "maximum")
    bounds = [(0, kind, "1.005", "1.01") for kind in kinds]

    def change(rated: Rated) -> Rated:
        frame = pl.DataFrame(bounds, rating.BOUND_LINES, orient="row")
        return Rated(rated.lines, rated.tiers, rated.events, frame, rated.totals)

    lines = answered_with(monkeypatch, price(STANDARD, groups=[US, EU]), change)["result"]["lines"]

    assert [line["kind"] for line in lines] == [
        "usage", "usage", "maximum", "minimum", "overage", "true_up",
    ]  # fmt: skip
    assert lines[-1] == {
        "kind": "true_up",
        "group": {},
        "quantity": None,
        "billed_quantity": None,
        "event_count": 0,
        "unit_price": None,
        "amount_unrounded": "1.005",
        "amount": "1.01",
        "discount_amount": "0",
        "net_amount": "1.01",
        "tiers": [],
        "events": [],
    }


def test_line_has_its_tiers_and_events(monkeypatch: pytest.MonkeyPatch) -> None:
    tier = dict.fromkeys(rating.RATED_TIERS, "1") | {"line_key": 1, "up_to_units": None}
    event = {"line_key": 1, "position": 1, "free": "2", "charged": False,
             "amount_unrounded": "0"}  # fmt: skip

    def change(rated: Rated) -> Rated:
        tiers, events = (
            pl.DataFrame([row], schema)
            for row, schema in ((tier, rating.RATED_TIERS), (event, rating.RATED_EVENTS))
        )
        return Rated(rated.lines, tiers, events, rated.bound_lines, rated.totals)

    used = {"events": [{"value": 1}, {"value": 2}]}
    with_terms = price(PERCENTAGE | {"free_events": 1}, **used)
    (line,) = answered_with(monkeypatch, with_terms, change)["result"]["lines"]
    (other,) = answered_with(monkeypatch, price(PERCENTAGE, **used), change)["result"]["lines"]

    del tier["line_key"]
    assert line["tiers"] == [tier]
    assert line["events"] == [{"index": 1, "free": "2", "charged": False, "amount_unrounded": "0"}]
    assert other["events"] == []


def test_flat_line_has_the_quantity_of_its_charge(asked: list[ToRate]) -> None:
    case = price(FLAT | {"quantity": "2.50"}, already_billed={"amount": "20.0"})

    assert result_of(case) == {
        "lines": [
            {
                "kind": "flat",
                "group": {},
                "quantity": "2.5",
                "billed_quantity": "7",
                "event_count": 0,
                "unit_price": None,
                "amount_unrounded": "1",
                "amount": "1",
                "discount_amount": "0",
                "net_amount": "1",
                "tiers": [],
                "events": [],
            }
        ],
        "amount_unrounded": "1",
        "amount": "1",
        "already_billed": "20",
        "difference": "3",
    }
    assert lines_of(asked) == [("{}", 1, 0)]


@pytest.mark.parametrize(
    ("table", "path", "what"),
    [
        ("lines", "groups[0]", "the amount of region 'eu' has more digits"),
        ("bound_lines", "charge", "the amount of the line overage has more digits"),
        ("totals", "", "the amount of all lines has more digits"),
    ],
)
def test_amount_beyond_its_digits_is_overflow(
    monkeypatch: pytest.MonkeyPatch, table: str, path: str, what: str
) -> None:
    def change(rated: Rated) -> Rated:
        bounds = pl.DataFrame([(0, "overage", "1", "1")], rating.BOUND_LINES, orient="row")
        frames = {"lines": rated.lines, "totals": rated.totals, "bound_lines": bounds}
        frames[table] = frames[table].with_columns(amount=pl.lit(None, pl.String))
        return Rated(frames["lines"], rated.tiers, rated.events, frames["bound_lines"],
                     frames["totals"])  # fmt: skip

    error = answered_with(monkeypatch, price(STANDARD, groups=[EU]), change)["error"]

    assert (error["code"], error["path"]) == ("overflow", path)
    assert what in error["message"]


def test_case_that_overflows_touches_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def rated(given: ToRate) -> Rated:
        found = everything_is_one(given)
        is_first = pl.col("line_key") == 1
        lines = found.lines.with_columns(amount=pl.when(~is_first).then("amount"))
        return Rated(lines, found.tiers, found.events, found.bound_lines, found.totals)

    monkeypatch.setattr(rating, "rated", rated)
    answered = answers_to({"id": "a"} | price(STANDARD), {"id": "b"} | price(STANDARD))

    assert [answer["ok"] for answer in answered] == [False, True]
