"""What a home holds and what a replay changed, as a person sees it."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from pipelines.cli.tables import show_replay, show_report, shown_text
from pipelines.intake.replayed import Change, NotReplayed, Replayed
from pipelines.operations.attention import OldestUndecided
from pipelines.operations.closed_differences import ClosedDifferences
from pipelines.operations.report import (
    VERDICT_COUNTS,
    FileClass,
    HomeReport,
    InvoiceCounts,
    InvoiceRow,
    UndecidedFile,
    UnreadObject,
)
from pipelines.operations.summary import (
    CurrencyTotal,
    InvoiceSums,
    NotBilled,
    UnbilledUsage,
    billed,
    waiting,
)
from pipelines.vocabulary.verdicts import Reason
from tests.worlds.reports import (
    DRAFT,
    DUE,
    FILES,
    LATE,
    NOTHING,
    REFUSED,
    SCRIPTS,
    WAITING,
    with_drafts,
)

HOSTILE = "a[/x] [red]b[/red]\x1b[2J\r\n\u202ec"
EURO = CurrencyTotal("EUR", 1_200, "-0.13")
YEN = CurrencyTotal("JPY", 1, "1155")

HARMLESS = r"a[/x] [red]b[/red]\x1b[2J\r\n\u202ec"


def printed(show: Callable[[Console], None], width: int = 200) -> list[str]:
    """The lines that a person sees, without the spaces at their ends."""
    console = Console(file=io.StringIO(), width=width)
    show(console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


def shown(report: HomeReport, width: int = 200) -> list[str]:
    return printed(lambda console: show_report(report, console), width)


def shown_of_replay(replayed: Replayed, *, is_dry_run: bool = False) -> list[str]:
    return printed(lambda console: show_replay(replayed, is_dry_run, console))


def test_untouched_home_says_what_to_do() -> None:
    assert shown(NOTHING) == ["Nothing has been taken in yet: `meterline run` reads the landing."]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (1, "in progress 1 landed file waits to be decided: `meterline run` takes it in"),
        (2, "in progress 2 landed files wait to be decided: `meterline run` takes them in"),
        (
            1_000,
            "in progress 1,000 landed files wait to be decided: `meterline run` takes them in",
        ),
    ],
)
def test_files_that_wait_are_in_progress(files: int, told: str) -> None:
    waiting = [UndecidedFile(f"raw/{number}", 0) for number in range(files)]

    assert shown(replace(NOTHING, in_progress=waiting)) == [
        "Nothing has been taken in yet: `meterline run` reads the landing.",
        told,
    ]


def test_waiting_file_is_told_with_what_to_do() -> None:
    held = replace(WAITING, path="raw/h.ndjson", status="held", what_to_do="release it")
    lines = shown(replace(NOTHING, quarantined=[WAITING], held=[held]))

    assert lines[1:] == [
        "quarantined raw/3.ndjson.gz: truncated gzip; land a corrected file",
        "held raw/h.ndjson: truncated gzip; release it",
    ]


def test_names_that_nobody_knows_are_told_with_the_held_file() -> None:
    held = replace(WAITING, path="raw/h.ndjson", status="held", unknown_names=["a", "[b]"])

    assert shown(replace(NOTHING, held=[held]))[1:] == [
        "held raw/h.ndjson: truncated gzip; it names a, [b], whom the catalog does not know; "
        "land a corrected file"
    ]


def test_object_that_is_not_read_is_told_with_the_reason() -> None:
    (_, told) = shown(replace(NOTHING, not_read=[UnreadObject("raw/6.tsv", "not a name")]))

    assert told == "not read raw/6.tsv: not a name"


def test_tables_show_the_counts() -> None:
    lines = [
        text.split() for text in shown(replace(NOTHING, file_classes=[FILES], reasons=[REFUSED]))
    ]

    counts = [name for name in VERDICT_COUNTS if name != "not_usage"]
    assert ["source", "kind", "files", *counts] in lines
    assert ["raw", "*.ndjson", "3", "9", "2", "1", "1", "4", "1", "0"] in lines
    assert ["verdict", "reason", "lines", "for", "example"] in lines
    assert ["rejected", "malformed", "3"] in [words[:3] for words in lines]


def test_lines_that_are_not_usage_have_a_column_if_there_are_any() -> None:
    mixed = replace(FILES, lines=12, not_usage=3)
    lines = [text.split() for text in shown(replace(NOTHING, file_classes=[mixed, FILES]))]

    assert ["source", "kind", "files", *VERDICT_COUNTS] in lines
    assert ["raw", "*.ndjson", "3", "12", "2", "1", "1", "4", "3", "1", "0"] in lines
    assert ["raw", "*.ndjson", "3", "9", "2", "1", "1", "4", "0", "1", "0"] in lines


def test_invoices_are_listed_as_they_come_with_their_counts() -> None:
    finalized = replace(
        DRAFT,
        status="finalized",
        invoice_number="INV-2",
        customer_id="zürich",
        currency="JPY",
        total_amount="1200",
    )
    lines = shown(
        replace(
            NOTHING,
            invoices=[finalized, DRAFT],
            invoice_counts=InvoiceCounts(finalized=1, draft=1),
            as_of="2026-03-10T12:00:00Z",
        )
    )

    assert "Invoices: 1 finalized, 1 draft, as of 2026-03-10T12:00:00Z" in " ".join(lines)
    assert [line.split() for line in lines[-2:]] == [
        ["INV-2", "zürich", "s1", "2026-03-01", "2026-04-01", "1200", "JPY"],
        ["draft", "acme", "s1", "2026-03-01", "2026-04-01", "0.00", "USD"],
    ]


def test_periods_closed_without_an_invoice_are_counted() -> None:
    counts = InvoiceCounts(finalized=1, draft=1, unnumbered=1_200)
    lines = shown(
        replace(NOTHING, invoices=[DRAFT], invoice_counts=counts, as_of="2026-03-10T12:00:00Z")
    )

    assert "Invoices: 1 finalized, 1 draft, 1,200 of 0 without a number, as of" in " ".join(lines)


def not_billed(*usage: UnbilledUsage, pairs: int | None = None) -> HomeReport:
    return replace(NOTHING, not_billed=NotBilled(pairs or len(usage), list(usage)))


def files(source: str) -> FileClass:
    counts = dict.fromkeys(("files", *VERDICT_COUNTS), 1_234_567)
    return FileClass(source=source, file_kind=".json", **counts)


def invoice(**overrides: str) -> InvoiceRow:
    return replace(DRAFT, **overrides)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(
            replace(NOTHING, quarantined=[replace(WAITING, path=HOSTILE)]),
            id="path of a quarantined file",
        ),
        pytest.param(
            replace(NOTHING, quarantined=[replace(WAITING, reason=HOSTILE)]),
            id="reason of a quarantined file",
        ),
        pytest.param(replace(NOTHING, not_read=[UnreadObject(HOSTILE, "…")]), id="path not read"),
        pytest.param(replace(NOTHING, not_read=[UnreadObject("…", HOSTILE)]), id="reason not read"),
        pytest.param(replace(NOTHING, reasons=[replace(REFUSED, example=HOSTILE)]), id="example"),
        pytest.param(
            replace(NOTHING, reasons=[replace(REFUSED, example_path=HOSTILE)]),
            id="path of an example",
        ),
        pytest.param(replace(NOTHING, held=[replace(WAITING, what_to_do=HOSTILE)]), id="advice"),
        pytest.param(
            replace(NOTHING, held=[replace(WAITING, unknown_names=[HOSTILE])]), id="unknown name"
        ),
        pytest.param(replace(NOTHING, due_drafts=[replace(DUE, reason=HOSTILE)]), id="due draft"),
        pytest.param(
            replace(NOTHING, due_drafts=[replace(DUE, invoice_id=HOSTILE)]), id="id of a due draft"
        ),
        pytest.param(replace(NOTHING, warnings=[HOSTILE]), id="warning"),
        pytest.param(replace(NOTHING, file_classes=[files(HOSTILE)]), id="source"),
        pytest.param(replace(NOTHING, invoices=[invoice(customer_id=HOSTILE)]), id="customer"),
        pytest.param(
            replace(NOTHING, invoices=[invoice(subscription_id=HOSTILE)]), id="subscription"
        ),
        pytest.param(
            replace(NOTHING, oldest_undecided=OldestUndecided(HOSTILE, "held", "…", 0)),
            id="oldest file",
        ),
        pytest.param(
            not_billed(replace(LATE, largest=[replace(SCRIPTS, name=HOSTILE)])), id="unbilled name"
        ),
        pytest.param(
            not_billed(replace(LATE, metric_code=None, event_name=HOSTILE)), id="name of an event"
        ),
        pytest.param(not_billed(replace(LATE, unit=HOSTILE)), id="unit"),
    ],
)
def test_markup_and_control_characters_are_shown_not_obeyed(report: HomeReport) -> None:
    assert HARMLESS in "\n".join(shown(report))


@pytest.mark.parametrize(
    ("text", "terminal"),
    [
        pytest.param("Straße 1 – ¥", "Straße 1 – ¥", id="ordinary text"),
        pytest.param("[bold]", "\\[bold]", id="markup"),
        pytest.param("\x1b]0;title\x07", "\\x1b]0;title\\x07", id="title of the window"),
        pytest.param("\x9b31m", "\\x9b31m", id="control of eight bits"),
        pytest.param("a\tb\n", "a\\tb\\n", id="tab and line end"),
        pytest.param("\U000e0001", "\\U000e0001", id="beyond the plane"),
        pytest.param("", "", id="empty"),
    ],
)
def test_shown_text_has_nothing_to_obey(text: str, terminal: str) -> None:
    assert shown_text(text) == terminal


def test_counts_are_grouped_by_thousands() -> None:
    reason = replace(
        REFUSED,
        verdict="duplicate",
        reason_code=None,
        lines=54_321,
        example="…",
        example_path="p",
        example_line=7,
    )
    report = replace(NOTHING, file_classes=[files("cdn")], reasons=[reason])
    lines = [text.split() for text in shown(report)]

    assert ["cdn", "*.json", *["1,234,567"] * 9] in lines
    assert ["duplicate", "54,321", "…", "(p", "line", "7)"] in lines


@pytest.mark.parametrize(("files", "more"), [(20, None), (21, "1"), (1_020, "1,000")])
def test_long_lists_of_files_are_cut(files: int, more: str | None) -> None:
    paths = [f"raw/{number}" for number in range(files)]
    lines = shown(
        replace(
            NOTHING,
            quarantined=[replace(WAITING, path=path) for path in paths],
            not_read=[UnreadObject(path, "…") for path in paths],
        )
    )

    for label in ("quarantined", "not read"):
        told = [text for text in lines if text.startswith(label)]
        assert sum("raw/" in text for text in told) == 20
        cut = [] if more is None else [f"{label} … and {more} more: meterline status --json"]
        assert told[20:] == cut


@pytest.mark.parametrize(("invoices", "more"), [(50, None), (51, "1"), (1_550, "1,500")])
def test_long_list_of_invoices_is_cut(invoices: int, more: str | None) -> None:
    lines = shown(with_drafts(listed=50, drafts=invoices))

    title = f"Invoices: 0 finalized, {invoices:,} drafts, as of 2026-03-10T12:00:00Z"
    assert title in " ".join(lines)
    assert sum(text.strip().startswith("draft ") for text in lines) == 50
    told = [text.strip() for text in lines if "more" in text]
    assert told == ([] if more is None else [f"… and {more} more: select * from fct_invoices"])


@pytest.mark.parametrize(("drafts", "more"), [(50, None), (51, "1"), (1_050, "1,000")])
def test_long_list_of_due_drafts_is_cut(drafts: int, more: str | None) -> None:
    due = [replace(DUE, invoice_id=f"s{number}/2026-03-01") for number in range(drafts)]
    told = [text for text in shown(replace(NOTHING, due_drafts=due)) if text.startswith("due")]

    assert told[0] == f"due, still a draft s0/2026-03-01: {DUE.reason}"
    assert sum(DUE.reason in text for text in told) == 50
    cut = "due, still a draft … and {} more: meterline status --json"
    assert told[50:] == ([] if more is None else [cut.format(more)])


def test_report_ends_with_what_is_billed_what_is_not_and_what_waits() -> None:
    sums = InvoiceSums(finalized=[EURO, YEN], not_due=[YEN])
    as_of = "2026-03-10T12:00:00Z"
    kinds = waiting(sums, as_of, held=1, unreadable=2, new=3)
    report = replace(
        NOTHING, billed=billed(sums), not_billed=NotBilled(1, [LATE]), waiting=kinds, as_of=as_of
    )

    assert [" ".join(line.split()) for line in shown(report) if "─" not in line][1:] == [
        "Billed",
        "invoices total",
        "1,200 -0.13 EUR",
        "1 1155 JPY",
        billed(sums).command,
        "Not billed",
        "reason metric events quantity unit largest",
        "late egress_bytes 1,234 -1,234,567.5 byte scripts and 1,000 more",
        LATE.command,
        "Waiting",
        "what number total",
        "drafts not due yet 1 1155 JPY",
        "held files 1",
        "unreadable files 2",
        "files not taken in yet 3",
        *(kind.command for kind in kinds),
    ]


def test_amounts_end_in_one_column() -> None:
    lines = shown(replace(NOTHING, billed=billed(InvoiceSums([EURO, YEN]))), width=80)

    assert len({len(line) for line in lines if line.endswith(("EUR", "JPY"))}) == 1


def test_nothing_is_shown_of_what_there_is_not() -> None:
    lines = shown(not_billed(LATE))

    assert not {"Billed", "Waiting"} & set(lines)


def test_reason_stands_once_above_its_metrics() -> None:
    other = replace(LATE, metric_code="requests", event_count=2, quantity=None, unit="request")
    lines = [line.split() for line in shown(not_billed(LATE, other))]

    assert ["requests", "2", "request", "scripts", "and", "1,000", "more"] in lines


def test_events_of_no_metric_are_shown_by_their_name() -> None:
    nameless = replace(
        LATE,
        unbilled_reason="no_metric",
        metric_code=None,
        event_name="login",
        quantity=None,
        unit=None,
        names=1,
    )
    lines = [line.split() for line in shown(not_billed(nameless))]

    assert ["no_metric", "login", "1,234", "scripts"] in lines


@pytest.mark.parametrize(("pairs", "more"), [(1, None), (2, "1"), (1_001, "1,000")])
def test_long_list_of_reasons_is_cut(pairs: int, more: str | None) -> None:
    told = [line.strip() for line in shown(not_billed(LATE, pairs=pairs)) if "…" in line]

    assert told == (
        [] if more is None else [f"… and {more} more: select * from rpt_unbilled_usage"]
    )


def test_longest_reason_and_every_name_fit_a_narrow_terminal() -> None:
    reason = "contradicting_references"
    names = [replace(SCRIPTS, name=f"customer-{number}" * 3) for number in range(3)]
    usage = replace(LATE, unbilled_reason=reason, largest=names, quantity="12345678901234.5")
    lines = shown(not_billed(usage), width=80)
    command = next(line.strip() for line in lines if "meterline sql" in line)
    table = [line for line in lines if "meterline sql" not in line]

    assert max(map(len, table)) <= 80
    assert any(line.split()[:1] == [reason] for line in table)
    assert "12,345,678,901,234.5" in "".join(table)
    assert "…" not in "".join(table)
    assert command == usage.command


def test_every_verdict_and_reason_there_is_fits_the_table() -> None:
    listed = [
        replace(REFUSED, verdict=verdict, reason_code=code, lines=1, example=f"example-{code}")
        for verdict, code in (
            ("duplicate", None),
            ("conflict", None),
            *(("rejected", reason.value) for reason in Reason),
        )
    ]
    lines = shown(replace(NOTHING, reasons=listed))

    assert sum("example-" in text for text in lines) == len(listed)


def test_conflicts_that_a_source_expects_stand_apart() -> None:
    expected = replace(REFUSED, verdict="conflict", reason_code=None, is_expected=True, lines=2)
    lines = shown(replace(NOTHING, reasons=[REFUSED, expected]))

    assert any(text.split()[:3] == ["conflict", "expected", "2"] for text in lines)


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, "0 hours"),
        (3_600, "1 hour"),
        (48 * 3_600 - 1, "47 hours"),
        (48 * 3_600, "2 days"),
        (1_000 * 24 * 3_600, "1,000 days"),
    ],
)
def test_age_of_the_oldest_file_is_in_hours_then_in_days(seconds: int, age: str) -> None:
    oldest = OldestUndecided("raw/1.ndjson", "pending", "2026-03-10T12:00:00Z", seconds)
    (_, told) = shown(replace(NOTHING, oldest_undecided=oldest))

    assert told == (
        f"oldest undecided raw/1.ndjson: pending, received 2026-03-10T12:00:00Z, {age} ago"
    )


def test_replay_says_what_changed_and_what_did_not() -> None:
    changes = [
        Change("held", "accepted", 1_200, "cdn/a.ndjson line 1"),
        Change("too_late", "duplicate", 1, HOSTILE),
    ]
    not_replayed = [NotReplayed(HOSTILE, "it was deleted")]
    replayed = Replayed(files=2, changes=changes, unchanged=3, not_replayed=not_replayed)
    lines = [line.strip() for line in shown_of_replay(replayed)]

    assert [line.split() for line in lines if line.startswith("held")] == [
        ["held", "accepted", "1,200", "cdn/a.ndjson", "line", "1"]
    ]
    assert any(line.startswith("too_late") and line.endswith(HARMLESS) for line in lines)
    assert lines[-2:] == [
        f"left as it is {HARMLESS}: it was deleted",
        "1,201 lines of 2 files changed, 3 stay as they are.",
    ]


@pytest.mark.parametrize(
    ("replayed", "sentence"),
    [
        (Replayed(0, [], 256, []), "0 lines of 0 files would change, 256 stay as they are."),
        (
            Replayed(1, [Change("held", "accepted", 1, "cdn/a line 1")], 1, []),
            "1 line of 1 file would change, 1 stays as it is.",
        ),
    ],
)
def test_dry_replay_says_what_would_change(replayed: Replayed, sentence: str) -> None:
    assert shown_of_replay(replayed, is_dry_run=True)[-1] == sentence


def test_closed_lines_that_would_differ_are_one_sentence() -> None:
    differing = ClosedDifferences(lines=1_234, invoices=1, metrics=["egress", "requests"])

    said = " ".join(" ".join(shown(replace(NOTHING, closed_differences=differing))).split())

    assert (
        "closed, counted otherwise today 1,234 closed lines of 1 invoice would differ for egress, "
        "requests; nothing closed changes: "
        'meterline sql "select * from rpt_closed_differences"'
    ) in said
    assert "counted otherwise" not in " ".join(shown(NOTHING))
