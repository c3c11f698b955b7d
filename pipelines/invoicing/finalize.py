"""Finalize: drafts that can be closed become invoices.

1. `_require_order` refuses books with a gap, and an instant before that of an earlier closing.
2. `held_by_faults` adds each invoice again from its parts. A fault of one customer's money holds
   back that customer, and nobody else.
3. `_numbered` numbers the drafts in closing order. A setting may leave out those of zero.
4. `finalize` writes each document, and chains them.

Example: three invoices are closed so far, and two drafts are due. The draft with the earlier cut
becomes INV-000004, the other INV-000005. Had the first come to zero, and are invoices of zero not
numbered, its period is closed without an invoice, and the other becomes INV-000004.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import polars as pl

from pipelines.invoicing.chain import Link
from pipelines.invoicing.document_values import Row, sha256_of
from pipelines.invoicing.documents import (
    FORMAT,
    SERIES,
    LinesInOrder,
    document_text,
    invoice_number,
)
from pipelines.invoicing.due import CLOSING_ORDER, HeldBack
from pipelines.invoicing.sums import require_sums
from pipelines.invoicing.terms import RECIPE, Terms
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frame_checks import checked
from pipelines.vocabulary.frames import (
    DRAFT_LINE_NULLS,
    DRAFT_LINES,
    DRAFT_NULLS,
    DRAFTS,
    FINALIZED,
)
from pipelines.vocabulary.tables import INVOICE_LINES, INVOICES, UTC_MICROSECONDS

ARREARS = "arrears"
"""The kind of an invoice that closes a period; any other closes none."""


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
    """New invoices, and the drafts that a fault holds back.

    Attributes:
        invoices: rows of the lake table `invoices`, in closing order.
        invoice_lines: rows of the lake table `invoice_lines`, in the same order; also those of
            periods that are closed without an invoice, because their usage is closed as well.
        held_back: the other drafts in closing order, as `due.Closing.held_back` has them.
        closings: one row per period that is closed, in closing order, as
            `closed_book.closed_rows` takes them; `invoice_id` is null where no invoice came of it.
            An invoice of fees in advance alone closes no period.
        closed_drafts: ids of the drafts that are drafts no more, in the same order.
    """

    invoices: pl.DataFrame
    invoice_lines: pl.DataFrame
    held_back: pl.DataFrame
    closings: pl.DataFrame
    closed_drafts: pl.DataFrame

    @property
    def unnumbered(self) -> int:
        """How many periods are closed without an invoice."""
        return self.closings["invoice_id"].null_count()

    @property
    def terms_digests(self) -> list[str]:
        """The digests of the terms that are named, in closing order."""
        return [*self.closings["terms_digest"], *self.invoices["terms_digest"]]


def finalize(
    drafts: pl.DataFrame,
    lines: pl.DataFrame,
    finalized: pl.DataFrame,
    facts: ClosingFacts,
    head: Link,
    terms: Mapping[str, Terms],
    *,
    numbers_zero: bool = True,
    corrects: Mapping[str, str] = MappingProxyType({}),
    series: Mapping[str, str] = MappingProxyType({}),
) -> ClosedInvoices:
    """The drafts as finalized invoices, numbered and chained after those closed so far.

    Example: acme's second draft has a line of 1.25 whose tiers add up to 1.24. All drafts of acme
    stay drafts, with a sentence that names the line. The draft of globex is closed.

    A draft is of zero if each of its lines is, or it has none. Lines that only add up to zero, such
    as 5.00 and -5.00, make an invoice in any case.

    Args:
        drafts: schema `DRAFTS`, in any order; all of them are closed.
        lines: schema `DRAFT_LINES`, at least those of these drafts.
        finalized: schema `FINALIZED`, every invoice closed so far.
        facts: written into each row.
        head: the last link of the chain.
        terms: of each draft, by `invoice_id`.
        numbers_zero: False closes the period of a draft of zero without an invoice.
        corrects: the invoice that a draft stands for, by the draft's id; it makes one in any case.
        series: of the numbers of each customer's invoices; `SERIES` where it says nothing.

    Returns:
        One invoice per draft in closing order, with its lines by `line_number`. A draft is held
        back if an invoice of its customer does not add up, or was finalized before.

    Raises:
        InvariantError: the books have a gap, or `as_of` is before that of an earlier closing.
            Nothing is finalized then.
    """
    drafts = checked(drafts, DRAFTS, "drafts", DRAFT_NULLS).sort(CLOSING_ORDER)
    finalized = checked(finalized, FINALIZED, "finalized invoices")
    _require_order(finalized, facts)
    lines = checked(lines, DRAFT_LINES, "draft lines", DRAFT_LINE_NULLS)
    drafts, lines = _with_terms(drafts, lines, terms)
    lines_of = LinesInOrder(lines, drafts["invoice_id"])
    held_back = held_by_faults(drafts, lines_of, finalized["invoice_id"], terms)
    drafts = drafts.join(held_back, on="customer_id", how="anti", maintain_order="left")
    lines = _in_order(lines, drafts)
    has_number = is_numbered(lines, corrects, numbers_zero=numbers_zero)
    invoices = _numbered(drafts.filter(has_number), finalized, facts, corrects, series)
    invoices = _chained(invoices, lines_of, head)
    return ClosedInvoices(
        invoices.select(pl.col(name).cast(dtype) for name, dtype in INVOICES.schema.items()),
        lines.with_columns(batch_id=pl.lit(facts.batch_id)).select(
            pl.col(name).cast(dtype) for name, dtype in INVOICE_LINES.schema.items()
        ),
        held_back,
        drafts.filter(pl.col("kind") == ARREARS).select(
            "subscription_id",
            "period_start_at",
            pl.when(has_number).then("invoice_id").alias("invoice_id"),
            "terms_digest",
            event_batch_id=pl.lit(facts.event_batch_id),
            catalog_digest=pl.lit(facts.catalog_digest),
            recipe=pl.lit(RECIPE),
        ),
        drafts.select("invoice_id"),
    )


def _in_order(lines: pl.DataFrame, drafts: pl.DataFrame) -> pl.DataFrame:
    """The lines of these drafts, in the order of the drafts and by `line_number`."""
    places = drafts.select("invoice_id").with_row_index("place")
    return lines.join(places, on="invoice_id").sort("place", "line_number").drop("place")


def is_numbered(lines: pl.DataFrame, always: Iterable[str] = (), *, numbers_zero: bool) -> pl.Expr:
    """Whether an invoice comes of a draft: any draft, or only one that has a line with an amount.

    Args:
        lines: at least the lines of these drafts, with `invoice_id` and `amount`.
        always: ids of drafts of which one comes in any case.
        numbers_zero: True: any draft.
    """
    if numbers_zero:
        return pl.lit(value=True)
    earning = lines.filter(pl.col("amount") != 0)["invoice_id"].unique()
    return pl.col("invoice_id").is_in([*earning, *always])


def _chained(
    invoices: pl.DataFrame, lines_of: Mapping[str, Sequence[Row]], head: Link
) -> pl.DataFrame:
    """The numbered invoices with their documents, each chained to the one before."""
    texts, digests = [pl.Series(dtype=pl.String())], list[str]()
    for some in invoices.iter_slices(500):
        written = [
            document_text(invoice, lines_of.get(invoice["invoice_id"], []))
            for invoice in some.iter_rows(named=True)
        ]
        texts.append(pl.Series(written))
        digests += map(sha256_of, written)
    links = [head]
    for digest in digests:
        links.append(links[-1].follow(digest, is_invoice=True))
    return invoices.with_columns(
        pl.concat(texts).alias("canonical_json"),
        pl.Series("document_sha256", digests, pl.String),
        pl.Series("previous_chain_sha256", [link.chain_sha256 for link in links[:-1]], pl.String),
        pl.Series("chain_sha256", [link.chain_sha256 for link in links[1:]], pl.String),
        pl.Series("chain_position", [link.position for link in links[1:]], pl.Int64),
    )


def _with_terms(
    drafts: pl.DataFrame, lines: pl.DataFrame, terms: Mapping[str, Terms]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The drafts with the digest of their terms, and their lines with that of their prices.

    Raises:
        InvariantError: a draft has no terms.
    """
    for draft in drafts.iter_rows(named=True):
        if draft["invoice_id"] not in terms:
            start_at = draft["period_start_at"].isoformat()
            raise InvariantError(
                f"expected terms of {draft['subscription_id']} for its period from {start_at}, "
                "found none; nothing was finalized"
            )
    of_drafts = [(each, terms[each]) for each in drafts["invoice_id"]]
    prices = [
        (invoice_id, charge_code, valid_from, is_ahead, digest)
        for invoice_id, of_draft in of_drafts
        for is_ahead, digests in ((False, of_draft.price_digests), (True, of_draft.digests_ahead))
        for (charge_code, valid_from), digest in digests.items()
    ]
    price = ("invoice_id", "charge_code", "price_valid_from", "is_ahead")
    dtypes = INVOICE_LINES.schema | {"is_ahead": pl.Boolean()}
    schema = {name: dtypes[name] for name in (*price, "price_digest")}
    of_lines = pl.DataFrame(prices, schema=schema, orient="row").unique(maintain_order=True)
    starts = [(each, of_draft.ahead_from) for each, of_draft in of_drafts]
    ahead = pl.DataFrame(
        starts, {"invoice_id": pl.String(), "ahead_from": UTC_MICROSECONDS}, orient="row"
    ).drop_nulls()
    is_ahead = (pl.col("service_start_at") == pl.col("ahead_from")).fill_null(value=False)
    digests = pl.Series("terms_digest", [each.digest for _, each in of_drafts], pl.String)
    return (
        drafts.with_columns(digests),
        lines.join(drafts, on="invoice_id", how="semi")
        .join(ahead, on="invoice_id", how="left")
        .with_columns(is_ahead=is_ahead)
        .join(of_lines, on=price, how="left")
        .drop("ahead_from", "is_ahead"),
    )


