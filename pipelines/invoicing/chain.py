"""The chain of invoices: each link is made of the one before and the document's digest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.invoicing.documents import SERIES, BrokenPromise, Row, invoice_number, sha256_of

GENESIS = "0" * 64
"""What stands before the first link of the chain."""


def chain_link(previous: str, document_sha256: str) -> str:
    """SHA-256 (hex) of the two digests, written one after the other as hex.

    In SQL: `sha256(previous_chain_sha256 || document_sha256)`.
    """
    return sha256_of(previous + document_sha256)


CHAIN_COLUMNS = (
    "series_number",
    "invoice_number",
    "canonical_json",
    "document_sha256",
    "previous_chain_sha256",
    "chain_sha256",
)
"""Columns of the lake table `invoices` that a link is checked by."""


@dataclass(frozen=True)
class Link:
    """A link of the chain that was found right before.

    Attributes:
        number: of its invoice; 0 stands for what is before the first one.
        chain_sha256: its digest.
    """

    number: int = 0
    chain_sha256: str = GENESIS


BEFORE_THE_FIRST = Link()
"""What the first invoice is chained to."""


def verify_chain(
    invoices: pl.DataFrame, published_head: str = GENESIS, verified: Link = BEFORE_THE_FIRST
) -> BrokenPromise | None:
    """The first broken link among finalized invoices; None when the chain holds.

    Args:
        invoices: at least `CHAIN_COLUMNS`; the invoice of the verified link, which must be as it
            was, and every one after it; any order.
        published_head: a chain digest kept outside the lake. It must still be one of the
            links, so that cutting off the newest invoices shows too.
        verified: the chain is known to be right up to here.
    """
    head = verified.chain_sha256
    heads = {head}
    links = invoices.select(CHAIN_COLUMNS).sort("series_number").iter_rows(named=True)
    for number, invoice in enumerate(_after(links, verified), start=verified.number + 1):
        document_sha256 = sha256_of(invoice["canonical_json"])
        promises = (
            ("numbers are gapless", invoice_number(SERIES, number), invoice["invoice_number"]),
            ("the digest is the document's", document_sha256, invoice["document_sha256"]),
            ("it is chained to the one before", head, invoice["previous_chain_sha256"]),
            ("its link is right", chain_link(head, document_sha256), invoice["chain_sha256"]),
        )
        for claim, expected, found in promises:
            if expected != found:
                return BrokenPromise(invoice_number(SERIES, number), claim, expected, str(found))
        head = invoice["chain_sha256"]
        heads.add(head)
    if verified.number and verified.number not in invoices["series_number"]:
        lost = invoice_number(SERIES, verified.number)
        return BrokenPromise(lost, "it is in the lake", "the invoice published before", "none")
    if published_head not in heads:
        return BrokenPromise("the chain", "it holds the published head", published_head, head)
    return None


def _after(links: Iterable[Row], verified: Link) -> Iterator[Row]:
    """The links after the verified one; that one too where it is not as it was."""
    for invoice in links:
        is_verified = invoice["series_number"] == verified.number
        if not (is_verified and invoice["chain_sha256"] == verified.chain_sha256):
            yield invoice
