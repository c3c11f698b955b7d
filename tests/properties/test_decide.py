"""For any world, `decide` and the naive oracle agree, and batches do not matter."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.decide import Verdicts, decide
from tests.worlds.deliveries import (
    NOON,
    TICK,
    cut_rows,
    event_rows,
    key_hash,
    source_rows,
    verdicts_found,
)
from tests.worlds.oracle import Cuts, Delivery, Position, Sender, Verdict, verdicts_by_position

MINUTE = timedelta(minutes=1)
SOURCES = ("cdn", "app", "meter")
CUSTOMERS = ("acme", "globex")
REFS = tuple((kind, name) for kind in ("customer", "subscription") for name in CUSTOMERS)
"""The same text may name a customer and a subscription, each with its own cuts."""


examples = settings(max_examples=300, deadline=None, derandomize=True, database=None)
fewer_examples = settings(examples, max_examples=100)


@dataclass(frozen=True)
class World:
    """Deliveries of a few keys within a few minutes, and the rules that decide them."""

    deliveries: tuple[Delivery, ...]
    senders: Mapping[str, Sender]
    cuts: Cuts
    hashes: int

    def hashed(self, scope: str, key: str) -> int:
        """The hash of a key; there are few hashes, so that keys collide."""
        return key_hash(scope, key) % self.hashes

    def decided(self, deliveries: list[Delivery], known: pl.DataFrame) -> Verdicts:
        return decide(
            event_rows(deliveries, self.senders, self.hashed),
            known,
            source_rows(self.senders),
            cut_rows(self.cuts),
        )

    @property
    def nothing_known(self) -> pl.DataFrame:
        return event_rows([], self.senders, self.hashed)


_minutes = st.integers(0, 9).map(lambda minutes: minutes * MINUTE)
_instants = _minutes.map(lambda minutes: NOON + minutes)
_limits = st.integers(1, 6).map(lambda minutes: minutes * MINUTE)
_around = st.sampled_from([-TICK, timedelta(0), TICK])
_senders = st.builds(
    Sender,
    dedupe_scope=st.sampled_from(["shared", "own"]),
    dedupe_window=st.none() | _limits,
    max_lateness=st.none() | _limits,
    future_skew=st.integers(0, 2).map(lambda minutes: minutes * MINUTE),
    late_lookup=st.booleans(),
)
_steps = st.lists(
    st.tuples(_instants, st.none() | _instants), max_size=3, unique_by=lambda step: step[0]
).map(lambda steps: sorted(steps, key=lambda step: step[0]))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    files = draw(
        st.lists(st.tuples(st.sampled_from(SOURCES), _instants, _around), min_size=1, max_size=8)
    )
    lines = st.lists(
        st.tuples(
            st.sampled_from("kl"),
            st.sampled_from([b"first", b"first", b"second"]),
            st.none() | st.sampled_from(CUSTOMERS),
            st.none() | st.sampled_from((*CUSTOMERS, "no such subscription")),
            st.sampled_from([None, None, "void", "amend"]),
            _instants,
            _around,
        ),
        max_size=4,
    )
    deliveries = tuple(
        Delivery(
            file_id=file_id,
            line=line,
            source=source,
            idempotency_key=key,
            customer_ref=customer,
            occurred_at=occurred + beside,
            received_at=received + around,
            payload=payload,
            subscription_ref=subscription,
            amendment=amendment,
            target_key=amendment and "target",
        )
        for file_id, (source, received, around) in enumerate(files, start=1)
        for line, (
            key,
            payload,
            customer,
            subscription,
            amendment,
            occurred,
            beside,
        ) in enumerate(draw(lines), start=1)
    )
    return World(
        deliveries,
        senders={source: draw(_senders) for source in SOURCES},
        cuts={ref: draw(_steps) for ref in REFS},
        hashes=draw(st.sampled_from([1, 2, 2**64])),
    )


def _in_batches(world: World, starts: set[int]) -> dict[Position, Verdict]:
    """The verdicts of the world in batches that begin at each of `starts`."""
    bounds = sorted({0, len(world.deliveries)} | {s for s in starts if s < len(world.deliveries)})
    known = world.nothing_known
    found: dict[Position, Verdict] = {}
    for start, end in pairwise(bounds):
        verdicts = world.decided(list(world.deliveries[start:end]), known)
        known = pl.concat([known, verdicts.accepted])
        found |= verdicts_found(verdicts)
    return found


@examples
@given(worlds())
def test_decide_agrees_with_the_oracle(world: World) -> None:
    found = verdicts_found(world.decided(list(world.deliveries), world.nothing_known))

    assert found == verdicts_by_position(world.deliveries, world.senders, world.cuts)


@examples
@given(worlds(), st.sets(st.integers(1, 32), min_size=1, max_size=3))
def test_batches_cut_anywhere_give_the_verdicts_of_one(world: World, starts: set[int]) -> None:
    assert _in_batches(world, starts) == verdicts_by_position(
        world.deliveries, world.senders, world.cuts
    )


@fewer_examples
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(world: World, chance: random.Random) -> None:
    shuffled = list(world.deliveries)
    chance.shuffle(shuffled)

    ordered = world.decided(list(world.deliveries), world.nothing_known)
    unordered = world.decided(shuffled, world.nothing_known)

    assert unordered.accepted.equals(ordered.accepted)
    assert unordered.refused.equals(ordered.refused)


@fewer_examples
@given(worlds())
def test_a_delivery_sent_again_bills_nothing_more(world: World) -> None:
    """A whole landing that is sent again at the same instants is duplicates and refusals."""
    last = 1 + max((delivery.file_id for delivery in world.deliveries), default=0)
    again = [
        replace(delivery, file_id=last, line=number)
        for number, delivery in enumerate(world.deliveries, start=1)
    ]
    first = world.decided(list(world.deliveries), world.nothing_known)

    second = world.decided(again, first.accepted)

    assert second.accepted.is_empty()
    at_first, at_second = verdicts_found(first), verdicts_found(second)
    for number, delivery in enumerate(world.deliveries, start=1):
        if at_first[delivery.position].verdict == "accepted":
            assert at_second[last, number].verdict == "duplicate"


@fewer_examples
@given(worlds())
def test_nothing_is_lost_and_every_refusal_has_its_reason(world: World) -> None:
    events = event_rows(world.deliveries, world.senders, world.hashed)

    verdicts = world.decided(list(world.deliveries), world.nothing_known)

    refused = verdicts.refused
    returned = pl.concat([verdicts.accepted, refused.select(events.columns)])
    assert returned.sort("file_id", "line").equals(events)
    assert refused["reason"].null_count() == 0
    is_rejected = refused["verdict"] == "rejected"
    assert refused.filter(is_rejected)["reason_code"].null_count() == 0
    assert refused.filter(is_rejected)["winner_file_id"].count() == 0
    assert refused.filter(~is_rejected)["reason_code"].count() == 0
    assert refused.filter(~is_rejected)["winner_line"].null_count() == 0