def _numbered(
    drafts: pl.DataFrame,
    finalized: pl.DataFrame,
    facts: ClosingFacts,
    corrects: Mapping[str, str],
    series: Mapping[str, str],
) -> pl.DataFrame:
    """The drafts in closing order, with their numbers and the facts about the run."""
    before = finalized.group_by("series").agg(before=pl.col("series_number").max())
    of_customer = pl.col("customer_id").replace_strict(
        series, default=SERIES, return_dtype=pl.String
    )
    numbered = (
        drafts.with_columns(series=of_customer)
        .join(before, on="series", how="left", maintain_order="left")
        .with_columns(
            series_number=pl.col("before").fill_null(0)
            + pl.int_range(1, pl.len() + 1).over("series")
        )
    )
    printed = [
        invoice_number(*number) for number in numbered.select("series", "series_number").iter_rows()
    ]
    return numbered.with_columns(
        pl.Series("invoice_number", printed, pl.String),
        format=pl.lit(FORMAT),
        recipe_version=pl.lit(RECIPE),
        corrects_invoice_id=pl.col("invoice_id").replace_strict(
            corrects, default=None, return_dtype=pl.String
        ),
        batch_id=pl.lit(facts.batch_id),
        as_of=pl.lit(facts.as_of),
        event_batch_id=pl.lit(facts.event_batch_id),
        catalog_digest=pl.lit(facts.catalog_digest),
        code_revision=pl.lit(facts.code_revision),
    )


