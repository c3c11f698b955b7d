"""Streams of events, voids and amends, run through the models of attribution day by day.

Whatever the stream and wherever it is cut into batches: a naive reading of the rule finds the
same versions, no event is billed twice, and a finalized period keeps the events it was made of.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from tests.worlds.bills_by_hand import CALENDAR, PERIOD_COLUMNS
from tests.worlds.dbt_world import parsed_world
from tests.worlds.lakes import make_lake_tables

DAYS = 6
GRACE = timedelta(hours=12)
START = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = range(15)

MODELS = (
    "staging.stg_lake__accepted_events",
    "staging.stg_calendar__customer_names",
    "staging.stg_catalog__subscriptions",
    "staging.stg_calendar__open_periods",
    "staging.stg_lake__acts",
    "staging.stg_lake__closed_periods",
    "staging.stg_calendar__reopened_periods",
    "attribution.int_periods_united",
    "staging.stg_calendar__auto_customer_sources",
    "attribution.int_events_attributed",
    "metrics.metric_requests",
    "metrics.metric_egress_bytes",
    "metrics.metric_odd_answers",
    "attribution.int_coverage_by_reference",
    "attribution.int_metrics_by_period",
    "attribution.int_metrics_by_reference",
    "attribution.int_amendments_matched",
    "attribution.int_versions_metered",
    "attribution.int_versions_judged",
    "staging.stg_calendar__moved_names",
    "attribution.int_events_moved",
    "attribution.int_events_voided",
    "attribution.int_events_judged",
    "attribution.int_events_assigned",
)
"""In the order of the flow; what they read besides is made by hand."""

HAND_MADE = """
attach ':memory:' as lake;
attach ':memory:' as warehouse;
use warehouse;
create schema catalog; create schema staging; create schema attribution; create schema metrics;
create table catalog.subscriptions as select 'sub' as subscription_id, 'acme' as customer_id;
"""

NAMES_AND_CHARGES = """
insert into calendar.customer_names values ('acme', 'acme', null, null);
create view attribution.int_charges_by_period as
    select *, 'c' as charge_code, 'requests' as metric_code, []::varchar[] as group_by,
        null::varchar as missing_dimension,
        []::struct(name varchar, operator varchar, texts varchar[])[] as conditions,
        null::varchar as price_subscription_id, null::date as price_valid_from,
        true as has_started
    from attribution.int_periods_united;
