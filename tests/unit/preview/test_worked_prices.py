"""The examples of `docs/prices.md`, as they stand on the page, give what it says."""

import csv
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES
from pipelines.catalog.csv_files import read_file
from pipelines.catalog.filters import parse_match
from pipelines.catalog.tables.charges import MODELS
from tests.worlds.pages import blocks, examples, page, section, told
from tests.worlds.previews import Case, answers_to
from witness.prices import price_answer

PAGE = page("prices")
EXAMPLES = {
    name: text
    for heading in ("Charge models", "Terms")
    for name, text in examples(section(PAGE, heading)).items()
}

PLACES = {"plan_code", "charge_code", "metric_code", "valid_from", "from_units"}
"""Columns that say where a row stands: a case has its rows in place."""


def case_of(name: str) -> Case:
    case: Case = json.loads(blocks(EXAMPLES[name], "json")[0])
    return case


def file_of(code: str) -> str:
    """The file of the catalog that has the columns of a block."""
    header = set(code.partition("\n")[0].split(","))
    own = {"charge_model": "charges.csv", "from_units": "charge_tiers.csv"}
    return next((own[name] for name in own if name in header), "charge_cells.csv")


def filled(row: dict[str, str]) -> dict[str, Any]:
    return {name: cell for name, cell in row.items() if cell and name not in PLACES}


def charge_of_rows(codes: Sequence[str]) -> dict[str, Any]:
    """The charge of a case by rows of the catalog."""
    rows = {file_of(code): list(csv.DictReader(code.splitlines())) for code in codes}
    assert len(rows) == len(codes)
    (of_charge,) = rows["charges.csv"]
    charge = filled(of_charge)
    if "group_by" in charge:
        charge["group_by"] = charge["group_by"].split(";")
    tiers = rows.get("charge_tiers.csv", [])
    assert all(tier["up_to_units"] == after["from_units"] for tier, after in pairwise(tiers))
    assert [tier["from_units"] for tier in tiers[:1]] in ([], ["0"])
    if tiers:
        charge["tiers"] = [filled(row) for row in tiers]
    if cells := rows.get("charge_cells.csv", []):
        charge["cells"] = [filled(row) | {"match": parse_match(row["match"])} for row in cells]
    return charge


def shown(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"


@pytest.fixture(scope="module")
def results() -> dict[str, Case]:
    """The results of all examples, asked in one call."""
    answered = answers_to(*map(case_of, EXAMPLES))
    assert [answer for answer in answered if not answer["ok"]] == []
    return {name: each["result"] for name, each in zip(EXAMPLES, answered, strict=True)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_the_page_says(name: str, results: dict[str, Case]) -> None:
    case, answer = map(json.loads, blocks(EXAMPLES[name], "json"))
    prose = re.sub(r"```.*?```", "", EXAMPLES[name], flags=re.DOTALL)

    assert told(answer, results[name]) == answer
    assert results[name] == price_answer(case)
    # The arithmetic ends with the amount, as an invoice shows it.
    assert shown(answer["amount"]) in prose


@pytest.mark.parametrize("name", EXAMPLES)
def test_rows_of_the_catalog_say_what_the_case_says(name: str) -> None:
    codes = blocks(EXAMPLES[name], "csv")
    problems = [
        problem
        for code in codes
        for problem in read_file(TABLES[file_of(code)], code.encode()).problems
    ]

    assert problems == []
    assert charge_of_rows(codes) == case_of(name)["charge"]


def test_each_model_and_term_has_an_example() -> None:
    charges = [case_of(name)["charge"] for name in EXAMPLES]
    terms = {name for charge in charges for name in charge}
    of_tiers = {name for charge in charges for tier in charge.get("tiers", ()) for name in tier}

    assert {charge["charge_model"] for charge in charges} == set(MODELS)
    assert {
        "unit_divisor", "unit_rounding", "free_units", "package_size", "minimum_amount",
        "maximum_amount", "priced_each", "commitment_amount", "free_amount",
    } <= terms  # fmt: skip
    assert {"package_size", "maximum_amount", "rate_percent", "flat_amount"} <= of_tiers


@pytest.mark.parametrize(
    ("name", "more", "term", "amount"),
    [
        ("Graduated", {"quantity": "0"}, {"flat_at_zero": "yes"}, "3.00"),
        ("Volume", {"quantity": "100"}, {}, "5.00"),
        ("Package", {}, {"package_rounding": "down"}, "8.00"),
        ("Flat", {}, {"prorated": "no"}, "60.00"),
        ("Flat", {}, {"billed": "once"}, "60.00"),
        ("Each bucket priced alone", {"buckets": None, "quantity": "50"}, {"priced_each": None},
         "20.00"),
        ("A commitment that is not reached", {}, {"commitment_true_up": "no"}, "600.00"),
        ("A commitment that is not reached", {"quantity": None, "buckets": ["30", "12", "20"]},
         {"priced_each": "bucket", "commitment_amount": "20.00"}, "75.00"),
    ],
)  # fmt: skip
def test_what_else_an_example_says_of_its_terms(
    name: str, more: Case, term: Case, amount: str
) -> None:
    case = case_of(name)
    (answer,) = answers_to(case | more | {"charge": case["charge"] | term})

    assert shown(answer["result"]["amount"]) == amount
    assert amount in EXAMPLES[name]


def test_the_table_of_models_leads_to_their_examples() -> None:
    links = re.findall(r"\| \[`(\w+)`\]\(#([\w-]+)\) \|", PAGE)

    assert [model for model, _ in links] == list(
        dict.fromkeys(case_of(name)["charge"]["charge_model"] for name in EXAMPLES)
    )
    headings = {name.lower().replace(" ", "-") for name in EXAMPLES}
    assert {anchor for _, anchor in links} <= headings
    for model, anchor in links:
        name = next(each for each in EXAMPLES if each.lower().replace(" ", "-") == anchor)
        assert case_of(name)["charge"]["charge_model"] == model
