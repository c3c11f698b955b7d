"""Recompute sample: every invoice of the sample, computed again from the web log and the catalog.

It is a second witness. So it imports nothing from `pipelines` or `dbt_project`, and reads neither
the landing nor the lake. It uses the log, the CSV files of the catalog, `Decimal`, `zoneinfo` and
plain loops. It is slow and simple on purpose.

1. `read_usage` turns each request of the log into usage of a site section.
2. `billing_periods` lists the periods of a subscription, from local midnights.
3. `lines_of` prices the usage of a period, and `expected_invoices` adds the lines up.

`sample_tables.py` writes the outcome as the CSV files in `sample_invoices/`.
"""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TypedDict
from zoneinfo import ZoneInfo

REPOSITORY = Path(__file__).resolve().parents[2]
ACCESS_LOG = REPOSITORY / "bench" / "sample" / "apache_access_log.gz"
SEEDS = REPOSITORY / "dbt_project" / "seeds"

AS_OF = datetime(2015, 5, 20, 22, tzinfo=UTC)
"""When the last hour of the log was delivered. Some invoices are finalized then, others drafts."""

MINOR_UNIT = {
    "EUR": Decimal("0.01"),
    "GBP": Decimal("0.01"),
    "JPY": Decimal(1),
    "KWD": Decimal("0.001"),
    "USD": Decimal("0.01"),
}

Row = dict[str, str]


@dataclass(frozen=True)
class Usage:
    """One request: its section, instant, size if it has one, and the values to group by."""

    section: str
    occurred_at: datetime
    received_at: datetime
    size_bytes: Decimal | None
    properties: dict[str, str]


@dataclass(frozen=True)
class Period:
    """A period `[start_at, end_at)`, `days` of its `full_days`; usage from `cut_at` on is late."""

    plan_code: str
    start_date: date
    start_at: datetime
    end_at: datetime
    cut_at: datetime
    days: int
    full_days: int


class Tier(TypedDict):
    """The unrounded amount of one tier of a charge."""

    from_units: Decimal
    up_to_units: Decimal | None
    unit_price: Decimal
    flat_amount: Decimal
    quantity: Decimal
    amount: Decimal
    packages: Decimal | None
    rate_percent: None


class Line(TypedDict):
    """One invoice line: a charge and a group, with an amount that is rounded once."""

    charge_code: str
    metric_code: str | None
    charge_model: str
    group_key: str
    price_valid_from: str
    event_count: int
    quantity: Decimal
    billed_quantity: Decimal
    unit_price: Decimal | None
    amount_unrounded: Decimal
    amount: Decimal
    net_amount: Decimal
    tiers: list[Tier]


class Invoice(TypedDict):
    """One invoice: a subscription and a period, `finalized` or `draft` at the given instant."""

    invoice_id: str
    subscription_id: str
    customer_id: str
    plan_code: str
    currency: str
    period_start_at: datetime
    period_end_at: datetime
    cut_at: datetime
    status: str
    total_amount: Decimal
    lines: list[Line]


