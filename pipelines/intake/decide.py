"""Decide: each parsed event gets one verdict. Pure Polars: no clock, no files.

1. `_with_time_reasons` finds the events to refuse for their time: future, too_late, backdated.
   A source may look late events up among all keys instead of refusing them. An amendment is
   never too_late or backdated, because it corrects an event that was accepted in time.
2. `_contested` finds the keys that need deduplication: those that occur twice or are known.
3. `_choose_holders` accepts the first event of each contested key, round by round. An accepted
   event blocks every delivery of its key that was received less than the window away.
4. `_with_winners` names the accepted event that blocks each refused one: its winner. With the
   winner's payload it is a duplicate, with another payload a conflict.
5. `_sorted_out` accepts the other events, or rejects them for their time.

Example: the window is 34 days. Key k is received on 1 May and accepted. Received again on 3 June,
33 days later, it is a duplicate. Received on 4 June, 34 days after 1 May, it is accepted again.

An event that names a subscription is refused by the cuts of that subscription, whatever customer
it names.

Invariant: accepted + refused = events. A verdict depends on the order by (file_id, line) and not
on where batches end.

Known drawback: stage 3 needs one round for each accepted event of the same key in a batch. A
backfill over years with a short window takes that many joins.
"""

from dataclasses import dataclass

import polars as pl

from pipelines.vocabulary.frames import RefKind
from pipelines.vocabulary.verdicts import Reason, Verdict

_KEY = ["key_hash", "dedupe_scope", "idempotency_key"]
_ORDER = ["file_id", "line"]

_PATHS = pl.Schema({"file_id": pl.Int64(), "path": pl.String()})
_PATH_SHOWN = 120
"""Characters of a path in a reason, at most. Of a longer one the last are shown."""

KNOWN_KEYS_COLUMNS = (*_KEY, "received_at", "payload_digest", *_ORDER)
"""The columns of an accepted event that deduplication needs."""


@dataclass(frozen=True)
class Verdicts:
    """The accepted and the refused events; together they are the events that were decided.

    Attributes:
        accepted: one row per accepted event, with the columns given to `decide`.
        refused: one row per other event, also with verdict, reason_code, reason, winner_file_id
            and winner_line.
    """

    accepted: pl.DataFrame
    refused: pl.DataFrame


def decide(
    events: pl.DataFrame,
    known: pl.DataFrame,
    sources: pl.DataFrame,
    refusal_cuts: pl.DataFrame,
    paths: pl.DataFrame | None = None,
) -> Verdicts:
    """The verdict of every event.

    Args:
        events: schema `PARSED_EVENTS`, key (file_id, line), in any order.
        known: events accepted before, with `KNOWN_KEYS_COLUMNS`; at least those that share a key
            with `events`. In a replay a known event may come after an event of its key by
            (file_id, line). It then counts only where no earlier event decides.
        sources: schema `SOURCES`, with every source of `events`.
        refusal_cuts: schema `REFUSAL_CUTS`, sorted by (kind, name, from_at).
        paths: columns file_id and path, for the reasons of duplicates and conflicts. None, or a
            file without a row: it is named by its number.

    Returns:
        The accepted and the refused events, each sorted by (file_id, line).

    Source: design §3, verdicts; invariants I-6 to I-10.
    """
    timed = _with_time_reasons(events.sort(_ORDER), sources, refusal_cuts)
    is_contested = _contested(timed, known)
    contested = timed.filter(is_contested)
    holders = _choose_holders(contested, known)
    decided = pl.concat(
        [
            timed.filter(~is_contested).with_columns(
                pl.lit(None, pl.Int64).alias("winner_file_id"),
                pl.lit(None, pl.Int64).alias("winner_line"),
                pl.lit(value=False).alias("is_same_payload"),
                pl.col("time_reason").is_null().alias("is_accepted"),
            ),
            _with_winners(contested, holders),
        ]
    )
    return _sorted_out(decided, events.columns, paths)


