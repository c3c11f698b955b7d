"""Finalize: closable drafts become invoices, with numbers in closing order, documents and a chain.

Each sum is added again from its parts before an invoice is immutable.
"""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.invoicing.documents import (
    GENESIS,
    SERIES,
    Row,
    chain_link,
    document_text,
    invoice_number,
    lines_per_invoice,
    require_sums,
    sha256_of,
)
from pipelines.invoicing.due import CLOSING_ORDER
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frames import (
    DRAFT_LINES,
    DRAFTS,
    FINALIZED,
    checked,
)
from pipelines.vocabulary.tables import INVOICE_LINES, INVOICES


@dataclass(frozen=True)
class ClosingFacts:
    """What the rows of a closing say about the run that wrote them.

    Attributes:
        batch_id: the closing transaction.
        event_batch_id: the last batch of events the drafts saw.
        as_of: the instant the run speaks for.
        catalog_digest: the catalog the drafts were priced with; it stands in the document too.
        code_revision: digest of the code.
    """

    batch_id: int
    event_batch_id: int
    as_of: datetime
    catalog_digest: str
    code_revision: str


@dataclass(frozen=True)
class ClosedInvoices:
    """Rows of the lake tables `invoices` and `invoice_lines`, in closing order."""

    invoices: pl.DataFrame
    invoice_lines: pl.DataFrame


def finalize(
    drafts: pl.DataFrame, lines: pl.DataFrame, finalized: pl.DataFrame, facts: ClosingFacts
) -> ClosedInvoices:
    """The drafts as finalized invoices, numbered and chained after those closed so far.

    Each total is added again from its lines and each line from its tiers, in Python's
    decimals: the last look, by another road, before the invoice is immutable.

    Args:
        drafts: schema `DRAFTS`, all of them to be closed; any order.
        lines: schema `DRAFT_LINES`; at least the lines of these drafts.
        finalized: schema `FINALIZED`; every invoice closed so far.
        facts: recorded on each row.

    Returns:
        Invoices in closing order, lines by invoice and `line_number`; no drafts, no rows.

    Raises:
        InvariantError: an invoice does not add up or is finalized already, the books have a
            gap, or `as_of` lies before that of an earlier closing; nothing is finalized.
    """
    drafts = checked(drafts, DRAFTS, "drafts").sort(CLOSING_ORDER)
    finalized = checked(finalized, FINALIZED, "finalized invoices").sort("series_number")
    _require_new(drafts, finalized, facts)
    lines = checked(lines, DRAFT_LINES, "draft lines")
    lines_of = lines_per_invoice(lines.join(drafts, on="invoice_id", how="semi"))
    head = str(finalized["chain_sha256"][-1]) if finalized.height else GENESIS
    invoice_rows: list[Row] = []
    line_rows: list[Row] = []
    for number, draft in enumerate(drafts.iter_rows(named=True), start=finalized.height + 1):
        draft_lines = lines_of.get(draft["invoice_id"], [])
        require_sums(draft, draft_lines)
        invoice = draft | {
            "batch_id": facts.batch_id,
            "series": SERIES,
            "series_number": number,
            "invoice_number": invoice_number(SERIES, number),
            "kind": "arrears",
            "as_of": facts.as_of,
            "event_batch_id": facts.event_batch_id,
            "catalog_digest": facts.catalog_digest,
            "code_revision": facts.code_revision,
            "previous_chain_sha256": head,
        }
        invoice["canonical_json"] = document_text(invoice, draft_lines)
        invoice["document_sha256"] = sha256_of(invoice["canonical_json"])
        head = chain_link(head, invoice["document_sha256"])
        invoice_rows.append(invoice | {"chain_sha256": head})
        line_rows += [line | {"batch_id": facts.batch_id} for line in draft_lines]
    return ClosedInvoices(
        pl.DataFrame(invoice_rows, schema=INVOICES.schema),
        pl.DataFrame(line_rows, schema=INVOICE_LINES.schema),
    )


def _require_new(drafts: pl.DataFrame, finalized: pl.DataFrame, facts: ClosingFacts) -> None:
    if finalized["series_number"].to_list() != [*range(1, finalized.height + 1)]:
        raise InvariantError(
            f"expected the invoices closed so far to be numbered 1 to {finalized.height}, found "
            f"gaps or repeats up to {finalized['series_number'][-1]}; nothing was finalized"
        )
    ids = [*finalized["invoice_id"], *drafts["invoice_id"]]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise InvariantError(
            f"{twice}: expected one invoice for a subscription and period, found it "
            "finalized or drafted before; nothing was finalized"
        )
    last_as_of = finalized["as_of"].max()
    if isinstance(last_as_of, datetime) and facts.as_of < last_as_of:
        raise InvariantError(
            f"expected as_of at or after {last_as_of.isoformat()}, that of an earlier closing, "
            f"found {facts.as_of.isoformat()}; time never goes back"
        )