def read_seed(name: str) -> list[Row]:
    """The rows of a catalog file."""
    with (SEEDS / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_usage() -> list[Usage]:
    """Every request of the log; the file of an hour is received when the hour has ended."""
    usage = []
    for line in gzip.decompress(ACCESS_LOG.read_bytes()).decode("ascii").splitlines():
        before, request, answer, *_ = line.split('"')
        method, target, _protocol = request.split(" ")
        status, size = answer.split()
        occurred_at = datetime.strptime(
            before[before.index("[") + 1 : before.index("]")], "%d/%b/%Y:%H:%M:%S %z"
        )
        folders = [part for part in target.split("?")[0].split("/")[:-1] if part]
        hour = occurred_at.replace(minute=0, second=0)
        usage.append(
            Usage(
                section=folders[0] if folders else "root",
                occurred_at=occurred_at,
                received_at=hour + timedelta(hours=1),
                size_bytes=None if size == "-" else Decimal(size),
                properties={"method": method, "status": status},
            )
        )
    return usage


def customer_of(section: str, at: datetime, customer_ids: set[str], aliases: list[Row]) -> str:
    """The customers that a section means at an instant; empty if it means none."""
    if section in customer_ids:
        return section
    for alias in aliases:
        has_begun = not alias["valid_from"] or at >= datetime.fromisoformat(alias["valid_from"])
        has_ended = alias["valid_to"] and at >= datetime.fromisoformat(alias["valid_to"])
        if alias["alias"] == section and has_begun and not has_ended:
            return alias["customer_id"]
    return ""


def local_day(cell: str, zone: ZoneInfo) -> date:
    """The local day that a cell names, by a date or by the instant of its midnight."""
    if "T" not in cell:
        return date.fromisoformat(cell)
    at = datetime.fromisoformat(cell).astimezone(zone)
    assert (at.hour, at.minute, at.second) == (0, 0, 0), f"{cell} is no midnight"
    return at.date()


def boundaries(subscription: Row, start: date) -> Iterator[date]:
    """The local dates on which periods would begin if the subscription had no start and no end."""
    count = int(subscription["interval_count"])
    is_calendar = subscription["anchor"] == "calendar"
    match subscription["interval"]:
        case "day" | "week" as interval:
            is_monday_based = is_calendar and interval == "week"
            first = start - timedelta(days=start.weekday()) if is_monday_based else start
            step = timedelta(days=count * (7 if interval == "week" else 1))
            for k in range(1000):
                yield first + k * step
        case "month":
            first = start.replace(day=1) if is_calendar else start
            assert first.day <= 28, f"{subscription['subscription_id']} needs month-end clamping"
            for k in range(0, 100 * count, count):
                years, month = divmod(first.month - 1 + k, 12)
                yield first.replace(year=first.year + years, month=month + 1)
        case other:
            raise NotImplementedError(f"the sample has no subscription per {other}")


def billing_periods(subscription: Row, customer: Row) -> list[Period]:
    """Every period of a subscription; all subscriptions of the sample end.

    A change of plan ends a period and begins the next one.
    """
    zone = ZoneInfo(customer["time_zone"])
    start = local_day(subscription["start_date"], zone)
    end = local_day(subscription["end_date"], zone)
    plans = {start: subscription["plan_code"]}
    for phase in read_seed("subscription_phases"):
        if phase["subscription_id"] == subscription["subscription_id"]:
            assert phase["realign"] in {"", "no"}, "the sample moves no anchor"
            plans[local_day(phase["from"], zone)] = phase["plan_code"]
    bounds = list(boundaries(subscription, start))
    inner = {day for day in bounds if start < day < end}
    dates = sorted({start, end} | inner | set(plans))
    grace = timedelta(days=int(customer["grace_period_days"]))

    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)

    return [
        Period(
            plans[max(day for day in plans if day <= first)],
            first,
            midnight(first),
            midnight(following),
            midnight(following + grace),
            (following - first).days,
            (min(day for day in bounds if day > first) - max(d for d in bounds if d <= first)).days,
        )
        for first, following in pairwise(dates)
    ]


def charges_in_force(plan_code: str, day: date, charges: list[Row]) -> list[Row]:
    """The price version that is valid on the day, for each charge of the plan."""
    in_force: dict[str, Row] = {}
    for charge in sorted(charges, key=lambda row: row["valid_from"]):
        if charge["plan_code"] == plan_code and date.fromisoformat(charge["valid_from"]) <= day:
            in_force[charge["charge_code"]] = charge
    return [in_force[code] for code in sorted(in_force)]


def fee_of(period: Period, charge: Row, currency: str) -> Line:
    """The line of a flat charge: its fee, by the days that the period lasts."""
    exact = Fraction(charge["flat_amount"]) * period.days / period.full_days
    assert exact.denominator == 1, "the sample has no fee whose share is a fraction"
    amount, one = Decimal(exact.numerator), Decimal(1)
    return Line(
        charge_code=charge["charge_code"],
        metric_code=None,
        charge_model="flat",
        group_key="{}",
        price_valid_from=charge["valid_from"],
        event_count=0,
        quantity=one,
        billed_quantity=one,
        unit_price=Decimal(charge["flat_amount"]),
        amount_unrounded=amount,
        amount=amount,
        net_amount=amount,
        tiers=[],
    )


def lines_of(
    period: Period, used: list[Usage], charge: Row, tiers: list[Row], currency: str
) -> list[Line]:
    """The lines of one charge for the usage of the period."""
    if charge["charge_model"] == "flat":
        return [fee_of(period, charge, currency)]
    group_names = [name for name in charge["group_by"].split(";") if name]
    is_by_request = charge["metric_code"] == "requests"
    metered = [use for use in used if is_by_request or use.size_bytes is not None]
    groups: dict[str, list[Usage]] = defaultdict(list)
    if not group_names:
        groups["{}"] = []
    for use in metered:
        group = {name: use.properties[name] for name in group_names}
        groups[json.dumps(group, sort_keys=True, separators=(",", ":"))].append(use)
    lines = []
    for group_key, members in sorted(groups.items()):
        quantity = quantity_of(charge["metric_code"], members)
        billed = max(quantity - Decimal(charge["free_units"] or 0), Decimal(0))
        details = tier_details(billed, charge, tiers)
        unrounded = sum((tier["amount"] for tier in details), Decimal(0))
        amount = unrounded.quantize(MINOR_UNIT[currency], rounding=ROUND_HALF_UP)
        is_standard = charge["charge_model"] in {"standard", "package"}
        lines.append(
            Line(
                charge_code=charge["charge_code"],
                metric_code=charge["metric_code"],
                charge_model=charge["charge_model"],
                group_key=group_key,
                price_valid_from=charge["valid_from"],
                event_count=len(members),
                quantity=quantity,
                billed_quantity=billed,
                unit_price=Decimal(charge["unit_price"])
                if is_standard
                else details[0]["unit_price"]
                if len(details) == 1
                else None,
                amount_unrounded=unrounded,
                amount=amount,
                net_amount=amount,
                tiers=details,
            )
        )
    return lines


