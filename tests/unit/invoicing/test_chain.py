"""The chain of invoices and voids: what breaks it, and what is found from a verified link on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import polars as pl
import pytest

from pipelines.invoicing.acts import void_of
from pipelines.invoicing.chain import (
    BEFORE_THE_FIRST,
    CHAIN_COLUMNS,
    GENESIS,
    Link,
    last_link,
    verify_chain,
)
from pipelines.invoicing.finalize import finalize
from tests.worlds.books import (
    Books,
    Draft,
    DraftLine,
    closing_facts,
    draft_line_rows,
    draft_rows,
    draft_terms,
)
from tests.worlds.deliveries import NOON

LATER, LAST = NOON + timedelta(days=1), NOON + timedelta(days=2)
ACME = Draft("acme", NOON)
THREE = (ACME, Draft("globex", NOON), Draft("initech", NOON))


def closed(
    *drafts: Draft,
    after: Books | None = None,
    head: Link | None = None,
    series: Mapping[str, str] = MappingProxyType({}),
) -> Books:
    books = after or Books()
    rows, lines = draft_rows(drafts), draft_line_rows(drafts)
    facts, terms = closing_facts(), draft_terms(drafts)
    return books.with_closing(
        finalize(rows, lines, books.finalized, facts, head or books.head, terms, series=series)
    )


def with_void(books: Books, number: str) -> tuple[pl.DataFrame, Link]:
    """The links of the books and of the void of one of its invoices, and the head after it."""
    links = books.invoices.select(CHAIN_COLUMNS)
    document = dict(books.invoices.select("invoice_number", "document_sha256").iter_rows())
    void = void_of(number, document[number], "Ada", "billed twice", NOON, last_link(links))
    row = {**vars(void), "series": None, "series_number": None, "invoice_number": number}
    links = pl.concat([links, pl.DataFrame([row], schema=links.schema)])
    return links, last_link(links)


@pytest.mark.parametrize(
    ("column", "value", "claim"),
    [
        ("canonical_json", "{}", "digest is the document's"),
        ("document_sha256", "f" * 64, "digest is the document's"),
        ("previous_chain_sha256", "f" * 64, "chained to the one before"),
        ("chain_sha256", "f" * 64, "link is right"),
        ("invoice_number", "INV-000007", "numbers have no gap"),
    ],
)
def test_tampering_is_found_at_the_first_changed_link(column: str, value: str, claim: str) -> None:
    is_changed = pl.col("series_number") >= 2
    invoices = closed(*THREE).invoices.with_columns(
        pl.when(is_changed).then(pl.lit(value)).otherwise(column).alias(column)
    )

    broken = verify_chain(invoices.sort("series_number", descending=True))

    assert broken is not None
    assert broken.invoice == "INV-000002"
    assert claim in broken.sentence()


def test_a_document_rewritten_with_its_digests_breaks_the_next_link() -> None:
    books = closed(*THREE)
    forged = closed(replace(ACME, lines=[DraftLine("9", ["9"])])).invoices

    broken = verify_chain(pl.concat([forged, books.invoices.tail(2)]))

    assert broken is not None
    assert (broken.invoice, broken.claim) == ("INV-000002", "it is chained to the one before")


def test_cutting_off_the_newest_invoices_shows_against_the_published_head() -> None:
    invoices = closed(*THREE).invoices
    published_head = invoices["chain_sha256"][2]

    assert verify_chain(invoices, published_head) is None
    assert verify_chain(invoices.head(2)) is None
    broken = verify_chain(invoices.head(2), published_head)
    assert broken is not None
    assert broken.expected == published_head


def test_the_chain_is_verified_from_a_verified_link_on() -> None:
    invoices = closed(*THREE).invoices
    link = Link(2, invoices["chain_sha256"][1], 2)

    numbers = {"INV": 2}

    assert verify_chain(invoices.tail(2), invoices["chain_sha256"][1], link, numbers) is None
    assert verify_chain(
        invoices, invoices["chain_sha256"][2], Link(3, invoices["chain_sha256"][2], 3)
    )
    # Links before the verified one are not checked, the others are.
    forged = invoices.with_columns(canonical_json=pl.col("canonical_json") + " ")
    broken = verify_chain(
        pl.concat([forged.head(2), invoices.tail(1)]).tail(2), GENESIS, link, numbers
    )
    assert broken is not None
    assert "published head" in broken.claim
    links = pl.concat([invoices[1:2], forged.tail(1)])
    broken = verify_chain(links, link.chain_sha256, link, numbers)
    assert broken is not None
    assert (broken.invoice, broken.claim) == ("INV-000003", "the digest is the document's")


def test_a_verified_link_that_is_gone_or_another_one_is_named() -> None:
    invoices = closed(*THREE).invoices
    link = Link(2, invoices["chain_sha256"][1], 2)

    lost = verify_chain(invoices.tail(1), link.chain_sha256, link, {"INV": 2})
    assert lost is not None
    assert (lost.invoice, lost.claim) == ("link 2 of the chain", "it is in the lake")
    other = verify_chain(invoices.tail(2), GENESIS, Link(2, "1" * 64, 2), {"INV": 2})
    assert other is not None
    assert other.claim == "positions have no gap"


def test_series_have_numbers_of_their_own_in_one_chain() -> None:
    books = closed(*THREE, series={"globex": "EU"})
    books = closed(
        Draft("globex", LATER), Draft("initech", LATER), after=books, series={"globex": "EU"}
    )
    # A customer who changes to another series goes on in that one.
    books = closed(Draft("globex", LAST), after=books, series={"globex": "INV", "acme": "A-1"})

    assert books.invoices.select("customer_id", "invoice_number", "chain_position").rows() == [
        ("acme", "INV-000001", 1),
        ("globex", "EU-000001", 2),
        ("initech", "INV-000002", 3),
        ("globex", "EU-000002", 4),
        ("initech", "INV-000003", 5),
        ("globex", "INV-000004", 6),
    ]
    links = books.invoices.select(CHAIN_COLUMNS)
    assert verify_chain(links) is None
    link = Link(3, links["chain_sha256"][2], 3)
    later = links.tail(4)
    assert verify_chain(later, link.chain_sha256, link, {"INV": 2, "EU": 1}) is None
    broken = verify_chain(later, link.chain_sha256, link, {"INV": 2})
    assert broken is not None
    assert (broken.claim, broken.expected, broken.found) == (
        "numbers have no gap", "EU-000001", "EU-000002",
    )  # fmt: skip
    assert last_link(later, link).invoices == 6


def test_void_takes_a_position_and_no_number() -> None:
    links, head = with_void(closed(*THREE), "INV-000002")

    assert (head.position, head.invoices) == (4, 3)
    assert verify_chain(links) is None
    books = closed(Draft("umbrella", NOON), after=closed(*THREE), head=head)
    (invoice,) = books.invoices.tail(1).to_dicts()
    assert (invoice["invoice_number"], invoice["chain_position"]) == ("INV-000004", 5)
    assert invoice["previous_chain_sha256"] == head.chain_sha256
    assert verify_chain(pl.concat([links, books.invoices.tail(1).select(CHAIN_COLUMNS)])) is None


def test_document_of_a_void_is_this_text() -> None:
    links, _ = with_void(closed(ACME), "INV-000001")
    digest = links["document_sha256"][0]

    assert links["canonical_json"][1] == (
        '{"as_of":"2026-03-10T12:00:00Z","by":"Ada","document_sha256":"' + digest + '",'
        '"format":1,"invoice_number":"INV-000001","kind":"void","reason":"billed twice"}'
    )


@pytest.mark.parametrize(
    ("column", "value", "claim"),
    [
        ("canonical_json", "{}", "the digest is the document's"),
        ("chain_position", 5, "positions have no gap"),
        ("previous_chain_sha256", "f" * 64, "it is chained to the one before"),
        ("chain_sha256", "f" * 64, "its link is right"),
    ],
)
def test_tampered_void_is_found(column: str, value: object, claim: str) -> None:
    links, _ = with_void(closed(*THREE), "INV-000002")
    is_void = pl.col("series_number").is_null()

    broken = verify_chain(
        links.with_columns(pl.when(is_void).then(pl.lit(value)).otherwise(column).alias(column))
    )

    assert broken is not None
    assert (broken.invoice, broken.claim) == ("the void of INV-000002", claim)


def test_void_that_is_gone_shows_against_the_published_head() -> None:
    links, head = with_void(closed(*THREE), "INV-000002")

    broken = verify_chain(links.head(3), head.chain_sha256)
    assert broken is not None
    assert broken.claim == "it holds the published head"
    assert verify_chain(links.head(3), head.chain_sha256, head) is not None
    assert verify_chain(links.tail(1), head.chain_sha256, head) is None


def test_invoice_in_the_place_of_a_void_is_found() -> None:
    links, _ = with_void(closed(*THREE), "INV-000002")
    following = closed(Draft("umbrella", NOON), after=closed(*THREE)).invoices.tail(1)

    broken = verify_chain(pl.concat([links, following.select(CHAIN_COLUMNS)]))

    assert broken is not None
    assert broken.claim == "positions have no gap"


def test_last_link_of_nothing_is_before_the_first() -> None:
    assert last_link(Books().invoices) == BEFORE_THE_FIRST
    assert (BEFORE_THE_FIRST.position, BEFORE_THE_FIRST.chain_sha256) == (0, GENESIS)
