"""The dbt project on a small world made by hand: all its tests, and bills to check on paper."""

from collections.abc import Callable
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import pytest

from pipelines.warehouse.phase_outcome import outcome_of
from tests.worlds.bills_by_hand import PERIOD_COLUMNS
from tests.worlds.dbt_world import DbtWorld, built_world, not_passed


@pytest.fixture
def world() -> DbtWorld:
    return built_world()


def test_drafts_and_invoices_have_these_lines(world: DbtWorld) -> None:
    lines = world.query(
        """
        select invoice_id, charge_code, group_key, event_count, quantity, currency, amount
        from marts.fct_invoice_lines order by line_id
        """
    )

    acme, bolt = "sub-acme/2026-01-01", "sub-bolt/2026-01-01"
    assert lines == [
        ("sub-acme/2025-12-01", "egress", "{}", 1, 150, "USD", Decimal("0.75")),
        ("sub-acme/2025-12-01", "requests", "{}", 1, 1, "USD", Decimal("0.01")),
        # 100 bytes at 10^-15, 100 at 0.01 and 0.25 flat, 1 at 0.005: 1.2550000000001
        (acme, "egress", "{}", 4, 201, "USD", Decimal("1.26")),
        # 8 requests at 0.0125
        (acme, "requests", "{}", 8, 8, "USD", Decimal("0.10")),
        # Nothing was sent in the one answer; 1 request at February's 0.015
        ("sub-acme/2026-02-01", "egress", "{}", 1, 0, "USD", Decimal(0)),
        ("sub-acme/2026-02-01", "requests", "{}", 1, 1, "USD", Decimal("0.02")),
        # Half a yen each
        (bolt, "requests", '{"method":"GET","status":"200"}', 4, 4, "JPY", 2),
        (bolt, "requests", '{"method":"PUT","status":"4\\"04"}', 1, 1, "JPY", 1),
        ("sub-bolt/2026-02-01", "requests", '{"method":"GET","status":"200"}', 1, 1, "JPY", 1),
    ]


def test_every_event_is_in_one_state(world: DbtWorld) -> None:
    """File 2 has three events of nobody and two amendments that wait; file 4 a malformed line and
    a copy; file 5 has landed.
    """
    states = world.query(
        """
        select path, state, reason, event_count from marts.fct_event_states order by all
        """
    )

    assert states == [
        ("edge/1.ndjson", "processed", None, 1),
        ("edge/2.ndjson", "processed", None, 23),
        ("edge/2.ndjson", "unprocessed", "amendment_waiting", 2),
        ("edge/2.ndjson", "unprocessed", "unattributed", 3),
        ("edge/3.ndjson", "processed", None, 5),
        ("edge/4.ndjson", "processed", None, 5),
        ("edge/4.ndjson", "unprocessed", "malformed", 1),
        ("edge/5.ndjson", "in_progress", None, None),
    ]


def test_what_is_on_no_invoice_says_why(world: DbtWorld) -> None:
    unbilled = world.query(
        """
        select unbilled_reason, metric_code, coalesce(customer_id, unattributed_ref),
            period_index, event_count, quantity
        from marts.rpt_unbilled_usage order by all
        """
    )

    assert unbilled == [
        ("amended", "egress_bytes", "acme", 2, 2, 3000),
        ("amended", "requests", "acme", 2, 2, 2),
        ("amendment_waiting", "egress_bytes", "acme", 2, 1, 3000),
        ("amendment_waiting", "requests", "acme", 2, 1, 1),
        ("contradicting_references", "egress_bytes", "sub-bolt", None, 1, None),
        ("contradicting_references", "requests", "sub-bolt", None, 1, 1),
        ("late", "egress_bytes", "acme", 1, 1, 50),
        ("late", "egress_bytes", "acme", 2, 1, 40),
        ("late", "requests", "acme", 1, 1, 1),
        ("late", "requests", "acme", 2, 1, 1),
        ("late_amendment", "egress_bytes", "acme", 2, 1, 70),
        ("late_amendment", "requests", "acme", 2, 1, 1),
        ("missing_dimension", "requests", "bolt", 1, 1, 1),
        ("missing_property", "egress_bytes", "acme", 2, 1, None),
        ("no_metric", None, "acme", None, 1, None),
        ("no_subscription", "egress_bytes", "bolt", None, 2, None),
        ("no_subscription", "egress_bytes", "idle", None, 1, 6),
        ("no_subscription", "egress_bytes", "newcomer", None, 1, None),
        ("no_subscription", "requests", "bolt", None, 2, 2),
        ("no_subscription", "requests", "idle", None, 1, 1),
        ("no_subscription", "requests", "newcomer", None, 1, 1),
        ("not_a_number", "egress_bytes", "acme", 2, 1, None),
        ("not_charged", "egress_bytes", "bolt", None, 7, 46),
        ("not_charged", "odd_answers", "bolt", None, 1, 1),
        ("not_started", "egress_bytes", "acme", 4, 1, 8),
        ("not_started", "requests", "acme", 4, 1, 1),
        ("too_large", "egress_bytes", "acme", 2, 1, None),
        ("too_precise", "egress_bytes", "acme", 2, 1, None),
        ("unattributed", "egress_bytes", "nobody", None, 1, 5),
        ("unattributed", "requests", "nobody", None, 1, 1),
        ("unknown_subscription", "egress_bytes", "sub-new", None, 1, None),
        ("unknown_subscription", "requests", "sub-new", None, 1, 1),
        ("voided", "egress_bytes", "acme", 2, 1, 1000),
        ("voided", "egress_bytes", "acme", 3, 1, 4000),
        ("voided", "requests", "acme", 2, 1, 1),
        ("voided", "requests", "acme", 3, 1, 1),
    ]


