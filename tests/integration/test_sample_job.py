"""The whole job on the sample: the runs a stranger makes, in one home and in copies of it."""

import json
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from filelock import FileLock

from pipelines.audit.conservation import INVARIANTS
from pipelines.defs.dagster_home import dagster_instance
from pipelines.operations.idle import idle_listing
from pipelines.settings import REPOSITORY, Settings
from tests.golden.recompute_sample import expected_invoices
from tests.worlds.homes import SAMPLE_AS_OF, Home, copied_catalog, prepared_home
from tests.worlds.lakes import open_lake
from tests.worlds.sample_runs import (
    SAMPLE_ENDED,
    SampleRun,
    ended_sample,
    republished_copy,
    sample_in_parts,
    sample_run,
)

EXPECTED_COUNTS = {
    "files": 86,
    "lines": 10_257,
    "accepted": 10_000,
    "duplicate": 246,
    "conflict": 1,
    "rejected": 9,
    "blank": 1,
}
"""As `landing/README.md` says."""


@pytest.fixture
def sample() -> SampleRun:
    return sample_run()


@pytest.fixture
def home(sample: SampleRun) -> Home:
    """The home of the first run; nobody changes it."""
    return sample.home


@pytest.fixture
def first_run(sample: SampleRun) -> dict[str, Any]:
    """What the first run printed."""
    return sample.report


@pytest.fixture
def home_alone(home: Home) -> Iterator[Home]:
    """The same home while no other worker starts a run in it, or leaves something lying about."""
    with FileLock(home.folder.with_suffix(".alone")):
        yield home


def published_invoices(home: Home) -> list[dict[str, Any]]:
    """The published invoices in the shape of the independent recomputation."""
    lines: dict[str, list[Any]] = {}
    for (
        invoice_id,
        charge_code,
        metric_code,
        charge_model,
        group_key,
        valid_from,
        events,
        quantity,
        billed,
        unit_price,
        unrounded,
        amount,
        net,
        tiers,
    ) in home.rows(
        """
        SELECT invoice_id, charge_code, metric_code, charge_model, group_key,
            price_valid_from::VARCHAR, event_count, quantity, billed_quantity, unit_price,
            amount_unrounded, amount, net_amount, tiers
        FROM fct_invoice_lines ORDER BY invoice_id, line_number
        """
    ):
        lines.setdefault(invoice_id, []).append(
            {
                "charge_code": charge_code,
                "metric_code": metric_code,
                "charge_model": charge_model,
                "group_key": group_key,
                "price_valid_from": valid_from,
                "event_count": events,
                "quantity": quantity,
                "billed_quantity": billed,
                "unit_price": unit_price,
                "amount_unrounded": Decimal(unrounded),
                "amount": amount,
                "net_amount": net,
                "tiers": [
                    {name: value and Decimal(value) for name, value in tier.items()}
                    for tier in json.loads(tiers)
                ],
            }
        )
    return [
        {
            "invoice_id": invoice_id,
            "status": status,
            "invoice_number": number,
            "lines": lines.get(invoice_id, []),
            "total_amount": total,
            "currency": currency,
        }
        for invoice_id, status, number, total, currency in home.rows(
            "SELECT invoice_id, status, invoice_number, total_amount, currency FROM fct_invoices"
        )
    ]