def held_by_faults(
    drafts: pl.DataFrame,
    lines_of: Mapping[str, Sequence[Row]],
    finalized: Iterable[str] = (),
    terms: Mapping[str, Terms] | None = None,
) -> pl.DataFrame:
    """The drafts of customers of whom a draft is wrong, as `due.Closing.held_back` has them.

    A draft is wrong if it has a fault, if it does not add up, if its terms lack the price of a
    line, or if its invoice was finalized before.

    Example: the requests of acme come to more than 20 digits. All drafts of acme whose cut has
    passed wait, with the sentence of that draft. Globex is closed.

    Args:
        drafts: schema `DRAFTS`.
        lines_of: the lines of each draft, by `invoice_id`.
        finalized: ids of the invoices closed so far.
        terms: of each draft, by `invoice_id`; None: they are not made yet, and not looked at.
    """
    known = set(finalized)
    faults = dict[str, str]()
    for draft in drafts.iter_rows(named=True):
        invoice_id, customer_id = draft["invoice_id"], draft["customer_id"]
        if invoice_id in known:
            faults.setdefault(
                customer_id,
                f"{invoice_id}: expected one invoice per subscription and period, found it "
                "finalized or drafted before",
            )
        known.add(invoice_id)
        if draft["fault"] is not None:
            faults.setdefault(customer_id, draft["fault"])
            continue
        try:
            lines = lines_of.get(invoice_id, [])
            if terms is None:
                require_sums(draft, lines)
                continue
            of_draft = terms[invoice_id]
            require_sums(draft, lines, of_draft.roundings)
            for line in lines:
                of_draft.price_digest(line)
        except InvariantError as error:
            faults.setdefault(customer_id, str(error))
    of_customer = pl.DataFrame(
        {"customer_id": list(faults), "reason": list(faults.values())},
        schema={"customer_id": pl.String(), "reason": pl.String()},
    )
    return drafts.join(of_customer, on="customer_id", maintain_order="left").select(
        *DRAFTS, pl.lit(HeldBack.FAULT.value).alias("reason_code"), "reason"
    )


def _require_order(finalized: pl.DataFrame, facts: ClosingFacts) -> None:
    of_series = finalized.sort("series", "series_number").group_by("series", maintain_order=True)
    for series, count, last, is_gapless in of_series.agg(
        pl.len(),
        pl.col("series_number").last().alias("last"),
        (pl.col("series_number") == pl.int_range(1, pl.len() + 1)).all().alias("is_gapless"),
    ).iter_rows():
        if not is_gapless:
            raise InvariantError(
                f"expected the invoices of the series {series} closed so far to be numbered 1 to "
                f"{count}, found gaps or repeats up to {last}; nothing was finalized"
            )
    last_as_of = finalized["as_of"].max()
    if isinstance(last_as_of, datetime) and facts.as_of < last_as_of:
        raise InvariantError(
            f"expected as_of at or after {last_as_of.isoformat()}, that of an earlier closing, "
            f"found {facts.as_of.isoformat()}; time never goes back; nothing was finalized"
        )
