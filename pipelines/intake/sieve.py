"""Sieve: lets events through that need no deciding, and leaves the others to `decide`.

Most events have a new key and a time within bounds. They are accepted whatever else the batch
holds, so the sieve lets them through. Files go through it in the order of the registry.

Invariant: `decide` would accept each event that passes. A filter never forgets a key, so no known
key passes. It reports some new keys as known (see `FILTER_BITS`); `decide` accepts these events,
only slower.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.intake.key_filter import Hashes, KeyFilter, bits_of, word_of
from pipelines.reading.scanner.compiled import compiled

_NEVER = np.iinfo(np.int64).max
_ALWAYS = np.iinfo(np.int64).min


@dataclass(frozen=True)
class PlainTimes:
    """The interval [from_at, until_at) of `occurred_at` in which a file's events are in time.

    Attributes:
        from_at: its start, in microseconds since 1970.
        until_at: its end, in microseconds since 1970; this instant is outside.
    """

    from_at: int
    until_at: int


class Sieve:
    """Compares the keys of a batch with those accepted before and with each other.

    Args:
        held: filters that together have every key accepted before the batch.
        batch: filter for the keys of the batch itself.
    """

    def __init__(self, held: list[KeyFilter], batch: KeyFilter) -> None:
        self._held = held
        self._batch = batch

    def note(self, hashes: Hashes) -> None:
        """Records keys as seen, of events that are left to `decide` anyway."""
        self._batch.add(hashes)

    def passing(
        self, hashes: Hashes, occurred_at: NDArray[np.int64], times: PlainTimes
    ) -> NDArray[np.bool_]:
        """True for each event whose key is new and whose time is within bounds.

        Every key is recorded as seen, whether its event passes or not.

        Args:
            hashes: key hashes of the events of one file, in the order of its lines.
            occurred_at: when each event occurred, in microseconds since 1970.
            times: the bounds of the file.
        """
        passes = np.empty(len(hashes), np.bool_)
        _sift(self._batch.words, hashes, occurred_at, times.from_at, times.until_at, passes)
        for held in self._held:
            _refuse_known(held.words, hashes, passes)
        return passes


def plain_times(
    files: pl.DataFrame, sources: pl.DataFrame, refusal_cuts: pl.DataFrame
) -> list[PlainTimes]:
    """The interval of each file in which no event is refused for its time, whoever it belongs to.

    Example: a file is received on 10 June at 12:00. The latest cut before, for the periods that
    ended on 1 June, was on 3 June. The source refuses events 34 days late and more than a day
    ahead. Its events from 1 June 00:00 until 11 June 12:00 are in time.

    Args:
        files: one row per file; columns source and received_at.
        sources: schema `SOURCES`.
        refusal_cuts: schema `REFUSAL_CUTS`.
    """
    ruled = files.select("source", "received_at").join(
        sources.select("source", "max_lateness", "future_skew"),
        on="source",
        how="left",
        maintain_order="left",
    )
    closed = _closed_until(refusal_cuts)
    cuts, until = closed["latest_cut_at"].to_numpy(), closed["until_at"].to_numpy()
    times = []
    for received_at, lateness, skew in ruled.select(
        pl.col("received_at").dt.epoch("us"),
        pl.col("max_lateness", "future_skew").dt.total_microseconds(),
    ).iter_rows():
        cut = int(np.searchsorted(cuts, received_at, side="right"))
        from_at = int(until[cut - 1]) if cut else _ALWAYS
        if lateness is not None:
            from_at = max(from_at, received_at - lateness + 1)
        times.append(PlainTimes(from_at, received_at + skew + 1))
    return times


def _closed_until(refusal_cuts: pl.DataFrame) -> pl.DataFrame:
    """One row per cut: `until_at` ends the latest period closed by then, for any customer."""
    names = [name for name in refusal_cuts.columns if name not in {"from_at", "latest_cut_at"}]
    return (
        refusal_cuts.sort("from_at")
        .with_columns(pl.col("from_at").shift(-1).over(names).alias("until_at"))
        .filter(pl.col("latest_cut_at").is_not_null())
        .select(
            pl.col("latest_cut_at").dt.epoch("us"),
            pl.col("until_at").dt.epoch("us").fill_null(_NEVER),
        )
        .sort("latest_cut_at")
        .with_columns(pl.col("until_at").cum_max())
    )


_word_of, _bits_of = compiled(word_of), compiled(bits_of)


@compiled
def _sift(
    words: Any, hashes: Any, occurred_at: Any, from_at: int, until_at: int, passes: Any
) -> None:
    for row in range(len(hashes)):
        word = np.int64(_word_of(hashes[row], len(words)))
        bits = _bits_of(hashes[row])
        is_new = words[word] & bits != bits
        passes[row] = is_new and from_at <= occurred_at[row] < until_at
        words[word] |= bits


@compiled
def _refuse_known(words: Any, hashes: Any, passes: Any) -> None:
    for row in range(len(hashes)):
        if passes[row]:
            bits = _bits_of(hashes[row])
            passes[row] = words[np.int64(_word_of(hashes[row], len(words)))] & bits != bits
