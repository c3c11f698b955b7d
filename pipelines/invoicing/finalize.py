"""Finalize: drafts that can be closed become invoices.

1. `_require_new` refuses a draft that was finalized before, and books with a gap.
2. `_numbered` numbers the drafts in closing order.
3. `_documents` adds each invoice again from its parts, and writes its document.
4. `finalize` chains the documents.

Example: three invoices are closed so far, and two drafts are due. The draft with the earlier cut
becomes INV-000004, the other INV-000005.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.invoicing.chain import GENESIS, chain_link
from pipelines.invoicing.documents import (
    SERIES,
    Row,
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
    """Facts about a run that are written into each invoice it closes.

    Attributes:
        batch_id: number of the closing transaction.
        event_batch_id: number of the last batch of events that the drafts include.
        as_of: the instant of the run: cuts up to then are due.
        catalog_digest: digest of the catalog that priced the drafts; the document has it too.
        code_revision: digest of the code.
    """

    batch_id: int
    event_batch_id: int
    as_of: datetime
    catalog_digest: str
    code_revision: str


@dataclass(frozen=True)
class ClosedInvoices:
    """New rows of the lake tables `invoices` and `invoice_lines`, in closing order."""

    invoices: pl.DataFrame
    invoice_lines: pl.DataFrame


def finalize(
    drafts: pl.DataFrame, lines: pl.DataFrame, finalized: pl.DataFrame, facts: ClosingFacts
) -> ClosedInvoices:
    """The drafts as finalized invoices, numbered and chained after those closed so far.

    Args:
        drafts: schema `DRAFTS`, in any order; all of them are closed.
        lines: schema `DRAFT_LINES`, at least the lines of these drafts.
        finalized: schema `FINALIZED`, every invoice closed so far.
        facts: written into each row.

    Returns:
        One row per draft in closing order, and its lines by `line_number`.

    Raises:
        InvariantError: an invoice does not add up or was finalized before, the books have a gap,
            or `as_of` is before that of an earlier closing. Nothing is finalized then.
    """
    drafts = checked(drafts, DRAFTS, "drafts").sort(CLOSING_ORDER)
    finalized = checked(finalized, FINALIZED, "finalized invoices").sort("series_number")
    _require_new(drafts, finalized, facts)
    lines = checked(lines, DRAFT_LINES, "draft lines")
    lines = (
        lines.join(drafts.select("invoice_id").with_row_index("place"), on="invoice_id")
        .sort("place", "line_number")
        .drop("place")
    )
    invoices = _numbered(drafts, finalized.height, facts)
    texts = _documents(invoices, lines_per_invoice(lines))
    digests = [sha256_of(text) for text in texts]
    heads = [str(finalized["chain_sha256"][-1]) if finalized.height else GENESIS]
    for digest in digests:
        heads.append(chain_link(heads[-1], digest))
    invoices = invoices.with_columns(
        pl.Series("canonical_json", texts, pl.String),
        pl.Series("document_sha256", digests, pl.String),
        pl.Series("previous_chain_sha256", heads[:-1], pl.String),
        pl.Series("chain_sha256", heads[1:], pl.String),
    )
    lines = lines.with_columns(batch_id=pl.lit(facts.batch_id))
    return ClosedInvoices(
        invoices.select(pl.col(name).cast(dtype) for name, dtype in INVOICES.schema.items()),
        lines.select(pl.col(name).cast(dtype) for name, dtype in INVOICE_LINES.schema.items()),
    )


def _numbered(drafts: pl.DataFrame, before: int, facts: ClosingFacts) -> pl.DataFrame:
    """The drafts in closing order, with their numbers and the facts about the run."""
    numbers = range(before + 1, before + drafts.height + 1)
    printed = [invoice_number(SERIES, number) for number in numbers]
    return drafts.with_columns(
        pl.Series("series_number", numbers, pl.Int64),
        pl.Series("invoice_number", printed, pl.String),
        series=pl.lit(SERIES),
        kind=pl.lit("arrears"),
        batch_id=pl.lit(facts.batch_id),
        as_of=pl.lit(facts.as_of),
        event_batch_id=pl.lit(facts.event_batch_id),
        catalog_digest=pl.lit(facts.catalog_digest),
        code_revision=pl.lit(facts.code_revision),
    )


def _documents(invoices: pl.DataFrame, lines_of: Mapping[str, Sequence[Row]]) -> list[str]:
    """The document of each invoice, in order, once its sums were checked."""
    texts = []
    for invoice in invoices.iter_rows(named=True):
        lines = lines_of.get(invoice["invoice_id"], [])
        require_sums(invoice, lines)
        texts.append(document_text(invoice, lines))
    return texts


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
            f"{twice}: expected one invoice per subscription and period, found it "
            "finalized or drafted before; nothing was finalized"
        )
    last_as_of = finalized["as_of"].max()
    if isinstance(last_as_of, datetime) and facts.as_of < last_as_of:
        raise InvariantError(
            f"expected as_of at or after {last_as_of.isoformat()}, that of an earlier closing, "
            f"found {facts.as_of.isoformat()}; time never goes back; nothing was finalized"
        )
