"""Edited catalogs: a small catalog made by chance, and every edit that a person may make in it.

`CELLS` says what may be written into each column of each file. Most edits leave a catalog that is
free of contradictions; whether it may stand beside closed time is another question.
"""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines.catalog.catalog import TABLES

Row = dict[str, str]
Files = dict[str, list[Row]]

FIRST_DAY = date(2026, 1, 1)
"""No subscription starts before it, unless an edit says so."""

ZONES = ("Etc/UTC", "America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "America/New_York")
CUSTOMERS = ("acme", "beta", "zeta")
PLANS = ("calls", "bytes", "both", "grouped")
NAMES = ("web", "ops", "shop", "nobody")
INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Chance:
    """Draws for one edit.

    Attributes:
        draw: the source of chance.
        days: days that something begins or ends on.
    """

    draw: random.Random
    days: Sequence[date]

    def day(self) -> date:
        """A day of those, or one near it, earlier or later."""
        return self.draw.choice(self.days) + timedelta(self.draw.choice((0, 0, 0, -1, 1, -9, 20)))

    def instant(self) -> str:
        """An instant of such a day."""
        at = datetime.combine(self.day(), datetime.min.time())
        return (at + timedelta(hours=self.draw.choice((0, 0, 5, 13)))).strftime(INSTANT)


Cell = Callable[[Chance, Files], str]


def one_of(*cells: str) -> Cell:
    """One of these cells."""
    return lambda chance, _: chance.draw.choice(cells)


def known(file_name: str, column: str, *strangers: str) -> Cell:
    """A cell that the file has in that column, or a stranger."""
    return lambda chance, files: chance.draw.choice(
        [*(row[column] for row in files[file_name]), *strangers]
    )


def a_day(chance: Chance, _: Files) -> str:
    """A day, earlier or later."""
    return chance.day().isoformat()


def a_day_or_none(chance: Chance, _: Files) -> str:
    """A day, earlier or later, or none."""
    return chance.draw.choice((chance.day().isoformat(), chance.day().isoformat(), ""))


def an_instant_or_none(chance: Chance, _: Files) -> str:
    """An instant, earlier or later, or none."""
    return chance.draw.choice((chance.instant(), chance.instant(), ""))


CELLS: Mapping[tuple[str, str], Cell] = {
    ("sources.csv", "source"): one_of("cdn", "app", "api"),
    ("sources.csv", "dialect"): one_of("metronome", "custom", "orb"),
    ("sources.csv", "dedupe_scope"): one_of("", "shared"),
    ("sources.csv", "dedupe_window_days"): one_of("unlimited", "90"),
    ("sources.csv", "max_lateness_days"): one_of("", "20", "40"),
    ("sources.csv", "future_skew_hours"): one_of("", "0", "48"),
    ("sources.csv", "received_at_from"): one_of("path", "last_modified"),
    ("sources.csv", "idempotency_key_fields"): one_of("", "id"),
    ("sources.csv", "late_lookup"): one_of("", "yes", "no"),
    ("sources.csv", "conflicts_expected"): one_of("", "yes"),
    ("sources.csv", "auto_customers"): one_of("", "yes"),
    ("sources.csv", "not_usage"): one_of("", "type=page|identify"),
    ("sources.csv", "paths"): one_of("", "*"),
    ("sources.csv", "batch_member"): one_of("", "data"),
    ("sources.csv", "format"): one_of("", "json"),
    ("sources.csv", "null_text"): one_of("", "-"),
    ("sources.csv", "separator"): one_of("", ","),
    ("sources.csv", "decimal_separator"): one_of("", "."),
    ("source_fields.csv", "source"): known("sources.csv", "source"),
    ("source_fields.csv", "field"): one_of("customer", "subscription", "event_name"),
    ("source_fields.csv", "path"): one_of("who", "usage.who"),
    ("source_fields.csv", "form"): one_of("", "constant"),
    ("event_schemas.csv", "source"): known("sources.csv", "source"),
    ("event_schemas.csv", "event_name"): one_of("http_request", "login"),
    ("event_schemas.csv", "name"): one_of("bytes", "status"),
    ("event_schemas.csv", "kind"): one_of("attribute", "dimension"),
    ("event_schemas.csv", "is_required"): one_of("yes", "no"),
    ("customers.csv", "customer_id"): one_of(*CUSTOMERS, "acme-2", "web"),
    ("customers.csv", "name"): one_of("Acme", "Acme, Inc."),
    ("customers.csv", "currency"): one_of("USD", "EUR", "JPY", "KWD"),
    ("customers.csv", "time_zone"): one_of(*ZONES, "Pacific/Apia", "Pacific/Honolulu"),
    ("customers.csv", "grace_period_days"): one_of("0", "1", "3", "12"),
    ("customers.csv", "late_usage_policy"): one_of("reject", "adjust"),
    ("customer_aliases.csv", "alias"): one_of(*NAMES, "acme"),
    ("customer_aliases.csv", "customer_id"): known("customers.csv", "customer_id"),
    ("customer_aliases.csv", "valid_from"): an_instant_or_none,
    ("customer_aliases.csv", "valid_to"): an_instant_or_none,
    ("customers.csv", "ends_on"): a_day_or_none,
    ("customers.csv", "tax_exempt"): one_of("", "yes", "no"),
    ("customers.csv", "invoice_series"): one_of("", "INV", "EU", "EU-1"),
    ("charges.csv", "name"): one_of("", "Requests"),
    ("charges.csv", "prorated"): one_of("", "yes", "no"),
    ("charges.csv", "flat_at_zero"): one_of("", "yes", "no", "no"),
    ("plans.csv", "plan_code"): one_of(*PLANS, "calls-2"),
    ("plans.csv", "name"): one_of("Calls", "All calls"),
    ("plans.csv", "currency"): one_of("", "USD", "EUR"),
    ("plans.csv", "rounding"): one_of("", "half_away", "half_even"),
    ("charges.csv", "plan_code"): known("plans.csv", "plan_code"),
    ("charges.csv", "charge_code"): one_of("requests", "egress", "traffic"),
    ("charges.csv", "metric_code"): one_of("requests", "egress_bytes"),
    ("charges.csv", "charge_model"): one_of(
        "standard", "graduated", "volume", "stairstep", "package", "flat", "percentage", "matrix"
    ),
    ("charges.csv", "unit_price"): one_of("0", "0.5", "0.333333333333333", "7", ""),
    ("charges.csv", "group_by"): one_of("", "status", "status;method"),
    ("charges.csv", "missing_dimension"): one_of("", "404", "none"),
    ("charges.csv", "filters"): one_of(
        "", "status=200", "status!=200", "status?", "status!?", "status>=300;method=GET|PUT"
    ),
    ("charges.csv", "unit_divisor"): one_of("", "1", "7", "1000"),
    ("charges.csv", "unit_rounding"): one_of("", "none", "up", "nearest"),
    ("charges.csv", "unit"): one_of("", "call"),
    ("charges.csv", "free_units"): one_of("", "2", "0.5"),
    ("charges.csv", "priced_each"): one_of("", "period"),
    ("charges.csv", "package_size"): one_of("", "3"),
    ("charges.csv", "package_rounding"): one_of("", "down"),
    ("charges.csv", "flat_amount"): one_of("", "31", "9.995"),
    ("charges.csv", "quantity"): one_of("", "3", "2.5"),
    ("charges.csv", "billed"): one_of("", "period", "once"),
    ("charges.csv", "invoiced_in"): one_of("", "arrears", "advance", "advance"),
    ("charges.csv", "rate_percent"): one_of("", "2.9"),
    ("charges.csv", "fixed_amount"): one_of("", "0.3"),
    ("charges.csv", "free_events"): one_of("", "0", "2"),
    ("charges.csv", "free_amount"): one_of("", "5"),
    ("charges.csv", "minimum_per_event"): one_of("", "0.5"),
    ("charges.csv", "maximum_per_event"): one_of("", "1"),
    ("charges.csv", "minimum_amount"): one_of("", "10", "0.335"),
    ("charges.csv", "maximum_amount"): one_of("", "1", "20"),
    ("charges.csv", "commitment_amount"): one_of("", "5"),
    ("charges.csv", "commitment_overage_factor"): one_of("", "1", "1.5"),
    ("charges.csv", "commitment_true_up"): one_of("", "yes", "no"),
    ("charges.csv", "valid_from"): a_day,
    ("charges.csv", "subscription_id"): known("subscriptions.csv", "subscription_id", "", "", ""),
    ("charge_tiers.csv", "plan_code"): known("plans.csv", "plan_code"),
    ("charge_tiers.csv", "charge_code"): one_of("requests", "egress"),
    ("charge_tiers.csv", "valid_from"): a_day,
    ("charge_tiers.csv", "from_units"): one_of("0", "5", "100"),
    ("charge_tiers.csv", "up_to_units"): one_of("5", "100", ""),
    ("charge_tiers.csv", "unit_price"): one_of("0", "0.125", "0.000000000000001"),
    ("charge_tiers.csv", "flat_amount"): one_of("", "0", "3.005"),
    ("charge_tiers.csv", "rate_percent"): one_of("", "2"),
    ("charge_tiers.csv", "package_size"): one_of("", "4"),
    ("charge_tiers.csv", "maximum_amount"): one_of("", "1", "4"),
    ("charge_cells.csv", "plan_code"): known("plans.csv", "plan_code"),
    ("charge_cells.csv", "charge_code"): one_of("requests", "egress"),
    ("charge_cells.csv", "valid_from"): a_day,
    ("charge_cells.csv", "match"): one_of("status=200", "status=*"),
    ("charge_cells.csv", "unit_price"): one_of("0", "0.25"),
    ("charge_cells.csv", "subscription_id"): known("subscriptions.csv", "subscription_id", ""),
    ("charge_tiers.csv", "subscription_id"): known("subscriptions.csv", "subscription_id", ""),
    ("subscriptions.csv", "subscription_id"): one_of("s1", "s2", "s3", "s1-2"),
    ("subscriptions.csv", "customer_id"): known("customers.csv", "customer_id"),
    ("subscriptions.csv", "plan_code"): known("plans.csv", "plan_code"),
    ("subscriptions.csv", "interval"): one_of(
        "day", "week", "month", "quarter", "half_year", "year"
    ),
    ("subscriptions.csv", "interval_count"): one_of("1", "2", "3"),
    ("subscriptions.csv", "anchor"): one_of("calendar", "anniversary", "day", "at"),
    ("subscriptions.csv", "start_date"): a_day,
    ("subscriptions.csv", "end_date"): a_day_or_none,
    ("subscriptions.csv", "anchor_day"): one_of("", "1", "31", "friday"),
    ("subscriptions.csv", "anchor_at"): a_day_or_none,
    ("subscriptions.csv", "trial_until"): a_day_or_none,
    ("subscription_phases.csv", "subscription_id"): known("subscriptions.csv", "subscription_id"),
    ("subscription_phases.csv", "from"): a_day,
    ("subscription_phases.csv", "plan_code"): known("plans.csv", "plan_code"),
    ("subscription_phases.csv", "realign"): one_of("", "no", "yes"),
    ("subscription_pauses.csv", "subscription_id"): known("subscriptions.csv", "subscription_id"),
    ("subscription_pauses.csv", "from"): a_day,
    ("subscription_pauses.csv", "to"): a_day,
}
"""What an edit may write into each column of each file of a catalog."""

_OFTEN = (
    ("subscriptions.csv", "start_date"),
    ("subscriptions.csv", "end_date"),
    ("subscriptions.csv", "interval"),
    ("subscriptions.csv", "anchor"),
    ("subscription_phases.csv", "from"),
    ("customers.csv", "time_zone"),
    ("customers.csv", "grace_period_days"),
    ("customers.csv", "late_usage_policy"),
    ("customer_aliases.csv", "customer_id"),
    ("customer_aliases.csv", "valid_from"),
    ("customer_aliases.csv", "valid_to"),
)
"""What decides periods and names is edited as often as all the rest."""


_PARTS = (
    ("status=200", "status!=200"),
    ("status=200", "status!=200|404"),
    ("status?", "status!?"),
)
"""Filters that exclude each other; the second pair leaves a gap."""


def first_catalog(draw: random.Random) -> Files:
    """A catalog that is right: plans, customers and their names, one to two subscriptions each."""

    def row(file_name: str, *cells: str) -> Row:
        names = _columns(file_name)
        return dict(zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=True))

    files: Files = {name: [] for name, table in TABLES.items() if table.is_priced}
    for source, received in (
        ("cdn", "last_modified"),
        ("app", draw.choice(("last_modified", "path"))),
    ):
        files["sources.csv"].append(
            row("sources.csv", source, "metronome", "", "unlimited", "", "24", received)
        )
    for plan in PLANS:
        files["plans.csv"].append(row("plans.csv", plan, plan, draw.choice(("", "USD"))))
        files["charges.csv"] += _charges(plan, draw, row)
        if draw.random() < 0.6:
            fee = {"charge_model": "flat", "valid_from": "2020-01-01", "invoiced_in": "advance"}
            fee |= draw.choice(_FEES)
            files["charges.csv"].append({**row("charges.csv", plan, "seats"), **fee})
    for code in ("both", "bytes"):
        for low, high, price, flat in (("0", "5", "0.125", "3"), ("5", "", "0.01", "")):
            files["charge_tiers.csv"].append(
                row("charge_tiers.csv", code, "egress", "2020-01-01", low, high, price, flat)
            )
    for customer in CUSTOMERS:
        zone, grace = draw.choice(ZONES), draw.choice(("0", "0", "1", "3"))
        policy = draw.choice(("reject", "reject", "adjust"))
        currency = draw.choice(("USD", "EUR", "JPY", "KWD"))
        files["customers.csv"].append(
            row("customers.csv", customer, customer, currency, zone, grace, policy)
            | {"invoice_series": "EU" if customer == "beta" else ""}
        )
    files["customer_aliases.csv"] = [
        row("customer_aliases.csv", "web", draw.choice(("acme", "acme", "beta"))),
        row("customer_aliases.csv", "ops", "acme", "", "2026-02-10T00:00:00Z"),
        row("customer_aliases.csv", "ops", "beta", "2026-02-10T00:00:00Z"),
    ]
    lives = [("acme", ("both",)), ("beta", ("calls", "bytes")), ("zeta", ("grouped",))]
    for customer, plans in lives:
        for plan in plans:
            _subscribe(files, draw, customer, plan, row)
    if draw.random() < 0.5:
        last = files["subscriptions.csv"][-1]
        change = date.fromisoformat(last["start_date"]) + timedelta(draw.choice((5, 13, 31, 45)))
        plan = draw.choice([each for each in PLANS if each != last["plan_code"]])
        change_row = (last["subscription_id"], change.isoformat(), plan, draw.choice(("", "yes")))
        files["subscription_phases.csv"].append(row("subscription_phases.csv", *change_row))
    return files