create table attribution.int_cells_listed (
    plan_code varchar, charge_code varchar, subscription_id varchar, price_valid_from date,
    cells struct(properties varchar[], texts varchar[])[]
);
"""


@dataclass(frozen=True)
class Sent:
    """A line of a file; files are received one after the other, in the order of their numbers."""

    file_id: int
    line: int
    received_at: datetime
    key: str
    amendment: str | None
    target_key: str | None
    customer: str | None
    event_name: str | None
    occurred_at: datetime

    @property
    def position(self) -> tuple[int, int]:
        return (self.file_id, self.line)


def make_stream(seed: int) -> list[Sent]:
    """Few keys and few days, so that most amendments find a target and many come too late."""
    chance = random.Random(seed)  # noqa: S311 — repeatable on purpose
    stream: list[Sent] = []
    free = [f"k{number}" for number in range(4)]
    chance.shuffle(free)
    received_at = START
    for file_id in range(1, 9):
        received_at += timedelta(hours=chance.choice([0, 3, 6, 12, 24]))
        for line in range(1, chance.randint(2, 5)):
            is_event = bool(free) and chance.random() < 0.4
            kind = None if is_event else chance.choice(["void", "amend", "amend"])
            is_void = kind == "void"
            stream.append(
                Sent(
                    file_id,
                    line,
                    received_at,
                    free.pop() if is_event else f"a{file_id}-{line}",
                    kind,
                    None if is_event else chance.choice(["k0", "k1", "k2", "k3", "a1-1"]),
                    None if is_void else chance.choice(["acme", "acme", "acme", "nobody"]),
                    None if is_void else chance.choice(["http_request"] * 4 + ["login"]),
                    received_at
                    if is_void
                    else START + timedelta(hours=12 * chance.randrange(2 * DAYS)),
                )
            )
    return stream


def cut_of(day: int) -> datetime:
    return START + timedelta(days=day + 1) + GRACE


Finalized = dict[int, int]
"""Day → last batch of events that its invoice saw."""


def billed_by_rule(known: dict[Sent, int], finalized: Finalized) -> set[tuple[int, int, int]]:
    """(day, file, line) of what is billed, event by event; `known` maps each to its batch."""
    billed = set()
    for event in (each for each in known if each.amendment is None):
        amendments = [each for each in known if each.target_key == event.key]
        versions = [event, *sorted(amendments, key=lambda each: each.position)]
        bounds: list[tuple[datetime, int | None]] = []
        counting: Sent | None = None
        for version in versions:
            received_at = max(version.received_at, event.received_at)
            batch_id = max(known[version], known[event])

            def in_time(
                cut_at: datetime,
                last_batch_id: int | None,
                received_at: datetime = received_at,
                batch_id: int = batch_id,
            ) -> bool:
                return received_at < cut_at and (last_batch_id is None or batch_id <= last_batch_id)

            if all(in_time(*bound) for bound in bounds):
                counting = version
                is_counting_in_time = True
            day = (version.occurred_at - START).days
            is_billable = (version.customer, version.event_name) == ("acme", "http_request")
            own = (cut_of(day), finalized.get(day))
            if is_billable and in_time(*own):
                bounds.append(own)
            if counting is version:
                is_counting_in_time = is_billable and in_time(*own)
        if counting and is_counting_in_time:
            billed.add(((counting.occurred_at - START).days, *counting.position))
    return billed


class Warehouse:
    """The models of attribution over a lake in memory."""

    def __init__(self, compiled: dict[str, str]) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("set TimeZone = 'UTC'")
        self._connection.execute(HAND_MADE)
        self._connection.execute(CALENDAR)
        make_lake_tables(self._connection, "lake")
        for model, text in compiled.items():
            self._connection.execute(f"create view warehouse.{model} as {text}")
            if model == "attribution.int_periods_united":
                self._connection.execute(NAMES_AND_CHARGES)

    def billed(self, known: dict[Sent, int], finalized: Finalized) -> set[tuple[int, int, int]]:
        """What the models bill, of these events and with these periods finalized."""
        run = self._connection.execute
        run("delete from lake.accepted_events")
        run("delete from warehouse.calendar.billing_periods")
        run("delete from lake.closed_periods")
        self._connection.executemany(
            "insert into lake.accepted_events by name select ? as batch_id, ? as file_id, "
            "? as line, ? as idempotency_key, ? as customer_ref, ? as event_name, "
            "? as occurred_at, ? as received_at, ? as amendment, ? as target_key, "
            "'edge' as source, 'edge' as dedupe_scope, map {} as properties",
            [
                (
                    batch_id,
                    *event.position,
                    event.key,
                    event.customer,
                    event.event_name,
                    event.occurred_at,
                    event.received_at,
                    event.amendment,
                    event.target_key,
                )
                for event, batch_id in known.items()
            ],
        )
        for day in range(DAYS):
            start_at = START + timedelta(days=day)
            times = [start_at, start_at + timedelta(days=1), cut_of(day)]
            if day in finalized:
                run(
                    "insert into lake.closed_periods by name select 'sub' as subscription_id, "
                    "0 as revision, 'closed' as state, 'acme' as customer_id, 'p' as plan_code, "
                    "'EUR' as currency, 'Etc/UTC' as time_zone, 'adjust' as late_usage_policy, "
                    "? as period_start_at, ? as period_end_at, ? as cut_at, "
                    "?::timestamp as period_start_label, ? as event_batch_id",
                    [*times, start_at.replace(tzinfo=None), finalized[day]],
                )
                continue
            run(
                f"insert into warehouse.calendar.billing_periods ({PERIOD_COLUMNS}) "
                "values ('sub', 'acme', 'p', 'EUR', "
                "'Etc/UTC', 'adjust', ?, ?, ?, ?, ?, ?)",
                [
                    *times,
                    start_at.date(),
                    start_at.replace(tzinfo=None),
                    times[1].replace(tzinfo=None),
                ],
            )
        rows = run(
            "select period_index - 1, file_id, line "
            "from warehouse.attribution.int_events_assigned "
            "where metric_code = 'requests' and unbilled_reason is null"
        ).fetchall()
        assert len(set(rows)) == len(rows)
        return set(rows)

    def states(self) -> set[tuple[str | None, str]]:
        """Kinds of versions and what became of them, when last asked what is billed."""
        found = self._connection.execute(
            "select distinct amendment, amendment_state "
            "from warehouse.attribution.int_versions_judged"
        )
        return set(found.fetchall())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of each model of `MODELS`, as dbt runs it."""
    world = parsed_world().copied_to(tmp_path_factory.mktemp("amended"))
    names = [name.split(".")[1] for name in MODELS]
    results = world.results("compile", "--select", *names)
    texts = {each.node.name: each.node.compiled_code for each in results}
    return {name: texts[name.split(".")[1]] for name in MODELS}


