"""Documents of both formats: which code reads which, and what format 2 lays out.

Documents of format 1 are those of the lakes that were made by the code of their day.
"""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.invoicing.chain import verify_chain
from pipelines.invoicing.documents import (
    FORMAT,
    FORMATS,
    LinesInOrder,
    document_text,
    lines_per_invoice,
    verify_documents,
)
from pipelines.lake.acts import CHAIN
from pipelines.vocabulary.tables import INVOICE_LINES, INVOICES
from tests.worlds.books import Books, Draft, DraftLine, closing_facts, finalized
from tests.worlds.deliveries import NOON
from tests.worlds.lakes import copy_old_lake, open_lake

OLD_LAKES = ("schema_2", "schema_3", "schema_5", "schema_7", "billed_twice")

ACME = Draft("acme", NOON)

SUMMED = replace(
    ACME,
    lines=(
        DraftLine(
            "10",
            ["10"],
            discount_amount="1",
            tax_amount="1.8",
            credit_amount="0.8",
        ),
        DraftLine("-1", [], "spring", kind="discount"),
        DraftLine("1.8", [], "vat", kind="tax"),
        DraftLine("-0.8", [], "gift", kind="credit"),
    ),
)
"""10.00 less 1.00, a tax of 20 %, and a credit of 0.80."""


def old_books(name: str, folder: Path) -> tuple[Books, pl.DataFrame]:
    """The invoices of an old lake as a lake of today has them, and the links of their chain."""
    with open_lake(copy_old_lake(name, folder), read_only=False) as lake:
        return Books(lake.table(INVOICES), lake.table(INVOICE_LINES)), lake.query(CHAIN)


def test_new_documents_are_of_format_2() -> None:
    books = Books().with_closing(finalized([ACME]))

    assert sorted(FORMATS) == [1, 2]
    assert FORMAT == 2
    assert json.loads(books.invoices["canonical_json"][0])["format"] == 2
    assert books.invoices["format"].to_list() == [2]


@pytest.mark.parametrize("name", OLD_LAKES)
def test_documents_of_format_1_are_verified_by_their_own_code(name: str, tmp_path: Path) -> None:
    books, links = old_books(name, tmp_path)
    texts = books.invoices["canonical_json"].to_list()

    assert len(texts) >= 5
    assert {json.loads(text)["format"] for text in texts} == {1}
    assert verify_documents(books.invoices, books.lines) is None
    assert verify_chain(links) is None
    lines = lines_per_invoice(books.lines)
    rows = books.invoices.iter_rows(named=True)
    assert [document_text(row, lines.get(row["invoice_id"], []), 1) for row in rows] == texts


def test_documents_of_format_2_of_an_older_lake_are_verified(tmp_path: Path) -> None:
    books, links = old_books("schema_8", tmp_path)
    texts = books.invoices["canonical_json"].to_list()

    assert len(texts) == 5
    assert {json.loads(text)["format"] for text in texts} == {2}
    assert verify_documents(books.invoices, books.lines) is None
    assert verify_chain(links) is None


def test_an_old_row_that_was_changed_is_named(tmp_path: Path) -> None:
    books, _ = old_books("schema_7", tmp_path)
    dearer = books.lines.with_columns(amount=pl.col("amount") + 1)

    broken = verify_documents(books.invoices, dearer.cast(INVOICE_LINES.schema))

    assert broken is not None
    assert "lines/0/amount" in broken.claim


def test_documents_of_both_formats_stand_in_one_book(tmp_path: Path) -> None:
    old, _ = old_books("schema_7", tmp_path)
    later = finalized([ACME], old, closing_facts(9))
    books = old.with_closing(later)

    assert later.invoices.height == 1
    assert verify_documents(books.invoices, books.lines) is None
    assert verify_chain(books.invoices) is None
    assert books.invoices["format"].to_list() == [*[None] * old.invoices.height, 2]


@pytest.mark.parametrize("found", ["3", "0", "true", '"2"', "null", "[2]"])
def test_a_format_that_nobody_knows_is_named(found: str) -> None:
    books = Books().with_closing(finalized([ACME]))
    (text,) = books.invoices["canonical_json"]
    other = text.replace('"format":2', f'"format":{found}')

    broken = verify_documents(
        books.invoices.with_columns(canonical_json=pl.lit(other)), books.lines
    )

    assert broken is not None
    assert broken.sentence() == (
        f"INV-000001: this Meterline knows its document's format: expected 1 or 2, found {found}"
    )