def _charges(plan: str, draw: random.Random, row: Callable[..., Row]) -> list[Row]:
    rows = []
    if plan != "bytes":
        group = "status" if plan == "grouped" else ""
        missing = draw.choice(("", "404", "none")) if group else ""
        parts = [("requests", "")]
        if draw.random() < 0.4:
            parts = [*zip(("requests", "others"), draw.choice(_PARTS), strict=True)]
        versions = [("0.25", "2020-01-01")]
        if draw.random() < 0.5:
            versions.append(("0.333", "2026-03-01"))
        for code, filters in parts:
            own = {"missing_dimension": missing, "filters": filters}
            for price, day in versions:
                cells = (plan, code, "requests", "standard", price, group, day)
                rows.append({**row("charges.csv", *cells), **own})
    if plan in {"bytes", "both"}:
        tiered = row("charges.csv", plan, "egress", "egress_bytes", "graduated", "", "",
                     "2020-01-01")  # fmt: skip
        rows.append({**tiered, "flat_at_zero": draw.choice(("yes", "no"))})
    return rows


def _subscribe(
    files: Files, draw: random.Random, customer: str, plan: str, row: Callable[..., Row]
) -> None:
    """A subscription, or one that another takes the place of, on the same plan or another."""
    start = FIRST_DAY + timedelta(draw.choice((0, 0, 9, 30)))
    rhythm = (
        draw.choice(("day", "week") if customer == "acme" else ("week", "month", "month")),
        draw.choice(("1", "1", "2", "5")),
        draw.choice(("calendar", "anniversary")),
    )
    number = len(files["subscriptions.csv"]) + 1
    change = start + timedelta(draw.choice((40, 51, 59))) if draw.random() < 0.4 else None
    end = change.isoformat() if change else draw.choice(("", "", "2026-04-01"))
    files["subscriptions.csv"].append(
        row("subscriptions.csv", f"s{number}", customer, plan, *rhythm, start.isoformat(), end)
    )
    if change:
        next_plan = draw.choice((plan, "both" if plan not in {"calls", "bytes"} else plan))
        files["subscriptions.csv"].append(
            row("subscriptions.csv", f"s{number + 1}", customer, next_plan, *rhythm,
                change.isoformat())
        )  # fmt: skip


