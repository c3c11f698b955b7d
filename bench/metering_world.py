"""Metering world: a month of usage in daily batches, its catalog, and a checkout with its metrics.

The lines are those of `event_lines`. The metrics are five files of a dbt project, as a company
writes them into its own checkout. So the world has a copy of the code with these five.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from bench.event_lines import ALIAS, CUSTOMER_ID, Stream, make_lines
from bench.generate_events import SOURCE, file_path, write_lines
from pipelines.settings import DBT_PROJECT, REPOSITORY

DAYS = 30
"""Days that a home holds before the one more day."""

FILES_PER_DAY = 8

START_AT = datetime(2024, 9, 25, tzinfo=UTC)
"""The first hour. So the last days fall into a month that has most of its usage already."""

MONTHS = (datetime(2024, 9, 1), datetime(2024, 10, 1), datetime(2024, 11, 1))  # noqa: DTZ001 — labels
"""The local midnights that bound the two periods of every subscription."""

TIME_ZONES = ("Etc/UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Asia/Kathmandu",
              "Australia/Adelaide")  # fmt: skip
"""Those of the customers in turn; three begin their days at :30 or :45 of the UTC hour."""

_ACCEPTED_PER_10_000 = 9_800
"""About so many lines of 10,000 are accepted."""

METRICS = {
    "events": "aggregation='count', unit='event', "
    "event_name=['http_request', 'api_call', 'storage_snapshot', 'user_login']",
    "egress_bytes": "aggregation='sum', unit='byte', event_name='http_request', value='bytes', "
    "group_by=['region', 'status']",
    "storage_peak": "aggregation='max', unit='GB hour', event_name='storage_snapshot', "
    "value='gigabyte_hours'",
    "endpoints": "aggregation='unique_count', unit='endpoint', event_name='api_call', "
    "value='endpoint'",
    "latency_p95": "aggregation='percentile', unit='ms', event_name='api_call', "
    "value='latency_ms', percentile=95",
}
"""The options of each metric, by its code."""


def stream_of(events: int, customers: int) -> Stream:
    """The lines of the held days and of one more.

    Args:
        events: about how many events of the held days are accepted.
        customers: how many send; the k-th sends in proportion to 1/k.
    """
    lines = events * 10_000 // _ACCEPTED_PER_10_000
    per_file = max(1, lines // (DAYS * FILES_PER_DAY))
    return Stream(
        lines=per_file * FILES_PER_DAY * (DAYS + 1),
        lines_per_file=per_file,
        start_at=START_AT,
        hours=24 * (DAYS + 1),
        customers=customers,
    )


def land_day(stream: Stream, landing: Path, day: int) -> None:
    """Writes the files of a day, counted from 0, which are received on it."""

    def write(file: int) -> None:
        lines = make_lines(stream, file * stream.lines_per_file, stream.lines_per_file)
        write_lines(landing / file_path(stream, file, is_gzipped=False), lines["line"])

    with ThreadPoolExecutor(max_workers=2) as writers:
        list(writers.map(write, range(day * FILES_PER_DAY, (day + 1) * FILES_PER_DAY)))


def end_of_day(day: int) -> datetime:
    """When all files of a day, counted from 0, have been received."""
    return START_AT + timedelta(days=day + 1)


def write_catalog(customers: int, folder: Path) -> None:
    """Writes a catalog: one plan that charges all metrics, one monthly subscription a customer.

    The grace is so long that no period is closed: what is measured is metering, and no closing.
    """
    ranks = [f"{rank:05d}" for rank in range(1, customers + 1)]
    zones = [zone_of(rank) for rank in range(1, customers + 1)]
    since = f"{MONTHS[0]:%Y-%m-%d}"
    tables = {
        "sources": [
            "source,dialect,dedupe_scope,dedupe_window_days,max_lateness_days,"
            "future_skew_hours,received_at_from",
            f"{SOURCE},metronome,,34,,24,path",
        ],
        "customers": [
            "customer_id,name,currency,time_zone,grace_period_days,late_usage_policy",
            *(
                f"{CUSTOMER_ID.format(rank)},Customer {rank},USD,{zone},90,reject"
                for rank, zone in zip(ranks, zones, strict=True)
            ),
        ],
        "customer_aliases": [
            "alias,customer_id,valid_from,valid_to",
            *(f"{ALIAS.format(rank)},{CUSTOMER_ID.format(rank)},," for rank in ranks),
        ],
        "plans": ["plan_code,name,currency", "plan,Plan,USD"],
        "charges": [
            "plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from",
            *(
                f"plan,{code},{code},standard,0.0001,"
                f"{'region;status' if 'group_by' in options else ''},{since}"
                for code, options in METRICS.items()
            ),
        ],
        "charge_tiers": [
            "plan_code,charge_code,valid_from,from_units,up_to_units,unit_price,flat_amount"
        ],
        "subscriptions": [
            "subscription_id,customer_id,plan_code,interval,interval_count,anchor,"
            "start_date,end_date",
            *(f"sub-{n},{CUSTOMER_ID.format(n)},plan,month,1,calendar,{since}," for n in ranks),
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def zone_of(rank: int) -> str:
    """The time zone of a customer, by its rank."""
    return TIME_ZONES[rank % len(TIME_ZONES)]


def name_spans(customers: int) -> pl.DataFrame:
    """Which subscription and period a name means, as a person would list it by hand.

    Nothing of `pipelines` is asked, so that the sides which use it are witnesses.

    Returns:
        One row per name and period: name, subscription_id, period_start_at and period_end_at in
        UTC, the end exclusive.
    """
    bounds = {
        zone: [label.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for label in MONTHS]
        for zone in TIME_ZONES
    }
    rows = []
    for number in range(1, customers + 1):
        rank = f"{number:05d}"
        starts = bounds[zone_of(number)]
        for start_at, end_at in pairwise(starts):
            for name in (CUSTOMER_ID.format(rank), ALIAS.format(rank)):
                rows.append((name, f"sub-{rank}", start_at, end_at))
    instant = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        rows,
        {
            "name": pl.String(),
            "subscription_id": pl.String(),
            "period_start_at": instant,
            "period_end_at": instant,
        },
        orient="row",
    )


def make_checkout(folder: Path) -> None:
    """Makes a checkout of today's code whose metrics are `METRICS`; an older one is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__", "target", "logs")
    shutil.copytree(REPOSITORY / "pipelines", folder / "pipelines", ignore=unwanted)
    shutil.copytree(DBT_PROJECT, folder / "dbt_project", ignore=unwanted)
    metrics = folder / "dbt_project" / "models" / "metrics"
    for path in metrics.iterdir():
        path.unlink()
    for code, options in METRICS.items():
        call = f"billable_metric(metric_code='{code}', description='{code}', {options})"
        text = f"{{{{ {call} }}}}\n"
        (metrics / f"metric_{code}.sql").write_text(text, encoding="utf-8")
