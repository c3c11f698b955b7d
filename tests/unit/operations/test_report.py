"""What a home holds, as a program reads it."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.catalog.catalog import read_catalog
from pipelines.home import Home
from pipelines.landing.store import Landing
from pipelines.operations.listed import list_landing
from pipelines.operations.report import (
    INVOICES_LISTED,
    VERDICT_COUNTS,
    FileClass,
    HomeReport,
    InvoiceCounts,
    InvoiceRow,
    UndecidedFile,
    read_report,
)
from pipelines.settings import Settings
from pipelines.vocabulary.errors import CatalogError, LandingError
from pipelines.vocabulary.money import amount_text
from pipelines.vocabulary.tables import FILE_DECISIONS, LANDING_FILES
from tests.worlds.catalogs import METRICS, RIGHT, write
from tests.worlds.deliveries import NO_CUTS, NOON
from tests.worlds.file_lines import event_line
from tests.worlds.lakes import LakeInMemory, decide_landing, lake_rows
from tests.worlds.landings import DroppedFile, drop_into_folder
from tests.worlds.marts import NO_INVOICES, RPT_UNBILLED_USAGE, play_host_in, publish_marts
from tests.worlds.reports import NOTHING

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.home.metric_codes", lambda: METRICS)


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
    assert not settings.home.exists()


def test_files_that_wait_are_in_progress(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    land(settings, "raw/1.ndjson", line("a"))
    land(settings, "raw/2.ndjson", b"")
    report = read_report(settings)

    assert report.in_progress == [
        UndecidedFile("raw/1.ndjson", size_bytes=len(line("a"))),
        UndecidedFile("raw/2.ndjson", size_bytes=0),
    ]


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> HomeReport:
    """A home with lines of every verdict, files that cannot be read, and one of them healed."""
    settings = new_home(tmp_path_factory.mktemp("decided"))
    land(settings, "raw/1.ndjson", line("a") + line("b") + line("a") + b"\n" + b"{\n" * 3)
    conflict, future = line("a", event_type="x"), line("f", timestamp="2026-03-10T12:00:01Z")
    land(settings, "raw/b/2.v1.ndjson", conflict + future)
    land(settings, "raw/3.ndjson.gz", b"\x1f\x8bbroken")
    land(settings, "raw/4.ndjson.gz", b"\x1f\x8bbroken")
    land(settings, "raw/5.ndjson", b"{\n" * 2)
    land(settings, "raw/6.tmp", b"a,b\n")
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

    assert plain == FileClass(
        source="raw",
        file_kind=".ndjson",
        files=3,
        # 6 and a blank, and 2; a file without any JSON has no line.
        lines=9,
        accepted=2,
        duplicate=1,
        conflict=1,
        rejected=4,
        blank=1,
        held=0,
    )
    assert (packed.file_kind, packed.files, packed.accepted) == (".ndjson.gz", 3, 1)
    for counts in (plain, packed):
        assert counts.lines == sum(getattr(counts, name) for name in VERDICT_COUNTS[1:])


def test_reasons_come_most_frequent_first_with_an_example(decided: HomeReport) -> None:
    reasons = decided.reasons

    assert [(row.verdict, row.reason_code, row.lines) for row in reasons] == [
        ("rejected", "malformed", 3),
        ("conflict", None, 1),
        ("duplicate", None, 1),
        ("rejected", "future", 1),
    ]
    assert all(row.example for row in reasons)
    assert (reasons[0].example_path, reasons[0].example_line) == ("raw/1.ndjson", 5)


def test_quarantined_file_is_told_until_a_later_version_heals_it(decided: HomeReport) -> None:
    told, no_json = decided.quarantined

    assert told.path == "raw/3.ndjson.gz"
    assert told.reason.startswith("truncated gzip: ")
    assert told.what_to_do == (
        "land a corrected file under its name, or retry: `meterline replay --file raw/3.ndjson.gz`"
    )
    assert (no_json.path, no_json.lines) == ("raw/5.ndjson", 0)
    assert no_json.reason.startswith("it begins with '{' and holds no JSON object")


def test_objects_that_are_not_read_are_told_with_the_reason(decided: HomeReport) -> None:
    assert [(each.path, each.reason.split(" (")[0]) for each in decided.not_read] == [
        ("nobody/8.ndjson", "no row for source 'nobody' in sources.csv"),
        ("raw/6.tmp", "unfinished upload"),
        ("raw/_7.ndjson", "unfinished upload"),
    ]


def test_decided_home_has_nothing_in_progress_and_speaks_for_no_instant(
    decided: HomeReport,
) -> None:
    assert decided.in_progress == []
    assert (decided.as_of, decided.invoices, decided.generation) == (None, [], None)


def test_report_is_json(decided: HomeReport) -> None:
    report = asdict(decided)

    assert json.loads(json.dumps(report)) == report
    assert report.keys() == vars(NOTHING).keys()
    assert json.loads(json.dumps(decided, default=vars)) == report


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
        *NO_INVOICES,
        # In closing order 2 comes before 10; summer time begins in Zurich on 29 March.
        """
        INSERT INTO fct_invoices VALUES
        ('i', 'draft', NULL, NULL, 'acme', 's1', 'USD', '2026-03-01 05:00:00Z',
            '2026-04-01 04:00:00Z', '2026-04-01 04:00:00Z', 0),
        ('j', 'finalized', 'INV-10', 10, 'acme', 's1', 'KWD', '2026-02-01 05:00:00Z',
            '2026-03-01 05:00:00Z', '2026-03-01 05:00:00Z', 3.25),
        ('k', 'finalized', 'INV-2', 2, 'zürich', 's2', 'JPY', '2026-02-28 23:00:00Z',
            '2026-03-31 22:00:00Z', '2026-03-31 22:00:00Z', 1200)
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
    assert report.invoices[0] == InvoiceRow(
        status="finalized",
        invoice_number="INV-2",
        customer_id="zürich",
        subscription_id="s2",
        period_start_date="2026-03-01",
        time_zone="Europe/Zurich",
        period_start_at="2026-02-28T23:00:00Z",
        period_end_at="2026-03-31T22:00:00Z",
        currency="JPY",
        total_amount="1200",
        period_end_date="2026-04-01",
    )
    assert [
        (each.invoice_number, each.period_end_date, each.total_amount) for each in report.invoices
    ] == [
        ("INV-2", "2026-04-01", "1200"),
        ("INV-10", "2026-03-01", "3.250"),
        (None, "2026-04-01", "0.00"),
    ]
    assert [(each.customer_id, each.total_amount, each.currency) for each in report.invoices] == [
        ("zürich", "1200", "JPY"),
        ("acme", "3.250", "KWD"),
        ("acme", "0.00", "USD"),
    ]
    assert report.invoice_counts == InvoiceCounts(finalized=2, draft=1)