def edited(chance: Chance, files: Files) -> Files:
    """The catalog after one edit: of a cell, a row, or several rows that belong together."""
    edits: list[Callable[[Chance, Files], Files]] = [
        _cell, _cell, _cell, _cell, _often, _often, _often, _without_row, _with_row, _followed,
        _renamed, _handed_over, _handed_over, _handed_over, _phase, _phase, _anchored, _paused,
        _negotiated, _negotiated, _repriced, _repriced, _fee_changed,
    ]  # fmt: skip
    return chance.draw.choice(edits)(chance, files)


def copied(files: Files) -> Files:
    """A copy that may be changed."""
    return {name: [dict(row) for row in rows] for name, rows in files.items()}


def written(chance: Chance, files: Files, place: tuple[str, str]) -> Files:
    """The catalog after an edit of this column, named by file and column, in one of the rows."""
    found = copied(files)
    file_name, column = place
    if not found[file_name]:
        return _with_row(chance, files, file_name)
    chance.draw.choice(found[file_name])[column] = CELLS[place](chance, files)
    return found


def _cell(chance: Chance, files: Files) -> Files:
    return written(chance, files, chance.draw.choice(list(CELLS)))


_TERMS = (
    {"unit_divisor": "7", "unit_rounding": "up"},
    {"unit_divisor": "3"},
    {"minimum_amount": "2.5"},
    {"maximum_amount": "0.335", "prorated": "no"},
    {"commitment_amount": "1.25", "commitment_overage_factor": "1.5"},
    {"commitment_amount": "5", "commitment_true_up": "no"},
)
"""Terms that a charge of any metric may have."""

