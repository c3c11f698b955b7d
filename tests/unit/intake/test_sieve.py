"""Events that pass the sieve would be accepted by `decide`; others only take longer."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from pipelines.intake.key_filter import FILTER_BITS, Hashes, KeyFilter
from pipelines.intake.sieve import PlainTimes, Sieve, plain_times
from pipelines.vocabulary.frames import REFUSAL_CUTS
from tests.worlds.deliveries import NO_CUTS, NOON, TICK, source_rows
from tests.worlds.oracle import Sender

ALWAYS = PlainTimes(-(2**62), 2**62)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hashes(*numbers: int) -> Hashes:
    return np.array(numbers, np.uint64)


def random_hashes(seed: int, count: int) -> Hashes:
    return np.random.default_rng(seed).integers(0, 2**64, count, np.uint64)


def microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // TICK


def passing(sieve: Sieve, keys: Hashes, times: PlainTimes = ALWAYS) -> list[bool]:
    found: list[bool] = sieve.passing(keys, np.zeros(len(keys), np.int64), times).tolist()
    return found


def test_a_filter_never_forgets() -> None:
    keys = random_hashes(1, 100_000)
    held = KeyFilter.made_for(len(keys))
    held.add(keys)
    assert not any(passing(Sieve([held], KeyFilter.made_for(10)), keys))


def test_a_filter_seldom_holds_too_much() -> None:
    held = KeyFilter.made_for(100_000)
    held.add(random_hashes(1, 100_000))
    assert held.words.nbytes == 100_000 * FILTER_BITS // 8
    others = Sieve([held], KeyFilter.made_for(100_000)).passing(
        random_hashes(2, 100_000), np.zeros(100_000, np.int64), ALWAYS
    )
    assert others.mean() > 0.98


@pytest.mark.parametrize("words", [1, 3])
def test_a_filter_that_is_full_lets_nothing_pass(words: int) -> None:
    full = KeyFilter(np.full(words, 2**64 - 1, np.uint64))
    assert passing(Sieve([full], KeyFilter.made_for(10)), hashes(0, 7, 2**64 - 1)) == [False] * 3


def test_the_first_of_a_key_passes_alone() -> None:
    sieve = Sieve([], KeyFilter.made_for(1_000))
    one, two, three = random_hashes(3, 3).tolist()
    assert passing(sieve, hashes(one, two, one)) == [True, True, False]
    assert passing(sieve, hashes(two, three)) == [False, True]


def test_a_noted_key_does_not_pass() -> None:
    sieve = Sieve([], KeyFilter.made_for(1_000))
    sieve.note(hashes(5))
    assert passing(sieve, hashes(5, 6)) == [False, True]


def test_an_event_out_of_bounds_claims_its_key() -> None:
    # It may still be accepted, so a later copy must be decided with it.
    sieve = Sieve([], KeyFilter.made_for(1_000))
    times = PlainTimes(100, 200)
    occurred = np.array([99, 100, 199, 200, 150], np.int64)
    passes = sieve.passing(hashes(1, 2, 3, 4, 1), occurred, times)
    assert passes.tolist() == [False, True, True, False, False]


def times_of(
    lateness: timedelta | None,
    skew: timedelta = timedelta(0),
    cuts: pl.DataFrame | None = None,
) -> PlainTimes:
    sender = Sender("cdn", None, lateness, skew)
    files = pl.DataFrame({"source": ["cdn"], "received_at": [NOON]})
    refusal_cuts = NO_CUTS if cuts is None else cuts
    (times,) = plain_times(files, source_rows({"cdn": sender}), refusal_cuts)
    return times


def test_bounds_of_lateness_and_skew() -> None:
    # Late is received - occurred >= lateness; future is occurred - received > skew.
    times = times_of(timedelta(days=33), timedelta(hours=24))
    assert times.from_at == microseconds(NOON - timedelta(days=33) + TICK)
    assert times.until_at == microseconds(NOON + timedelta(hours=24) + TICK)
    assert times_of(None).from_at < microseconds(datetime(1, 1, 2, tzinfo=UTC))


def cut_frame(*rows: tuple[str, datetime, datetime | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [("customer", *row) for row in rows], schema=REFUSAL_CUTS, orient="row"
    ).sort("kind", "name", "from_at")


def test_what_is_closed_for_anybody_is_left_to_be_decided() -> None:
    hours = [NOON - timedelta(hours=number) for number in range(6)]
    cuts = cut_frame(
        ("early", hours[5], hours[3]),
        ("early", hours[4], None),
        ("late", hours[5], NOON),  # An event received at the cut is backdated.
        ("late", hours[2], NOON + TICK),
        ("late", hours[1], None),
    )
    assert times_of(None, cuts=cuts).from_at == microseconds(hours[2])
    not_yet = cuts.filter(pl.col("latest_cut_at").ne_missing(NOON))
    assert times_of(None, cuts=not_yet).from_at == microseconds(hours[4])


def test_a_name_closed_for_good_leaves_every_event_to_be_decided() -> None:
    times = times_of(None, cuts=cut_frame(("ended", NOON - timedelta(days=9), NOON)))
    assert times.from_at > times.until_at