def test_what_is_on_no_invoice_has_its_first_event_as_example(world: DbtWorld) -> None:
    """Lines are those of the file; an event of no metric has a name of its own."""
    columns = "unbilled_reason, event_name, customer_name, example_path, example_line"
    reported = world.query(
        f"""
        select {columns} from marts.rpt_unbilled_usage
        where coalesce(metric_code, 'requests') = 'requests' order by all
        """
    )

    acme, bolt = "Acme, Inc.", "Bolt KK"
    assert reported == [
        ("amended", "http_request", acme, "edge/2.ndjson", 22),
        ("amendment_waiting", "http_request", acme, "edge/2.ndjson", 25),
        ("contradicting_references", "http_request", None, "edge/2.ndjson", 18),
        ("late", "http_request", acme, "edge/3.ndjson", 4),
        ("late", "http_request", acme, "edge/3.ndjson", 5),
        ("late_amendment", "http_request", acme, "edge/3.ndjson", 2),
        ("missing_dimension", "http_request", bolt, "edge/2.ndjson", 6),
        ("no_metric", "login", acme, "edge/2.ndjson", 13),
        # Two events, of which the first has the line.
        ("no_subscription", "http_request", bolt, "edge/4.ndjson", 3),
        ("no_subscription", "http_request", "Idle Ltd", "edge/2.ndjson", 12),
        ("no_subscription", "http_request", "newcomer", "edge/2.ndjson", 14),
        ("not_started", "http_request", acme, "edge/4.ndjson", 5),
        ("unattributed", "http_request", None, "edge/2.ndjson", 11),
        ("unknown_subscription", "http_request", None, "edge/2.ndjson", 17),
        ("voided", "http_request", acme, "edge/2.ndjson", 19),
        ("voided", "http_request", acme, "edge/3.ndjson", 3),
    ]


def test_what_is_on_no_invoice_says_when_it_happened(world: DbtWorld) -> None:
    """Nobody charges bolt for egress, from its first event to its last; `login` is of no metric."""
    reported = world.query(
        """
        select unbilled_reason, event_count, first_occurred_at::varchar, last_occurred_at::varchar
        from marts.rpt_unbilled_usage
        where unbilled_reason = 'no_metric'
            or unbilled_reason = 'not_charged' and metric_code = 'egress_bytes'
        order by all
        """
    )

    assert reported == [
        ("no_metric", 1, "2026-01-04 00:00:00+00", "2026-01-04 00:00:00+00"),
        ("not_charged", 7, "2026-01-10 00:00:00+00", "2026-02-28 14:59:59+00"),
    ]


def test_every_amendment_has_its_state(world: DbtWorld) -> None:
    amendments = world.query(
        """
        select idempotency_key, amendment, target_key, target_path, state
        from marts.fct_event_amendments order by file_id, line
        """
    )

    first, second, third = (f"edge/{number}.ndjson" for number in (1, 2, 3))
    assert amendments == [
        ("void-1", "void", "voided", second, "applied"),
        ("void-2", "void", "still to come", third, "applied"),
        ("amend-1", "amend", "amended", second, "superseded"),
        ("amend-2", "amend", "amended", second, "applied"),
        ("amend-3", "amend", "nobody", None, "waiting"),
        ("void-3", "void", "amend-2", None, "waiting"),
        ("void-4", "void", "of december", first, "late"),
        ("void-5", "void", "stays", second, "late"),
        ("amend-4", "amend", "stays", second, "late"),
    ]