_MODELS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "standard": (
        {"charge_model": "standard", "free_units": "1"},
        {"charge_model": "package", "package_size": "3", "package_rounding": "down"},
        {"charge_model": "percentage", "unit_price": "", "rate_percent": "2.9",
         "fixed_amount": "0.3"},
        {"charge_model": "percentage", "unit_price": "", "rate_percent": "50",
         "free_events": "1", "minimum_per_event": "0.4"},
    ),
    "graduated": ({"charge_model": "volume"}, {"charge_model": "graduated"}),
}  # fmt: skip
"""What a charge of a model may become, with the columns that it needs then."""

_FEES = (
    {"flat_amount": "31"},
    {"flat_amount": "10", "quantity": "2.5", "prorated": "no"},
    {"flat_amount": "9.995", "billed": "once"},
    {"flat_amount": "5", "minimum_amount": "7.125"},
)


def _repriced(chance: Chance, files: Files) -> Files:
    """Another price: terms or another model for a charge, or a fee for a plan."""
    found, draw = copied(files), chance.draw
    charges = found["charges.csv"]
    charge = draw.choice(charges)
    kind = draw.choice(("terms", "model", "fee"))
    if kind == "terms" and charge["metric_code"]:
        charge.update(draw.choice(_TERMS))
    elif kind == "model" and charge["charge_model"] in _MODELS:
        charge.update(draw.choice(_MODELS[charge["charge_model"]]))
    elif kind == "fee":
        fee = {
            "plan_code": charge["plan_code"],
            "charge_code": draw.choice(("fee", "seats")),
            "charge_model": "flat",
            "valid_from": draw.choice(("2020-01-01", "2026-02-01")),
            "invoiced_in": draw.choice(("", "advance", "advance")),
        }
        charges.append(dict.fromkeys(charge, "") | fee | draw.choice(_FEES))  # fmt: skip
    return found


