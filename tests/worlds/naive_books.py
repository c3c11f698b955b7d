"""Naive books: what a home must bill, refuse and close, worked out by loops over days and events.

It is written from the rules alone, for tests that edit a catalog after closings. Prices are those
of the witness. It imports nothing of `pipelines`: a witness that shares code with the accused
cannot contradict it.

A catalog is given as text: for each file its rows, for each row its cells by column.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from witness.prices import price_answer

Files = Mapping[str, Sequence[Mapping[str, str]]]
"""A catalog: the rows of each file, as text by column."""

DAY = timedelta(days=1)
EVER_BEFORE = datetime.min.replace(tzinfo=UTC)
EVER_AFTER = datetime.max.replace(tzinfo=UTC)
SENDER_FILES = ("sources.csv", "source_fields.csv", "event_schemas.csv")
METRICS = ("egress_bytes", "requests")


@dataclass(frozen=True)
class Usage:
    """One event as it was sent; its place is that of its line.

    `void_of` is the place of an event that it takes away; it is no usage then. `amend_of` is the
    place of one that it stands for; no bill by hand knows such.
    """

    place: tuple[int, int]
    batch_id: int
    source: str
    customer_ref: str | None
    subscription_ref: str | None
    occurred_at: datetime
    received_at: datetime
    properties: Mapping[str, str] = field(default_factory=dict, hash=False)
    void_of: tuple[int, int] | None = None
    amend_of: tuple[int, int] | None = None

    def quantity(self, metric: str) -> int | None:
        """The quantity for a metric; None where it has none."""
        if metric == "requests":
            return 1
        return int(self.properties["bytes"]) if "bytes" in self.properties else None


@dataclass(frozen=True)
class Period:
    """A billing period, open or closed.

    Its metrics and its batch say nothing while it is open. `revision` is the number of invoices
    that it had before.
    """

    subscription_id: str
    customer_id: str
    plan_code: str
    currency: str
    policy: str
    start: date
    end: date
    start_at: datetime
    end_at: datetime
    grace_end_at: datetime
    cut_at: datetime
    phase_start: date
    metrics: frozenset[str] = frozenset()
    event_batch_id: int | None = None
    revision: int = 0

    @property
    def label(self) -> str:
        return f"{self.subscription_id}/{self.start}"

    @property
    def invoice_id(self) -> str:
        return f"{self.label}/r{self.revision + 1}" if self.revision else self.label

    @property
    def facts(self) -> tuple[object, ...]:
        """What does not change within a span of closed time."""
        return (
            self.subscription_id, self.plan_code, self.currency, self.metrics, self.phase_start
        )  # fmt: skip

    def holds(self, instant: datetime) -> bool:
        return self.start_at <= instant < self.end_at


Line = tuple[str, str, str]
"""Kind of the line, code of the charge and canonical JSON of the group."""

Group = tuple[str, str]
"""Code of the charge and canonical JSON of the group."""

Fee = tuple[str, str, str]
"""Subscription, plan and charge of a fee that is due once."""


@dataclass(frozen=True)
class Bill:
    """What an open period comes to: quantity and amount by line, and the usage it rests on."""

    lines: Mapping[Line, tuple[Fraction | None, Decimal]]
    usage: frozenset[tuple[tuple[int, int], str]]
    once: frozenset[Fee] = frozenset()

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.lines.values()), Decimal(0))


@cache
def first_instant(zone: str, day: date) -> datetime:
    """The first instant of a local day; clocks change on quarters of an hour."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += timedelta(minutes=15)
    return instant