@pytest.mark.parametrize(
    ("finalized", "drafts", "listed"),
    [
        pytest.param(0, 0, [], id="none"),
        pytest.param(1, 1, ["INV-1", "d1"], id="few"),
        pytest.param(2, 48, ["INV-1", "INV-2", *(f"d{n}" for n in range(1, 49))], id="as many"),
        pytest.param(2, 49, ["INV-1", "INV-2", *(f"d{n}" for n in range(1, 49))], id="one more"),
        pytest.param(50, 1, [f"INV-{n}" for n in range(1, 51)], id="no room for drafts"),
        pytest.param(51, 9, [f"INV-{n}" for n in range(2, 52)], id="the oldest is left out"),
        pytest.param(5_000, 0, [f"INV-{n}" for n in range(4_951, 5_001)], id="many"),
    ],
)
def test_newest_finalized_invoices_are_listed_and_all_are_counted(
    tmp_path: Path, finalized: int, drafts: int, listed: list[str]
) -> None:
    settings = new_home(tmp_path)
    publish_marts(
        settings.home,
        f"""
        CREATE TABLE fct_invoices AS
        SELECT 'i' || number AS invoice_id, 'finalized' AS status,
            'INV-' || number AS invoice_number, number AS series_number, 'acme' AS customer_id,
            's1' AS subscription_id, 'USD' AS currency,
            TIMESTAMPTZ '2026-02-01 05:00:00Z' AS period_start_at,
            TIMESTAMPTZ '2026-03-01 05:00:00Z' AS period_end_at, period_end_at AS cut_at,
            '90071992547409930000000.01'::DECIMAL(38, 15) AS total_amount
        FROM range(1, {finalized} + 1) AS numbers(number)
        UNION ALL
        SELECT 'd' || lpad(number::VARCHAR, 4, '0'), 'draft', NULL, NULL, 'acme', 'd' || number,
            'USD', TIMESTAMPTZ '2026-03-01 05:00:00Z', TIMESTAMPTZ '2026-04-01 05:00:00Z',
            TIMESTAMPTZ '2026-04-01 05:00:00Z', 0
        FROM range(1, {drafts} + 1) AS numbers(number)
        """,
        """
        CREATE TABLE dim_billing_periods AS
        SELECT invoice_id, customer_id, subscription_id, 'UTC' AS time_zone,
            DATE '2026-03-01' AS period_start_date
        FROM fct_invoices
        """,
        RPT_UNBILLED_USAGE,
    )
    report = read_report(settings)

    names = [each.invoice_number or each.subscription_id for each in report.invoices]
    assert names == listed
    assert len(names) <= INVOICES_LISTED
    assert report.invoice_counts == InvoiceCounts(finalized, drafts)
    amounts = {each.total_amount for each in report.invoices if each.status == "finalized"}
    assert amounts <= {"90071992547409930000000.01"}