def _fee_changed(chance: Chance, files: Files) -> Files:
    """A fee costs more or less, is of more or fewer units, or is invoiced elsewhere."""
    found, draw = copied(files), chance.draw
    fees = [row for row in found["charges.csv"] if row["charge_model"] == "flat"]
    if fees:
        column = draw.choice(("quantity", "flat_amount", "invoiced_in", "valid_from"))
        draw.choice(fees)[column] = CELLS["charges.csv", column](chance, files)
    return found


def _often(chance: Chance, files: Files) -> Files:
    return written(chance, files, chance.draw.choice(_OFTEN))


def _without_row(chance: Chance, files: Files) -> Files:
    found = copied(files)
    rows = found[chance.draw.choice(["subscriptions.csv", "customer_aliases.csv", *found])]
    if rows:
        rows.pop(chance.draw.randrange(len(rows)))
    return found


def _with_row(chance: Chance, files: Files, name: str | None = None) -> Files:
    """One more row, of which some cells are those of another row."""
    found = copied(files)
    file_name = name or chance.draw.choice(["subscriptions.csv", "customer_aliases.csv", *found])
    like = chance.draw.choice(found[file_name] or [{}])
    found[file_name].append(
        {
            name: like[name]
            if name in like and chance.draw.random() < 0.4
            else CELLS[file_name, name](chance, files)
            for name in _columns(file_name)
        }
    )
    if file_name == "subscriptions.csv":
        found[file_name][-1]["subscription_id"] = f"s{len(found[file_name]) + 10}"
    return found


