"""Chain: each invoice has a link made from the link before it and the digest of its document.

A changed, removed or inserted invoice breaks every link after it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.invoicing.documents import SERIES, BrokenPromise, Row, invoice_number, sha256_of

GENESIS = "0" * 64
"""The link before the first invoice: 64 zeros."""


def chain_link(previous: str, document_sha256: str) -> str:
    """The link of an invoice: SHA-256 (hex) of both digests, one after the other as hex text.

    In SQL: `sha256(previous_chain_sha256 || document_sha256)`.

    Args:
        previous: the link of the invoice before, or `GENESIS`.
        document_sha256: the digest of the invoice's document.
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
"""The columns of the lake table `invoices` by which a link is checked."""


@dataclass(frozen=True)
class Link:
    """A link of the chain that was verified before.

    Attributes:
        number: `series_number` of its invoice; 0 for the link before the first invoice.
        chain_sha256: the link, as hex text.
    """

    number: int = 0
    chain_sha256: str = GENESIS


BEFORE_THE_FIRST = Link()
"""The link that the first invoice is chained to."""


def verify_chain(
    invoices: pl.DataFrame, published_head: str = GENESIS, verified: Link = BEFORE_THE_FIRST
) -> BrokenPromise | None:
    """The first broken link among finalized invoices; None if the chain holds.

    Args:
        invoices: one row per invoice, at least with `CHAIN_COLUMNS`, in any order. The invoice of
            the verified link and every later one must be among them.
        published_head: the last published link, kept outside the lake. It must still be one of
            the links, so that a loss of the newest invoices is found too.
        verified: the last link that was verified before; the chain is checked from there.
    """
    head = verified.chain_sha256
    heads = {head}
    links = invoices.select(CHAIN_COLUMNS).sort("series_number").iter_rows(named=True)
    for number, invoice in enumerate(_after(links, verified), start=verified.number + 1):
        document_sha256 = sha256_of(invoice["canonical_json"])
        promises = (
            ("numbers have no gap", invoice_number(SERIES, number), invoice["invoice_number"]),
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
    """The links after the verified one, in order; that one too if it is not as it was."""
    for invoice in links:
        is_verified = invoice["series_number"] == verified.number
        if not (is_verified and invoice["chain_sha256"] == verified.chain_sha256):
            yield invoice