def batches_of(stream: list[Sent], chance: random.Random) -> Iterator[list[Sent]]:
    """The stream cut between files, anywhere but where a cut was missed: a period is closed
    when all that was received before its cut is there, and before anything later is.
    """
    batch: list[Sent] = []
    for event in stream:
        is_new_file = bool(batch) and batch[-1].file_id != event.file_id
        if is_new_file:
            passed = any(
                batch[-1].received_at < cut_of(day) <= event.received_at for day in range(DAYS)
            )
            if passed or chance.random() < 0.4:
                yield batch
                batch = []
        batch.append(event)
    yield batch


@pytest.mark.parametrize("seed", SEEDS)
def test_models_bill_by_the_rule_and_keep_what_is_finalized(
    seed: int, compiled: dict[str, str]
) -> None:
    stream = make_stream(seed)
    outcomes = []
    for cutting in (1, 2):
        warehouse = Warehouse(compiled)
        known: dict[Sent, int] = {}
        finalized: Finalized = {}
        on_invoice: set[tuple[int, int, int]] = set()
        batches = list(batches_of(stream, random.Random(seed * cutting)))  # noqa: S311
        for batch_id, batch in enumerate(batches, start=1):
            known |= dict.fromkeys(batch, batch_id)
            billed = warehouse.billed(known, finalized)
            assert billed == billed_by_rule(known, finalized)
            assert {line for line in billed if line[0] in finalized} == on_invoice
            after = batches[batch_id][0].received_at if batch_id < len(batches) else None
            for day in range(DAYS):
                if day not in finalized and (after is None or cut_of(day) <= after):
                    finalized[day] = batch_id
            on_invoice = {line for line in billed if line[0] in finalized}
        outcomes.append(on_invoice)
    assert outcomes[0] == outcomes[1]


def test_streams_show_every_state(compiled: dict[str, str]) -> None:
    states = set()
    for seed in SEEDS:
        warehouse = Warehouse(compiled)
        known = {event: event.file_id for event in make_stream(seed)}
        warehouse.billed(known, {0: 2, 1: 4})
        states |= warehouse.states()
    assert states == {
        (None, "current"),
        (None, "superseded"),
        *((kind, state) for kind in ("void", "amend") for state in ("current", "superseded")),
        ("void", "late"),
        ("amend", "late"),
        ("amend", "waiting"),
    }
