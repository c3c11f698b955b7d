"""A held file from landing to invoice: it waits, is released, and what is closed stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.homes import SAMPLE_AS_OF, Home, copied_catalog, prepared_home

HELD = "cdn_logs/2015/05/17/13/held.ndjson"
LABS = "sub-labs/2015-05-17"


NEW = "sub-presentations/2015-05-17"
"""Of a customer whose only usage is in the held file."""
UNNAMED = "sub-www-trial/2015-05-17"
"""Of a customer whom no file names."""


def event(key: str, occurred_at: str, customer: str = "labs") -> str:
    return json.dumps(
        {
            "transaction_id": key,
            "customer_id": customer,
            "event_type": "http_request",
            "timestamp": occurred_at,
            "properties": {"status": 200, "bytes": 10, "section": "labs", "method": "GET"},
        }
    )


def land(landing: Path, path: str, *lines: str) -> None:
    (landing / path).parent.mkdir(parents=True, exist_ok=True)
    (landing / path).write_text("".join(f"{line}\n" for line in lines))


def limit_lateness(catalog: Path, days: str) -> None:
    sources = catalog / "sources.csv"
    header = sources.read_text().splitlines()[0]
    sources.write_text(f"{header}\ncdn_logs,metronome,,34,{days},24,path\n")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("replay")
    landing, catalog = folder / "landing", copied_catalog(folder / "catalog")
    limit_lateness(catalog, "1")
    land(
        landing,
        "cdn_logs/2015/05/17/12/good.ndjson",
        *(event(f"g{number}", "2015-05-17T11:00:00Z") for number in range(3)),
    )
    land(
        landing,
        HELD,
        event("h1", "2015-05-17T12:00:00Z"),
        "{",
        event("h2", "2015-05-17T12:00:00Z"),
        "{",
        event("h3", "2015-05-17T12:00:00Z", "presentations"),
        event("h4", "2015-05-17T12:00:00Z", "nobody-knows"),
    )
    land(landing, "cdn_logs/2015/05/18/23/late.ndjson", event("late", "2015-05-17T01:00:00Z"))
    variables = {"METERLINE_LANDING": str(landing), "METERLINE_CATALOG": str(catalog)}
    return prepared_home(folder / "home", variables)


def invoice_of_labs(home: Home) -> tuple[Any, ...]:
    (row,) = home.rows(
        "SELECT fct_invoices.status, sum(fct_invoice_lines.event_count)::BIGINT, document_sha256 "
        "FROM fct_invoices JOIN fct_invoice_lines USING (invoice_id) "
        f"WHERE invoice_id = '{LABS}' AND metric_code = 'requests' GROUP BY ALL"
    )
    return row


def test_held_file_waits_is_released_and_what_is_closed_stays(home: Home) -> None:
    report = home.report("run", "--as-of", SAMPLE_AS_OF)

    assert [file["path"] for file in report["held"]] == [HELD]
    assert report["held"][0]["what_to_do"].startswith(f"`meterline replay --release {HELD}`")
    waits = {draft["invoice_id"]: draft["reason_code"] for draft in report["due_drafts"]}
    assert (waits[LABS], waits[NEW]) == ("file_held", "file_held")
    assert report["held"][0]["unknown_names"] == ["nobody-knows"]
    closed = home.rows("SELECT invoice_id FROM fct_invoices WHERE status = 'finalized'")
    assert (UNNAMED,) in closed
    assert (NEW,) not in closed, "it would have no usage, and the released line would be late"
    assert invoice_of_labs(home)[:2] == ("draft", 3)
    assert report["oldest_undecided"]["path"] == HELD

    states = "SELECT path, state, reason, event_count FROM fct_event_states ORDER BY ALL"
    assert home.rows(states) == [
        ("cdn_logs/2015/05/17/12/good.ndjson", "processed", None, 3),
        (HELD, "unprocessed", "held", 4),
        (HELD, "unprocessed", "malformed", 2),
        ("cdn_logs/2015/05/18/23/late.ndjson", "unprocessed", "too_late", 1),
    ]
    refused = (
        "SELECT file_status, verdict, length(line_sha256) FROM fct_refused_events ORDER BY ALL"
    )
    assert home.rows(refused) == [("decided", "rejected", 64)] + [("held", "rejected", 64)] * 2

    dry = home.report("replay", "--release", HELD, "--dry-run")
    assert dry["run_id"] is None
    assert [(row["before"], row["after"], row["lines"]) for row in dry["replayed"]["changes"]] == [
        ("held", "accepted", 4)
    ]
    assert home.status()["held"], "a dry run changes nothing"

    done = home.report("replay", "--release", HELD)
    assert done["replayed"] == dry["replayed"]
    status = home.status()
    assert status["held"] == []
    assert LABS not in {draft["invoice_id"] for draft in status["due_drafts"]}
    finalized = invoice_of_labs(home)
    assert finalized[:2] == ("finalized", 5)
    of_the_new = f"WHERE invoice_id = '{NEW}' AND metric_code = 'requests'"
    billed = f"SELECT sum(event_count)::BIGINT FROM fct_invoice_lines {of_the_new}"
    assert home.rows(billed) == [(1,)]

    limit_lateness(Path(home.variables["METERLINE_CATALOG"]), "")
    healed = home.report("replay", "--reason", "too_late")
    assert [(row["before"], row["after"]) for row in healed["replayed"]["changes"]] == [
        ("too_late", "accepted")
    ]
    assert invoice_of_labs(home) == finalized
    unbilled = (
        "SELECT event_count FROM rpt_unbilled_usage "
        "WHERE unbilled_reason = 'late' AND metric_code = 'requests'"
    )
    assert home.rows(unbilled) == [(1,)]
    assert home.rows("SELECT * FROM rpt_reconciliation WHERE difference <> 0") == []

    again = home.report("replay")
    assert again["replayed"]["changes"] == []
    assert again["generation"] == healed["generation"], "nothing changed, nothing is published"