def quantity_of(metric_code: str, members: list[Usage]) -> Decimal:
    """The quantity of a metric over the requests, in requests or in bytes."""
    if metric_code == "requests":
        return Decimal(len(members))
    assert metric_code == "egress_bytes", f"the sample has no metric {metric_code}"
    return sum((use.size_bytes for use in members if use.size_bytes is not None), Decimal(0))


def tier_details(quantity: Decimal, charge: Row, tiers: list[Row]) -> list[Tier]:
    """The amount of each tier that the quantity reaches: its units at its price, and a flat amount.

    A standard charge has one tier without an upper bound. So has a package, whose units are sold in
    blocks. Of a volume charge, the tier that holds the quantity prices all of it.
    """
    model = charge["charge_model"]
    open_tier = {"from_units": "0", "up_to_units": "", "flat_amount": "0"}
    if model in {"standard", "package"}:
        tiers = [charge | open_tier]
    version = ("plan_code", "charge_code", "valid_from")
    details = []
    for tier in tiers:
        from_units = Decimal(tier["from_units"])
        if any(tier[name] != charge[name] for name in version) or quantity <= from_units:
            continue
        up_to_units = Decimal(tier["up_to_units"]) if tier["up_to_units"] else None
        last_unit = quantity if up_to_units is None else min(quantity, up_to_units)
        if model == "volume" and last_unit < quantity:
            continue
        units = quantity if model == "volume" else last_unit - from_units
        blocks = units / Decimal(charge["package_size"] or 1)
        packages = blocks.to_integral_value(ROUND_CEILING) if model == "package" else None
        unit_price, flat_amount = Decimal(tier["unit_price"]), Decimal(tier["flat_amount"] or 0)
        details.append(
            Tier(
                from_units=from_units,
                up_to_units=up_to_units,
                unit_price=unit_price,
                flat_amount=flat_amount,
                quantity=units,
                amount=(units if packages is None else packages) * unit_price + flat_amount,
                packages=packages,
                rate_percent=None,
            )
        )
    return details


def expected_invoices(as_of: datetime = AS_OF) -> list[Invoice]:
    """The invoices of all periods begun by `as_of`, by cut, customer and subscription."""
    customers = {row["customer_id"]: row for row in read_seed("customers")}
    aliases = read_seed("customer_aliases")
    usage_by_customer: dict[str, list[Usage]] = defaultdict(list)
    for use in read_usage():
        customer_id = customer_of(use.section, use.occurred_at, set(customers), aliases)
        usage_by_customer[customer_id].append(use)
    invoices = [
        invoice_of(subscription, period, usage_by_customer[subscription["customer_id"]], as_of)
        for subscription in read_seed("subscriptions")
        for period in billing_periods(subscription, customers[subscription["customer_id"]])
        if period.start_at <= as_of
    ]
    return sorted(
        invoices, key=lambda each: (each["cut_at"], each["customer_id"], each["subscription_id"])
    )


def invoice_of(subscription: Row, period: Period, usage: list[Usage], as_of: datetime) -> Invoice:
    """The invoice of one period, without usage received at its cut or later.

    It is finalized if the cut is at or before `as_of`.
    """
    plan_code = period.plan_code
    (currency,) = (row["currency"] for row in read_seed("plans") if row["plan_code"] == plan_code)
    tiers = read_seed("charge_tiers")
    used = [
        use
        for use in usage
        if period.start_at <= use.occurred_at < period.end_at and use.received_at < period.cut_at
    ]
    lines = [
        line
        for charge in charges_in_force(plan_code, period.start_date, read_seed("charges"))
        for line in lines_of(period, used, charge, tiers, currency)
    ]
    total = sum((line["amount"] for line in lines), Decimal(0))
    return Invoice(
        invoice_id=f"{subscription['subscription_id']}/{period.start_date}",
        subscription_id=subscription["subscription_id"],
        customer_id=subscription["customer_id"],
        plan_code=plan_code,
        currency=currency,
        period_start_at=period.start_at,
        period_end_at=period.end_at,
        cut_at=period.cut_at,
        status="finalized" if as_of >= period.cut_at else "draft",
        total_amount=total.quantize(MINOR_UNIT[currency]),
        lines=lines,
    )