def _phase(chance: Chance, files: Files) -> Files:
    """A subscription changes its plan, or a change of plan is gone."""
    found = copied(files)
    rows = found["subscription_phases.csv"]
    if rows and chance.draw.random() < 0.2:
        rows.pop(chance.draw.randrange(len(rows)))
    elif found["subscriptions.csv"]:
        life, later = chance.draw.choice(found["subscriptions.csv"]), chance.draw.choice((5, 30))
        start = date.fromisoformat(life["start_date"])
        day = max(chance.day(), start + timedelta(later))
        rows.append(
            {
                "subscription_id": life["subscription_id"],
                "from": day.isoformat(),
                "plan_code": CELLS["subscription_phases.csv", "plan_code"](chance, files),
                "realign": chance.draw.choice(("", "", "no", "yes")),
            }
        )
    return found


def _anchored(chance: Chance, files: Files) -> Files:
    """The periods of a subscription are counted from a day."""
    found = copied(files)
    if found["subscriptions.csv"]:
        row = chance.draw.choice(found["subscriptions.csv"])
        is_at = row["interval"] == "day" or chance.draw.random() < 0.4
        days = ("sunday", "tuesday") if row["interval"] == "week" else ("10", "30", "31")
        row["anchor"] = "at" if is_at else "day"
        row["anchor_at"] = chance.day().isoformat() if is_at else ""
        row["anchor_day"] = "" if is_at else chance.draw.choice(days)
    return found