def _with_time_reasons(
    events: pl.DataFrame, sources: pl.DataFrame, refusal_cuts: pl.DataFrame
) -> pl.DataFrame:
    rules = sources.select(
        "source",
        "dedupe_window",
        "max_lateness",
        "future_skew",
        pl.col("late_lookup", "conflicts_expected").fill_null(value=False),
    )
    ruled = events.join(rules, on="source", how="left", maintain_order="left")
    names_subscription = pl.col("subscription_ref").is_not_null()
    cut_at = pl.concat(
        [
            _cuts_of(
                ruled.filter(~names_subscription),
                "customer_ref",
                refusal_cuts.filter(kind=RefKind.CUSTOMER.value),
            ),
            _cuts_of(
                ruled.filter(names_subscription),
                "subscription_ref",
                refusal_cuts.filter(kind=RefKind.SUBSCRIPTION.value),
            ),
        ]
    )
    lateness = pl.col("received_at") - pl.col("occurred_at")
    is_late = (lateness >= pl.col("max_lateness")).fill_null(value=False)
    return ruled.join(cut_at, on=_ORDER, how="left", maintain_order="left").with_columns(
        pl.when(-lateness > pl.col("future_skew"))
        .then(pl.lit(Reason.FUTURE.value))
        .when(pl.col("amendment").is_not_null())
        .then(None)
        .when(is_late & ~pl.col("late_lookup"))
        .then(pl.lit(Reason.TOO_LATE.value))
        .when(pl.col("received_at") >= pl.col("latest_cut_at"))
        .then(pl.lit(Reason.BACKDATED.value))
        .otherwise(None)
        .alias("time_reason"),
        pl.when(is_late & pl.col("late_lookup"))
        .then(None)
        .otherwise(pl.col("dedupe_window"))
        .alias("dedupe_window"),
    )


def _cuts_of(events: pl.DataFrame, ref: str, cuts: pl.DataFrame) -> pl.DataFrame:
    """The latest cut of each event whose reference has one; the others have no row."""
    known_names = cuts.filter(pl.col("latest_cut_at").is_not_null())["name"].unique()
    return (
        events.select(*_ORDER, pl.col(ref).alias("name"), "occurred_at")
        .filter(pl.col("name").is_in(known_names.implode()))
        .sort("occurred_at")
        .join_asof(
            cuts.sort("from_at"),
            left_on="occurred_at",
            right_on="from_at",
            by="name",
            check_sortedness=False,
        )
        .select(*_ORDER, "latest_cut_at")
    )


