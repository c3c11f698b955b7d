"""Sieve: the events whose key nobody has claimed, told from those that must be decided.

Belongs here: the pass of a file's events through filters of key hashes. Must not be
put here: verdicts (see `decide`), which keys are held (see `window_index`).

Most events carry a key of their own and lie well within the bounds of time: they are accepted
whatever else the batch holds. The sieve lets these through as they come, in the order of the
registry, and leaves the others to `decide`, together with the accepted events they contend with.

Invariant: an event that passes is accepted by `decide` too. A filter never forgets a key, so an
event that is left too much costs time and nothing else: about one in a thousand at 16 bits a key.
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
    """Bounds of `occurred_at` within which no rule of time refuses an event of a file.

    Attributes:
        from_at: first instant, in microseconds since the epoch.
        until_at: the first instant beyond.
    """

    from_at: int
    until_at: int


class Sieve:
    """The keys held before a batch, and those of the batch so far.

    Args:
        held: filters that together hold every accepted key.
        batch: filter of the batch's own keys; it may fill beyond what it was made for.
    """

    def __init__(self, held: list[KeyFilter], batch: KeyFilter) -> None:
        self._held = held
        self._batch = batch

    def note(self, hashes: Hashes) -> None:
        """Claims keys of events that are left to `decide` anyway."""
        self._batch.add(hashes)

    def passing(
        self, hashes: Hashes, occurred_at: NDArray[np.int64], times: PlainTimes
    ) -> NDArray[np.bool_]:
        """Which of a file's events pass, in order; all of them claim their keys."""
        passes = np.empty(len(hashes), np.bool_)
        _sift(self._batch.words, hashes, occurred_at, times.from_at, times.until_at, passes)
        for held in self._held:
            _refuse_known(held.words, hashes, passes)
        return passes


def plain_times(
    files: pl.DataFrame, sources: pl.DataFrame, refusal_cuts: pl.DataFrame
) -> list[PlainTimes]:
    """For each file, the instants that no rule of time refuses, whoever used it.

    Args:
        files: columns source, received_at.
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
    """By cut, the first instant after everything that is closed at it for anybody."""
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
