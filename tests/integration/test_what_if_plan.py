"""What-if of plans on the sample's home agrees with its invoices, and with the witness."""

import csv
import json
from collections import defaultdict
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from pipelines.operations.what_if_plan import what_if_plan
from pipelines.settings import DBT_PROJECT
from tests.worlds.sample_runs import sample_run
from witness.prices import price_answer

SEEDS = DBT_PROJECT / "seeds"

PLANS = [row["plan_code"] for row in csv.DictReader((SEEDS / "plans.csv").open())]

Row = dict[str, str]


def rows_of(name: str, plan_code: str) -> list[Row]:
    rows = csv.DictReader((SEEDS / f"{name}.csv").open())
    return [row for row in rows if row["plan_code"] == plan_code]


def test_the_plan_that_billed_a_period_comes_to_its_invoice() -> None:
    home = sample_run().home
    own = dict(home.rows("SELECT invoice_id, plan_code FROM dim_billing_periods"))
    compared = []

    for plan_code in PLANS:
        for each in what_if_plan(home.settings, plan_code, None, None).invoices:
            if own[each.invoice_id] == plan_code:
                assert (each.difference, each.note) == ("0", None), each
                compared.append(each)

    assert len(compared) == len(home.rows("SELECT 1 FROM fct_invoices"))
    assert {each.status for each in compared} == {"finalized", "draft"}
    assert len([each for each in compared if each.billed != "0"]) > 10


@pytest.mark.parametrize("plan_code", ["edge-developer", "edge-europe", "bulk-egress"])
def test_a_plan_comes_to_what_the_witness_works_out(plan_code: str) -> None:
    """Two versions by two properties; tiers, and one property of two; tiers with flat amounts."""
    home = sample_run().home
    usage = defaultdict[tuple[str, str], list[tuple[Row, Fraction]]](list)
    for invoice_id, metric_code, key, quantity in home.rows(
        "SELECT invoice_id, metric_code, group_key, quantity FROM fct_metered_usage"
    ):
        usage[invoice_id, metric_code].append((json.loads(key), Fraction(quantity or 0)))
    periods = home.rows("SELECT invoice_id, period_start_date FROM fct_invoices")

    found = what_if_plan(home.settings, plan_code, None, None)

    amounts = {each.invoice_id: Fraction(each.would_be or "nothing") for each in found.invoices}
    (currency,) = {each.would_be_currency for each in found.invoices}
    assert amounts == {
        invoice_id: sum(
            Fraction(amount_of(charge, usage[invoice_id, charge["metric_code"]], currency))
            for charge in charges_on(plan_code, first_day)
        )
        for invoice_id, first_day in periods
    }
    assert len(set(amounts.values())) > 5


def charges_on(plan_code: str, day: date) -> list[Row]:
    newest = dict[str, Row]()
    for row in sorted(rows_of("charges", plan_code), key=lambda row: row["valid_from"]):
        if row["valid_from"] <= str(day):
            newest[row["charge_code"]] = row
    return list(newest.values())


def amount_of(charge: Row, usage: list[tuple[Row, Fraction]], currency: str) -> str:
    tiers = [
        {name: tier[name] for name in ("up_to_units", "unit_price", "flat_amount")}
        for tier in rows_of("charge_tiers", charge["plan_code"])
        if tier["charge_code"] == charge["charge_code"]
    ]
    names = charge["group_by"].split(";") if charge["group_by"] else []
    sums = defaultdict[tuple[str, ...], Fraction](Fraction)
    for group, quantity in usage:
        sums[tuple(group[name] for name in names)] += quantity
    case: dict[str, Any] = {"currency": currency, "charge": {
        "charge_model": charge["charge_model"], "unit_price": charge["unit_price"],
        "group_by": names, "tiers": tiers,
    }}  # fmt: skip
    if names:
        case["groups"] = [
            {"group": dict(zip(names, texts, strict=True)), "quantity": str(quantity)}
            for texts, quantity in sums.items()
        ]
    else:
        case["quantity"] = str(sum(sums.values()))
    amount: str = price_answer(case)["amount"]
    return amount


def test_the_command_answers_as_it_is_installed() -> None:
    answer = sample_run().home.report(
        "what-if", "--plan", "edge-labs", "--customer", "blog", "--from", "2015-05-11"
    )

    assert {each["customer_id"] for each in answer["invoices"]} == {"blog"}
    (total,) = answer["totals"]
    difference = Fraction(total["would_be"]) - Fraction(total["billed"])
    assert difference == Fraction(total["difference"]) != 0
