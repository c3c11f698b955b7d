"""Worked examples that vendors publish, as cases of the kind `price` with what is expected.

Only examples that one charge decides are here. Where our rule differs from the vendor's, or the
page has to be read in one way of several, `rule` says so.
"""

from dataclasses import dataclass
from typing import Any

from tests.worlds.price_cases import Case, Row, graduated, price_case, standard, tiers

LAGO = "https://getlago.com/docs/guide/plans/charges/charge-models"
OPENMETER = "github:openmeterio/openmeter@7e57a394"
STRIPE = "https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing"
STRIPE_TIERS = "https://stripe.com/docs/billing/subscriptions/tiers"
METRONOME = (
    "github:Metronome-Industries/ai:skills/metronome-plg-billing/references/worked-examples.md"
)
KILLBILL = "github:killbill/killbill-docs:userguide"
FLEXPRICE = "github:flexprice/flexprice-docs@d7a86376:docs"
ORB = "https://docs.withorb.com/product-catalog/price-configuration"
ZUPLO = "https://zuplo.com/docs/articles/monetization/pricing-models"
MONK = "https://docs.monk.com/concepts/pricing"
CHARGEBEE = "https://www.chargebee.com/docs/billing/2.0/product-catalog/package-pricing"

RECURRING = "the invoice's total is the vendor's, less the recurring 30, which is another charge"
LAST_IS_OPEN = "the last tier of ours is open, and the vendor's ends"
NO_FLAT_AT_ZERO = "flat_at_zero has to be said; the page does not price 0 units"
OF_A_CHARGE = "the vendor's coupons are of the invoice; discounts of a charge chain alike"


@dataclass(frozen=True)
class Published:
    """An example: what a vendor says of a price.

    Attributes:
        example: its id in the list of published examples, and which part of it.
        vendor: who published it.
        page: where.
        what: what is priced.
        case: the case of the kind `price`.
        expected: some of the facts that `facts` gives of a result.
        rule: our rule where it differs, or how the page is read; empty: nothing differs.
    """

    example: str
    vendor: str
    page: str
    what: str
    case: Case
    expected: Row
    rule: str = ""


def facts(result: Case) -> Row:
    """What the examples say of a result."""
    reached = [tier for line in result["lines"] for tier in line["tiers"]]
    usage = [line for line in result["lines"] if line["kind"] in ("usage", "flat")]
    return {
        "amount": result["amount"],
        "difference": result["difference"],
        "usage_amounts": [line["amount"] for line in usage],
        "billed_quantities": [line["billed_quantity"] for line in usage],
        "tier_amounts": [tier["amount_unrounded"] for tier in reached],
        "packages": [tier["packages"] for tier in reached],
    }


def _published(
    example: str, vendor: str, page: str, what: str, charge: Row, rule: str = "",
    *, expected: str | Row, **fields: Any,
) -> Published:  # fmt: skip
    """An example; `expected` is a text where it is the amount alone."""
    said = {"amount": expected} if isinstance(expected, str) else expected
    return Published(example, vendor, page, what, price_case(charge, **fields), said, rule)


def _volume(rows: list[Row], **columns: Any) -> Row:
    return graduated(rows, charge_model="volume", **columns)


def _stairstep(*rows: tuple[str | None, str]) -> Row:
    steps = [{"up_to_units": end, "flat_amount": amount} for end, amount in rows]
    return {"charge_model": "stairstep", "flat_at_zero": False, "tiers": steps}


def _package(unit_price: str, size: str, **columns: Any) -> Row:
    return {"charge_model": "package", "unit_price": unit_price, "package_size": size} | columns


def _percent_tiers() -> Row:
    rows = (("1000", "1", "200"), ("10000", "2", "300"), (None, "3", "400"))
    return {
        "charge_model": "graduated_percentage",
        "flat_at_zero": False,
        "tiers": [
            {"up_to_units": end, "rate_percent": rate, "flat_amount": flat}
            for end, rate, flat in rows
        ],
    }


def _flat(amount: str) -> Row:
    return {"charge_model": "flat", "flat_amount": amount}


def _free(*rows: tuple[str | None, str]) -> list[Row]:
    """Tiers without flat amounts."""
    return tiers(*((end, unit_price, "0") for end, unit_price in rows))