def by_id(invoices: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Invoices by id, with comparable lines; what one side does not state is left out."""
    compared = ("status", "currency", "total_amount")
    return {
        invoice["invoice_id"]: {name: invoice[name] for name in compared}
        | {
            "lines": sorted(
                invoice["lines"], key=lambda line: (line["charge_code"], line["group_key"])
            )
        }
        for invoice in invoices
    }


def test_first_run_shows_every_verdict(first_run: dict[str, Any]) -> None:
    (files,) = first_run["file_classes"]

    assert {name: files[name] for name in EXPECTED_COUNTS} == EXPECTED_COUNTS
    assert first_run["run"]["files"] == 86
    assert first_run["run"]["invoices"] == 11


def test_run_ends_with_what_is_billed_what_is_not_and_what_waits(
    home: Home, first_run: dict[str, Any]
) -> None:
    """Each of them is the sum of what its command shows."""
    parts = [first_run["billed"], *first_run["not_billed"]["usage"], *first_run["waiting"]]
    rows = {part["command"]: home.rows(query_of(part["command"])) for part in parts}

    assert len(rows[first_run["billed"]["command"]]) == first_run["billed"]["invoices"] == 11
    for usage in first_run["not_billed"]["usage"]:
        listed = rows[usage["command"]]
        assert sum(events for _, _, events, *_ in listed) == usage["event_count"]
        quantities = [quantity for *_, quantity, _, _ in listed if quantity is not None]
        assert Decimal(usage["quantity"] or 0) == sum(quantities)
        # Each row has an example, whose file and line the lake knows.
        assert all(path.startswith("cdn_logs/") and line > 0 for *_, path, line in listed)
    assert {(usage["unbilled_reason"]) for usage in first_run["not_billed"]["usage"]} == {
        reason for (reason,) in home.rows("SELECT DISTINCT unbilled_reason FROM rpt_unbilled_usage")
    }
    assert [(kind["kind"], kind["number"]) for kind in first_run["waiting"]] == [
        ("draft_not_due", len(rows[first_run["waiting"][0]["command"]]))
    ]


def query_of(command: str) -> str:
    """The query of a command that was printed to be copied into a shell."""
    (*meterline_sql, query) = shlex.split(command)
    assert meterline_sql == ["meterline", "sql"]
    return query


def test_invoices_equal_the_independent_recomputation(
    home: Home, first_run: dict[str, Any]
) -> None:
    assert by_id(published_invoices(home)) == by_id(expected_invoices())


def test_reconciliation_has_no_difference(home: Home, first_run: dict[str, Any]) -> None:
    rows = home.rows("SELECT identity, subject, difference FROM rpt_reconciliation")

    assert rows
    assert all(difference == 0 for _, _, difference in rows)


def test_every_published_table_bears_the_generation(home: Home, first_run: dict[str, Any]) -> None:
    for (table,) in home.rows("SHOW TABLES"):
        found = home.rows(f"SELECT DISTINCT generation_id FROM {table}")
        # Nothing in the sample is amended, nobody asked for anything, and nothing was edited.
        is_empty = table in ("fct_event_amendments", "fct_acts", "rpt_closed_differences")
        assert found == ([] if is_empty else [(first_run["run"]["generation"],)]), table


def test_every_mart_says_where_its_columns_come_from(home: Home, first_run: dict[str, Any]) -> None:
    del first_run
    with dagster_instance(home.settings) as instance:
        for (table,) in home.rows("SHOW TABLES"):
            event = instance.get_latest_materialization_event(dg.AssetKey(["marts", table]))
            assert event is not None, table
            assert event.asset_materialization is not None, table
            assert "where_columns_come_from" in event.asset_materialization.metadata, table


def test_manifest_counts_the_checks_that_passed(home: Home, first_run: dict[str, Any]) -> None:
    manifest = json.loads((home.folder / "published" / "current" / "manifest.json").read_bytes())

    # Every invariant of the lake, and the tests of dbt, of which each mart has several.
    assert manifest["checks_passed"] > len(INVARIANTS) + 50
    assert manifest["chain_head"]["invoices"] == 11


def test_accepted_events_are_reached_through_attach_sql(
    home: Home, first_run: dict[str, Any]
) -> None:
    current = home.folder / "published" / "current"
    with duckdb.connect(str(current / "marts.duckdb"), read_only=True) as marts:
        marts.execute((current / "attach.sql").read_text())
        found = marts.execute(
            "SELECT count(*), count(DISTINCT idempotency_key) FROM accepted_events"
        )

        assert found.fetchone() == (10_000, 10_000)


def test_second_run_changes_nothing_and_says_so(
    home_alone: Home, first_run: dict[str, Any]
) -> None:
    before = home_alone.digest()
    called = home_alone.call("run", "--as-of", SAMPLE_AS_OF)

    assert called.returncode == 0, called.stderr
    assert f"Nothing new: generation {first_run['run']['generation']} stays" in called.stdout
    assert "Dagster" not in called.stderr, "what finds nothing is over before Dagster is loaded"
    assert home_alone.digest() == before


def _leave_in_staging(settings: Settings) -> None:
    (settings.staging / "000000009").mkdir(parents=True)


def _note_a_holder(settings: Settings) -> None:
    settings.writer_lock.with_suffix(".json").write_text('{"run_id": "killed", "pid": 1}')


def _break_the_catalog(settings: Settings) -> None:
    (settings.catalog / "plans.csv").write_text("broken\n")


def _rename_a_customer(settings: Settings) -> None:
    customers = settings.catalog / "customers.csv"
    customers.write_text(customers.read_text().replace("About Pages", "About", 1))


def _land_a_file(settings: Settings) -> None:
    (Path(settings.landing) / "cdn_logs/2015/05/20/21/new.ndjson").write_text("{}\n")


@pytest.mark.parametrize(
    ("disorder", "as_of", "is_idle"),
    [
        pytest.param(None, SAMPLE_AS_OF, True, id="as it was left"),
        pytest.param(None, "2015-05-20T22:00:01Z", True, id="a second later"),
        pytest.param(None, "2015-05-21T00:00:00Z", False, id="a new day's periods begin"),
        pytest.param(None, "2015-05-20T21:59:59Z", False, id="an instant before the last"),
        pytest.param(None, None, False, id="years later"),
        pytest.param(_leave_in_staging, SAMPLE_AS_OF, False, id="staging left behind"),
        pytest.param(_note_a_holder, SAMPLE_AS_OF, False, id="a run goes on or was killed"),
        pytest.param(_break_the_catalog, SAMPLE_AS_OF, False, id="broken catalog"),
        pytest.param(_rename_a_customer, SAMPLE_AS_OF, False, id="changed catalog"),
        pytest.param(_land_a_file, SAMPLE_AS_OF, False, id="a file has landed"),
    ],
)
def test_only_a_home_in_order_with_nothing_new_is_idle(
    home_alone: Home,
    tmp_path: Path,
    disorder: Callable[[Settings], None] | None,
    as_of: str | None,
    is_idle: bool,
) -> None:
    shutil.copytree(REPOSITORY / "landing", tmp_path / "landing")
    settings = Settings(
        home=home_alone.folder,
        landing=str(tmp_path / "landing"),
        catalog=copied_catalog(tmp_path / "catalog"),
    )
    try:
        if disorder:
            disorder(settings)
        assert (idle_listing(settings, as_of) is not None) is is_idle
    finally:
        shutil.rmtree(settings.staging, ignore_errors=True)
        settings.writer_lock.with_suffix(".json").unlink(missing_ok=True)


def test_status_and_sql_answer_from_what_is_published(home: Home) -> None:
    status = home.call("status")
    query = home.call("sql", "select count(*) as invoices from fct_invoices")

    assert "11 finalized, 10 drafts" in status.stdout
    assert "21" in query.stdout


def test_sql_can_neither_write_nor_read_other_files(home: Home) -> None:
    write = home.call("sql", "delete from fct_invoices")
    read = home.call("sql", "select * from read_csv('/etc/passwd')")

    assert write.returncode == 1
    assert "read-only" in write.stderr
    assert read.returncode == 1
    assert "disabled" in read.stderr


def test_landing_on_s3_gives_the_digest_of_the_folder() -> None:
    from_s3, from_folder = sample_in_parts(), ended_sample()

    assert from_s3.report["file_classes"] == from_folder.report["file_classes"]
    assert from_s3.report["invoices"] == from_folder.report["invoices"]
    assert from_s3.home.digest() == from_folder.home.digest()


@pytest.mark.parametrize(
    ("as_of", "reason"),
    [
        pytest.param("2015-05-20T21:59:59Z", "time never goes back", id="before the last"),
        pytest.param("2999-01-01T00:00:00Z", "lies in the future", id="future"),
        pytest.param("2015-05-21", "is not an RFC 3339 instant", id="a date alone"),
    ],
)
def test_run_for_an_impossible_instant_is_refused(
    home_alone: Home, as_of: str, reason: str
) -> None:
    before = home_alone.digest()
    called = home_alone.call("run", "--as-of", as_of)

    assert called.returncode == 1
    assert reason in " ".join(called.stderr.split())
    assert home_alone.digest() == before


def test_contradicting_catalog_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    catalog = copied_catalog(tmp_path / "catalog")
    charges = catalog / "charges.csv"
    charges.write_text(charges.read_text().replace("egress_bytes", "egress_bits", 1))
    home = prepared_home(tmp_path / "home", {"METERLINE_CATALOG": str(catalog)})
    called = home.call("run", "--as-of", SAMPLE_AS_OF)

    assert called.returncode == 1
    assert "charges.csv, row 2, column metric_code" in " ".join(called.stderr.split())
    assert not (home.folder / "lake").exists()
    assert not (home.folder / "published").exists()


def test_open_notebook_keeps_its_generation_and_blocks_nobody(sample: SampleRun) -> None:
    ended = ended_sample()

    before = sample.report["run"]["generation"]
    assert ended.generation_read == before
    assert ended.report["run"]["generation"] != before
    assert ended.generation_read_again == before
    expected = expected_invoices(datetime.fromisoformat(SAMPLE_ENDED))
    assert {invoice["status"] for invoice in expected} == {"finalized"}
    assert by_id(published_invoices(ended.home)) == by_id(expected)


def test_publishing_again_takes_in_and_closes_nothing(home: Home) -> None:
    copy = republished_copy()

    assert copy.report["run"]["is_published"]
    assert copy.report["invoices"] == copy.before["invoices"]
    assert copy.report["as_of"] == copy.before["as_of"]
    assert copy.home.digest() == home.digest()


def test_every_catalog_an_invoice_was_priced_with_is_in_the_lake(home: Home) -> None:
    with open_lake(home.folder, read_only=True) as lake:
        strangers = lake.query(
            "SELECT invoice_id FROM lake.invoices "
            "WHERE catalog_digest NOT IN (SELECT catalog_digest FROM lake.catalogs)"
        )

    assert strangers.height == 0


def test_every_closed_period_names_what_it_was_counted_by(home: Home) -> None:
    with open_lake(home.folder, read_only=True) as lake:
        closed = lake.query(
            "SELECT phase_index, is_trial, content FROM lake.closed_periods "
            "LEFT JOIN lake.definitions USING (definitions_digest)"
        )

    assert closed.height == 11
    assert closed.select("phase_index", "is_trial").unique().rows() == [(0, False)]
    (content,) = closed["content"].unique()
    metrics = json.loads(content)["metrics"]
    assert {code: metric["aggregation"] for code, metric in metrics.items()} == {
        "egress_bytes": "sum",
        "requests": "count",
    }


def test_batches_and_closings_of_any_number_give_the_same_digest() -> None:
    # One home took all in at once and closed in two steps; the other the other way round.
    in_parts = sample_in_parts()

    assert len(in_parts.report["run"]["run_ids"]) >= 2
    assert in_parts.home.digest() == ended_sample().home.digest()


def test_copied_home_is_a_world_of_its_own(home_alone: Home) -> None:
    copy = republished_copy()

    # What is published names paths, so the copy publishes anew; nothing else differs.
    assert idle_listing(home_alone.settings, SAMPLE_AS_OF) is not None
    assert not copy.was_idle
    assert copy.digest_of_the_original == home_alone.digest()
    assert copy.home.digest() == home_alone.digest()
    assert copy.home.status()["generation"] == copy.report["run"]["generation"]
