"""What a home holds, as a program reads it and as a person sees it."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.catalog.catalog import read_catalog
from pipelines.lake.file_states import file_states
from pipelines.landing.store import Landing
from pipelines.operations import attention
from pipelines.operations import report as reporting
from pipelines.operations.report import (
    VERDICT_COUNTS,
    HomeReport,
    read_report,
    show_report,
    shown_text,
)
from pipelines.settings import Settings
from pipelines.vocabulary.errors import CatalogError, LandingError
from pipelines.vocabulary.tables import FILE_DECISIONS, LANDING_FILES
from pipelines.vocabulary.verdicts import Reason
from tests.worlds.catalogs import METRICS, RIGHT, write
from tests.worlds.deliveries import NO_CUTS, NOON
from tests.worlds.file_lines import event_line
from tests.worlds.lakes import LakeInMemory, decide_landing, lake_rows
from tests.worlds.landings import DroppedFile, drop_into_folder
from tests.worlds.marts import play_host_in, publish_marts

HOUR = timedelta(hours=1)
NOTHING = HomeReport(
    as_of=None,
    file_classes=[],
    quarantined=[],
    held=[],
    reasons=[],
    conflicts=0,
    invoices=[],
    generation=None,
    in_progress=[],
    not_read=[],
    warnings=[],
    oldest_undecided=None,
    due_drafts=[],
)


@pytest.fixture(autouse=True)
def _metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.home.metric_codes", lambda: METRICS)


def shown(report: HomeReport) -> list[str]:
    """The lines that a person sees, without the spaces at their ends."""
    console = Console(file=io.StringIO(), width=200)
    show_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


def new_home(folder: Path) -> Settings:
    """A landing with nothing in it, a right catalog, and a home that no run has touched."""
    (folder / "landing").mkdir(parents=True)
    (folder / "catalog").mkdir()
    write(folder / "catalog", RIGHT)
    return Settings(
        home=folder / "home", landing=str(folder / "landing"), catalog=folder / "catalog"
    )


def land(settings: Settings, path: str, content: bytes, hours: int = 0) -> None:
    file = DroppedFile(path, content, NOON + hours * HOUR, 0, ())
    drop_into_folder(Path(settings.landing), [file])


def decide(settings: Settings) -> None:
    sources = read_catalog(settings.catalog, METRICS).sources
    cuts = NO_CUTS
    decide_landing(settings.home, Landing(settings.landing), sources, cuts)


def line(key: str, **overrides: object) -> bytes:
    fields = {"transaction_id": key, "timestamp": "2026-03-10T11:00:00Z"}
    return event_line(**(fields | overrides)) + b"\n"


def test_untouched_home_holds_nothing_and_stays_untouched(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    report = read_report(settings)

    assert replace(report, warnings=[]) == NOTHING
    assert shown(NOTHING) == ["Nothing has been taken in yet: `meterline run` reads the landing."]
    assert not settings.home.exists()


def test_files_that_wait_are_in_progress(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    land(settings, "raw/1.ndjson", line("a"))
    land(settings, "raw/2.ndjson", b"")
    report = read_report(settings)

    assert report.in_progress == [
        {"path": "raw/1.ndjson", "size_bytes": len(line("a"))},
        {"path": "raw/2.ndjson", "size_bytes": 0},
    ]
    assert shown(replace(report, warnings=[], oldest_undecided=None)) == [
        "Nothing has been taken in yet: `meterline run` reads the landing.",
        "in progress 2 landed files wait to be decided: `meterline run` takes them in",
    ]


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> HomeReport:
    """A home with lines of every verdict, files that cannot be read, and one of them healed."""
    settings = new_home(tmp_path_factory.mktemp("decided"))
    land(settings, "raw/1.ndjson", line("a") + line("b") + line("a") + b"\n{\n")
    conflict, future = line("a", event_type="x"), line("f", timestamp="2026-03-10T12:00:01Z")
    land(settings, "raw/b/2.v1.ndjson", conflict + future)
    land(settings, "raw/3.ndjson.gz", b"\x1f\x8bbroken")
    land(settings, "raw/4.ndjson.gz", b"\x1f\x8bbroken")
    land(settings, "raw/5.ndjson", b"{\n" * 2)
    land(settings, "raw/6.tsv", b"a,b\n")
    land(settings, "raw/_7.ndjson", b"")
    land(settings, "nobody/8.ndjson", b"")
    decide(settings)
    land(settings, "raw/4.ndjson.gz", line("c"), hours=1)
    decide(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.home.metric_codes", lambda: METRICS)
        return read_report(settings)


def test_lines_are_counted_per_source_and_kind_of_file(decided: HomeReport) -> None:
    plain, packed = decided.file_classes

    assert plain == {
        "source": "raw",
        "file_kind": ".ndjson",
        "files": 3,
        # 4 and a blank, 2, 2 that are no JSON.
        "lines": 9,
        "accepted": 2,
        "duplicate": 1,
        "conflict": 1,
        "rejected": 4,
        "blank": 1,
        "held": 0,
    }
    assert (packed["file_kind"], packed["files"], packed["accepted"]) == (".ndjson.gz", 3, 1)
    for counts in (plain, packed):
        assert counts["lines"] == sum(counts[name] for name in VERDICT_COUNTS[1:])


def test_reasons_come_most_frequent_first_with_an_example(decided: HomeReport) -> None:
    reasons = decided.reasons

    assert [(row["verdict"], row["reason_code"], row["lines"]) for row in reasons] == [
        ("rejected", "malformed", 3),
        ("conflict", None, 1),
        ("duplicate", None, 1),
        ("rejected", "future", 1),
    ]
    assert all(row["example"] for row in reasons)


def test_quarantined_file_is_told_until_a_later_version_heals_it(decided: HomeReport) -> None:
    assert [file["path"] for file in decided.quarantined] == ["raw/3.ndjson.gz"]
    (told,) = (text for text in shown(decided) if text.startswith("quarantined"))
    assert told.startswith("quarantined raw/3.ndjson.gz: truncated gzip: ")
    assert told.endswith(
        "; land a corrected file under its name, or retry: "
        "`meterline replay --file raw/3.ndjson.gz`"
    )


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        pytest.param("quarantined", 1, id="broken"),
        pytest.param("quarantined decided", 0, id="healed"),
        pytest.param("quarantined held", 1, id="not healed yet"),
        pytest.param("decided quarantined", 1, id="broke"),
        pytest.param("quarantined decided quarantined", 1, id="broke again"),
        pytest.param("quarantined decided decided", 0, id="landed again"),
        pytest.param("quarantined quarantined", 2, id="broken in two versions"),
        pytest.param("decided", 0, id="right"),
    ],
)
def test_versions_after_which_no_right_one_came_are_told(statuses: str, told: int) -> None:
    with LakeInMemory() as lake:
        for file_id, status in enumerate([*statuses.split(), "decided"], start=1):
            # The last file has another name: it heals nothing.
            path = "raw/1.ndjson" if file_id <= len(statuses.split()) else "raw/2.ndjson"
            file = {"file_id": file_id, "path": path, "source": "raw", "received_at": NOON}
            lake.append(LANDING_FILES, lake_rows(LANDING_FILES, file))
            decision = {"file_id": file_id, "revision": 0, "status": status}
            lake.append(FILE_DECISIONS, lake_rows(FILE_DECISIONS, decision))

        states = file_states(lake, lake_rows(LANDING_FILES))
        files = attention.waiting_files(lake, states)["quarantined"]

    assert [file["path"] for file in files] == ["raw/1.ndjson"] * told


def test_objects_that_are_not_read_are_told_with_the_reason(decided: HomeReport) -> None:
    assert [(each["path"], each["reason"].split(" (")[0]) for each in decided.not_read] == [
        ("nobody/8.ndjson", "no row for source 'nobody' in sources.csv"),
        (
            "raw/6.tsv",
            "not a name that is read: "
            ".ndjson, .jsonl, .json or .csv, plain, .gz or .zst, or .parquet",
        ),
        ("raw/_7.ndjson", "unfinished upload"),
    ]
    assert "not read raw/6.tsv: not a name that is read:" in "\n".join(shown(decided))


def test_decided_home_has_nothing_in_progress_and_speaks_for_no_instant(
    decided: HomeReport,
) -> None:
    assert decided.in_progress == []
    assert (decided.as_of, decided.invoices, decided.generation) == (None, [], None)


def test_tables_show_the_counts(decided: HomeReport) -> None:
    lines = [text.split() for text in shown(decided)]

    assert ["source", "kind", "files", *VERDICT_COUNTS] in lines
    assert ["raw", "*.ndjson", "3", "9", "2", "1", "1", "4", "1", "0"] in lines
    assert ["verdict", "reason", "lines", "for", "example"] in lines
    assert ["rejected", "malformed", "3"] in [words[:3] for words in lines]


def test_report_is_json(decided: HomeReport) -> None:
    report = decided.as_json()

    assert json.loads(json.dumps(report)) == report
    assert report.keys() == vars(NOTHING).keys()


def test_catalog_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    (settings.catalog / "plans.csv").unlink()
    with pytest.raises(CatalogError):
        read_report(settings)


def test_missing_landing_is_refused(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    Path(settings.landing).rmdir()
    with pytest.raises(LandingError, match="METERLINE_LANDING is not a folder"):
        read_report(settings)


@pytest.mark.parametrize("host_zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_invoices_are_in_closing_order_then_the_drafts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host_zone: str
) -> None:
    play_host_in(host_zone, monkeypatch)
    settings = new_home(tmp_path)
    generation = publish_marts(
        settings.home,
        "CREATE TABLE fct_invoices (invoice_id VARCHAR, status VARCHAR, invoice_number VARCHAR, "
        "series_number BIGINT, customer_id VARCHAR, subscription_id VARCHAR, currency VARCHAR, "
        "period_start_at TIMESTAMPTZ, period_end_at TIMESTAMPTZ, total_amount DECIMAL(38, 15))",
        "CREATE TABLE dim_billing_periods (invoice_id VARCHAR, customer_id VARCHAR, "
        "subscription_id VARCHAR, time_zone VARCHAR, period_start_date DATE)",
        # In closing order 2 comes before 10; summer time begins in Zurich on 29 March.
        """
        INSERT INTO fct_invoices VALUES
        ('i', 'draft', NULL, NULL, 'acme', 's1', 'USD', '2026-03-01 05:00:00Z',
            '2026-04-01 04:00:00Z', 0),
        ('j', 'finalized', 'INV-10', 10, 'acme', 's1', 'KWD', '2026-02-01 05:00:00Z',
            '2026-03-01 05:00:00Z', 3.25),
        ('k', 'finalized', 'INV-2', 2, 'zürich', 's2', 'JPY', '2026-02-28 23:00:00Z',
            '2026-03-31 22:00:00Z', 1200)
        """,
        """
        INSERT INTO dim_billing_periods VALUES
        ('i', 'acme', 's1', 'America/New_York', '2026-03-01'),
        ('j', 'acme', 's1', 'America/New_York', '2026-02-01'),
        ('k', 'zürich', 's2', 'Europe/Zurich', '2026-03-01')
        """,
    )
    report = read_report(settings)

    assert report.generation == generation.generation_id
    assert report.as_of == "2026-03-10T12:00:00Z"
    assert report.invoices[0] == {
        "status": "finalized",
        "invoice_number": "INV-2",
        "customer_id": "zürich",
        "subscription_id": "s2",
        "period_start_date": "2026-03-01",
        "time_zone": "Europe/Zurich",
        "period_start_at": "2026-02-28T23:00:00Z",
        "period_end_at": "2026-03-31T22:00:00Z",
        "currency": "JPY",
        "total_amount": "1200",
        "period_end_date": "2026-04-01",
    }
    assert [
        (each["invoice_number"], each["period_end_date"], each["total_amount"])
        for each in report.invoices
    ] == [
        ("INV-2", "2026-04-01", "1200"),
        ("INV-10", "2026-03-01", "3.250"),
        (None, "2026-04-01", "0.00"),
    ]
    lines = shown(report)
    assert "Invoices: 2 finalized, 1 drafts, as of 2026-03-10T12:00:00Z" in " ".join(lines)
    assert [words[:2] + words[-2:] for words in map(str.split, lines[-3:])] == [
        ["INV-2", "zürich", "1200", "JPY"],
        ["INV-10", "acme", "3.250", "KWD"],
        ["draft", "acme", "0.00", "USD"],
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        pytest.param("256.92", "USD", "256.92", id="cents"),
        pytest.param("0", "USD", "0.00", id="zero"),
        pytest.param("1200", "JPY", "1200", id="no minor unit"),
        pytest.param("1E+3", "JPY", "1000", id="no exponent"),
        pytest.param("3.25", "KWD", "3.250", id="thousandths"),
        pytest.param("3.2501", "CLF", "3.2501", id="ten thousandths"),
        pytest.param("-0.07", "EUR", "-0.07", id="negative"),
        # 25 digits; a float has 15, and a decimal context 28.
        pytest.param(
            "90071992547409930000000.010000000000000",
            "USD",
            "90071992547409930000000.01",
            id="huge",
        ),
    ],
)
def test_money_has_the_digits_of_its_currency(amount: str, currency: str, text: str) -> None:
    assert reporting._money(Decimal(amount), currency) == text


HOSTILE = "a[/x] [red]b[/red]\x1b[2J\r\n\u202ec"
HARMLESS = r"a[/x] [red]b[/red]\x1b[2J\r\n\u202ec"


def invoice(**overrides: object) -> dict[str, Any]:
    return {
        "status": "draft",
        "invoice_number": None,
        "customer_id": "acme",
        "subscription_id": "s1",
        "period_start_date": "2026-03-01",
        "period_end_date": "2026-04-01",
        "total_amount": "0.00",
        "currency": "USD",
    } | overrides


COUNTS = dict.fromkeys(("files", *VERDICT_COUNTS), 1_234_567)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(
            replace(NOTHING, quarantined=[{"path": HOSTILE, "reason": "…"}]),
            id="path of a quarantined file",
        ),
        pytest.param(
            replace(NOTHING, quarantined=[{"path": "…", "reason": HOSTILE}]),
            id="reason of a quarantined file",
        ),
        pytest.param(
            replace(NOTHING, not_read=[{"path": HOSTILE, "reason": "…"}]), id="path not read"
        ),
        pytest.param(
            replace(NOTHING, not_read=[{"path": "…", "reason": HOSTILE}]), id="reason not read"
        ),
        pytest.param(
            replace(
                NOTHING,
                reasons=[
                    {
                        "verdict": "rejected",
                        "reason_code": "malformed",
                        "is_expected": False,
                        "lines": 1,
                        "example": HOSTILE,
                        "example_path": "…",
                        "example_line": 1,
                    }
                ],
            ),
            id="example",
        ),
        pytest.param(
            replace(NOTHING, held=[{"path": "…", "reason": "…", "what_to_do": HOSTILE}]),
            id="advice",
        ),
        pytest.param(
            replace(NOTHING, due_drafts=[{"invoice_id": "…", "reason": HOSTILE}]), id="due draft"
        ),
        pytest.param(replace(NOTHING, warnings=[HOSTILE]), id="warning"),
        pytest.param(
            replace(NOTHING, file_classes=[{"source": HOSTILE, "file_kind": "", **COUNTS}]),
            id="source",
        ),
        pytest.param(replace(NOTHING, invoices=[invoice(customer_id=HOSTILE)]), id="customer"),
        pytest.param(
            replace(NOTHING, invoices=[invoice(subscription_id=HOSTILE)]), id="subscription"
        ),
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
    row = {"source": "cdn", "file_kind": ".json", **COUNTS}
    reason = {
        "verdict": "duplicate",
        "reason_code": None,
        "is_expected": False,
        "lines": 54_321,
        "example": "…",
        "example_path": "p",
        "example_line": 7,
    }
    lines = [text.split() for text in shown(replace(NOTHING, file_classes=[row], reasons=[reason]))]

    assert ["cdn", "*.json", *["1,234,567"] * 8] in lines
    assert ["duplicate", "54,321", "…", "(p", "line", "7)"] in lines


@pytest.mark.parametrize(("files", "more"), [(20, None), (21, "1"), (1_020, "1,000")])
def test_long_lists_of_files_are_cut(files: int, more: str | None) -> None:
    listed = [{"path": f"raw/{number}", "reason": "…"} for number in range(files)]
    lines = shown(replace(NOTHING, quarantined=listed, not_read=listed))

    for label in ("quarantined", "not read"):
        told = [text for text in lines if text.startswith(label)]
        assert sum("raw/" in text for text in told) == 20
        cut = [] if more is None else [f"{label} … and {more} more: meterline status --json"]
        assert told[20:] == cut


@pytest.mark.parametrize(("invoices", "more"), [(50, None), (51, "1"), (1_550, "1,500")])
def test_long_list_of_invoices_is_cut(invoices: int, more: str | None) -> None:
    listed = [invoice(subscription_id=f"s{number}") for number in range(invoices)]
    lines = shown(replace(NOTHING, invoices=listed, as_of="2026-03-10T12:00:00Z"))

    title = f"Invoices: 0 finalized, {invoices} drafts, as of 2026-03-10T12:00:00Z"
    assert title in " ".join(lines)
    assert sum(text.strip().startswith("draft ") for text in lines) == 50
    told = [text.strip() for text in lines if "more" in text]
    assert told == ([] if more is None else [f"… and {more} more: select * from fct_invoices"])


def test_every_verdict_and_reason_there_is_fits_the_table() -> None:
    listed = [
        {
            "verdict": verdict,
            "reason_code": code,
            "is_expected": False,
            "lines": 1,
            "example": f"example-{code}",
            "example_path": "p",
            "example_line": 1,
        }
        for verdict, code in (
            ("duplicate", None),
            ("conflict", None),
            *(("rejected", reason.value) for reason in Reason),
        )
    ]
    lines = shown(replace(NOTHING, reasons=listed))

    assert sum("example-" in text for text in lines) == len(listed)


def test_conflicts_that_a_source_expects_stand_apart(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    rows = RIGHT["sources.csv"].replace(
        "received_at_from\n", "received_at_from,conflicts_expected\n"
    )
    rows = rows.replace("path\n", "path,yes\n").replace("last_modified\n", "last_modified,\n")
    write(settings.catalog, {"sources.csv": rows + "beat,metronome,,,,,last_modified,yes\n"})
    for source in ("beat", "raw"):
        beats = b"".join(line("a", event_type=name) for name in "abc")
        land(settings, f"{source}/1.ndjson", beats + line("a", event_type="a"))
    decide(settings)

    report = read_report(settings)

    assert [
        (row["verdict"], row["is_expected"], row["lines"], "expects" in row["example"])
        for row in report.reasons
    ] == [
        ("conflict", False, 2, False),
        ("duplicate", False, 2, False),
        ("conflict", True, 2, True),
    ]
    assert any(text.split()[:3] == ["conflict", "expected", "2"] for text in shown(report))
    # They are lines all the same.
    assert [row["conflict"] for row in report.file_classes] == [2, 2]