_STRIPE = _volume(_free(("5", "7"), ("10", "6.5"), (None, "6")))
_STRIPE_FALLING = _volume(_free(("5", "5"), ("10", "4"), ("15", "3"), ("20", "2"), (None, "1")))
_KILLBILL = _free(("1000", "1.5"), (None, "2.0"))
_FLEXPRICE = (("10000", "0.0010"), ("50000", "0.0008"), ("100000", "0.0006"), (None, "0.0004"))
_ZUPLO = _free(("1000", "0.10"), ("10000", "0.05"), (None, "0.01"))
_ORB = _volume(_free(("10", "0.50"), (None, "0.40")))
_COMMITMENT = standard("2", commitment_amount="1000", commitment_overage_factor="1.5")

PUBLISHED_MODELS = (
    _published(
        "ex001", "lago", f"{LAGO}/package.md", "201 units, the first 100 free, 5 for each 100",
        _package("5", "100", free_units="100"), quantity="201",
        expected={"amount": "10", "packages": ["2"]},
    ),
    _published(
        "ex002", "lago", f"{LAGO}/volume.md", "65,000 units at one price, and one flat fee",
        _volume(tiers(*((end, price, "10") for end, price in _FLEXPRICE))),
        NO_FLAT_AT_ZERO, quantity="65000", expected="49",
    ),
    _published(
        "ex004", "lago", f"{LAGO}/graduated-percentage.md", "550 more after 500 (fee 205)",
        _percent_tiers(), NO_FLAT_AT_ZERO, quantity="550",
        already_billed={"quantity": "500", "amount": "205"},
        expected={"amount": "511", "difference": "306"},
    ),
    _published(
        "ex005", "lago", f"{LAGO}/graduated-percentage.md", "4,000 more after 1,050 (fee 511)",
        _percent_tiers(), NO_FLAT_AT_ZERO, quantity="4000",
        already_billed={"quantity": "1050", "amount": "511"},
        expected={"amount": "591", "difference": "80"},
    ),
    _published(
        "ex042", "openmeter", "https://openmeter.io/docs/billing/product-catalog/pricing-models",
        "10,000 units at 0.01", standard("0.01"), quantity="10000", expected="100",
    ),
    _published(
        "ex051", "openmeter",
        f"{OPENMETER}:openmeter/billing/charges/usagebased/service/rating/delta/README.md",
        "8 units of which 5 are billed, at 10", standard("10"), quantity="3",
        already_billed={"quantity": "5", "amount": "50"},
        expected={"amount": "80", "difference": "30"},
    ),
    _published(
        "ex054", "openmeter", f"{OPENMETER}:pkg/currencyx/README.md", "1.235 in USD",
        standard("1.235"), quantity="1", expected="1.24",
    ),
    *(
        _published(
            example, "stripe", STRIPE, f"{units} units by volume", _STRIPE,
            quantity=units, expected=amount,
        )
        for example, units, amount in (
            ("ex056", "1", "7"), ("ex057", "5", "35"), ("ex059", "20", "120"),
            ("ex060", "25", "150"),
        )
    ),
    *(
        _published(
            example, "stripe", STRIPE_TIERS, f"{units} units by volume, ever cheaper",
            _STRIPE_FALLING, quantity=units, expected=amount,
        )
        for example, units, amount in (
            ("ex062", "1", "5"), ("ex063", "5", "25"), ("ex065", "20", "40"), ("ex066", "25", "25"),
        )
    ),
    _published(
        "ex068", "stripe",
        "https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure",
        "a cycle whose corrections exceed its usage", standard("1"), quantity="-5",
        expected={"amount": "0", "billed_quantities": ["0"]},
    ),
    _published(
        "ex069", "metronome", METRONOME, "15,000 units in two tiers",
        graduated(_free(("10000", "0.01"), (None, "0.005"))), quantity="15000",
        expected={"amount": "125", "tier_amounts": ["100", "25"]},
    ),
)  # fmt: skip

