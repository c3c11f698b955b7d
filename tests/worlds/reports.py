"""Reports and their rows for tests, each right in itself."""

from dataclasses import replace

from pipelines.operations.attention import DueDraft, Refusal, WaitingFile
from pipelines.operations.closed_differences import ClosedDifferences
from pipelines.operations.report import FileClass, HomeReport, InvoiceCounts, InvoiceRow
from pipelines.operations.summary import (
    InvoiceSums,
    NotBilled,
    UnbilledName,
    UnbilledUsage,
    billed,
)

NOTHING = HomeReport(
    as_of=None,
    file_classes=[],
    quarantined=[],
    held=[],
    reasons=[],
    conflicts=0,
    invoices=[],
    invoice_counts=InvoiceCounts(0, 0),
    generation=None,
    in_progress=[],
    not_read=[],
    warnings=[],
    oldest_undecided=None,
    due_drafts=[],
    billed=billed(InvoiceSums()),
    not_billed=NotBilled(),
    waiting=[],
    contradictions=[],
    waivers=[],
    to_give_back=[],
    periods_without_terms=0,
    closed_differences=ClosedDifferences(),
)
"""Of a home that no run has touched, with an empty landing."""

FILES = FileClass(
    source="raw",
    file_kind=".ndjson",
    files=3,
    lines=9,
    accepted=2,
    duplicate=1,
    conflict=1,
    rejected=4,
    blank=1,
    held=0,
)

WAITING = WaitingFile(
    path="raw/3.ndjson.gz",
    status="quarantined",
    reason="truncated gzip",
    lines=0,
    rejected=0,
    what_to_do="land a corrected file",
)

REFUSED = Refusal(
    verdict="rejected",
    reason_code="malformed",
    is_expected=False,
    lines=3,
    example="no JSON",
    example_path="raw/1.ndjson",
    example_line=5,
)

DRAFT = InvoiceRow(
    status="draft",
    invoice_number=None,
    customer_id="acme",
    subscription_id="s1",
    period_start_date="2026-03-01",
    time_zone="America/New_York",
    period_start_at="2026-03-01T05:00:00Z",
    period_end_at="2026-04-01T04:00:00Z",
    currency="USD",
    total_amount="0.00",
    period_end_date="2026-04-01",
)

DUE = DueDraft(
    invoice_id="s1/2026-03-01",
    customer_id="acme",
    subscription_id="s1",
    reason_code="file_held",
    reason="raw/3.ndjson was received before its cut and is held",
)


SCRIPTS = UnbilledName(name="scripts", is_customer=False, event_count=1_000, quantity="7")

LATE = UnbilledUsage(
    unbilled_reason="late",
    metric_code="egress_bytes",
    event_name=None,
    event_count=1_234,
    quantity="-1234567.5",
    unit="byte",
    names=1_001,
    largest=[SCRIPTS],
    command="meterline sql \"select * from rpt_unbilled_usage where unbilled_reason = 'late'\"",
)


def with_drafts(listed: int, drafts: int) -> HomeReport:
    """A report that lists some of its drafts."""
    rows = [replace(DRAFT, subscription_id=f"s{number}") for number in range(listed)]
    counts = InvoiceCounts(finalized=0, draft=drafts)
    return replace(NOTHING, invoices=rows, invoice_counts=counts, as_of="2026-03-10T12:00:00Z")