def _contested(timed: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    return timed["key_hash"].is_duplicated() | timed["key_hash"].is_in(
        known["key_hash"].unique().implode()
    )


def _is_blocking() -> pl.Expr:
    apart = (pl.col("received_at") - pl.col("held_received_at")).abs()
    return pl.col("dedupe_window").is_null() | (apart < pl.col("dedupe_window"))


def _choose_holders(contested: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The accepted events of the contested keys, one row each: the known, then the batch's."""
    candidates = contested.filter(pl.col("time_reason").is_null()).select(
        *_KEY, "received_at", "payload_digest", *_ORDER, "dedupe_window"
    )
    holders = [
        known.select(KNOWN_KEYS_COLUMNS).join(contested.select(_KEY).unique(), on=_KEY, how="semi")
    ]
    candidates = _without_blocked(candidates, holders[0])
    while candidates.height:
        first = candidates.unique(subset=_KEY, keep="first", maintain_order=True)
        holders.append(first.select(KNOWN_KEYS_COLUMNS))
        later = candidates.join(first, on=_ORDER, how="anti", maintain_order="left")
        candidates = _without_blocked(later, first)
    return pl.concat(holders)


def _without_blocked(candidates: pl.DataFrame, holders: pl.DataFrame) -> pl.DataFrame:
    held = holders.select(*_KEY, pl.col("received_at").alias("held_received_at"))
    blocked = candidates.join(held, on=_KEY, how="inner").filter(_is_blocking())
    return candidates.join(blocked, on=_ORDER, how="anti", maintain_order="left")


def _with_winners(contested: pl.DataFrame, holders: pl.DataFrame) -> pl.DataFrame:
    held = holders.select(
        *_KEY,
        pl.col("received_at").alias("held_received_at"),
        pl.col("payload_digest").alias("held_payload_digest"),
        pl.col("file_id").alias("winner_file_id"),
        pl.col("line").alias("winner_line"),
    )
    is_before = (pl.col("winner_file_id") < pl.col("file_id")) | (
        (pl.col("winner_file_id") == pl.col("file_id")) & (pl.col("winner_line") < pl.col("line"))
    )
    # In a replay, a known event may come after the line. It counts only where no earlier event
    # decides, so that a replay under the same catalog changes nothing.
    refused = contested.join(holders, on=_ORDER, how="anti", maintain_order="left")
    winners = (
        refused.select(
            *_KEY, "received_at", "payload_digest", *_ORDER, "dedupe_window", "time_reason"
        )
        .join(held, on=_KEY, how="inner")
        .with_columns(is_before.alias("is_before"))
        .filter((pl.col("is_before") | pl.col("time_reason").is_null()) & _is_blocking())
        .with_columns(
            (pl.col("payload_digest") == pl.col("held_payload_digest")).alias("is_same_payload")
        )
        .sort(
            *_ORDER,
            "is_before",
            "is_same_payload",
            "winner_file_id",
            "winner_line",
            descending=[False, False, True, True, False, False],
        )
        .unique(subset=_ORDER, keep="first", maintain_order=True)
        .select(*_ORDER, "winner_file_id", "winner_line", "is_same_payload")
    )
    return (
        contested.join(winners, on=_ORDER, how="left", maintain_order="left")
        .with_columns(pl.col("is_same_payload").fill_null(value=False))
        .with_columns(
            (pl.col("winner_file_id").is_null() & pl.col("time_reason").is_null()).alias(
                "is_accepted"
            )
        )
    )


def _sorted_out(
    decided: pl.DataFrame, event_columns: list[str], paths: pl.DataFrame | None
) -> Verdicts:
    ordered = decided.sort(_ORDER)
    has_winner = pl.col("winner_file_id").is_not_null()
    known = pl.DataFrame(schema=_PATHS) if paths is None else paths.cast(_PATHS)
    winners = known.rename({"file_id": "winner_file_id", "path": "winner_path"})
    named = ordered.filter(~pl.col("is_accepted")).join(
        winners, on="winner_file_id", how="left", maintain_order="left"
    )
    refused = named.with_columns(
        pl.when(has_winner & pl.col("is_same_payload"))
        .then(pl.lit(Verdict.DUPLICATE.value))
        .when(has_winner)
        .then(pl.lit(Verdict.CONFLICT.value))
        .otherwise(pl.lit(Verdict.REJECTED.value))
        .alias("verdict"),
        pl.when(~has_winner).then(pl.col("time_reason")).alias("reason_code"),
        pl.when(has_winner).then(_winner_sentence()).otherwise(_time_sentence()).alias("reason"),
    )
    return Verdicts(
        accepted=ordered.filter(pl.col("is_accepted")).select(event_columns),
        refused=refused.select(
            *event_columns, "verdict", "reason_code", "reason", "winner_file_id", "winner_line"
        ),
    )


def _winner_sentence() -> pl.Expr:
    path = pl.col("winner_path")
    shown = pl.when(path.str.len_chars() > _PATH_SHOWN).then(
        pl.lit("…") + path.str.tail(_PATH_SHOWN - 1)
    )
    number = pl.format("file {}", "winner_file_id")
    place = pl.format("{} line {}", pl.coalesce(shown, path, number), "winner_line")
    return (
        pl.when(pl.col("is_same_payload"))
        .then(pl.format("repeats the event accepted from {}", place))
        .otherwise(
            pl.format(
                "has the idempotency key of the event accepted from {} but another payload; "
                "the first stays{}",
                place,
                pl.when(pl.col("conflicts_expected"))
                .then(pl.lit(", as its source expects"))
                .otherwise(pl.lit("")),
            )
        )
    )


def _time_sentence() -> pl.Expr:
    occurred, received = (
        pl.col(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
        for name in ("occurred_at", "received_at")
    )
    return (
        pl.when(pl.col("time_reason") == Reason.FUTURE.value)
        .then(
            pl.format(
                "occurred at {}, more than {} after it was received at {}",
                occurred,
                pl.col("future_skew").dt.to_string("polars"),
                received,
            )
        )
        .when(pl.col("time_reason") == Reason.TOO_LATE.value)
        .then(
            pl.format(
                "received at {}, {} or more after it occurred at {}",
                received,
                pl.col("max_lateness").dt.to_string("polars"),
                occurred,
            )
        )
        .otherwise(
            pl.format(
                "occurred at {} in a billing period that was cut by {}, when it was received",
                occurred,
                received,
            )
        )
    )