PUBLISHED_CATALOGS = (
    *(
        _published(
            example, "killbill", f"{KILLBILL}/tutorials/catalog-examples.adoc",
            f"{charge['charge_model']}: {units} units", charge, RECURRING, quantity=units,
            expected=amount,
        )
        for example, charge, units, amount in (
            ("ex072", graduated(_KILLBILL), "400", "600"),
            ("ex073", graduated(_KILLBILL), "1200", "1900"),
            ("ex075", _volume(_KILLBILL), "1200", "2400"),
            ("ex078", graduated(_free(("100", "1.0"), (None, "0.5"))), "400", "250"),
        )
    ),
    _published(
        "ex076", "killbill", f"{KILLBILL}/tutorials/catalog-examples.adoc",
        "a peak of 400, where the higher step is the cheaper one",
        _stairstep(("1000", "750"), (None, "500")), f"{RECURRING}; {LAST_IS_OPEN}",
        quantity="400", expected="750",
    ),
    _published(
        "ex079", "killbill", f"{KILLBILL}/subscription/includes/invoicing-usage.adoc",
        "20 at 2, 100 at 20 and 10 at 10 on one item",
        {"charge_model": "matrix", "cells": [
            {"match": {"line": line}, "unit_price": price}
            for line, price in (("1", "2"), ("2", "20"), ("3", "10"))
        ]},
        "three prices side by side are a matrix; each group is a line",
        groups=[
            {"group": {"line": line}, "quantity": units}
            for line, units in (("1", "20"), ("2", "100"), ("3", "10"))
        ],
        expected={"amount": "2140", "usage_amounts": ["40", "2000", "100"]},
    ),
    _published(
        "ex080", "flexprice",
        f"{FLEXPRICE}/product-catalogue/plans/billing-models/volume-tiered.mdx",
        "65,000 units by volume", _volume(_free(*_FLEXPRICE)), quantity="65000", expected="39",
    ),
    _published(
        "ex081", "flexprice",
        "https://docs.flexprice.io/docs/product-catalogue/plans/billing-models/tiered",
        "4,500 units in a tier of blocks of 1,000 at 1.00",
        graduated([{"unit_price": "1.00", "package_size": "1000"}]), quantity="4500",
        expected={"amount": "5", "packages": ["5"]},
    ),
    _published(
        "ex083", "flexprice", f"{FLEXPRICE}/product-catalogue/plans/billing-models/package.mdx",
        "1,500 units in steps", _stairstep(("1000", "50"), ("5000", "200"), (None, "350")),
        f"the vendor's word for a stairstep is package; {LAST_IS_OPEN}",
        quantity="1500", expected="200",
    ),
    _published(
        "ex090", "flexprice",
        f"{FLEXPRICE}/product-catalogue/features/aggregation/max.mdx", "a maximum of 18 in tiers",
        graduated(_free(("5", "0"), ("10", "2"), (None, "3"))), quantity="18", expected="34",
    ),
    _published(
        "ex104", "orb", ORB, "101 units by volume", _ORB, LAST_IS_OPEN, quantity="101",
        expected="40.4",
    ),
    _published(
        "ex105", "orb", ORB, "10 units by volume", _ORB,
        f"the page says less than 10 and prices 10: up_to_units is inclusive; {LAST_IS_OPEN}",
        quantity="10", expected="5",
    ),
    *(
        _published(
            example, "orb", ORB, f"{units} units in packages of {size}, 1.00 for each unit",
            _package(size, size), "the units of whole packages are the vendor's billed units; ours "
            "are the units used, and the packages are counted beside them",
            quantity=units, expected={"amount": "10", "packages": [count]},
        )
        for example, units, size, count in (("ex107", "6", "5", "2"), ("ex108", "4", "10", "1"))
    ),
    _published(
        "ex113", "autumn",
        "https://docs.useautumn.com/documentation/modelling-pricing/graduated-pricing.md",
        "15,000 units in tiers",
        graduated(_free(("1000", "0.01"), ("10000", "0.008"), (None, "0.005"))),
        quantity="15000", expected="107",
    ),
    _published(
        "ex114", "zuplo", ZUPLO, "15,000 units in tiers", graduated(_ZUPLO), quantity="15000",
        expected="600",
    ),
    _published(
        "ex115", "zuplo", ZUPLO, "15,000 units by volume", _volume(_ZUPLO), quantity="15000",
        expected="150",
    ),
    _published(
        "ex116", "monk", MONK, "5,000 units in tiers",
        graduated(_free(("1000", "0.10"), ("10000", "0.08"), (None, "0.05"))), quantity="5000",
        expected="420",
    ),
    _published(
        "ex117", "monk", MONK, "5,500 units in packages of 1,000", _package("50.00", "1000"),
        quantity="5500", expected={"amount": "300", "packages": ["6"]},
    ),
    *(
        _published(
            f"ex118, {units} units", "chargebee", CHARGEBEE, "units in packages of a million",
            _package("1.25", "1000000"),
            "the vendor bills one package at 0 units too; ours has minimum_amount for that",
            quantity=units, expected=amount,
        )
        for units, amount in (("10", "1.25"), ("1000000", "1.25"), ("1500000", "2.5"))
    ),
)  # fmt: skip

