"""Rating fill: a warehouse that holds what rating reads, and nothing that it makes.

One monthly period of each subscription, which charges ten metrics by four graduated tiers. The
tables have the columns that the project documents for them; those that rating does not need are
null.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module

import duckdb

from pipelines.settings import DBT_PROJECT

yaml = import_module("yaml")

CHARGES = 10
"""Charges of each subscription."""

TIERS = (("0", "100", "0.02"), ("100", "1000", "0.0175"), ("1000", "10000", "0.0125"),
         ("10000", None, "0.009999"))  # fmt: skip
"""Bounds and unit price of the tiers of every charge; the first has a flat amount too."""

WIDE_EVERY = 1000
"""One of so many lines has a quantity of more digits than the narrow road takes."""

_START, _END = "timestamptz '2026-10-01 00:00:00+00'", "timestamptz '2026-11-01 00:00:00+00'"
_SUBSCRIPTION = "printf('subscription-%07d', number)"
_CHARGE = "printf('charge-%02d', charge)"
_METRIC = "printf('metric_%02d', charge)"

# A tenth has no usage. The others are spread over the tiers evenly, with up to six digits.
_QUANTITY = f"""
    case
        when hash(number, charge) % 10 = 0 then 0
        else cast(
            hash(charge, number) % cast(10 ** (2 + hash(number * charge) % 4) as bigint)
            as decimal(38, 18)
        ) + hash(number + charge) % 1000000 * 0.000001
            + case when (number * {CHARGES} + charge) % {WIDE_EVERY} = 7 then 0.0000001 else 0 end
    end
"""


def inputs(subscriptions: int) -> Mapping[str, Mapping[str, str]]:
    """The columns of each table that rating reads, as SQL, and under `from` what they are of."""
    every = f"range({subscriptions}) as subscriptions (number)"
    charges = f"range({CHARGES}) as charges (charge)"
    own = {"plan_code": "'plan'", "charge_code": _CHARGE, "price_valid_from": "date '2020-01-01'"}
    period = {"period_index": "9", "period_start_at": _START, "period_end_at": _END}
    return {
        "stg_calendar__clock": {"as_of": _END, "batch_id": "1", "from": "(select 1) as clock"},
        "stg_catalog__currencies": {
            "currency": "'USD'", "minor_unit_digits": "2", "from": "(select 1) as currencies",
        },
        "int_metrics_defined": {"metric_code": _METRIC, "unit": "'unit'", "from": charges},
        "stg_catalog__plans": {
            "plan_code": "'plan'", "rounding": "'half_away'", "from": "(select 1) as plans",
        },
        "stg_catalog__charges": own | {
            "metric_code": _METRIC, "charge_model": "'graduated'", "group_by": "[]",
            "unit_divisor": "1", "unit_rounding": "'none'", "free_units": "0",
            "package_rounding": "'up'", "flat_amount": "0", "quantity": "1",
            "billed": "'period'", "flat_at_zero": "charge < 5", "rate_percent": "0",
            "fixed_amount": "0", "priced_each": "'period'", "prorated": "true", "from": charges,
        },
        "stg_catalog__charge_tiers": own | {
            "from_units": "tier.from_units", "up_to_units": "tier.up_to_units",
            "unit_price": "tier.unit_price",
            "flat_amount": "case when tier.from_units = '0' then 3 else 0 end",
            "from": f"{charges} cross join (values {', '.join(_tiers())})"
                    " as tier (from_units, up_to_units, unit_price)",
        },
        "int_periods_united": period | {
            "subscription_id": _SUBSCRIPTION, "invoice_id": f"{_SUBSCRIPTION} || '/2026-10-01'",
            "customer_id": "printf('customer-%07d', number)", "plan_code": "'plan'",
            "currency": "'USD'", "time_zone": "'Etc/UTC'", "service_days": "31",
            "full_days": "31", "phase_index": "0", "is_trial": "false", "cut_at": _END,
            "from": every,
        },
        "int_charges_by_period": own | period | {
            "subscription_id": _SUBSCRIPTION, "customer_id": "printf('customer-%07d', number)",
            "metric_code": _METRIC, "charge_model": "'graduated'", "group_by": "[]",
            "has_started": "true", "from": f"{every} cross join {charges}",
        },
        "int_usage_metered": {
            "metric_code": _METRIC, "customer_id": "printf('customer-%07d', number)",
            "subscription_id": _SUBSCRIPTION, "period_index": "9", "charge_code": _CHARGE,
            "group_key": "'{}'", "event_count": "hash(number) % 1000", "quantity": _QUANTITY,
            "from": f"{every} cross join {charges} order by hash(number, charge)",
        },
    }  # fmt: skip


def fill(connection: duckdb.DuckDBPyConnection, names: Iterable[str], subscriptions: int) -> None:
    """Makes the tables of models by these names, empty where rating may do without their rows.

    Args:
        connection: of the warehouse.
        names: the models that rating reads and does not make.
        subscriptions: their number.
    """
    filled = inputs(subscriptions)
    for name in sorted(names):
        columns = ", ".join(f"{column} {kind}" for column, kind in documented(name).items())
        connection.execute(f"create or replace table {name} ({columns})")
        if name in filled:
            given = {column: sql for column, sql in filled[name].items() if column != "from"}
            connection.execute(
                f"insert into {name} ({', '.join(given)}) select {', '.join(given.values())} "
                f"from {filled[name]['from']}"
            )


def documented(model: str) -> dict[str, str]:
    """The columns of a model with their types, as its yml has them."""
    (path,) = (DBT_PROJECT / "models").rglob(f"{model}.yml")
    (found,) = yaml.safe_load(path.read_text())["models"]
    return {column["name"]: column["data_type"] for column in found["columns"]}


def _tiers() -> Iterable[str]:
    for row in TIERS:
        yield f"({', '.join('null' if each is None else repr(each) for each in row)})"
