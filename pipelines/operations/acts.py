"""Acts: what a person asks for is checked against the home, and written down."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from pipelines.catalog.calendar import periods_until
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import shown
from pipelines.invoicing.acts import void_of
from pipelines.invoicing.chain import Link, last_link
from pipelines.lake.acts import DRAFT_ID, VOID_INVOICES, act_rows, drafts_on_hold, newest_links
from pipelines.lake.closed_book import closed_spans, reopened_periods
from pipelines.lake.file_states import file_states, unread_files
from pipelines.lake.lake import Lake
from pipelines.lake.run_facts import RunFacts
from pipelines.operations.closing import Moment, past_periods
from pipelines.vocabulary.acts import Act, ActKind, Asked
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import ACTS, BATCHES, INVOICES
from pipelines.warehouse.billed_fees import fees_of_closed_periods
from pipelines.warehouse.stored_catalogs import last_catalog_digest


def write_acts(lake: Lake, acts: list[Act], facts: RunFacts) -> None:
    """Writes acts down in a transaction of their own; none if there is no act.

    Args:
        lake: open for writing, under the writer lock.
        acts: what was asked for.
        facts: the facts of the run.
    """
    if not acts:
        return
    batch_id = lake.last_batch_id() + 1
    # Today's catalog is not judged yet: it may be refused, and the lake may never have it.
    facts = replace(facts, catalog_digest=last_catalog_digest(lake))
    lake.commit_batch(
        batch_id,
        rows={
            BATCHES: facts.batch_row(batch_id, "act"),
            ACTS: act_rows(lake, acts, batch_id, facts.as_of),
        },
        staged_files={},
    )


def asked_acts(lake: Lake, catalog: Catalog, asked: Asked, moment: Moment) -> list[Act]:
    """The acts that a person asks for, once each is allowed.

    Args:
        lake: any connection.
        catalog: the catalog in use.
        asked: what is asked for.
        moment: the instant of the run.

    Raises:
        MeterlineError: one of them is not allowed; the sentence says why and what to do.
    """
    problem = asked.problem()
    if problem:
        raise MeterlineError(problem)
    return [
        *_voids(lake, asked, moment),
        *_reissues(lake, asked),
        *_acceptances(lake, catalog, asked, moment),
        *_waivers(lake, asked),
    ]


def reissued_invoices(acts: list[Act]) -> list[str]:
    """Ids of the invoices whose periods these acts open and close anew."""
    return [str(act.invoice_id) for act in acts if act.kind == ActKind.REISSUE]


def chain_end(lake: Lake) -> Link:
    """The last link of the chain of invoices and voids."""
    return replace(last_link(newest_links(lake)), invoices=lake.row_count(INVOICES.name))


def head_after(head: Link, acts: list[Act]) -> Link:
    """The last link of the chain once these acts are written down."""
    voids = [act.void for act in acts if act.void is not None]
    if not voids:
        return head
    return Link(voids[-1].chain_position, voids[-1].chain_sha256, head.invoices)


def _voids(lake: Lake, asked: Asked, moment: Moment) -> Iterator[Act]:
    head = chain_end(lake)
    reissued = (_finalized(lake, name) for name in asked.reissue)
    named = [
        *(_voidable(lake, name) for name in asked.void),
        *(invoice for invoice in reissued if not invoice["is_void"]),
    ]
    # One invoice may be named twice, by its number and by its id.
    for invoice in {each["invoice_id"]: each for each in named}.values():
        void = void_of(
            invoice["invoice_number"],
            invoice["document_sha256"],
            asked.by,
            asked.reason,
            moment.as_of,
            head,
        )
        head = Link(void.chain_position, void.chain_sha256, head.invoices)
        yield Act(
            ActKind.VOID,
            subscription_id=invoice["subscription_id"],
            invoice_id=invoice["invoice_id"],
            asked_by=asked.by,
            reason=asked.reason,
            void=void,
        )


def _reissues(lake: Lake, asked: Asked) -> Iterator[Act]:
    found = (_reissuable(lake, name) for name in asked.reissue)
    named = {each["invoice_id"]: each for each in found}
    if not named:
        return
    taken = fees_of_closed_periods(lake, reopened_periods(lake, list(named)))
    for invoice_number, period in taken.iter_rows():
        raise MeterlineError(
            f"{invoice_number} has fees in advance of a period that is closed by {period}, and no "
            f"invoice would bill them again; reissue {period} with it; nothing was changed"
        )
    for invoice in named.values():
        yield Act(
            ActKind.REISSUE,
            subscription_id=invoice["subscription_id"],
            invoice_id=invoice["invoice_id"],
            asked_by=asked.by,
            reason=asked.reason,
        )


def _reissuable(lake: Lake, name: str) -> dict[str, Any]:
    """The invoice of this number or id, whose period is closed by it."""
    invoice = _finalized(lake, name)
    invoice_id = invoice["invoice_id"]
    is_of_period = reopened_periods(lake, [invoice_id]).filter("is_asked").height
    if not is_of_period:
        newer = lake.query(
            "SELECT invoice_number FROM lake.invoices WHERE corrects_invoice_id = $invoice_id "
            "ORDER BY chain_position",
            {"invoice_id": invoice_id},
        )["invoice_number"].to_list()
        why = (
            f"was reissued as {', '.join(newer)}; reissue that"
            if newer
            else "is of no closed period, so there is nothing to close anew"
        )
        raise MeterlineError(f"{invoice['invoice_number']} {why}; nothing was changed")
    return invoice


def _voidable(lake: Lake, name: str) -> dict[str, Any]:
    """The finalized invoice of this number or id, which is not void."""
    invoice = _finalized(lake, name)
    if invoice["is_void"]:
        raise MeterlineError(f"{invoice['invoice_number']} is void already; nothing was changed")
    return invoice


def _finalized(lake: Lake, name: str) -> dict[str, Any]:
    """The invoice of this number or id."""
    found = lake.query(
        f"""
        SELECT invoice_id, invoice_number, subscription_id, document_sha256,
            invoice_id IN ({VOID_INVOICES}) AS is_void
        FROM lake.invoices WHERE $name IN (invoice_number, invoice_id)
        """,
        {"name": name},
    ).to_dicts()
    if not found:
        raise MeterlineError(
            f"expected the number of a finalized invoice, found {shown(name)}: no invoice "
            'of this home has it, and a draft cannot be void; `meterline sql "select '
            "invoice_number, customer_id from fct_invoices where status = 'finalized'\"` lists them"
        )
    (invoice,) = found
    return invoice


def _acceptances(lake: Lake, catalog: Catalog, asked: Asked, moment: Moment) -> Iterator[Act]:
    if not asked.accept:
        return
    waiting = {
        *past_periods(lake, catalog, moment)["subscription_id"],
        *_on_hold(lake, catalog, moment)["subscription_id"],
    }
    for subscription_id in dict.fromkeys(asked.accept):
        if subscription_id not in waiting:
            raise MeterlineError(
                f"--accept: expected a subscription to whose past an edit added a period, found "
                f"{shown(subscription_id)}; `meterline status` lists the drafts that wait"
            )
        yield Act(
            ActKind.ACCEPT,
            subscription_id=subscription_id,
            asked_by=asked.by,
            reason=asked.reason or None,
        )


def _on_hold(lake: Lake, catalog: Catalog, moment: Moment) -> pl.DataFrame:
    """The drafts on hold whose period the catalog still has: an edit may be undone."""
    on_hold = drafts_on_hold(lake)
    if not on_hold.height:
        return on_hold
    periods = periods_until(catalog, closed_spans(lake), moment.as_of)
    drafts = lake.query(
        f"SELECT {DRAFT_ID} AS invoice_id FROM periods",
        periods=periods.select("subscription_id", "period_start_label"),
    )
    return on_hold.join(drafts, on="invoice_id", how="semi", maintain_order="left")


def _waivers(lake: Lake, asked: Asked) -> Iterator[Act]:
    if not asked.waive:
        return
    waiting = unread_files(file_states(lake))
    for path in dict.fromkeys(asked.waive):
        files = waiting.filter(pl.col("path") == path)
        if not files.height:
            raise MeterlineError(
                f"--waive: expected the path of a held or unreadable file, found {shown(path)}: "
                "no such file waits; `meterline status` lists those that do"
            )
        for file_id in files["file_id"]:
            yield Act(
                ActKind.WAIVE, file_id=file_id, asked_by=asked.by, reason=asked.reason or None
            )
