"""The examples of `docs/around_prices.md`, as they stand on the page, give what it says."""

import json
import re
from decimal import Decimal

import pytest

from tests.worlds.pages import blocks, examples, page, section, told
from tests.worlds.previews import Case, answers_to
from witness.settling import settle_answer

PAGE = page("around_prices")
EXAMPLES = examples(section(PAGE, "Steps"))


def case_of(name: str) -> Case:
    case: Case = json.loads(blocks(EXAMPLES[name], "json")[0])
    return case


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
    assert results[name] == settle_answer(case)
    # The arithmetic ends with what is due, as an invoice shows it.
    assert f"{Decimal(answer['amount_due']):,.2f}" in prose


def test_each_step_has_an_example(results: dict[str, Case]) -> None:
    arisen = {line["kind"] for result in results.values() for line in result["lines"]}

    assert {"minimum", "maximum", "unused_advance", "adjustment"} <= arisen
    for name in ("discount", "tax", "credit", "credit_note"):
        assert any(result[name] != "0" for result in results.values()), name
    assert {row.get("inclusive", False) for name in EXAMPLES
            for row in case_of(name).get("taxes", ())} == {True, False}  # fmt: skip


def test_the_table_leads_to_examples() -> None:
    anchors = re.findall(r"\| \[[^]]+\]\(#([\w-]+)\) \|", PAGE)
    headings = {name.lower().replace("'", "").replace(" ", "-") for name in EXAMPLES}

    assert len(anchors) == 8
    assert set(anchors) <= headings
