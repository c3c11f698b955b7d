"""The files of the dbt project are short, exact and tested: rules over their text."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import DBT_PROJECT
from pipelines.vocabulary.money import KNOWN_CURRENCIES, minor_unit_digits

SQL_LINES_MAX = 100
SQL_COLUMNS_MAX = 80
MACRO_LINES_MAX = 130
YML_LINES_MAX = 450


def sql_offences(name: str, text: str) -> Iterator[str]:
    """What stands in a model and must not: long text, and division of decimals."""
    lines = text.splitlines()
    if len(lines) > SQL_LINES_MAX:
        yield f"{name} has {len(lines)} lines"
    yield from (
        f"{name}:{number} is too long"
        for number, line in enumerate(lines, start=1)
        if len(line) > SQL_COLUMNS_MAX
    )
    code = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|--[^\n]*|'[^']*'", " ", text, flags=re.DOTALL)
    if "/" in code:
        yield f"{name} divides, which gives DOUBLE for decimals; use a money macro"
    if re.search(r"\b(avg|mean|median|double|float|real)\b", code, re.IGNORECASE):
        yield f"{name} leaves the decimals"
    if re.search(r"\bfrom (?!\{\{)\w+\.", code) or "jinja" in code:
        yield f"{name} names a relation without ref"


MODEL_FILES = sorted(
    [*(DBT_PROJECT / "models").rglob("*.sql"), *(DBT_PROJECT / "tests").rglob("*.sql")]
)


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.stem)
def test_sql_is_short_and_exact(path: Path) -> None:
    assert list(sql_offences(path.name, path.read_text())) == []


@pytest.mark.parametrize(
    "text",
    ["select 1\n" * 101, "select " + "x" * 80, "select a / b", "select a // b", "select AVG(a)",
     "select cast(a as double)", "select * from marts.fct_invoices"],
    ids=["long", "wide", "slash", "slashes", "average", "double", "no ref"],
)  # fmt: skip
def test_sql_rule_catches_a_bad_example(text: str) -> None:
    assert len(list(sql_offences("bad", text))) == 1


def test_sql_rule_lets_texts_comments_and_macros_be() -> None:
    text = "{# a / b #}\nselect a || '/' || {{ div_round('a', 'b // c') }} from {{ ref('x') }} -- /"
    assert list(sql_offences("good", text)) == []


@pytest.mark.parametrize(
    ("pattern", "lines_max"),
    [
        ("macros/**/*.sql", MACRO_LINES_MAX),
        ("**/*.yml", YML_LINES_MAX),
        ("**/docs.md", YML_LINES_MAX),
    ],
)
def test_other_files_are_short(pattern: str, lines_max: int) -> None:
    paths = [path for path in DBT_PROJECT.glob(pattern) if "target" not in path.parts]
    lengths = {path.name: len(path.read_text().splitlines()) for path in paths}
    assert lengths
    assert {name: length for name, length in lengths.items() if length > lines_max} == {}


def test_every_generic_test_is_tested() -> None:
    generic = {path.stem for path in (DBT_PROJECT / "tests" / "generic").glob("*.sql")}
    tests_of_tests = [path.stem for path in (DBT_PROJECT / "tests" / "of_tests").glob("*.sql")]
    assert {
        name for name in generic if not any(each.startswith(name) for each in tests_of_tests)
    } == set()


def test_currencies_are_those_of_pipelines_money() -> None:
    with (DBT_PROJECT / "reference" / "currencies.csv").open(newline="") as file:
        digits = {row["currency"]: int(row["minor_unit_digits"]) for row in csv.DictReader(file)}
    assert digits == {currency: minor_unit_digits(currency) for currency in KNOWN_CURRENCIES}