def test_periods_and_invoices_have_these_states(world: DbtWorld) -> None:
    periods = world.query("select invoice_id, status from marts.dim_billing_periods order by 1")
    invoices = world.query("select invoice_id, status from marts.fct_invoices order by 1")

    assert periods == [
        ("sub-acme/2025-12-01", "finalized"),
        ("sub-acme/2026-01-01", "due"),
        ("sub-acme/2026-02-01", "open"),
        ("sub-acme/2026-03-01", "not_started"),
        ("sub-bolt/2026-01-01", "due"),
        ("sub-bolt/2026-02-01", "open"),
    ]
    assert [status for _, status in invoices] == ["finalized", *["draft"] * 4]


def test_a_line_shows_the_tiers_it_reached(world: DbtWorld) -> None:
    tiers = world.query(
        """
        select tier ->> 'quantity', tier ->> 'flat_amount', tier ->> 'amount'
        from (
            select unnest(cast(tiers as json[])) as tier from marts.fct_invoice_lines
            where line_id = 'sub-acme/2026-01-01/egress/{}'
        )
        """
    )

    assert tiers == [
        ("100", "0", "0.0000000000001"),
        ("100", "0.25", "1.25"),
        ("1", "0", "0.005"),
    ]


def test_every_model_is_built_as_documented(world: DbtWorld) -> None:
    nodes = world.manifest.nodes.values()
    # The metric that the world adds has no documentation.
    models = [node for node in nodes if node.resource_type == "model" and node.columns]
    built = dict(
        world.query(
            """
            select table_name, list((column_name, data_type) order by column_index)
            from duckdb_columns() where database_name = 'warehouse' group by table_name
            """
        )
    )
    wanted = {column.data_type for model in models for column in model.columns.values()}
    casts = ", ".join(f"typeof(cast(null as {kind}))" for kind in sorted(wanted))
    duckdb_names = dict(zip(sorted(wanted), world.query(f"select {casts}")[0], strict=True))

    documented = {
        model.name: [
            (name, duckdb_names[column.data_type]) for name, column in model.columns.items()
        ]
        for model in models
    }
    differing = {
        (model, found, said)
        for model, columns in documented.items()
        for found, said in zip_longest(built[model], columns)
        if found != said
    }
    assert differing == set()


@pytest.fixture
def spoiled(tmp_path: Path, world: DbtWorld) -> Callable[[str, str], DbtWorld]:
    """A copy of the built world, altered."""

    def spoil(database: str, sql: str) -> DbtWorld:
        copy = world.copied_to(tmp_path)
        copy.change(database, sql)
        return copy

    return spoil


def test_a_home_without_a_file_builds(spoiled: Callable[[str, str], DbtWorld]) -> None:
    tables = ("accepted_events", "refused_events", "landing_files", "file_decisions", "batches")
    emptied = "; ".join(f"delete from {name}" for name in (*tables, "invoices", "invoice_lines"))
    world = spoiled("lake", emptied)
    statuses = world.run("build", "--exclude-resource-type=unit_test")

    assert not_passed(statuses) == {}
    assert world.query("select count(*), sum(total_amount) from marts.fct_invoices") == [(4, 0)]
    identities = "select distinct identity from marts.rpt_reconciliation order by 1"
    assert world.query(identities) == [
        ("events_attributed",),
        ("finalized_quantity",),
        ("invoice_totals",),
        ("metric_events",),
        ("metric_quantity",),
    ]


def test_a_subscription_added_later_heals_what_named_it(
    spoiled: Callable[[str, str], DbtWorld],
) -> None:
    world = spoiled(
        "warehouse",
        f"""
        insert into catalog.subscriptions values
            ('sub-new', 'idle', 'grouped', 'month', '1', 'calendar', '2026-01-10', null);
        insert into calendar.billing_periods ({PERIOD_COLUMNS}) values
            ('sub-new', 'idle', 'grouped', 'USD', 'Etc/UTC', 'reject', '2026-01-10T00:00:00Z',
             '2026-02-01T00:00:00Z', '2026-02-03T00:00:00Z', '2026-01-10', '2026-01-10',
                 '2026-02-01')
        """,
    )

    statuses = world.run("run", "--select", "+int_usage_metered")

    assert not_passed(statuses) == {}
    healed = """
        select metric_code, customer_id, subscription_id, unbilled_reason, event_count
        from metering.int_usage_metered
        where subscription_id = 'sub-new' or unattributed_ref = 'sub-new'
    """
    # Its plan charges requests alone.
    assert world.query(healed) == [("requests", "idle", "sub-new", None, 1)]


