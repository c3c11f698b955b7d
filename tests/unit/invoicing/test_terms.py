"""Terms: what is in them, what names them, and what does not change them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any

import polars as pl
import pytest

from pipelines.invoicing.document_values import canonical_json
from pipelines.invoicing.terms import PriceBook, Terms, terms_of_periods
from pipelines.vocabulary.errors import InvariantError

CUSTOMER = {"customer_id": "acme", "currency": "USD", "tax_codes": ["vat"], "tax_exempt": False}
PLAN = {"plan_code": "edge", "name": "Edge", "rounding": "half_away"}


def charge(code: str, valid_from: str, **columns: Any) -> dict[str, Any]:
    return {
        "plan_code": "edge",
        "charge_code": code,
        "subscription_id": None,
        "valid_from": valid_from,
        "metric_code": "requests",
        "charge_model": "standard",
        "unit_price": "1",
        "tax_codes": [],
        **columns,
    }


def of_version(code: str, valid_from: str, **columns: Any) -> dict[str, Any]:
    key = {"plan_code": "edge", "charge_code": code, "subscription_id": None}
    return {**key, "valid_from": valid_from, **columns}


def discount(name: str, starts_on: str, ends_on: str | None, **owner: str) -> dict[str, Any]:
    owners = dict.fromkeys(("customer_id", "subscription_id", "plan_code"))
    return {"discount_id": name, "starts_on": starts_on, "ends_on": ends_on, **owners, **owner}


def commitment(name: str, starts_on: str, ends_on: str, owner: str = "s1") -> dict[str, Any]:
    columns = {"commitment_id": name, "subscription_id": owner, "amount": "100"}
    return {**columns, "starts_on": starts_on, "ends_on": ends_on}


BOOK = PriceBook(
    customers=[CUSTOMER],
    plans=[PLAN, {"plan_code": "other", "rounding": "half_even"}],
    charges=[charge("requests", "2026-01-01")],
    metrics={"requests": {"aggregation": "count"}, "bytes": {"aggregation": "sum"}},
)


def period(first: date, last: date, **columns: Any) -> dict[str, Any]:
    return {
        "subscription_id": "s1",
        "customer_id": "acme",
        "plan_code": "edge",
        "currency": "USD",
        "period_start_at": datetime(first.year, first.month, first.day, tzinfo=UTC),
        "period_start_date": first,
        "period_end_label": datetime.combine(last, time()),
        "service_days": 24,
        "full_days": 31,
        **columns,
    }


MARCH = period(date(2026, 3, 1), date(2026, 4, 1))


def terms(book: PriceBook = BOOK, of: dict[str, Any] = MARCH) -> Terms:
    (found,) = terms_of_periods(pl.DataFrame([of]), book).values()
    return found


def members(book: PriceBook = BOOK, of: dict[str, Any] = MARCH) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(terms(book, of).text)
    return found


def test_the_terms_are_this_text() -> None:
    found = terms()

    assert found.text == (
        '{"charges":[{"cells":[],"charge_code":"requests","charge_model":"standard",'
        '"metric_code":"requests","plan_code":"edge","subscription_id":null,"tax_codes":[],'
        '"tiers":[],"unit_price":"1","valid_from":"2026-01-01"}],"commitments":[],'
        '"currency":"USD","customer":{"currency":"USD","customer_id":"acme","tax_codes":["vat"],'
        '"tax_exempt":false},"discounts":[],"format":1,"metrics":{"requests":{"aggregation":'
        '"count"}},"minor_unit_digits":2,"plan":{"name":"Edge","plan_code":"edge","rounding":'
        '"half_away"},"recipe":1,"share":{"full_days":31,"service_days":24},"taxes":[]}'
    )
    assert found.text == canonical_json(json.loads(found.text))
    assert found.digest == sha256(found.text.encode()).hexdigest()


def test_the_price_of_a_line_is_named_by_the_digest_of_its_charge_in_the_terms() -> None:
    found = terms()
    line = {
        "line_id": "i/requests/{}",
        "charge_code": "requests",
        "price_valid_from": date(2026, 1, 1),
        "kind": "usage",
        "service_start_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    (member,) = json.loads(found.text)["charges"]

    digest = sha256(canonical_json(member).encode()).hexdigest()
    assert found.price_digest(line) == digest
    with pytest.raises(
        InvariantError,
        match=r"i/requests/\{\}: expected the terms to have charge requests with the price of "
        r"2026-01-02, found requests of 2026-01-01",
    ):
        found.price_digest(line | {"price_valid_from": date(2026, 1, 2)})


@pytest.mark.parametrize(
    ("first", "versions"),
    [
        pytest.param(date(2026, 2, 27), {}, id="a day before the first"),
        pytest.param(date(2026, 2, 28), {"requests": "2026-02-28"}, id="on its first day"),
        pytest.param(date(2026, 3, 30), {"requests": "2026-02-28"}, id="a day before the second"),
        pytest.param(
            date(2026, 3, 31),
            {"egress": "2026-03-31", "requests": "2026-03-31"},
            id="on the first day of the second, and of another charge",
        ),
    ],
)
def test_each_charge_in_force_on_the_first_day_is_there(
    first: date, versions: dict[str, str]
) -> None:
    charges = [
        charge("requests", "2026-03-31"),
        charge("requests", "2026-02-28"),
        charge("egress", "2026-03-31", metric_code="bytes"),
        charge("requests", "2026-01-01", plan_code="other"),
    ]

    found = members(replace(BOOK, charges=charges), period(first, date(2026, 5, 1)))

    assert [(row["charge_code"], row["valid_from"]) for row in found["charges"]] == list(
        versions.items()
    )
    assert list(found["metrics"]) == sorted(
        {"egress": "bytes", "requests": "requests"}[code] for code in versions
    )


@pytest.mark.parametrize(
    ("first", "price"),
    [
        pytest.param(date(2026, 3, 4), "1", id="a day before"),
        pytest.param(date(2026, 3, 5), "0.5", id="from its first day on"),
        pytest.param(date(2026, 3, 9), "0.5", id="also after a newer price of the plan"),
    ],
)
def test_a_negotiated_price_stands_for_that_of_the_plan(first: date, price: str) -> None:
    charges = [
        charge("requests", "2026-01-01"),
        charge("requests", "2026-03-09", unit_price="2"),
        charge("requests", "2026-03-05", subscription_id="s1", unit_price="0.5"),
        charge("requests", "2026-01-01", subscription_id="s2", unit_price="9"),
    ]

    found = members(replace(BOOK, charges=charges), period(first, date(2026, 5, 1)))

    assert [row["unit_price"] for row in found["charges"]] == [price]


def test_tiers_and_cells_are_those_of_the_version_in_one_order() -> None:
    tiers = [
        of_version("requests", "2026-01-01", from_units="10", unit_price="1"),
        of_version("requests", "2026-01-01", from_units="9", unit_price="2"),
        of_version("requests", "2026-02-01", from_units="0", unit_price="3"),
    ]
    cells = [
        of_version("requests", "2026-01-01", match="b=1", unit_price="1"),
        of_version("requests", "2026-01-01", match="a=1", unit_price="2"),
        of_version("egress", "2026-01-01", match="a=1", unit_price="3"),
    ]

    (found,) = members(replace(BOOK, tiers=tiers, cells=cells))["charges"]

    assert found["tiers"] == [
        {"from_units": "9", "unit_price": "2"},
        {"from_units": "10", "unit_price": "1"},
    ]
    assert [row["match"] for row in found["cells"]] == ["a=1", "b=1"]


def test_the_order_of_rows_changes_nothing() -> None:
    book = replace(
        BOOK,
        charges=[charge("requests", "2026-01-01"), charge("egress", "2026-01-01")],
        discounts=[
            discount("a", "2026-01-01", None, customer_id="acme"),
            discount("b", "2026-01-01", None, plan_code="edge"),
        ],
        taxes=[{"tax_code": "vat", "valid_from": f"2026-0{month}-01"} for month in (1, 2)],
        commitments=[
            commitment("a", "2026-01-01", "2027-01-01"),
            commitment("b", "2026-01-01", "2027-01-01"),
        ],
    )
    turned = replace(
        book,
        charges=book.charges[::-1],
        discounts=book.discounts[::-1],
        taxes=book.taxes[::-1],
        commitments=book.commitments[::-1],
    )

    assert terms(turned) == terms(book)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "is_there"),
    [
        pytest.param("2026-01-01", None, True, id="open"),
        pytest.param("2026-01-01", "2026-03-01", False, id="ended on the first day"),
        pytest.param("2026-01-01", "2026-03-02", True, id="ends a day later"),
        pytest.param("2026-04-01", None, True, id="starts when the period ends, as a fee may"),
        pytest.param("2026-04-02", None, False, id="starts a day later"),
    ],
)
def test_discounts_that_may_hold_are_there(
    starts_on: str, ends_on: str | None, is_there: bool
) -> None:
    book = replace(BOOK, discounts=[discount("d", starts_on, ends_on, subscription_id="s1")])

    assert [row["discount_id"] for row in members(book)["discounts"]] == ["d"] * is_there


def test_discounts_are_those_of_customer_subscription_and_plan() -> None:
    owners = [
        ("c", {"customer_id": "acme"}),
        ("a", {"subscription_id": "s1"}),
        ("b", {"plan_code": "edge"}),
        ("x", {"customer_id": "s1"}),
        ("y", {"subscription_id": "s2"}),
        ("z", {"plan_code": "other"}),
    ]
    rows = [discount(name, "2026-01-01", None, **owner) for name, owner in owners]

    found = members(replace(BOOK, discounts=rows))["discounts"]

    assert [row["discount_id"] for row in found] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "owner", "is_there"),
    [
        pytest.param("2026-03-01", "2026-03-02", "s1", True, id="from the first day on"),
        pytest.param("2026-03-02", "2027-01-01", "s1", False, id="from a day later on"),
        pytest.param("2026-01-01", "2026-03-01", "s1", False, id="ended on the first day"),
        pytest.param("2026-01-01", "2027-01-01", "s2", False, id="of another subscription"),
    ],
)
def test_commitments_cover_periods_that_start_in_their_term(
    starts_on: str, ends_on: str, owner: str, is_there: bool
) -> None:
    book = replace(BOOK, commitments=[commitment("c", starts_on, ends_on, owner)])

    assert [row["commitment_id"] for row in members(book)["commitments"]] == ["c"] * is_there


def test_taxes_are_those_that_customer_and_charges_name_at_all_rates() -> None:
    taxes = [
        {"tax_code": "vat", "valid_from": "2026-01-01"},
        {"tax_code": "city", "valid_from": "2026-01-01"},
        {"tax_code": "city", "valid_from": "2027-01-01"},
        {"tax_code": "other", "valid_from": "2026-01-01"},
    ]
    charges = [charge("requests", "2026-01-01", tax_codes=["city"])]

    found = members(replace(BOOK, taxes=taxes, charges=charges))["taxes"]

    assert [(row["tax_code"], row["valid_from"][:4]) for row in found] == [
        ("city", "2026"),
        ("city", "2027"),
        ("vat", "2026"),
    ]


def test_periods_of_the_same_terms_share_them() -> None:
    may = period(date(2026, 5, 1), date(2026, 6, 1))
    june = period(date(2026, 6, 1), date(2026, 7, 1), full_days=30)

    assert terms(of=may) == terms()
    assert terms(of=june).digest != terms().digest
    assert members(of=june)["share"] == {"service_days": 24, "full_days": 30}


def test_the_minor_unit_is_that_of_the_period() -> None:
    yen = members(of=MARCH | {"currency": "JPY"})

    assert (yen["currency"], yen["minor_unit_digits"]) == ("JPY", 0)


@pytest.mark.parametrize(
    ("book", "of", "what"),
    [
        pytest.param(BOOK, MARCH | {"customer_id": "x"}, "customer x", id="customer"),
        pytest.param(replace(BOOK, plans=[]), MARCH, "plan edge", id="plan"),
        pytest.param(replace(BOOK, metrics={}), MARCH, "metric requests", id="metric"),
    ],
)
def test_what_the_book_lacks_is_named(book: PriceBook, of: dict[str, Any], what: str) -> None:
    with pytest.raises(InvariantError, match=f"expected the {what} of a period that closes"):
        terms(book, of)


def test_each_part_that_periods_share_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 periods of one plan and day write its charges once, and each customer once."""
    written: list[object] = []

    def count(value: object) -> str:
        written.append(value)
        return canonical_json(value)

    monkeypatch.setattr("pipelines.invoicing.terms.canonical_json", count)
    rows = [MARCH | {"subscription_id": f"s{number}"} for number in range(10_000)]

    found = terms_of_periods(pl.DataFrame(rows), BOOK)

    assert len(found) == 10_000
    assert len({each.digest for each in found.values()}) == 1
    large = [value for value in written if isinstance(value, dict)]
    # The customer, both plans, the charge, and the metrics of the charges.
    assert len(large) == 5


