"""Chain: each invoice and each void has a link, made from the link before it and its document.

A changed, removed or inserted document breaks every link after it. A void takes a place in the
chain, and no invoice number.

Example: INV-000001 has place 1. Its void has place 2. The next invoice is INV-000002, with place 3.
One of another series is EU-000001, with place 4: there is one chain for all series.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from pipelines.invoicing.document_values import Row, sha256_of
from pipelines.invoicing.documents import BrokenPromise, invoice_number

GENESIS = "0" * 64
"""The link before the first one: 64 zeros."""


def chain_link(previous: str, document_sha256: str) -> str:
    """The link of a document: SHA-256 (hex) of both digests, one after the other as hex text.

    In SQL: `sha256(previous_chain_sha256 || document_sha256)`.

    Args:
        previous: the link before, or `GENESIS`.
        document_sha256: the digest of the document.
    """
    return sha256_of(previous + document_sha256)


CHAIN_COLUMNS = (
    "chain_position",
    "series",
    "series_number",
    "invoice_number",
    "canonical_json",
    "document_sha256",
    "previous_chain_sha256",
    "chain_sha256",
)
"""The columns by which a link is checked, of the lake tables `invoices` and `acts`.

A void has the number of its invoice, and neither `series` nor `series_number`.
"""


@dataclass(frozen=True)
class Link:
    """A link of the chain that is known to hold.

    Attributes:
        position: its place in the chain; 0 for the link before the first one.
        chain_sha256: the link, as hex text.
        invoices: the number of invoices up to and with it.
    """

    position: int = 0
    chain_sha256: str = GENESIS
    invoices: int = 0

    def follow(self, document_sha256: str, *, is_invoice: bool) -> "Link":
        """The link of the next document."""
        return Link(
            self.position + 1,
            chain_link(self.chain_sha256, document_sha256),
            self.invoices + is_invoice,
        )


BEFORE_THE_FIRST = Link()
"""The link that the first document is chained to."""


def last_link(links: pl.DataFrame, before: Link = BEFORE_THE_FIRST) -> Link:
    """The last link; the one before if there is none.

    Args:
        links: one row per link; all of them after `before`.
        before: a link that is known.
    """
    later = links.filter(pl.col("chain_position") > before.position).sort("chain_position")
    last = later.tail(1).to_dicts()
    if not last:
        return before
    invoices = before.invoices + later["series_number"].count()
    return Link(last[0]["chain_position"], last[0]["chain_sha256"], invoices)


def verify_chain(
    links: pl.DataFrame,
    published_head: str = GENESIS,
    verified: Link = BEFORE_THE_FIRST,
    numbers: Mapping[str, int] = MappingProxyType({}),
) -> BrokenPromise | None:
    """The first broken link; None if the chain holds.

    Args:
        links: one row per link, at least with `CHAIN_COLUMNS`, in any order. The verified link
            and every later one must be among them.
        published_head: the last published link, kept outside the lake. It must still be one of
            the links, so that a loss of the newest invoices is found too.
        verified: the last link that was verified before; the chain is checked from there.
        numbers: the last number of each series up to the verified link.
    """
    head, last_numbers = verified, dict(numbers)
    heads = {head.chain_sha256}
    rows = links.select(CHAIN_COLUMNS).sort("chain_position").iter_rows(named=True)
    for row in _after(rows, verified):
        is_invoice = row["series_number"] is not None
        document_sha256 = sha256_of(row["canonical_json"])
        following = head.follow(document_sha256, is_invoice=is_invoice)
        number = ""
        if is_invoice:
            last_numbers[row["series"]] = last_numbers.get(row["series"], 0) + 1
            number = invoice_number(row["series"], last_numbers[row["series"]])
        promises = (
            ("positions have no gap", following.position, row["chain_position"]),
            ("numbers have no gap", *((number, row["invoice_number"]) if is_invoice else ("", ""))),
            ("the digest is the document's", document_sha256, row["document_sha256"]),
            ("it is chained to the one before", head.chain_sha256, row["previous_chain_sha256"]),
            ("its link is right", following.chain_sha256, row["chain_sha256"]),
        )
        for claim, expected, found in promises:
            if expected != found:
                name = number if is_invoice else f"the void of {row['invoice_number']}"
                return BrokenPromise(name, claim, str(expected), str(found))
        head = Link(following.position, row["chain_sha256"], following.invoices)
        heads.add(head.chain_sha256)
    if verified.position and verified.position not in links["chain_position"]:
        lost = f"link {verified.position} of the chain"
        return BrokenPromise(lost, "it is in the lake", "the link published before", "none")
    if published_head not in heads:
        return BrokenPromise(
            "the chain", "it holds the published head", published_head, head.chain_sha256
        )
    return None


def _after(links: Iterable[Row], verified: Link) -> Iterator[Row]:
    """The links after the verified one, in order; that one too if it is not as it was."""
    for link in links:
        is_verified = link["chain_position"] == verified.position
        if not (is_verified and link["chain_sha256"] == verified.chain_sha256):
            yield link
