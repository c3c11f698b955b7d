"""Closing in any number of runs gives the invoices of closing once.

A world is files, each received, later decided or found unreadable, and drafts with their cuts.
A run sees what was received and known by its instant. A file that is unreadable stays so:
healing one is a different history, in which other customers have been numbered first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.close import CLOSING_ORDER, closable, finalize
from pipelines.invoice_documents import verify_chain, verify_documents
from tests.books import (
    Books,
    Draft,
    DraftLine,
    closing_facts,
    draft_line_rows,
    draft_rows,
    feed_rows,
    file_rows,
)
from tests.worlds import NOON

HOUR = timedelta(hours=1)
END = 50
"""Hours after which nothing is received, undecided, open or unsettled."""

OF_THE_RUN = ["batch_id", "as_of", "event_batch_id"]
CUSTOMERS = st.sampled_from(["acme", "globex"])
HOURS = st.integers(0, 6)
"""Few, so that what happens at one hour often concerns what happens at another."""


@dataclass(frozen=True)
class File:
    """A file version; times are hours after noon."""

    source: str
    received: int
    decided: int
    is_readable: bool
    customers: frozenset[str]

    def status(self, hour: int) -> str:
        if hour < self.decided:
            return "pending"
        return "decided" if self.is_readable else "quarantined"


@st.composite
def files(draw: st.DrawFn) -> File:
    received = draw(HOURS)
    return File(
        source=draw(st.sampled_from(["cdn", "app"])),
        received=received,
        decided=received + draw(HOURS),
        is_readable=draw(st.booleans()),
        customers=draw(st.frozensets(CUSTOMERS, max_size=1)),
    )


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    amount = f"{draw(st.integers(-500, 500)) / 100:.2f}"
    return Draft(
        customer=draw(CUSTOMERS),
        cut_at=NOON + draw(HOURS) * HOUR,
        lines=[DraftLine(amount, [amount])],
        subscription=draw(st.sampled_from(["sub-1", "sub-2"])),
    )


def at(hour: int) -> datetime:
    return NOON + hour * HOUR


def closed_by_runs(world: list[File], all_drafts: list[Draft], runs: list[int]) -> Books:
    """The books after runs at these hours, each of which sees what is known by then."""
    in_sequence = sorted(world, key=lambda file: (file.received, repr(file)))
    books = Books()
    for number, hour in enumerate(runs, start=1):
        listed = [
            (file_id, file)
            for file_id, file in enumerate(in_sequence, start=1)
            if file.received <= hour
        ]
        fed: dict[tuple[str, str], int] = {}
        for _, file in listed:
            if file.status(hour) == "decided":
                for customer in file.customers:
                    fed.setdefault((file.source, customer), file.received)
        open_drafts = draft_rows(all_drafts).join(books.invoices, on="invoice_id", how="anti")
        closing = closable(
            open_drafts,
            file_rows(
                *(
                    (file_id, file.source, f"{file_id}.json", at(file.received), file.status(hour))
                    for file_id, file in listed
                )
            ),
            feed_rows(*((*feed, at(received)) for feed, received in fed.items())),
            at(hour),
            at(hour),
            HOUR,
        )
        books = books.with_closing(
            finalize(
                closing.closable,
                draft_line_rows(all_drafts),
                books.finalized,
                closing_facts(2 * number, at(hour)),
            )
        )
    return books


@settings(max_examples=50, deadline=None)
@given(
    world=st.lists(files(), min_size=1, max_size=6),
    all_drafts=st.lists(drafts(), min_size=2, max_size=8, unique_by=lambda draft: draft.invoice_id),
    runs=st.lists(st.integers(1, 13), min_size=1, max_size=10, unique=True).map(sorted),
)
def test_any_split_of_closing_dates_gives_the_same_invoices(
    world: list[File], all_drafts: list[Draft], runs: list[int]
) -> None:
    once = closed_by_runs(world, all_drafts, [END])
    split = closed_by_runs(world, all_drafts, [*runs, END])

    assert split.invoices.drop(OF_THE_RUN).equals(once.invoices.drop(OF_THE_RUN))
    assert split.lines.drop("batch_id").equals(once.lines.drop("batch_id"))
    assert split.invoices.equals(split.invoices.sort(CLOSING_ORDER))
    assert verify_chain(split.invoices) is None
    assert verify_documents(split.invoices, split.lines) is None


@settings(max_examples=30, deadline=None)
@given(
    all_drafts=st.lists(drafts(), min_size=1, max_size=8, unique_by=lambda draft: draft.invoice_id),
    place=st.integers(0, 7),
    column=st.sampled_from(
        ["canonical_json", "document_sha256", "previous_chain_sha256", "chain_sha256"]
    ),
)
def test_a_changed_byte_is_found_at_its_invoice(
    all_drafts: list[Draft], place: int, column: str
) -> None:
    invoices = closed_by_runs([], all_drafts, [END]).invoices
    number = place % invoices.height + 1
    is_changed = pl.col("series_number") == number
    tampered = invoices.with_columns(
        pl.when(is_changed).then(pl.col(column).str.reverse()).otherwise(column).alias(column)
    )

    broken = verify_chain(tampered)

    if tampered.equals(invoices):
        assert broken is None  # The zeros before the first link, reversed.
    else:
        assert broken is not None
        assert broken.invoice == f"INV-{number:06d}"