PUBLISHED_TERMS = (
    _published(
        "ex053", "openmeter", "https://openmeter.io/docs/billing/invoicing/discounts",
        "500 free units over three parts", standard("1"),
        groups=[
            {"group": {"part": part}, "quantity": units}
            for part, units in (("1", "300"), ("2", "250"), ("3", "100"))
        ],
        discounts=[{"kind": "units", "value": "500"}],
        expected={"amount": "150", "billed_quantities": ["0", "50", "100"]},
    ),
    _published(
        "ex094", "flexprice", f"{FLEXPRICE}/invoices/calculation.mdx", "100 less 10 % twice",
        standard("1"), OF_A_CHARGE, quantity="100",
        discounts=[{"kind": "percent", "value": "10"}] * 2, expected="81",
    ),
    _published(
        "ex096", "flexprice", f"{FLEXPRICE}/invoices/calculation.mdx", "50 less 30 twice",
        standard("1"), OF_A_CHARGE, quantity="50",
        discounts=[{"kind": "amount", "value": "30"}] * 2, expected="0",
    ),
    _published(
        "ex097", "flexprice", f"{FLEXPRICE}/subscriptions/reservation-discount.mdx",
        "700 units of 500 committed, at 2", _COMMITMENT,
        "our commitment is an amount: 500 units at 2", quantity="700", expected="1600",
    ),
    _published(
        "ex099", "flexprice", f"{FLEXPRICE}/subscriptions/reservation-discount.mdx",
        "300 units of 500 committed, without true-up", _COMMITMENT | {"commitment_true_up": False},
        "our commitment is an amount: 500 units at 2", quantity="300", expected="600",
    ),
    _published(
        "ex100", "flexprice", f"{FLEXPRICE}/subscriptions/reservation-discount.mdx",
        "hours of 15, 6 and 10 units of 10 committed in each",
        _COMMITMENT | {"commitment_amount": "20", "priced_each": "bucket"},
        "our commitment is an amount: 10 units at 2", buckets=["15", "6", "10"], expected="75",
    ),
    _published(
        "ex102, credit", "flexprice", f"{FLEXPRICE}/subscriptions/understanding-proration.mdx",
        "45 of 90 days of 300", _flat("300"), share={"days": 45, "of": 90}, expected="150",
    ),
    _published(
        "ex102, charge", "flexprice", f"{FLEXPRICE}/subscriptions/understanding-proration.mdx",
        "45 of 90 days of 150, less the credit", _flat("150"), share={"days": 45, "of": 90},
        already_billed={"amount": "150"}, expected={"amount": "75", "difference": "-75"},
    ),
    _published(
        "ex103, credit", "flexprice", f"{FLEXPRICE}/subscriptions/understanding-proration.mdx",
        "265 of 365 days of 600", _flat("600"), share={"days": 265, "of": 365}, expected="435.62",
    ),
    _published(
        "ex103, charge", "flexprice", f"{FLEXPRICE}/subscriptions/understanding-proration.mdx",
        "265 of 365 days of 1,200, less the credit", _flat("1200"),
        "each side is rounded on its own, so the net is a cent less than the net rounded once",
        share={"days": 265, "of": 365}, already_billed={"amount": "435.62"},
        expected={"amount": "871.23", "difference": "435.61"},
    ),
)  # fmt: skip

PUBLISHED = (*PUBLISHED_MODELS, *PUBLISHED_CATALOGS, *PUBLISHED_TERMS)
