"""A naive second opinion about verdicts: one loop over deliveries in the order of the registry.

It is written from the rules of design.md §3 "Verdicts" and imports nothing of `pipelines`: a
witness that shares code with the accused cannot contradict it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Position = tuple[int, int]
"""(file_id, line): where a delivery stands in the total order."""


@dataclass(frozen=True)
class Sender:
    """What the catalog says about one source; None is unlimited."""

    dedupe_scope: str
    dedupe_window: timedelta | None
    max_lateness: timedelta | None
    future_skew: timedelta
    late_lookup: bool = False
    conflicts_expected: bool = False


@dataclass(frozen=True)
class Delivery:
    """One well-formed line of a file."""

    file_id: int
    line: int
    source: str
    idempotency_key: str
    customer_ref: str | None
    occurred_at: datetime
    received_at: datetime
    payload: bytes
    subscription_ref: str | None = None
    amendment: str | None = None
    target_key: str | None = None

    @property
    def position(self) -> Position:
        return (self.file_id, self.line)


@dataclass(frozen=True)
class Verdict:
    """What became of one delivery."""

    verdict: str
    reason_code: str | None = None
    winner: Position | None = None


Cuts = Mapping[tuple[str, str], Sequence[tuple[datetime, datetime | None]]]
"""Per ("customer" or "subscription", name), steps (from this occurred_at on, refused when received
at or after)."""


def verdicts_by_position(
    deliveries: Iterable[Delivery], senders: Mapping[str, Sender], cuts: Cuts
) -> dict[Position, Verdict]:
    """The verdict of every delivery, decided one after the other."""
    accepted: dict[tuple[str, str], list[Delivery]] = {}
    verdicts = {}
    for delivery in sorted(deliveries, key=lambda delivery: delivery.position):
        sender = senders[delivery.source]
        holders = accepted.setdefault((sender.dedupe_scope, delivery.idempotency_key), [])
        verdict = _verdict(delivery, sender, holders, cuts)
        if verdict.verdict == "accepted":
            holders.append(delivery)
        verdicts[delivery.position] = verdict
    return verdicts


def _verdict(
    delivery: Delivery, sender: Sender, holders: Sequence[Delivery], cuts: Cuts
) -> Verdict:
    lateness = delivery.received_at - delivery.occurred_at
    is_late = sender.max_lateness is not None and lateness >= sender.max_lateness
    blocking = [
        holder
        for holder in holders
        if sender.dedupe_window is None
        or (is_late and sender.late_lookup)
        or abs(delivery.received_at - holder.received_at) < sender.dedupe_window
    ]
    for holder in blocking:
        if holder.payload == delivery.payload:
            return Verdict("duplicate", winner=holder.position)
    if blocking:
        return Verdict("conflict", winner=blocking[0].position)
    if delivery.occurred_at - delivery.received_at > sender.future_skew:
        return Verdict("rejected", "future")
    may_be_late = delivery.amendment is not None
    if is_late and not sender.late_lookup and not may_be_late:
        return Verdict("rejected", "too_late")
    cut = None
    if delivery.subscription_ref is not None:
        steps = cuts.get(("subscription", delivery.subscription_ref), ())
    else:
        steps = cuts.get(("customer", delivery.customer_ref or ""), ())
    for from_at, cut_from_there in steps:
        if from_at <= delivery.occurred_at:
            cut = cut_from_there
    if not may_be_late and cut is not None and delivery.received_at >= cut:
        return Verdict("rejected", "backdated")
    return Verdict("accepted")