AHEAD = replace(BOOK, charges=[
    charge("seat", "2026-01-01", metric_code=None), charge("desk", "2026-01-01", metric_code=None),
    charge("seat", "2026-01-01", metric_code=None, plan_code="other", unit_price="2"),
])  # fmt: skip
APRIL = period(date(2026, 4, 1), date(2026, 5, 1), plan_code="other", service_days=30)


def with_ahead() -> Terms:
    """March with a fee in advance for April, when another plan holds."""
    after = terms(AHEAD, APRIL)
    return terms(AHEAD).with_ahead(after, APRIL["period_start_at"], ["seat"])


def test_fees_in_advance_have_their_charge_plan_and_days_in_the_terms() -> None:
    found = with_ahead()
    of_march, of_april = json.loads(terms(AHEAD).text), json.loads(terms(AHEAD, APRIL).text)

    assert found.text == canonical_json(json.loads(found.text))
    assert found.digest == sha256(found.text.encode()).hexdigest()
    assert json.loads(found.text) == of_march | {
        "ahead": {name: of_april[name] for name in ("charges", "plan", "share")}
    }
    assert found.roundings == ("half_away", "half_even")
    assert terms(AHEAD).roundings == ("half_away",)


def test_a_fee_in_advance_has_the_price_of_its_own_period() -> None:
    found = with_ahead()
    line = {"line_id": "i", "kind": "flat", "charge_code": "seat",
            "price_valid_from": date(2026, 1, 1),
            "service_start_at": MARCH["period_start_at"]}  # fmt: skip
    ahead = line | {"service_start_at": APRIL["period_start_at"]}
    (member,) = json.loads(found.text)["ahead"]["charges"]

    assert found.price_digest(ahead) == sha256(canonical_json(member).encode()).hexdigest()
    assert found.price_digest(line) == terms(AHEAD).price_digest(line) != found.price_digest(ahead)
    with pytest.raises(InvariantError, match="expected the terms to have charge desk"):
        found.price_digest(ahead | {"charge_code": "desk"})


@pytest.mark.parametrize("kind", ["unused_advance", "adjustment"])
def test_what_is_settled_may_have_a_price_of_other_terms(kind: str) -> None:
    line = {"line_id": "i", "kind": kind, "charge_code": "seat",
            "price_valid_from": date(2026, 1, 1),
            "service_start_at": MARCH["period_start_at"]}  # fmt: skip

    assert terms(AHEAD).price_digest(line) is not None
    assert terms(AHEAD).price_digest(line | {"charge_code": "gone"}) is None