def test_migrated_home_holds_nothing(tmp_path: Path, migrated_home: Path) -> None:
    settings = new_home(tmp_path).model_copy(update={"home": migrated_home})

    assert replace(read_report(settings), warnings=[]) == NOTHING


def test_generation_is_told_even_where_the_lake_is_gone(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    generation = publish_marts(
        settings.home,
        *NO_INVOICES,
    )
    report = replace(read_report(settings), warnings=[])

    assert report == replace(
        NOTHING, generation=generation.generation_id, as_of="2026-03-10T12:00:00Z"
    )


def test_a_file_counts_once_however_often_it_was_decided_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions = (
        {"file_id": 1, "revision": 0, "lines": 10, "status": "decided"},
        {"file_id": 1, "revision": 1, "lines": 10, "status": "decided"},
        # Quarantined: a file of no lines.
        {"file_id": 2, "revision": 0, "lines": 0, "status": "quarantined"},
        {"file_id": 3, "revision": 0, "lines": 2**33, "status": "decided"},
    )
    files = (
        {"file_id": number, "source": "raw", "path": f"raw/{number}.json", "received_at": NOON}
        for number in (1, 2, 3)
    )
    tables = {
        FILE_DECISIONS: lake_rows(FILE_DECISIONS, *decisions),
        LANDING_FILES: lake_rows(LANDING_FILES, *files),
    }

    monkeypatch.setattr("pipelines.home.Lake", lambda *_, **__: LakeInMemory(tables))
    settings = new_home(tmp_path)
    settings.lake_catalog.parent.mkdir(parents=True)
    settings.lake_catalog.touch()
    (counted,) = read_report(settings).file_classes

    assert (counted.files, counted.lines) == (3, 2**33 + 10)


def test_landing_that_a_run_has_just_listed_is_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = new_home(tmp_path)
    land(settings, "raw/1.ndjson", line("a"))
    land(settings, "raw/_2.ndjson", b"")
    listed = list_landing(Home(settings), None)
    expected = read_report(settings)

    def fail(_home: Home) -> None:
        raise AssertionError("it is read again")

    monkeypatch.setattr(Home, "landing", fail)
    monkeypatch.setattr(Home, "catalog", fail)
    report = read_report(settings, listed)

    assert report.in_progress == [UndecidedFile("raw/1.ndjson", len(line("a")))]
    assert replace(report, oldest_undecided=None) == replace(expected, oldest_undecided=None)


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
    assert amount_text(Decimal(amount), currency) == text


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
        (row.verdict, row.is_expected, row.lines, "expects" in row.example)
        for row in report.reasons
    ] == [
        ("conflict", False, 2, False),
        ("duplicate", False, 2, False),
        ("conflict", True, 2, True),
    ]
    # They are lines all the same.
    assert [row.conflict for row in report.file_classes] == [2, 2]
    assert report.conflicts == 2


def test_invoice_whose_period_is_another_ones_is_listed(tmp_path: Path) -> None:
    settings = new_home(tmp_path)
    publish_marts(
        settings.home,
        *NO_INVOICES,
        # s1 was reissued, and s2 has left the catalog.
        """
        INSERT INTO fct_invoices VALUES
        ('s1/a', 'void', 'INV-1', 1, 'acme', 's1', 'USD', '2026-02-01 05:00:00Z',
            '2026-03-01 05:00:00Z', '2026-03-01 05:00:00Z', 1),
        ('s2/a', 'void', 'INV-2', 2, 'acme', 's2', 'USD', '2026-02-01 05:00:00Z',
            '2026-03-01 05:00:00Z', '2026-03-01 05:00:00Z', 2)
        """,
        """
        INSERT INTO dim_billing_periods VALUES
        ('s1/a/r2', 'acme', 's1', 'America/New_York', '2026-02-01')
        """,
    )

    assert [
        (each.invoice_number, each.period_start_date, each.period_end_date, each.time_zone)
        for each in read_report(settings).invoices
    ] == [
        ("INV-1", "2026-02-01", "2026-03-01", "America/New_York"),
        ("INV-2", "2026-02-01", "2026-03-01", "Etc/UTC"),
    ]
