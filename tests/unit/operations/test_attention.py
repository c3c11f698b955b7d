"""What in a home waits for a person, and what the person is told to do."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.catalog.catalog import Catalog
from pipelines.lake.file_states import file_states
from pipelines.operations import attention
from pipelines.operations.attention import DueDraft, OldestUndecided, WaitingFile
from pipelines.operations.closing import Known, Moment
from pipelines.vocabulary.frames import FILE_STATES, HELD_OWNERS
from pipelines.vocabulary.tables import FILE_DECISIONS, LANDING_FILES
from tests.worlds.books import owner_rows
from tests.worlds.catalogs import read
from tests.worlds.deliveries import NOON
from tests.worlds.lakes import LakeInMemory, lake_rows

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


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
        files = attention.waiting_files(lake, states)

    told_of = [file.path for file in files if file.status == "quarantined"]
    assert told_of == ["raw/1.ndjson"] * told


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("raw/it's; rm -rf $HOME.ndjson", """'raw/it'"'"'s; rm -rf $HOME.ndjson'"""),
        ("raw/a\x1b[2J'\n.ndjson", "$'raw/a\\x1b[2J\\'\\x0a.ndjson'"),
    ],
)
def test_a_command_that_is_told_can_be_copied_into_a_shell(path: str, quoted: str) -> None:
    with LakeInMemory() as lake:
        file = {"file_id": 1, "path": path, "source": "raw", "received_at": NOON}
        lake.append(LANDING_FILES, lake_rows(LANDING_FILES, file))
        decision = {"file_id": 1, "revision": 0, "status": "held", "reason": "too many"}
        decision |= {"lines": 9, "rejected": 4}
        lake.append(FILE_DECISIONS, lake_rows(FILE_DECISIONS, decision))
        (waiting,) = attention.waiting_files(lake, file_states(lake))

    assert waiting == WaitingFile(
        path=path,
        status="held",
        reason="too many",
        lines=9,
        rejected=4,
        what_to_do=f"`meterline replay --release {quoted}` lets it in; "
        "a corrected upload under its name replaces it",
    )


@pytest.mark.parametrize(
    ("counts", "lets_in_nothing"),
    [
        pytest.param({"lines": 9, "rejected": 9}, True, id="every-line"),
        pytest.param({"lines": 9, "rejected": 7, "blank": 2}, True, id="every-line-with-text"),
        pytest.param({"lines": 9, "rejected": 8, "held": 1}, False, id="all-but-one"),
    ],
)
def test_a_release_that_lets_in_nothing_is_not_offered(
    counts: dict[str, int], lets_in_nothing: bool
) -> None:
    with LakeInMemory() as lake:
        file = {"file_id": 1, "path": "raw/1.json", "source": "raw", "received_at": NOON}
        lake.append(LANDING_FILES, lake_rows(LANDING_FILES, file))
        decision = {"file_id": 1, "revision": 0, "status": "held", "reason": "too many"} | counts
        lake.append(FILE_DECISIONS, lake_rows(FILE_DECISIONS, decision))
        (waiting,) = attention.waiting_files(lake, file_states(lake))

    assert ("lets in nothing" in waiting.what_to_do) == lets_in_nothing
    assert ("replay --release raw/1.json" in waiting.what_to_do) != lets_in_nothing


def states(*rows: tuple[int, str, str, datetime, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, FILE_STATES, orient="row")


@pytest.mark.parametrize(
    ("rows", "path"),
    [
        pytest.param([], None, id="none"),
        pytest.param([(1, "raw", "a", NOON, "decided")], None, id="decided"),
        pytest.param([(1, "raw", "a", NOON, "pending")], "a", id="pending"),
        pytest.param(
            [(1, "raw", "a", NOON, "pending"), (2, "raw", "b", NOON - TICK, "held")],
            "b",
            id="received first",
        ),
        pytest.param(
            [(2, "raw", "b", NOON, "quarantined"), (1, "raw", "a", NOON, "pending")],
            "a",
            id="registered first",
        ),
        pytest.param(
            [(1, "raw", "a", NOON, "held"), (2, "raw", "a", NOON, "decided")], None, id="healed"
        ),
    ],
)
def test_oldest_undecided_file_is_the_one_received_first(
    rows: list[tuple[int, str, str, datetime, str]], path: str | None
) -> None:
    oldest = attention.oldest_undecided(states(*rows), NOON)

    assert (oldest.path if oldest else None) == path


@pytest.mark.parametrize(
    ("now", "age"), [(NOON + HOUR, 3600), (NOON, 0), (NOON - HOUR, 0)], ids=["past", "now", "ahead"]
)
def test_age_of_the_oldest_file_is_never_negative(now: datetime, age: int) -> None:
    oldest = attention.oldest_undecided(states((1, "raw", "a", NOON, "pending")), now)

    assert oldest == OldestUndecided("a", "pending", "2026-03-10T12:00:00Z", age)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return read(tmp_path_factory.mktemp("catalog"))


def due(
    catalog: Catalog,
    drafts: list[tuple[str, str, datetime]],
    *files: Any,
    owners: pl.DataFrame | None = None,
) -> list[DueDraft]:
    """What is said of drafts (id, customer, cut) as of noon, listed two days later.

    By then whatever was received before the cuts has been listed.
    """
    with duckdb.connect() as marts:
        marts.execute("SET TimeZone = 'UTC'")
        marts.execute(
            "CREATE TABLE fct_invoices (invoice_id VARCHAR, status VARCHAR, customer_id VARCHAR, "
            "subscription_id VARCHAR, plan_code VARCHAR, currency VARCHAR, "
            "period_start_at TIMESTAMPTZ, period_end_at TIMESTAMPTZ, cut_at TIMESTAMPTZ, "
            "total_amount DECIMAL(38, 15), line_count BIGINT)"
        )
        marts.execute(
            "CREATE TABLE fct_source_customers AS "
            "SELECT *, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS first_received_at "
            "FROM (VALUES ('raw', 'acme'), ('app', 'zürich')) AS fed (source, customer_id)"
        )
        for status in ("draft", "finalized"):
            for invoice_id, customer, cut_at in drafts:
                row = (f"{invoice_id}", status, customer, "s1", "basic", "USD")
                marts.execute(
                    "INSERT INTO fct_invoices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
                    (*row, cut_at - 30 * 24 * HOUR, cut_at - HOUR, cut_at),
                )
        marts.execute(
            "CREATE TABLE fct_invoice_lines (invoice_id VARCHAR, line_id VARCHAR, "
            "line_number INTEGER, group_key VARCHAR, amount DECIMAL(38, 15), tiers VARCHAR)"
        )
        known = Known(catalog.sources)
        if owners is not None:
            known = replace(known, owners=owners)
        moment = Moment(NOON, NOON + 48 * HOUR, 3)
        return attention.due_drafts(marts, states(*files), known, moment)


@pytest.mark.parametrize(
    ("cut_at", "codes"),
    [(NOON - TICK, ["ready"]), (NOON, ["ready"]), (NOON + TICK, [])],
    ids=["before", "at", "after"],
)
def test_draft_is_due_from_its_cut_on(catalog: Catalog, cut_at: datetime, codes: list[str]) -> None:
    found = due(catalog, [("i", "acme", cut_at)])

    assert [draft.reason_code for draft in found] == codes


def test_due_drafts_say_what_they_wait_for(catalog: Catalog) -> None:
    held = (1, "raw", "raw/1.ndjson", NOON - 72 * HOUR, "held")
    drafts = [
        ("first", "acme", NOON - 48 * HOUR),
        ("second", "acme", NOON),
        ("not due", "acme", NOON + HOUR),
        ("another's", "zürich", NOON),
    ]
    found = {draft.invoice_id: draft for draft in due(catalog, drafts, held)}

    assert {name: draft.reason_code for name, draft in found.items()} == {
        "first": "file_held",
        "second": "file_held",
        "another's": "ready",
    }
    assert found["first"].reason.startswith("raw/1.ndjson was received before its cut and is held")
    assert found["another's"] == DueDraft(
        "another's",
        "zürich",
        "s1",
        "ready",
        "nothing holds it back any more: `meterline run` closes it",
    )


def test_due_draft_waits_for_a_held_file_that_names_its_customer(catalog: Catalog) -> None:
    held = (1, "raw", "raw/1.ndjson", NOON - 72 * HOUR, "held")
    drafts = [("named", "zürich", NOON), ("another's", "globex", NOON)]

    found = due(catalog, drafts, held, owners=owner_rows((1, "customer", "zürich")))

    assert {draft.invoice_id: draft.reason_code for draft in found} == {
        "named": "file_held",
        "another's": "ready",
    }
    assert "is held, and it names this customer; land a corrected file" in found[0].reason


def test_names_that_nobody_knows_are_listed_with_the_held_file() -> None:
    """Those of the most lines come first, and only `NAMES_LISTED` of them."""
    names = [(f"n{number:02d}", number, None) for number in range(12)]
    owners = pl.DataFrame(
        [(1, "customer", *name) for name in [*names, ("acme", 99, "acme")]],
        HELD_OWNERS,
        orient="row",
    )
    with LakeInMemory() as lake:
        file = {"file_id": 1, "path": "raw/1.ndjson", "source": "raw", "received_at": NOON}
        lake.append(LANDING_FILES, lake_rows(LANDING_FILES, file))
        decision = {"file_id": 1, "revision": 0, "status": "held", "reason": "too many"}
        decision |= {"lines": 99, "rejected": 21}
        lake.append(FILE_DECISIONS, lake_rows(FILE_DECISIONS, decision))
        (waiting,) = attention.waiting_files(lake, file_states(lake), owners)

    assert waiting.unknown_names == [f"n{number:02d}" for number in range(11, 1, -1)]
