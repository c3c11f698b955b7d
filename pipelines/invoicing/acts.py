"""Acts: the document of a void."""

from datetime import datetime

from pipelines.invoicing.chain import Link
from pipelines.invoicing.document_values import canonical_json, instant_text, sha256_of
from pipelines.vocabulary.acts import ActKind, Void

FORMAT = 1
"""The layout of the document of a void."""


def void_of(
    invoice_number: str, document_sha256: str, by: str, reason: str, as_of: datetime, head: Link
) -> Void:
    """The void of an invoice, as the next link of the chain; it takes no invoice number.

    Args:
        invoice_number: the number of the invoice.
        document_sha256: the digest of its document.
        by: name of who asked for it.
        reason: why.
        as_of: the instant it speaks for.
        head: the last link of the chain.
    """
    document = canonical_json(
        {
            "format": FORMAT,
            "kind": ActKind.VOID.value,
            "invoice_number": invoice_number,
            "document_sha256": document_sha256,
            "by": by,
            "reason": reason,
            "as_of": instant_text(as_of),
        }
    )
    digest = sha256_of(document)
    link = head.follow(digest, is_invoice=False)
    return Void(link.position, document, digest, head.chain_sha256, link.chain_sha256)