def _paused(chance: Chance, files: Files) -> Files:
    """A subscription rests for some days."""
    found = copied(files)
    if found["subscriptions.csv"]:
        life, day = chance.draw.choice(found["subscriptions.csv"]), chance.day()
        end = day + timedelta(chance.draw.choice((1, 9)))
        found["subscription_pauses.csv"].append(
            {
                "subscription_id": life["subscription_id"],
                "from": day.isoformat(),
                "to": end.isoformat(),
            }
        )
    return found


def _negotiated(chance: Chance, files: Files) -> Files:
    """A subscription has its own price of a charge of its plan, from a day on."""
    found = copied(files)
    life = chance.draw.choice(found["subscriptions.csv"] or [{"plan_code": ""}])
    charges = [row for row in found["charges.csv"] if row["plan_code"] == life["plan_code"]]
    if charges:
        charge = chance.draw.choice(charges)
        own = {"subscription_id": life["subscription_id"], "valid_from": chance.day().isoformat()}
        version = ("plan_code", "charge_code", "subscription_id", "valid_from")
        tiers = [
            {**tier, **own, "unit_price": chance.draw.choice(("0.5", "2"))}
            for tier in found["charge_tiers.csv"]
            if all(tier[name] == charge[name] for name in version)
        ]
        price = chance.draw.choice(("0.1", "3")) if charge["unit_price"] else ""
        found["charges.csv"].append({**charge, **own, "unit_price": price})
        found["charge_tiers.csv"] += tiers
    return found


def _followed(chance: Chance, files: Files) -> Files:
    """A subscription ends on a day, and another one takes its place on another plan."""
    found = copied(files)
    rows = found["subscriptions.csv"]
    if rows:
        last, day = chance.draw.choice(rows), chance.day().isoformat()
        rows.append(
            {**last, "subscription_id": f"s{len(rows) + 10}", "start_date": day,
             "plan_code": CELLS["subscriptions.csv", "plan_code"](chance, files)}
        )  # fmt: skip
        last["end_date"] = day
    return found


def _renamed(chance: Chance, files: Files) -> Files:
    """An id is another one everywhere."""
    found = copied(files)
    column = chance.draw.choice(("customer_id", "plan_code", "subscription_id", "source"))
    home = {"customer_id": "customers.csv", "plan_code": "plans.csv", "source": "sources.csv"}
    rows = found[home.get(column, "subscriptions.csv")]
    if rows:
        old = chance.draw.choice(rows)[column]
        for row in (row for rows in found.values() for row in rows):
            if row.get(column) == old:
                row[column] = f"{old}-2"
    return found


def _handed_over(chance: Chance, files: Files) -> Files:
    """A name is another customer's from an instant on, or since ever."""
    found = copied(files)
    rows = found["customer_aliases.csv"]
    if rows:
        row, at = chance.draw.choice(rows), chance.draw.choice((chance.instant(), ""))
        owner = CELLS["customer_aliases.csv", "customer_id"](chance, files)
        if at:
            rows.append({**row, "customer_id": owner, "valid_from": at})
            row["valid_to"] = at
        else:
            row["customer_id"] = owner
    return found


def _columns(file_name: str) -> list[str]:
    """The columns of a file that bills know; the others stay empty."""
    return [each.name for each in TABLES[file_name].columns if each.is_priced]


def file_bytes(files: Files) -> dict[str, bytes]:
    """The bytes of each file, as a person would save it."""
    found = dict[str, bytes]()
    for name, rows in files.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, [each.name for each in TABLES[name].columns])
        writer.writeheader()
        writer.writerows(rows)
        found[name] = text.getvalue().encode()
    return found