@pytest.mark.parametrize("in_row", [None, 1, 3])
def test_a_row_of_another_format_than_its_document_is_named(in_row: int | None) -> None:
    books = Books().with_closing(finalized([ACME]))
    rows = books.invoices.with_columns(pl.lit(in_row, pl.Int32).alias("format"))

    broken = verify_documents(rows, books.lines)

    assert broken is not None
    assert broken.claim == "its row has the format of its document"
    assert (broken.expected, broken.found) == ("2", str(in_row or 1))


@pytest.mark.parametrize("column", ["subtotal_amount", "amount_due"])
def test_a_row_that_lacks_what_its_document_says_is_named(column: str) -> None:
    books = Books().with_closing(finalized([ACME]))
    rows = books.invoices.with_columns(pl.lit(None, INVOICES.schema[column]).alias(column))

    broken = verify_documents(rows, books.lines)

    assert broken is not None
    assert broken.claim == "its rows have what its document says"


def test_each_column_of_a_line_is_in_its_document() -> None:
    """What is not there could be changed in the lake, and nobody would notice."""
    books = Books().with_closing(finalized([ACME]))
    document = json.loads(books.invoices["canonical_json"][0])

    renamed = {"group_key": "group"}
    columns = {renamed.get(name, name) for name in INVOICE_LINES.column_names}
    assert set(document["lines"][0]) == columns - {"batch_id", "invoice_id"}
    of_the_run = {"batch_id", "as_of", "event_batch_id", "code_revision"}
    of_the_chain = {"document_sha256", "previous_chain_sha256", "chain_sha256", "chain_position"}
    own = set(INVOICES.column_names) - of_the_run - of_the_chain - {"canonical_json", "line_count"}
    assert set(document) == own | {"lines", "summary_rows"}


def test_discounts_taxes_and_credits_are_summary_rows() -> None:
    books = Books().with_closing(finalized([SUMMED]))
    document = json.loads(books.invoices["canonical_json"][0])

    assert [line["kind"] for line in document["lines"]] == ["usage"]
    assert [
        (row["kind"], row["code"], row["line_number"], row["amount"])
        for row in document["summary_rows"]
    ] == [
        ("discount", "spring", 2, "-1"),
        ("tax", "vat", 3, "1.8"),
        ("credit", "gift", 4, "-0.8"),
    ]
    totals = ("subtotal", "discount", "net", "tax", "total", "credit")
    assert {name: document[f"{name}_amount"] for name in totals} == {
        "subtotal": "10",
        "discount": "1",
        "net": "9",
        "tax": "1.8",
        "total": "10.8",
        "credit": "0.8",
    }
    assert document["amount_due"] == "10"
    assert sum(books.lines["amount"]) == Decimal(10)
    assert verify_documents(books.invoices, books.lines) is None


def test_a_changed_summary_row_is_named() -> None:
    books = Books().with_closing(finalized([SUMMED]))
    amount = pl.when(pl.col("kind") == "tax").then(pl.lit(Decimal(2))).otherwise("amount")

    broken = verify_documents(
        books.invoices, books.lines.with_columns(amount=amount).cast(INVOICE_LINES.schema)
    )

    assert broken is not None
    assert broken.sentence() == (
        "INV-000001: its rows say what its document says at summary_rows/1/amount: "
        'expected "1.8", found "2"'
    )


def test_lines_in_order_are_those_of_each_invoice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of two; the last invoice has no line, and what is not asked for is left out."""
    monkeypatch.setattr("pipelines.invoicing.documents._BLOCK", 2)
    lines = pl.DataFrame(
        {"invoice_id": ["c", "a", "b", "c", "x", "a"], "line_number": [2, 1, 1, 1, 1, 2]}
    )

    found = LinesInOrder(lines, ["c", "b", "a", "none"])

    assert {name: [line["line_number"] for line in rows] for name, rows in found.items()} == {
        "c": [1, 2], "b": [1], "a": [1, 2], "none": [],
    }  # fmt: skip
    assert [len(found[name]) for name in ("a", "c", "none")] == [2, 2, 0]
    assert found.get("x", "not asked for") == "not asked for"
    assert len(found) == 4
