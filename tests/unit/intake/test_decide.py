"""Each rule about verdicts at its bounds: just before, exactly at, just beyond.

A case lists deliveries in the order of the registry, one file each, so the first is file 1. Its
verdicts must be the same in one batch, in two batches cut anywhere, and in one batch per delivery.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest

from pipelines.intake.decide import KNOWN_KEYS_COLUMNS, decide
from pipelines.vocabulary.frames import PARSED_EVENTS, SOURCES
from tests.worlds.deliveries import (
    NO_CUTS,
    NOON,
    TICK,
    cut_rows,
    event_rows,
    source_rows,
    verdicts_found,
)
from tests.worlds.oracle import Cuts, Delivery, Position, Sender, Verdict, verdicts_by_position

DAY = timedelta(days=1)
NOTHING = timedelta(0)
WINDOW = 34 * DAY
SKEW = DAY
MAX_LATENESS = WINDOW - SKEW

SENDERS = {
    "cdn": Sender("cdn", WINDOW, MAX_LATENESS, SKEW),
    "app": Sender("app", WINDOW, MAX_LATENESS, SKEW),
    "edge_east": Sender("edge", WINDOW, MAX_LATENESS, SKEW),
    "edge_west": Sender("edge", WINDOW, MAX_LATENESS, SKEW),
    "meter": Sender("meter", None, None, timedelta(hours=1)),
    "archive": Sender("archive", WINDOW, MAX_LATENESS, SKEW, late_lookup=True),
    "beat": Sender("beat", WINDOW, MAX_LATENESS, SKEW, conflicts_expected=True),
}

CUTS: Cuts = {
    ("customer", "acme"): [
        (NOON - 5 * DAY, NOON + 2 * DAY),
        (NOON + DAY, NOON + 9 * DAY),
        (NOON + 20 * DAY, None),
    ],
    ("customer", "initech"): [(NOON - 50 * DAY, NOON - 10 * DAY)],
    # A subscription may have the name of a customer.
    ("subscription", "acme"): [(NOON - 5 * DAY, NOON + 5 * DAY)],
    ("subscription", "initech-1"): [(NOON - 5 * DAY, NOON + 9 * DAY), (NOON + DAY, None)],
}
"""Usage of acme between -5 d and +1 d is refused from +2 d on. Others are never refused."""


def sent(
    received: timedelta,
    payload: bytes = b"first",
    *,
    occurred: timedelta | None = None,
    key: str = "k",
    source: str = "cdn",
    customer: str | None = "globex",
    subscription: str | None = None,
    amendment: str | None = None,
) -> Delivery:
    """A delivery; times are relative to noon, and `occurred` is `received` if it is left out."""
    return Delivery(
        file_id=0,
        line=1,
        source=source,
        idempotency_key=key,
        customer_ref=customer,
        occurred_at=NOON + (received if occurred is None else occurred),
        received_at=NOON + received,
        payload=payload,
        subscription_ref=subscription,
        amendment=amendment,
        target_key=amendment and "k",
    )


ACCEPTED = Verdict("accepted")
FUTURE = Verdict("rejected", "future")
TOO_LATE = Verdict("rejected", "too_late")
BACKDATED = Verdict("rejected", "backdated")


def duplicate_of(file_id: int) -> Verdict:
    return Verdict("duplicate", winner=(file_id, 1))


def conflict_with(file_id: int) -> Verdict:
    return Verdict("conflict", winner=(file_id, 1))


@dataclass(frozen=True)
class Case:
    claim: str
    story: tuple[tuple[Delivery, Verdict], ...]

    @property
    def deliveries(self) -> list[Delivery]:
        return [
            replace(delivery, file_id=number)
            for number, (delivery, _) in enumerate(self.story, start=1)
        ]

    @property
    def expected(self) -> dict[Position, Verdict]:
        return {(number, 1): verdict for number, (_, verdict) in enumerate(self.story, start=1)}


def case(claim: str, *story: tuple[Delivery, Verdict]) -> Case:
    return Case(claim, story)


WINDOW_CASES = (
    case(
        "a copy received at once is a duplicate",
        (sent(NOTHING), ACCEPTED),
        (sent(NOTHING), duplicate_of(1)),
    ),
    case(
        "a copy one microsecond inside the window is a duplicate",
        (sent(NOTHING), ACCEPTED),
        (sent(WINDOW - TICK, occurred=NOTHING), duplicate_of(1)),
    ),
    case(
        "exactly at the window the key is a new event",
        (sent(NOTHING), ACCEPTED),
        (sent(WINDOW), ACCEPTED),
    ),
    case(
        "beyond the window the key is a new event",
        (sent(NOTHING), ACCEPTED),
        (sent(WINDOW + TICK), ACCEPTED),
    ),
    case(
        "the window reaches back to deliveries received earlier but registered later",
        (sent(NOTHING), ACCEPTED),
        (sent(TICK - WINDOW), duplicate_of(1)),
    ),
    case(
        "exactly at the window, backwards, the key is a new event",
        (sent(NOTHING), ACCEPTED),
        (sent(-WINDOW), ACCEPTED),
    ),
    case(
        "a duplicate does not extend the window",
        (sent(NOTHING), ACCEPTED),
        (sent(20 * DAY), duplicate_of(1)),
        (sent(34 * DAY), ACCEPTED),
        (sent(54 * DAY), duplicate_of(3)),
        (sent(68 * DAY), ACCEPTED),
    ),
    case(
        "a conflict does not extend the window",
        (sent(NOTHING), ACCEPTED),
        (sent(20 * DAY, b"other"), conflict_with(1)),
        (sent(34 * DAY, b"other"), ACCEPTED),
    ),
    case(
        "a delivery blocked by a blocked one alone is accepted",
        # 1 blocks 2. 3 is 20 days after 2, which was not accepted, and 40 days after 1.
        (sent(NOTHING), ACCEPTED),
        (sent(20 * DAY), duplicate_of(1)),
        (sent(40 * DAY), ACCEPTED),
    ),
    case(
        "an unlimited window never ends",
        (sent(NOTHING, source="meter"), ACCEPTED),
        (sent(3650 * DAY, source="meter"), duplicate_of(1)),
        (sent(-3650 * DAY, b"other", source="meter"), conflict_with(1)),
    ),
)

WINNER_CASES = (
    case(
        "another payload is a conflict",
        (sent(NOTHING), ACCEPTED),
        (sent(DAY, b"other"), conflict_with(1)),
    ),
    case(
        "a copy of a conflict is a conflict again, for only accepted events are repeated",
        (sent(NOTHING), ACCEPTED),
        (sent(DAY, b"other"), conflict_with(1)),
        (sent(2 * DAY, b"other"), conflict_with(1)),
        (sent(3 * DAY), duplicate_of(1)),
    ),
    case(
        "of two accepted events in reach the one with the same payload is repeated",
        (sent(NOTHING, b"first"), ACCEPTED),
        (sent(40 * DAY, b"second"), ACCEPTED),
        (sent(20 * DAY, b"second"), duplicate_of(2)),
        (sent(20 * DAY, b"first"), duplicate_of(1)),
    ),
    case(
        "of two accepted events with the same payload the earlier registered is repeated",
        (sent(40 * DAY), ACCEPTED),
        (sent(NOTHING), ACCEPTED),
        (sent(20 * DAY), duplicate_of(1)),
    ),
    case(
        "of two accepted events with other payloads the earlier registered is contradicted",
        (sent(40 * DAY, b"first"), ACCEPTED),
        (sent(NOTHING, b"second"), ACCEPTED),
        (sent(20 * DAY, b"third"), conflict_with(1)),
    ),
)

TIME_CASES = (
    case(
        "exactly the skew ahead is accepted",
        (sent(NOTHING, occurred=SKEW), ACCEPTED),
    ),
    case(
        "one microsecond more than the skew ahead is future",
        (sent(NOTHING, occurred=SKEW + TICK), FUTURE),
    ),
    case(
        "the skew is the source's own",
        (sent(NOTHING, occurred=timedelta(hours=1), source="meter"), ACCEPTED),
        (sent(NOTHING, occurred=timedelta(hours=1) + TICK, source="meter", key="l"), FUTURE),
    ),
    case(
        "one microsecond below the lateness allowed is accepted",
        (sent(MAX_LATENESS - TICK, occurred=NOTHING), ACCEPTED),
    ),
    case(
        "exactly the lateness allowed is too late",
        (sent(MAX_LATENESS, occurred=NOTHING), TOO_LATE),
    ),
    case(
        "an unlimited lateness refuses nothing",
        (sent(3650 * DAY, occurred=NOTHING, source="meter"), ACCEPTED),
    ),
    case(
        "one microsecond before the cut is accepted",
        (sent(2 * DAY - TICK, occurred=NOTHING, customer="acme"), ACCEPTED),
    ),
    case(
        "exactly at the cut is backdated",
        (sent(2 * DAY, occurred=NOTHING, customer="acme"), BACKDATED),
    ),
    case(
        "the last instant of a period still has its cut",
        (sent(2 * DAY, occurred=DAY - TICK, customer="acme"), BACKDATED),
    ),
    case(
        "the first instant of the next period has the next cut",
        (sent(2 * DAY, occurred=DAY, customer="acme"), ACCEPTED),
        (sent(9 * DAY, occurred=DAY, customer="acme", key="l"), BACKDATED),
    ),
    case(
        "before a customer's first period nothing is backdated",
        (sent(3 * DAY, occurred=-5 * DAY - TICK, customer="acme"), ACCEPTED),
        (sent(3 * DAY, occurred=-5 * DAY, customer="acme", key="l"), BACKDATED),
    ),
    case(
        "where a customer has no cut nothing is backdated",
        (sent(30 * DAY, occurred=20 * DAY - TICK, customer="acme"), BACKDATED),
        (sent(30 * DAY, occurred=20 * DAY, customer="acme"), ACCEPTED),
    ),
    case(
        "an unknown customer is never backdated",
        (sent(3 * DAY, occurred=NOTHING, customer="nobody"), ACCEPTED),
    ),
    case(
        "a subscription that is named has its own cut, whatever it is called",
        (sent(5 * DAY - TICK, occurred=NOTHING, customer=None, subscription="acme"), ACCEPTED),
        (
            sent(5 * DAY, occurred=NOTHING, customer=None, subscription="acme", key="l"),
            BACKDATED,
        ),
    ),
    case(
        "where a subscription is named the cuts of the customer do not count",
        # acme's own cut is at +2 d, initech's at -10 d.
        (sent(4 * DAY, occurred=NOTHING, customer="acme", subscription="acme"), ACCEPTED),
        (
            sent(4 * DAY, occurred=NOTHING, customer="initech", subscription="initech-1", key="l"),
            ACCEPTED,
        ),
        (
            sent(9 * DAY, occurred=NOTHING, customer="initech", subscription="initech-1", key="m"),
            BACKDATED,
        ),
    ),
    case(
        "after the end of a named subscription nothing is backdated, nor of one nobody knows",
        (sent(9 * DAY, occurred=DAY - TICK, subscription="initech-1"), BACKDATED),
        (sent(9 * DAY, occurred=DAY, subscription="initech-1"), ACCEPTED),
        (sent(9 * DAY, occurred=NOTHING, subscription="nobody", key="l"), ACCEPTED),
        (sent(9 * DAY, occurred=NOTHING, customer="acme", subscription="no", key="m"), ACCEPTED),
    ),
)

AMENDMENT_CASES = (
    case(
        "an amendment is neither backdated nor too late",
        (sent(2 * DAY, occurred=NOTHING, customer="acme", amendment="amend", key="l"), ACCEPTED),
        (sent(MAX_LATENESS, occurred=NOTHING, amendment="amend", key="m"), ACCEPTED),
        (sent(MAX_LATENESS, occurred=NOTHING, amendment="void", key="n"), ACCEPTED),
    ),
    case(
        "an amendment from the future is refused",
        (sent(NOTHING, occurred=SKEW, amendment="amend", key="l"), ACCEPTED),
        (sent(NOTHING, occurred=SKEW + TICK, amendment="amend", key="m"), FUTURE),
    ),
    case(
        "an amendment claims its own key, not its target's",
        (sent(NOTHING, amendment="void", key="l"), ACCEPTED),
        (sent(NOTHING), ACCEPTED),
        (sent(NOTHING, amendment="void", key="l"), duplicate_of(1)),
        (sent(NOTHING, b"other", amendment="amend", key="l"), conflict_with(1)),
        (sent(NOTHING, b"other", key="l"), conflict_with(1)),
    ),
)

PRECEDENCE_CASES = (
    case(
        "a duplicate that is also future is a duplicate",
        (sent(NOTHING), ACCEPTED),
        (sent(NOTHING, occurred=2 * DAY), duplicate_of(1)),
    ),
    case(
        "a duplicate that is also too late is a duplicate",
        (sent(NOTHING), ACCEPTED),
        (sent(MAX_LATENESS, occurred=NOTHING), duplicate_of(1)),
    ),
    case(
        "a duplicate that is also backdated is a duplicate",
        (sent(NOTHING, customer="acme"), ACCEPTED),
        (sent(2 * DAY, occurred=NOTHING, customer="acme"), duplicate_of(1)),
    ),
    case(
        "a conflict that is also future is a conflict",
        (sent(NOTHING), ACCEPTED),
        (sent(NOTHING, b"other", occurred=2 * DAY), conflict_with(1)),
    ),
    case(
        "future comes before backdated",
        # initech's usage since -50 d is refused from -10 d on.
        (sent(NOTHING, occurred=2 * DAY, customer="initech"), FUTURE),
    ),
    case(
        "too late comes before backdated",
        (sent(NOTHING, occurred=-MAX_LATENESS, customer="initech"), TOO_LATE),
        (sent(NOTHING, occurred=TICK - MAX_LATENESS, customer="initech"), BACKDATED),
    ),
)

CLAIM_CASES = (
    case(
        "a future event claims no key",
        (sent(NOTHING, occurred=2 * DAY), FUTURE),
        (sent(NOTHING), ACCEPTED),
        (sent(DAY), duplicate_of(2)),
    ),
    case(
        "an event that is too late claims no key",
        (sent(NOTHING, occurred=-MAX_LATENESS), TOO_LATE),
        (sent(NOTHING, b"other"), ACCEPTED),
        (sent(NOTHING, occurred=-MAX_LATENESS), conflict_with(2)),
    ),
    case(
        "a backdated event claims no key",
        (sent(2 * DAY, occurred=NOTHING, customer="acme"), BACKDATED),
        (sent(2 * DAY, occurred=NOTHING, customer="acme"), BACKDATED),
        (sent(2 * DAY), ACCEPTED),
    ),
    case(
        "a refused event between two accepted ones changes neither",
        (sent(NOTHING), ACCEPTED),
        (sent(34 * DAY, occurred=36 * DAY), FUTURE),
        (sent(34 * DAY), ACCEPTED),
        (sent(34 * DAY, occurred=36 * DAY), duplicate_of(3)),
    ),
)

LOOKUP_CASES = (
    case(
        "a copy that is late is found whatever the window",
        (sent(NOTHING, source="archive"), ACCEPTED),
        (sent(900 * DAY, occurred=NOTHING, source="archive"), duplicate_of(1)),
        (sent(900 * DAY, b"other", occurred=NOTHING, source="archive"), conflict_with(1)),
    ),
    case(
        "the look-up begins exactly at the lateness",
        (sent(NOTHING, source="archive"), ACCEPTED),
        (sent(WINDOW, occurred=WINDOW - MAX_LATENESS, source="archive"), duplicate_of(1)),
    ),
    case(
        "one microsecond less late is decided by the window",
        (sent(NOTHING, source="archive"), ACCEPTED),
        (sent(WINDOW, occurred=WINDOW - MAX_LATENESS + TICK, source="archive"), ACCEPTED),
    ),
    case(
        "a late event with a new key is accepted and blocks its copies",
        (sent(900 * DAY, occurred=NOTHING, source="archive"), ACCEPTED),
        (sent(901 * DAY, occurred=NOTHING, source="archive"), duplicate_of(1)),
        (sent(900 * DAY + WINDOW - TICK, source="archive"), duplicate_of(1)),
        (sent(900 * DAY + WINDOW, source="archive"), ACCEPTED),
        # Any accepted event of the key is a winner, of any age.
        (sent(2000 * DAY, b"other", occurred=NOTHING, source="archive"), conflict_with(1)),
    ),
    case(
        "files received long after are looked up as well",
        (sent(900 * DAY, occurred=900 * DAY, source="archive"), ACCEPTED),
        (sent(NOTHING, occurred=-MAX_LATENESS, source="archive"), duplicate_of(1)),
        (sent(NOTHING, occurred=TICK - MAX_LATENESS, source="archive"), ACCEPTED),
    ),
    case(
        "a late event of a period that was cut is backdated",
        (sent(900 * DAY, occurred=NOTHING, source="archive", customer="acme"), BACKDATED),
        (sent(901 * DAY, occurred=NOTHING, source="archive"), ACCEPTED),
    ),
    case(
        "a conflict that is expected is a conflict",
        (sent(NOTHING, source="beat"), ACCEPTED),
        (sent(DAY, b"other", source="beat"), conflict_with(1)),
        (sent(DAY, source="beat"), duplicate_of(1)),
    ),
)

SCOPE_CASES = (
    case(
        "two sources have keys of their own",
        (sent(NOTHING, source="cdn"), ACCEPTED),
        (sent(NOTHING, source="app"), ACCEPTED),
        (sent(NOTHING, source="cdn"), duplicate_of(1)),
        (sent(NOTHING, source="app"), duplicate_of(2)),
    ),
    case(
        "sources that share a scope share their keys",
        (sent(NOTHING, source="edge_east"), ACCEPTED),
        (sent(NOTHING, source="edge_west"), duplicate_of(1)),
        (sent(NOTHING, b"other", source="edge_west"), conflict_with(1)),
    ),
    case(
        "keys are compared byte for byte",
        (sent(NOTHING, key="k"), ACCEPTED),
        (sent(NOTHING, key="K"), ACCEPTED),
        (sent(NOTHING, key="k "), ACCEPTED),
        (sent(NOTHING, key="é"), ACCEPTED),
        (sent(NOTHING, key="e\u0301"), ACCEPTED),
    ),
)

CASES = [
    pytest.param(case, id=case.claim.replace(" ", "_"))
    for case in (
        *WINDOW_CASES,
        *WINNER_CASES,
        *LOOKUP_CASES,
        *TIME_CASES,
        *AMENDMENT_CASES,
        *PRECEDENCE_CASES,
        *CLAIM_CASES,
        *SCOPE_CASES,
    )
]


def _found_in_batches(case: Case, starts: Iterable[int]) -> dict[Position, Verdict]:
    """The verdicts of the case, if a batch begins with each of the deliveries `starts`."""
    bounds = [*starts, len(case.deliveries)]
    known = event_rows([], SENDERS)
    found: dict[Position, Verdict] = {}
    for start, end in pairwise(bounds):
        events = event_rows(case.deliveries[start:end], SENDERS)
        verdicts = decide(events, known, source_rows(SENDERS), cut_rows(CUTS))
        known = pl.concat([known, verdicts.accepted])
        found |= verdicts_found(verdicts)
    return found


@pytest.mark.parametrize("case", CASES)
def test_one_batch(case: Case) -> None:
    assert _found_in_batches(case, [0]) == case.expected


@pytest.mark.parametrize("case", CASES)
def test_two_batches_cut_anywhere(case: Case) -> None:
    for start in range(1, len(case.deliveries)):
        assert _found_in_batches(case, [0, start]) == case.expected


@pytest.mark.parametrize("case", CASES)
def test_one_batch_a_delivery(case: Case) -> None:
    assert _found_in_batches(case, range(len(case.deliveries))) == case.expected


@pytest.mark.parametrize("case", CASES)
def test_the_oracle_holds_the_same_rules(case: Case) -> None:
    assert verdicts_by_position(case.deliveries, SENDERS, CUTS) == case.expected


def test_lines_of_one_file_are_decided_in_their_order() -> None:
    lines = [replace(sent(NOTHING), file_id=7, line=line) for line in (12, 3, 9)]

    verdicts = decide(
        event_rows(lines, SENDERS), event_rows([], SENDERS), source_rows(SENDERS), cut_rows(CUTS)
    )

    assert verdicts_found(verdicts) == {
        (7, 3): ACCEPTED,
        (7, 9): Verdict("duplicate", winner=(7, 3)),
        (7, 12): Verdict("duplicate", winner=(7, 3)),
    }


def test_keys_with_one_hash_are_told_apart_by_their_bytes() -> None:
    deliveries = [
        replace(sent(NOTHING, key=key, source=source), file_id=file_id)
        for file_id, (key, source) in enumerate(
            [("k", "cdn"), ("l", "cdn"), ("k", "app"), ("l", "cdn")], start=1
        )
    ]

    verdicts = decide(
        event_rows(deliveries[1:], SENDERS, hashed=lambda scope, key: 2**64 - 1),
        event_rows(deliveries[:1], SENDERS, hashed=lambda scope, key: 2**64 - 1),
        source_rows(SENDERS),
        cut_rows(CUTS),
    )

    assert verdicts_found(verdicts) == {
        (2, 1): ACCEPTED,
        (3, 1): ACCEPTED,
        (4, 1): duplicate_of(2),
    }


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        pytest.param("cdn/a.ndjson", "cdn/a.ndjson", id="as-it-is"),
        pytest.param("cdn/" + "p" * 116, "cdn/" + "p" * 116, id="of-120-characters"),
        pytest.param("cdn/" + "p" * 117, "…n/" + "p" * 117, id="of-121-characters"),
        pytest.param("cdn/$1{}.ndjson", "cdn/$1{}.ndjson", id="with-signs"),
    ],
)
def test_a_duplicate_names_the_path_of_the_first(path: str, shown: str) -> None:
    deliveries = [replace(each, file_id=n) for n, each in enumerate([sent(NOTHING), sent(DAY)], 1)]
    paths = pl.DataFrame({"file_id": [1], "path": [path]})

    verdicts = decide(
        event_rows(deliveries, SENDERS),
        event_rows([], SENDERS),
        source_rows(SENDERS),
        cut_rows(CUTS),
        paths,
    )

    sentence = f"repeats the event accepted from {shown} line 1"
    assert verdicts.refused["reason"].to_list() == [sentence]


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        pytest.param(
            [sent(NOTHING), sent(DAY)],
            "repeats the event accepted from file 1 line 1",
            id="duplicate",
        ),
        pytest.param(
            [sent(NOTHING), sent(DAY, b"other")],
            "has the idempotency key of the event accepted from file 1 line 1 but another "
            "payload; the first stays",
            id="conflict",
        ),
        pytest.param(
            [sent(NOTHING, source="beat"), sent(DAY, b"other", source="beat")],
            "has the idempotency key of the event accepted from file 1 line 1 but another "
            "payload; the first stays, as its source expects",
            id="expected-conflict",
        ),
        pytest.param(
            [sent(NOTHING, occurred=2 * DAY)],
            "occurred at 2026-03-12T12:00:00Z, more than 1d after it was received "
            "at 2026-03-10T12:00:00Z",
            id="future",
        ),
        pytest.param(
            [sent(MAX_LATENESS, occurred=NOTHING)],
            "received at 2026-04-12T12:00:00Z, 33d or more after it occurred at "
            "2026-03-10T12:00:00Z",
            id="too_late",
        ),
        pytest.param(
            [sent(3 * DAY, occurred=NOTHING, customer="acme")],
            "occurred at 2026-03-10T12:00:00Z in a billing period that was cut by "
            "2026-03-13T12:00:00Z, when it was received",
            id="backdated",
        ),
    ],
)
def test_a_refusal_says_why(story: list[Delivery], reason: str) -> None:
    deliveries = [replace(sent, file_id=number) for number, sent in enumerate(story, start=1)]

    verdicts = decide(
        event_rows(deliveries, SENDERS),
        event_rows([], SENDERS),
        source_rows(SENDERS),
        cut_rows(CUTS),
    )

    assert verdicts.refused["reason"].to_list() == [reason]


def test_what_a_catalog_does_not_say_refuses_late_events() -> None:
    silent = source_rows(SENDERS).with_columns(
        pl.lit(None, pl.Boolean).alias("late_lookup"),
        pl.lit(None, pl.Boolean).alias("conflicts_expected"),
    )
    story = [sent(NOTHING, occurred=-MAX_LATENESS), sent(NOTHING), sent(NOTHING, b"other")]
    deliveries = [replace(delivery, file_id=n) for n, delivery in enumerate(story, start=1)]

    verdicts = decide(
        event_rows(deliveries, SENDERS), event_rows([], SENDERS), silent, cut_rows(CUTS)
    )

    assert verdicts_found(verdicts) == {
        (1, 1): TOO_LATE,
        (2, 1): ACCEPTED,
        (3, 1): conflict_with(2),
    }
    assert verdicts.refused["reason"][1].endswith("; the first stays")


def test_no_events_give_two_empty_doors() -> None:
    no_events = event_rows([], SENDERS)

    verdicts = decide(no_events, no_events, source_rows(SENDERS), cut_rows(CUTS))

    assert verdicts.accepted.is_empty()
    assert verdicts.refused.is_empty()
    assert verdicts.accepted.schema == PARSED_EVENTS
    assert verdicts.refused.columns == [
        *PARSED_EVENTS.names(),
        "verdict",
        "reason_code",
        "reason",
        "winner_file_id",
        "winner_line",
    ]


def test_columns_of_both_doors_do_not_depend_on_what_is_refused() -> None:
    no_events = event_rows([], SENDERS)
    sources, cuts = source_rows(SENDERS), cut_rows(CUTS)
    deliveries = [replace(sent(NOTHING), file_id=number) for number in (1, 2)]

    all_kinds = decide(event_rows(deliveries, SENDERS), no_events, sources, cuts)
    nothing = decide(no_events, no_events, sources, cuts)

    assert all_kinds.accepted.schema == nothing.accepted.schema
    assert all_kinds.refused.schema == nothing.refused.schema


def test_an_empty_catalog_of_customers_refuses_nothing_as_backdated() -> None:
    deliveries = [replace(sent(9 * DAY, occurred=NOTHING, customer="acme"), file_id=1)]

    verdicts = decide(
        event_rows(deliveries, SENDERS),
        event_rows([], SENDERS).select(KNOWN_KEYS_COLUMNS),
        source_rows(SENDERS),
        NO_CUTS,
    )

    assert verdicts_found(verdicts) == {(1, 1): ACCEPTED}


def test_null_limits_are_unlimited_and_rows_are_returned_as_given() -> None:
    # The window and the lateness are unlimited. There is no subscription and no property.
    sources = source_rows({"meter": SENDERS["meter"]})
    assert sources["dedupe_window"].null_count() == sources["max_lateness"].null_count() == 1
    events = event_rows(
        [replace(sent(900 * DAY, occurred=NOTHING, source="meter"), file_id=1)], SENDERS
    )
    assert sources.schema == SOURCES

    verdicts = decide(events, event_rows([], SENDERS), sources, cut_rows({}))

    assert verdicts.accepted.equals(events)
