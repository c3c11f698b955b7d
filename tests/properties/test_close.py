"""Closing in many runs gives the same invoices as closing in one.

A world is a number of files and drafts. A file is received, and later decided, held or found
unreadable. A run sees the files that were received by its `as_of`. An unreadable or held file stays
so: if it were healed, other customers would have been numbered first.

The seed in the name of a test makes the same world again.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.invoicing.chain import verify_chain
from pipelines.invoicing.documents import verify_documents
from pipelines.invoicing.due import CLOSING_ORDER, closable
from pipelines.invoicing.finalize import finalize
from pipelines.lake.file_states import unhealed
from tests.worlds.books import (
    Books,
    Draft,
    DraftLine,
    closing_facts,
    draft_line_rows,
    draft_rows,
    draft_terms,
    feed_rows,
    file_rows,
    owner_rows,
)
from tests.worlds.deliveries import NOON

HOUR = timedelta(hours=1)
LAST_CUT = 6
END = 50
"""Hours of a world. At its end every file is received and decided, and every cut is settled."""

CUSTOMERS = ("acme", "globex")
OF_THE_RUN = ["batch_id", "as_of", "event_batch_id"]


@dataclass(frozen=True)
class File:
    """A file version; its times are hours after noon."""

    source: str
    received: int
    decided: int
    is_readable: bool
    customer: str | None
    named: str | None

    def status(self, hour: int) -> str:
        if hour < self.decided:
            return "pending"
        if self.is_readable:
            return "decided"
        return "held" if self.named else "quarantined"


def make_world(chance: random.Random) -> tuple[list[File], list[Draft]]:
    """Files and drafts so close together that each affects the others."""
    world = []
    for _ in range(chance.randint(2, 6)):
        received = chance.randint(0, LAST_CUT)
        world.append(
            File(
                source=chance.choice(["cdn", "cdn", "cdn", "app"]),
                received=received,
                decided=received + chance.randint(0, LAST_CUT),
                is_readable=chance.random() < 0.6,
                customer=chance.choice([*CUSTOMERS, None]),
                named=chance.choice([*CUSTOMERS, None]),
            )
        )
    drafts = [
        Draft(
            customer=chance.choice(CUSTOMERS),
            cut_at=at(chance.randint(0, LAST_CUT)),
            lines=[DraftLine("-0.50", ["-0.5"])],
            subscription=chance.choice(["sub-1", "sub-2"]),
        )
        for _ in range(8)
    ]
    return world, list({draft.invoice_id: draft for draft in drafts}.values())


def at(hour: int) -> datetime:
    return NOON + hour * HOUR


def closed_by_runs(world: list[File], all_drafts: list[Draft], runs: list[int]) -> Books:
    """The books after runs at these hours; each run sees the files known by then."""
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
            if file.customer and file.status(hour) == "decided":
                fed.setdefault((file.source, file.customer), file.received)
        open_drafts = draft_rows(all_drafts).join(books.invoices, on="invoice_id", how="anti")
        closing = closable(
            open_drafts,
            unhealed(
                file_rows(
                    *(
                        (file_id, file.source, f"{file_id}", at(file.received), file.status(hour))
                        for file_id, file in listed
                    )
                )
            ),
            feed_rows(*((*feed, at(received)) for feed, received in fed.items())),
            at(hour),
            at(hour),
            HOUR,
            owner_rows(
                *(
                    (file_id, "customer", file.named)
                    for file_id, file in listed
                    if file.status(hour) == "held"
                )
            ),
        )
        books = books.with_closing(
            finalize(
                closing.closable,
                draft_line_rows(all_drafts),
                books.finalized,
                closing_facts(2 * number, at(hour)),
                books.head,
                draft_terms(all_drafts),
            )
        )
    return books


@pytest.mark.parametrize("seed", range(12, 36))
def test_any_split_of_closing_dates_gives_the_same_invoices(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 — repeatable on purpose
    world, drafts = make_world(chance)
    runs = [hour for hour in range(2 * LAST_CUT + 2) if chance.random() < 0.9]

    once = closed_by_runs(world, drafts, [END])
    split = closed_by_runs(world, drafts, [*runs, END])

    assert split.invoices.drop(OF_THE_RUN).equals(once.invoices.drop(OF_THE_RUN))
    assert split.lines.drop("batch_id").equals(once.lines.drop("batch_id"))
    assert split.invoices.equals(split.invoices.sort(CLOSING_ORDER))
    assert verify_chain(split.invoices) is None
    assert verify_documents(split.invoices, split.lines) is None


@settings(max_examples=30, deadline=None)
@given(
    chance=st.randoms(),
    place=st.integers(0, 7),
    column=st.sampled_from(
        ["canonical_json", "document_sha256", "previous_chain_sha256", "chain_sha256"]
    ),
)
def test_a_changed_byte_is_found_at_its_invoice(
    chance: random.Random, place: int, column: str
) -> None:
    invoices = closed_by_runs([], make_world(chance)[1], [END]).invoices
    number = place % invoices.height + 1
    is_changed = pl.col("series_number") == number
    tampered = invoices.with_columns(
        pl.when(is_changed).then(pl.col(column).str.reverse()).otherwise(column).alias(column)
    )

    broken = verify_chain(tampered)

    if tampered.equals(invoices):
        assert broken is None  # The zeros before the first link are the same reversed.
    else:
        assert broken is not None
        assert broken.invoice == f"INV-{number:06d}"