def day_of(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None


@dataclass(frozen=True)
class Rhythm:
    """The boundaries of a subscription: each some steps from an anchor, before or after it."""

    interval: str
    count: int
    anchor: date
    day_of_month: int

    def begins_period(self, day: date) -> bool:
        """Whether there is a boundary on this day."""
        if self.interval in {"day", "week"}:
            return (day - self.anchor).days % (self.count * _DAYS[self.interval]) == 0
        months = self.count * _MONTHS[self.interval]
        if ((day.year - self.anchor.year) * 12 + day.month - self.anchor.month) % months:
            return False
        is_last_of_month = (day + DAY).day == 1
        return day.day == self.day_of_month or (is_last_of_month and day.day < self.day_of_month)


_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def rhythm_of(row: Mapping[str, str], realigned: date | None = None) -> Rhythm:
    """The rhythm of a row of subscriptions.csv, counted anew from the day of a change, if any."""
    start, interval = date.fromisoformat(row["start_date"]), row["interval"]
    anchored = row["anchor"] if realigned is None else "anniversary"
    monday = start - timedelta(days=start.weekday())
    anchor = realigned or start
    if anchored == "calendar":
        anchor = {
            "day": start,
            "week": monday,
            "month": start.replace(day=1),
            "quarter": start.replace(month=(start.month - 1) // 3 * 3 + 1, day=1),
            "half_year": start.replace(month=(start.month - 1) // 6 * 6 + 1, day=1),
            "year": start.replace(month=1, day=1),
        }[interval]
    elif anchored == "at":
        anchor = date.fromisoformat(row["anchor_at"])
    elif anchored == "day" and interval == "week":
        anchor = monday + timedelta(days=_WEEKDAYS.index(row["anchor_day"]))
    day_of_month = anchor.day
    if anchored == "day" and interval != "week":
        anchor, day_of_month = start.replace(day=1), int(row["anchor_day"])
    return Rhythm(interval, int(row["interval_count"]), anchor, day_of_month)


@dataclass(frozen=True)
class Phase:
    """A plan of a subscription, and from when to when it is on it; the last one never ends."""

    number: int
    plan_code: str
    rhythm: Rhythm
    start: date
    end: date | None


@dataclass(frozen=True)
class Piece:
    """Open time on one plan. Its first instant may be stored with the closed time before it."""

    phase: Phase
    start: date
    begun_at: datetime
    stop: date | None
    stop_at: datetime | None
    is_stored: bool


class Today:
    """A catalog as it is today beside what is closed."""

    def __init__(self, files: Files, closed: Sequence[Period]) -> None:
        self.files, self.closed = files, closed
        self.customers = {row["customer_id"]: row for row in files["customers.csv"]}
        self.plans = {row["plan_code"]: row for row in files["plans.csv"]}
        self.subscriptions = {row["subscription_id"]: row for row in files["subscriptions.csv"]}
        self.sources = {row["source"]: row for row in files["sources.csv"]}

    def skew(self) -> timedelta:
        """How far an event of any source may lie ahead of its receipt."""
        return max(_skew(row) for row in self.sources.values())

    def gaps(self, row: Mapping[str, str]) -> Iterator[tuple[date, date | None, Period | None]]:
        """First day and end of each span of open time, and the closed period before it."""
        own = [each for each in self.closed if each.subscription_id == row["subscription_id"]]
        at, before = date.fromisoformat(row["start_date"]), None
        end = day_of(row["end_date"])
        for each in sorted(own, key=lambda each: each.start):
            if at < min(each.start, end or date.max):
                yield at, min(each.start, end or date.max), before
            if before is None or each.end > at:
                at, before = max(at, each.end), each
        if end is None or at < end:
            yield at, end, before

    def open_periods(self, until: datetime) -> list[Period]:
        """Every period of open time that starts by then."""
        return [
            period
            for row in self.subscriptions.values()
            for piece in self.pieces(row)
            for period in self._walked(row, piece, until)
        ]

    def phases(self, row: Mapping[str, str]) -> list[Phase]:
        """The phases of a subscription, in order; the first is its own row."""
        changes = sorted(
            (date.fromisoformat(each["from"]), each["plan_code"], each["realign"] == "yes")
            for each in self.files["subscription_phases.csv"]
            if each["subscription_id"] == row["subscription_id"]
        )
        found = [Phase(0, row["plan_code"], rhythm_of(row), day_of(row["start_date"]) or date.max,
                       None)]  # fmt: skip
        for number, (start, plan_code, is_realigned) in enumerate(changes, start=1):
            last = found[-1]
            found[-1] = replace(last, end=start)
            rhythm = rhythm_of(row, start) if is_realigned else last.rhythm
            found.append(Phase(number, plan_code, rhythm, start, None))
        return found

    def pieces(self, row: Mapping[str, str]) -> Iterator[Piece]:
        """The open time of a subscription, cut where closed time or another plan begins.

        A change that lies before the start of open time, by day or by instant, is in force there.
        """
        zone = self.customers[row["customer_id"]]["time_zone"]
        for start, stop, before in self.gaps(row):
            begun_at, stop_at, is_stored = self._edges(row, start, stop, before)
            for phase in self.phases(row):
                piece = Piece(phase, start, begun_at, stop, stop_at, is_stored)
                from_at = first_instant(zone, phase.start)
                if phase.start > start and from_at > begun_at:
                    piece = replace(piece, start=phase.start, begun_at=from_at, is_stored=False)
                to_at = first_instant(zone, phase.end) if phase.end else EVER_AFTER
                if phase.end and phase.end < (stop or date.max) and to_at < (stop_at or EVER_AFTER):
                    piece = replace(piece, stop=phase.end, stop_at=to_at)
                if piece.start < (piece.stop or date.max) and piece.begun_at < (
                    piece.stop_at or EVER_AFTER
                ):
                    yield piece

    def _edges(
        self, row: Mapping[str, str], start: date, stop: date | None, before: Period | None
    ) -> tuple[datetime, datetime | None, bool]:
        """First and next instant of a gap, and whether the first is stored with closed time."""
        zone = self.customers[row["customer_id"]]["time_zone"]
        own = [each for each in self.closed if each.subscription_id == row["subscription_id"]]
        # An instant that closed time of the customer begins or ends with bounds others too.
        theirs = [each for each in self.closed if each.customer_id == row["customer_id"]]
        going_on = {(each.facts, each.start) for each in theirs}
        gone_on = {(each.facts, each.end) for each in theirs}
        begun = [
            each.end_at
            for each in theirs
            if each.end == start and (each.facts, start) not in going_on
        ]
        ended = [
            each.start_at
            for each in theirs
            if each.start == stop and (each.facts, stop) not in gone_on
        ]
        begun_at = before.end_at if before else max(begun, default=first_instant(zone, start))
        stop_at = min((each.start_at for each in own if each.start == stop), default=None)
        if stop and not stop_at:
            stop_at = min(ended, default=first_instant(zone, stop))
        return begun_at, stop_at, bool(before or begun)

    def _walked(self, row: Mapping[str, str], piece: Piece, until: datetime) -> Iterator[Period]:
        customer = self.customers[row["customer_id"]]
        zone, grace = customer["time_zone"], int(customer["grace_period_days"])
        own = [each for each in self.closed if each.subscription_id == row["subscription_id"]]
        floor = max((each.cut_at for each in own), default=EVER_BEFORE)
        plan_code, stop, stop_at = piece.phase.plan_code, piece.stop, piece.stop_at
        first, day, begun_at, is_stored = piece.start, piece.start, piece.begun_at, piece.is_stored
        while begun_at <= until and (stop is None or day < stop):
            day += DAY
            if day != stop and not piece.phase.rhythm.begins_period(day):
                continue
            end_at = first_instant(zone, day)
            if stop is not None and stop_at and (day == stop or end_at >= stop_at):
                day, end_at = stop, stop_at
            if end_at > begun_at:
                grace_end_at = first_instant(zone, day + grace * DAY)
                yield Period(
                    row["subscription_id"],
                    row["customer_id"],
                    plan_code,
                    self.plans[plan_code]["currency"] or customer["currency"],
                    customer["late_usage_policy"],
                    first,
                    day,
                    begun_at,
                    end_at,
                    grace_end_at,
                    max(grace_end_at, floor),
                    piece.phase.start,
                )
                first, begun_at, is_stored = day, end_at, False
            elif not is_stored:
                first = day  # The zone skipped that day.

    def charges(self, period: Period) -> dict[str, Mapping[str, str]]:
        """The charges of a period in the price version of its first day, by code.

        What the subscription negotiated comes last, and so stands for what the plan says.
        """
        found = dict[str, Mapping[str, str]]()
        for owner in ("", period.subscription_id):
            for row in sorted(self.files["charges.csv"], key=lambda row: row["valid_from"]):
                is_begun = date.fromisoformat(row["valid_from"]) <= period.start
                if row["plan_code"] == period.plan_code and _owner(row) == owner and is_begun:
                    found[row["charge_code"]] = row
        return found

    def charged(self, plan_code: str) -> frozenset[str]:
        """The metrics that a plan has ever charged."""
        rows = self.files["charges.csv"]
        charging = [row for row in rows if row["plan_code"] == plan_code and row["metric_code"]]
        return frozenset(row["metric_code"] for row in charging)

    def named(self, ref: str | None, at: datetime) -> str | None:
        """The customer that a name means at an instant."""
        customer = self.customers.get(ref) if ref is not None else None
        if customer is not None:
            ends_on = day_of(customer.get("ends_on", ""))
            if ends_on is None or at < first_instant(customer["time_zone"], ends_on):
                return ref
        for row in self.files["customer_aliases.csv"]:
            start, end = row["valid_from"], row["valid_to"]
            if row["alias"] == ref and (
                (datetime.fromisoformat(start) if start else EVER_BEFORE)
                <= at
                < (datetime.fromisoformat(end) if end else EVER_AFTER)
            ):
                return row["customer_id"]
        return None

    def customer_of(self, usage: Usage) -> str | None:
        """Whose usage it is by today's names; None: nobody's, or two references contradict."""
        named = self.named(usage.customer_ref, usage.occurred_at)
        if usage.subscription_ref is None:
            return named
        row = self.subscriptions.get(usage.subscription_ref)
        if row is None:
            return None
        return row["customer_id"] if named in {None, row["customer_id"]} else None

    def refusal(self, usage: Usage, open_periods: Sequence[Period]) -> str | None:
        """Why the event is refused when it comes; None: it is accepted."""
        source = self.sources[usage.source]
        lateness = usage.received_at - usage.occurred_at
        if -lateness > _skew(source):
            return "future"
        longest = _lateness(source)
        if longest is not None and lateness >= longest and source["late_lookup"] != "yes":
            return "too_late"
        owner = self.named(usage.customer_ref, usage.occurred_at)
        meant = [
            (each.policy, each.cut_at if each in self.closed else each.grace_end_at)
            for each in (*self.closed, *open_periods)
            if each.holds(usage.occurred_at)
            and (
                each.customer_id == owner
                if usage.subscription_ref is None
                else each.subscription_id == usage.subscription_ref
            )
        ]
        if not meant or any(policy == "adjust" for policy, _ in meant):
            return None
        return "backdated" if usage.received_at >= max(cut for _, cut in meant) else None

    def taken(self) -> set[tuple[str, str]]:
        """File and column of whatever contradicts closed time."""
        found = set[tuple[str, str]]()
        for each in self.closed:
            row = self.subscriptions.get(each.subscription_id)
            if row is None:
                found.add(("subscriptions.csv", "subscription_id"))
            else:
                checks = {
                    "customer_id": row["customer_id"] != each.customer_id,
                    "start_date": date.fromisoformat(row["start_date"]) > each.start,
                    "end_date": (day_of(row["end_date"]) or date.max) < each.end,
                }
                found |= {("subscriptions.csv", name) for name, wrong in checks.items() if wrong}
                found |= set(self._other_phase(row, each))
            plan, customer = self.plans.get(each.plan_code), self.customers.get(each.customer_id)
            if plan and plan["currency"] not in {"", each.currency}:
                found.add(("plans.csv", "currency"))
            is_customers = plan and customer and not plan["currency"]
            if is_customers and customer and customer["currency"] != each.currency:
                found.add(("customers.csv", "currency"))
            ends_on = day_of(customer.get("ends_on", "")) if customer else None
            if customer and ends_on and first_instant(customer["time_zone"], ends_on) < each.end_at:
                found.add(("customers.csv", "ends_on"))
            for other in self.subscriptions.values():
                if (
                    other["subscription_id"] == each.subscription_id
                    or other["customer_id"] != each.customer_id
                ):
                    continue
                found |= {
                    ("subscription_phases.csv", "from")
                    if piece.phase.number
                    else ("subscriptions.csv", "start_date")
                    for piece in self.pieces(other)
                    if self.charged(piece.phase.plan_code) & each.metrics
                    and piece.start < each.end
                    and each.start < (piece.stop or date.max)
                }
        return found

    def _other_phase(self, row: Mapping[str, str], closed: Period) -> Iterator[tuple[str, str]]:
        """File and column of what puts a closed period into another phase."""
        zone = self.customers[row["customer_id"]]["time_zone"]
        for phase in self.phases(row):
            is_here = phase.start < closed.end and first_instant(zone, phase.start) < closed.end_at
            if phase.end is not None:
                is_here &= phase.end > max(closed.start, closed.phase_start)
                is_here &= first_instant(zone, phase.end) > closed.start_at
            is_same = phase.number == 0 or phase.start == closed.phase_start
            if is_here and not (is_same and phase.plan_code == closed.plan_code):
                column = "plan_code" if is_same else "from"
                yield (
                    ("subscription_phases.csv", column)
                    if phase.number
                    else ("subscriptions.csv", column)
                )

    def bills(
        self,
        usages: Sequence[Usage],
        as_of: datetime,
        open_periods: Sequence[Period],
        billed: Mapping[tuple[tuple[int, int], str], str],
        shares: Mapping[str, tuple[int, int]],
        once: AbstractSet[Fee],
    ) -> dict[str, Bill]:
        """The bill of each open period that has begun, by the id of its invoice.

        Args:
            usages: every accepted event.
            as_of: the instant of the run.
            open_periods: of today's catalog.
            billed: the invoice that each event stands on, by place and metric.
            shares: service days and full days by label; another witness has them.
            once: the fees that are due once and were billed.
        """
        begun = [each for each in open_periods if each.start_at <= as_of]
        counted = defaultdict[str, dict[Group, list[tuple[datetime, tuple[int, int], int]]]](dict)
        rests = defaultdict[str, set[tuple[tuple[int, int], str]]](set)
        for usage in usages:
            customer = self.customer_of(usage)
            for period in begun:
                if (
                    period.customer_id != customer
                    or usage.subscription_ref not in {None, period.subscription_id}
                    or not period.holds(usage.occurred_at)
                    or usage.received_at >= period.cut_at
                ):
                    continue
                for code, charge in self.charges(period).items():
                    metric = charge["metric_code"]
                    if not metric or not _takes(charge, usage):
                        continue
                    quantity, group = usage.quantity(metric), _group(charge, usage)
                    if quantity is None or group is None or (usage.place, metric) in billed:
                        continue
                    event = usage.occurred_at, usage.place, quantity
                    counted[period.invoice_id].setdefault((code, group), []).append(event)
                    rests[period.invoice_id].add((usage.place, metric))
        firsts = dict[tuple[str, str], datetime]()
        for period in [*open_periods, *self.closed]:
            key = period.subscription_id, period.plan_code
            firsts[key] = min(period.start_at, firsts.get(key, EVER_AFTER))
        return {
            period.invoice_id: self._bill(
                period,
                counted[period.invoice_id],
                frozenset(rests[period.invoice_id]),
                shares.get(period.label, (1, 1)),
                once,
                is_first=firsts[period.subscription_id, period.plan_code] == period.start_at,
            )
            for period in begun
        }

    def _bill(
        self,
        period: Period,
        counted: Mapping[Group, Sequence[tuple[datetime, tuple[int, int], int]]],
        usage: frozenset[tuple[tuple[int, int], str]],
        share: tuple[int, int],
        once: AbstractSet[Fee],
        *,
        is_first: bool,
    ) -> Bill:
        lines, fees = dict[Line, tuple[Fraction | None, Decimal]](), set[Fee]()
        for code, charge in self.charges(period).items():
            if charge["charge_model"] == "flat" and charge["billed"] == "once":
                fee = period.subscription_id, period.plan_code, code
                if not is_first or fee in once:
                    continue
                fees.add(fee)
            groups = {
                group: sorted(events) for (of, group), events in counted.items() if of == code
            }
            for line in price_answer(self._case(period, charge, groups, share))["lines"]:
                group = json.dumps(line["group"], separators=(",", ":"))
                quantity = None if line["quantity"] is None else Fraction(line["quantity"])
                lines[line["kind"], code, group] = quantity, Decimal(line["net_amount"])
        return Bill(lines, usage, frozenset(fees))

    def _case(
        self,
        period: Period,
        charge: Mapping[str, str],
        groups: Mapping[str, Sequence[tuple[datetime, tuple[int, int], int]]],
        share: tuple[int, int],
    ) -> dict[str, Any]:
        """The charge in a period, as `meterline preview` takes it."""
        columns: dict[str, Any] = {
            **charge,
            "group_by": [*filter(None, charge["group_by"].split(";"))],
        }
        key = ("plan_code", "charge_code", "valid_from")
        columns["tiers"] = sorted(
            (
                tier
                for tier in self.files["charge_tiers.csv"]
                if all(tier[name] == charge[name] for name in key)
                and _owner(tier) == _owner(charge)
            ),
            key=lambda tier: Decimal(tier["from_units"]),
        )
        case: dict[str, Any] = {
            "charge": columns,
            "currency": period.currency,
            "rounding": self.plans[period.plan_code].get("rounding", ""),
            "share": dict(zip(("days", "of"), share, strict=True)),
        }
        if charge["charge_model"] == "flat":
            return case
        case["events"] = [
            {"value": str(quantity), "group": json.loads(group)}
            for group, events in groups.items()
            for _, _, quantity in events
        ]
        return case

    def closed_by(self, period: Period, event_batch_id: int) -> Period:
        """The period once it is closed."""
        metrics = self.charged(period.plan_code)
        return replace(period, metrics=metrics, event_batch_id=event_batch_id)


def decided_by(today: Files, last_good: Files) -> dict[str, Sequence[Mapping[str, str]]]:
    """What decides while today's catalog is refused: the last good one, with today's senders."""
    return {**last_good, **{name: today[name] for name in SENDER_FILES}}


def settle(files: Files) -> timedelta:
    """The time from a cut to a listing that shows every file received before it."""
    is_path_dated = any(row["received_at_from"] == "path" for row in files["sources.csv"])
    return timedelta(hours=24 if is_path_dated else 1)


def _owner(price: Mapping[str, str]) -> str:
    """The subscription that negotiated a price; empty: the plan's own."""
    return price.get("subscription_id", "")


def _skew(source: Mapping[str, str]) -> timedelta:
    return timedelta(hours=int(source["future_skew_hours"] or "24"))


def _lateness(source: Mapping[str, str]) -> timedelta | None:
    if source["max_lateness_days"]:
        return timedelta(days=int(source["max_lateness_days"]))
    window = source["dedupe_window_days"]
    return None if window == "unlimited" else timedelta(days=int(window)) - _skew(source)


def _takes(charge: Mapping[str, str], usage: Usage) -> bool:
    """Whether usage meets the filter of a charge, in the few forms that tests write."""
    for condition in filter(None, charge.get("filters", "").split(";")):
        name, sign, rest = condition.partition("=")
        text = usage.properties.get(name.rstrip("!>?"))
        if not sign:
            is_met = (text is None) == name.endswith("!?")
        elif name.endswith(">"):
            is_met = text is not None and int(text) >= int(rest)
        else:
            is_met = (text in rest.split("|")) != name.endswith("!")
        if not is_met:
            return False
    return True


def _group(charge: Mapping[str, str], usage: Usage) -> str | None:
    names = sorted(filter(None, charge["group_by"].split(";")))
    missing = charge.get("missing_dimension", "")
    group = {name: usage.properties.get(name, missing) for name in names}
    if not missing and any(name not in usage.properties for name in names):
        return None
    return json.dumps(group, separators=(",", ":"))