def test_a_provisional_customer_lasts_until_the_catalog_knows_it(
    world: DbtWorld, spoiled: Callable[[str, str], DbtWorld]
) -> None:
    customers = "select customer_id, name, is_provisional from marts.dim_customers order by 1"
    known = [("acme", "Acme, Inc.", False), ("bolt", "Bolt KK", False), ("idle", "Idle Ltd", False)]
    assert world.query(customers) == [*known, ("newcomer", "newcomer", True)]

    later = spoiled(
        "warehouse",
        """
        insert into catalog.customers values
            ('newcomer', 'Newcomer SE', 'EUR', 'Etc/UTC', '0', 'reject');
        insert into calendar.customer_names values ('newcomer', 'newcomer', null, null)
        """,
    )
    statuses = later.run("run", "--select", "+dim_customers", "+int_events_counted")

    assert not_passed(statuses) == {}
    assert later.query(customers) == [*known, ("newcomer", "Newcomer SE", False)]
    count = "select sum(event_count) from attribution.int_events_counted where customer_id = "
    assert later.query(f"{count}'newcomer'") == world.query(f"{count}'newcomer'") == [(1,)]


@pytest.mark.parametrize(
    ("database", "sql", "selection", "failing", "shown"),
    [
        pytest.param(
            "lake",
            "update invoice_lines set quantity = 149 where charge_code = 'egress'",
            "tag:marts",
            {"everything_adds_up", "assert_finalized_lines_state_what_the_lake_supports"},
            [
                '"invoice_id":"sub-acme/2025-12-01","customer_id":"acme","charge_code":"egress"',
                '"invoiced_quantity":149.000000000000000000,"difference":1.000000000000000000',
                '"identity":"finalized_quantity","subject":"egress_bytes","unit":"byte"',
            ],
            id="an invoice that states less than the lake supports",
        ),
        pytest.param(
            "lake",
            "update invoice_lines set amount = 0.74 where charge_code = 'egress'",
            "tag:marts",
            {"everything_adds_up", "lines_add_up_to_their_invoice"},
            [
                '"invoice_id":"sub-acme/2025-12-01","amount_due_or_given_back":0.760000000000000',
                '"amount_of_lines":0.750000000000000,"difference":0.010000000000000',
            ],
            id="a line that does not add up to its invoice",
        ),
        pytest.param(
            "lake",
            "delete from refused_events where verdict = 'rejected'",
            "tag:marts",
            {
                "assert_every_line_is_an_event_in_a_state_or_a_copy",
                "everything_adds_up",
                "every_line_of_a_file_is_in_the_lake",
            },
            [
                '"path":"edge/4.ndjson","file_id":4,"status":"decided","line_count":8',
                '"found_line_count":7,"difference":1',
            ],
            id="a line that is in a file and not in the lake",
        ),
        pytest.param(
            "warehouse",
            "insert into calendar.customer_names values ('shared', 'idle', null, null)",
            "stg_calendar__customer_names+",
            {"no_overlap(name)", "unique_key(name, valid_from_at)"},
            ['"name":"shared"', "correct the dates of this subscription or name in the catalog"],
            id="a name of two customers",
        ),
        pytest.param(
            "warehouse",
            "delete from calendar.clock",
            "stg_calendar__clock",
            {"assert_one_clock"},
            ['"row_count":0'],
            id="no instant to speak of",
        ),
    ],
)  # fmt: skip
def test_books_that_are_wrong_stop_the_build(
    spoiled: Callable[[str, str], DbtWorld],
    database: str,
    sql: str,
    selection: str,
    failing: set[str],
    shown: list[str],
) -> None:
    invocation = spoiled(database, sql).invoke(
        "build", "--select", selection, "--exclude-resource-type=unit_test"
    )

    outcome = outcome_of(invocation, ())
    found = [each for assertions in outcome.assertions.values() for each in assertions]
    broken = {each.name for each in found if each.offences}
    assert broken == failing
    messages = " ".join(failure.message for failure in outcome.failures)
    assert all(f"{name} fails for " in messages for name in broken)
    said = [each.what_to_do for each in found if each.offences]
    assert all(what_to_do and f"; {what_to_do}" in messages for what_to_do in said)
    assert all(each in messages for each in shown), messages
