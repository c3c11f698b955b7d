"""Rules about what is charged: prices, tiers, and the subscriptions they are for.

Belongs here: one function per rule on well-formed rows, each giving problems or warnings.
Must not be put here: rating, which dbt does; when each rule runs (see `catalog_rules`).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from pipelines.catalog.cells import shown
from pipelines.catalog.rows import ChargeRow, Problem, SubscriptionRow, Tables, TierRow
from pipelines.vocabulary.money import plain_decimal


def contradicting_prices(tables: Tables) -> Iterator[Problem]:
    """A standard charge has one price per unit, a graduated one has tiers, neither has both."""
    charges, tiers = tables.charges, tables.charge_tiers
    tier_lines = {_price(tier): tier.line for tier in tiers.rows}
    models = {_price(charge): charge.charge_model for charge in charges.rows}
    for charge in charges.rows:
        is_standard, has_price = charge.charge_model == "standard", charge.unit_price is not None
        reason = ""
        if is_standard and not has_price:
            reason = "is empty; a standard charge has a price per unit"
        elif not is_standard and has_price:
            reason = "is set, but a graduated charge has its prices in charge_tiers.csv; empty it"
        elif not is_standard and _price(charge) not in tier_lines:
            reason = "is empty and charge_tiers.csv has no tiers of this graduated charge; add them"
        if reason:
            yield Problem(charges.file_name, charge.line, "unit_price", reason)
    for tier in tiers.rows:
        if models.get(_price(tier)) == "standard":
            yield Problem(
                tiers.file_name,
                tier.line,
                "charge_code",
                f"{shown(tier.charge_code)} is a standard charge from {tier.valid_from} on, "
                "without tiers; remove the row, or make the charge graduated",
            )


def _price(row: ChargeRow | TierRow) -> tuple[str, str, date]:
    return row.plan_code, row.charge_code, row.valid_from


def broken_tiers(tables: Tables) -> Iterator[Problem]:
    """The tiers of a price version join from 0 to open, without gap or overlap."""
    file_name = tables.charge_tiers.file_name
    prices = defaultdict[tuple[str, str, date], list[TierRow]](list)
    for row in tables.charge_tiers.rows:
        prices[_price(row)].append(row)
    for tiers in prices.values():
        tiers.sort(key=lambda tier: (tier.from_units, tier.line))
        if tiers[0].from_units != 0:
            yield Problem(
                file_name,
                tiers[0].line,
                "from_units",
                f"{plain_decimal(tiers[0].from_units)} begins the first tier; write 0",
            )
        for tier, after in pairwise(tiers):
            if tier.up_to_units is None or tier.up_to_units != after.from_units:
                yield Problem(
                    file_name,
                    after.line,
                    "from_units",
                    f"{plain_decimal(after.from_units)} is not where the tier before it ends "
                    f"({_bound(tier.up_to_units)}, row {tier.line}); tiers join without gap or "
                    "overlap",
                )
        for tier in tiers:
            if tier.up_to_units is not None and tier.up_to_units <= tier.from_units:
                yield Problem(
                    file_name,
                    tier.line,
                    "up_to_units",
                    f"{plain_decimal(tier.up_to_units)} is not above from_units "
                    f"{plain_decimal(tier.from_units)}; correct one",
                )
        if tiers[-1].up_to_units is not None:
            yield Problem(
                file_name,
                tiers[-1].line,
                "up_to_units",
                f"{plain_decimal(tiers[-1].up_to_units)} ends the last tier, and usage above it "
                "has no price; leave it empty",
            )


def _bound(up_to_units: Decimal | None) -> str:
    return "open" if up_to_units is None else plain_decimal(up_to_units)


def changed_metrics(tables: Tables) -> Iterator[Problem]:
    """One charge counts one metric for ever, and within a plan one metric has one charge."""
    charge_by_metric = dict[tuple[str, str], ChargeRow]()
    metric_by_charge = dict[tuple[str, str], ChargeRow]()
    for charge in tables.charges.rows:
        key = (charge.plan_code, charge.charge_code)
        first = metric_by_charge.setdefault(key, charge)
        if first.metric_code != charge.metric_code:
            yield Problem(
                tables.charges.file_name,
                charge.line,
                "metric_code",
                f"{shown(charge.metric_code)} differs from {shown(first.metric_code)} of the same "
                f"charge in row {first.line}; a price version keeps the metric, so use another "
                "charge_code",
            )
            continue
        other = charge_by_metric.setdefault((charge.plan_code, charge.metric_code), charge)
        if other.charge_code != charge.charge_code:
            yield Problem(
                tables.charges.file_name,
                charge.line,
                "metric_code",
                f"{shown(charge.metric_code)} is charged by {shown(other.charge_code)} of the same "
                f"plan already (row {other.line}); no event is billed twice for one metric",
            )


def lives_without_days(tables: Tables) -> Iterator[Problem]:
    """A subscription ends after it starts."""
    for row in tables.subscriptions.rows:
        if row.end_date is not None and row.end_date <= row.start_date:
            yield Problem(
                tables.subscriptions.file_name,
                row.line,
                "end_date",
                f"{row.end_date} is not after start_date {row.start_date}; the end is the first "
                "day without the subscription",
            )


def lives_before_prices(tables: Tables) -> Iterator[Problem]:
    """Every charge of a plan has a price when the first subscription to it starts."""
    first_lives = dict[str, SubscriptionRow]()
    for row in tables.subscriptions.rows:
        first = first_lives.setdefault(row.plan_code, row)
        if row.start_date < first.start_date:
            first_lives[row.plan_code] = row
    first_prices = dict[tuple[str, str], ChargeRow]()
    for charge in tables.charges.rows:
        key = (charge.plan_code, charge.charge_code)
        if charge.valid_from <= first_prices.setdefault(key, charge).valid_from:
            first_prices[key] = charge
    for (plan_code, charge_code), charge in first_prices.items():
        life = first_lives.get(plan_code)
        if life is not None and charge.valid_from > life.start_date:
            yield Problem(
                tables.charges.file_name,
                charge.line,
                "valid_from",
                f"{charge.valid_from} is the first price of {shown(charge_code)}, but subscription "
                f"{shown(life.subscription_id)} (subscriptions.csv, row {life.line}) is on plan "
                f"{shown(plan_code)} from {life.start_date} on; date the first price on or "
                "before that day (finalized invoices do not change)",
            )


def metrics_charged_twice(tables: Tables) -> Iterator[Problem]:
    """Subscriptions of one customer that overlap charge different metrics.

    An event need not name its subscription, so each metric must find exactly one.
    """
    metrics = defaultdict[str, set[str]](set)
    for charge in tables.charges.rows:
        metrics[charge.plan_code].add(charge.metric_code)
    lives = defaultdict[tuple[str, str], list[SubscriptionRow]](list)
    for row in tables.subscriptions.rows:
        for metric in metrics[row.plan_code]:
            lives[row.customer_id, metric].append(row)
    clashes = defaultdict[tuple[int, int], list[tuple[str, SubscriptionRow, SubscriptionRow]]](list)
    for (_, metric), rows in lives.items():
        rows.sort(key=lambda row: (row.start_date, row.line))
        latest = rows[0]
        for row in rows[1:]:
            if row.start_date < (latest.end_date or date.max):
                clashes[row.line, latest.line].append((metric, row, latest))
            latest = max(latest, row, key=lambda row: row.end_date or date.max)
    for clash in clashes.values():
        _, row, latest = clash[0]
        charged = ", ".join(sorted(shown(metric) for metric, _, _ in clash))
        yield Problem(
            tables.subscriptions.file_name,
            row.line,
            "plan_code",
            f"{shown(row.plan_code)} charges {charged} from {row.start_date}, for which "
            f"subscription {shown(latest.subscription_id)} (row {latest.line}) bills the same "
            f"customer until {latest.end_date or 'further notice'}; no event is billed twice for "
            "one metric, so end one before the other starts, or use a plan without that metric",
        )


def subscriptions_without_charges(tables: Tables) -> Iterator[str]:
    """A plan that is subscribed to but has no charges gives empty invoices."""
    charged = {charge.plan_code for charge in tables.charges.rows}
    idle = sorted({row.plan_code for row in tables.subscriptions.rows} - charged)
    for plan_code in idle:
        yield f"plan {shown(plan_code)} has subscriptions but no charges: its invoices are empty"
