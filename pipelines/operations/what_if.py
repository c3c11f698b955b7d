"""What-if: what a metric would have counted, from the events of a home's lake.

Names, amendments and quantities go by the very SQL that bills: the models and macros of the dbt
project, rendered over the lake. Nothing is written.
"""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalog import calendar
from pipelines.catalog.catalog import Catalog
from pipelines.catalog.cells import YEARS
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.home import Home
from pipelines.lake.ducklake import quoted
from pipelines.lake.lake import Lake
from pipelines.periods.zones import local_midnight
from pipelines.preview.faults import CaseError
from pipelines.preview.kinds import aggregate
from pipelines.preview.usage_cases import EVENTS_MAX, CaseEvent, UsageCase
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.metric_files import MetricFile, read_metric_file
from pipelines.warehouse.metric_macros import model_sql

_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_ATTRIBUTED = {
    "stg_lake__accepted_events": "asked_events",
    "stg_calendar__customer_names": "customer_names_given",
    "stg_catalog__subscriptions": "subscriptions_given",
    "stg_calendar__auto_customer_sources": "auto_customer_sources_given",
}
_MATCHED = {"stg_lake__accepted_events": "amended_events"}
"""What stands for the models that the models of attribution and amendments read."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Period:
    """Local days, end exclusive."""

    start: date
    end: date


@dataclass(frozen=True)
class Unmetered:
    """Events without a value, of one reason.

    Attributes:
        reason: as in `fct_unmetered_events`.
        event_count: how many.
        example: path and line of the first of them.
    """

    reason: str
    event_count: int
    example: str


@dataclass(frozen=True)
class WhatIf:
    """What a metric would have counted for a customer.

    Attributes:
        metric_code: of the file.
        unit: of the quantities.
        customer_id: whose events were counted.
        time_zone: the customer's.
        start: of the period, in UTC.
        end: of the period, exclusive, in UTC.
        batch_id: the last batch of the lake that was read.
        result: as that of an `aggregate` answer of preview. In `unmetered`, `index` is the event's
            place among those that were read, beside its `path` and `line`.
        unmetered: the same events by reason, most first.
    """

    metric_code: str
    unit: str
    customer_id: str
    time_zone: str
    start: datetime
    end: datetime
    batch_id: int
    result: dict[str, Any]
    unmetered: list[Unmetered]

    def answer(self) -> dict[str, object]:
        """The `aggregate` answer, with what was asked beside it."""
        return {
            "id": self.metric_code,
            "kind": "aggregate",
            "ok": True,
            "result": self.result,
            "warnings": [],
            "metric_code": self.metric_code,
            "unit": self.unit,
            "customer_id": self.customer_id,
            "period": {
                "start": f"{self.start:%Y-%m-%dT%H:%M:%SZ}",
                "end": f"{self.end:%Y-%m-%dT%H:%M:%SZ}",
                "time_zone": self.time_zone,
            },
            "batch_id": self.batch_id,
        }


def read_period(text: str) -> Period:
    """A month `2026-03`, a day `2026-03-01`, or `2026-03-01..2026-03-08`, end exclusive.

    Raises:
        MeterlineError: the text is none of these, or the period is empty.
    """
    try:
        first, dots, last = text.partition("..")
        if dots:
            period = Period(_day(first), _day(last))
        elif month := _MONTH.fullmatch(text):
            start = date(int(month[1]), int(month[2]), 1)
            period = Period(start, (start + timedelta(days=31)).replace(day=1))
        else:
            start = _day(text)
            period = Period(start, start + timedelta(days=1))
        if period.start.year < YEARS[0] or (period.end - timedelta(days=1)).year > YEARS[1]:
            raise ValueError
    except (ValueError, OverflowError):
        raise MeterlineError(
            f"expected a month like 2026-03, a day like 2026-03-01 or days like "
            f"2026-03-01..2026-03-08 in the years {YEARS[0]} to {YEARS[1]}, found {text}; "
            "correct --period"
        ) from None
    if period.end <= period.start:
        raise MeterlineError(
            f"the end of {text} is not after its start, and is itself not counted; correct --period"
        )
    return period


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def what_if(settings: Settings, file: Path, customer_id: str, period_text: str) -> WhatIf:
    """What the metric of a file would have counted for a customer in a period.

    A customer is counted as a whole: all events that mean it, whichever subscription they name.
    An event that was amended counts as its last version, and a voided one not at all.

    Args:
        settings: of the home.
        file: of the metric; see `read_metric_file`.
        customer_id: one of the catalog.
        period_text: see `read_period`.

    Raises:
        MeterlineError: the file, the customer or the period is wrong, there is no lake, there are
            more events than preview takes, or the quantity is beyond what a bill can hold.
    """
    log = logging.getLogger("meterline")
    period, metric = read_period(period_text), read_metric_file(file)
    home = Home(settings)
    catalog = home.catalog()
    zone = require_customer(catalog, customer_id).time_zone
    start, end = (local_midnight(zone, day) for day in (period.start, period.end))
    if end <= start:
        raise MeterlineError(f"{period_text} has no time in {zone}; choose another --period")
    log.info("reading the events of %s", customer_id)
    with home.lake() as lake:
        batch_id = lake.last_batch_id()
        events = _events(lake, batch_id, catalog, customer_id, metric, start, end)
    if events.height > EVENTS_MAX:
        raise MeterlineError(_too_many(metric, customer_id))
    log.info("counting %d events", events.height)
    case = UsageCase(
        definition=metric.definition,
        events=[
            CaseEvent(row["occurred_at"], place, dict(row["properties"]), row["event_name"], None)
            for place, row in enumerate(events.iter_rows(named=True))
        ],
        bounds=(start, end, None, None),
        dedupes=False,
        level=None,
        windows=None,
        time_zone=zone,
    )
    result = aggregate.KIND.answer({0: case})[0]
    if isinstance(result, CaseError):
        raise MeterlineError(f"{file}, customer {customer_id}: {result}")
    places = events.select("path", "line")
    for each in result["unmetered"]:
        each |= dict(zip(("path", "line"), places.row(each["index"]), strict=True))
    return WhatIf(
        metric.code, metric.unit, customer_id, zone, start, end, batch_id, result,
        _by_reason(result["unmetered"]),
    )  # fmt: skip


def require_customer(catalog: Catalog, customer_id: str) -> Customer:
    """The customer of the catalog.

    Raises:
        MeterlineError: there is none of this id.
    """
    customers = catalog.tables[Customer]
    for customer in customers.where(pl.col("customer_id") == customer_id):
        return customer
    raise MeterlineError(
        f"there is no customer {customer_id} in customers.csv; name one of its "
        f"{customers.frame.height} customers by its customer_id"
    )


def _too_many(metric: MetricFile, customer_id: str) -> str:
    counted = (
        "the period and, as the metric is recurring, all time before it have"
        if metric.definition["recurring"]
        else "the period has"
    )
    return (
        f"{counted} more than {EVENTS_MAX} events of {customer_id} that the metric may count, and "
        "what-if takes no more; choose a shorter or earlier --period"
    )


def _events(
    lake: Lake,
    batch_id: int,
    catalog: Catalog,
    customer_id: str,
    metric: MetricFile,
    start: datetime,
    end: datetime,
) -> pl.DataFrame:
    """The events that mean a customer, in the order that breaks ties; one more than are taken."""
    names, subscriptions = calendar.names(catalog), catalog.frame(Subscription)
    is_own = pl.col("customer_id") == customer_id
    refs = {
        "customer_ref": names.filter(is_own)["name"].to_list(),
        "subscription_ref": subscriptions.filter(is_own)["subscription_id"].to_list(),
    }
    # What may mean the customer; the model of attribution says what does.
    offered = " OR ".join(_one_of(ref, texts) for ref, texts in refs.items() if texts)
    event_names = metric.definition["event_name"]
    asked = f"({offered})" + (f" AND {_one_of('event_name', event_names)}" if event_names else "")
    is_recurring = metric.definition["recurring"]
    return lake.query(
        _events_sql(asked),
        {
            "batch_id": batch_id,
            "customer_id": customer_id,
            "start_at": datetime.min.replace(tzinfo=UTC) if is_recurring else start,
            "end_at": end,
        },
        customer_names_given=names,
        subscriptions_given=subscriptions.select("subscription_id", "customer_id"),
        auto_customer_sources_given=pl.DataFrame(
            {"source": sorted(catalog.auto_customer_sources)}, {"source": pl.String()}
        ),
    )


def _events_sql(asked: str) -> str:
    """The SELECT of the events of a customer, each once, in its last version.

    Args:
        asked: SQL of a condition that all of them meet.
    """
    return f"""
        WITH known_events AS (
            SELECT * FROM lake.accepted_events WHERE batch_id <= $batch_id
        ),
        asked_events AS (
            SELECT * FROM known_events
            WHERE amendment IS DISTINCT FROM 'void'
                AND occurred_at >= $start_at AND occurred_at < $end_at AND {asked}
        ),
        amending AS (
            SELECT DISTINCT dedupe_scope, target_key FROM known_events WHERE amendment IS NOT NULL
        ),
        amended_events AS (
            SELECT * FROM known_events WHERE amendment IS NOT NULL
            UNION ALL
            SELECT known_events.* FROM known_events
            SEMI JOIN amending
                ON known_events.dedupe_scope = amending.dedupe_scope
                AND known_events.idempotency_key = amending.target_key
            WHERE known_events.amendment IS NULL
        ),
        attributed AS ({model_sql("int_events_attributed", _ATTRIBUTED)}),
        matched AS ({model_sql("int_amendments_matched", _MATCHED)}),
        replaced AS (
            SELECT target_file_id AS file_id, target_line AS line FROM matched
            WHERE target_file_id IS NOT NULL
            UNION ALL
            -- It waits for its target.
            SELECT file_id, line FROM matched WHERE target_file_id IS NULL
            UNION ALL
            SELECT file_id, line FROM matched WHERE target_file_id IS NOT NULL
            QUALIFY version_number
                < max(version_number) OVER (PARTITION BY target_file_id, target_line)
        )
        SELECT attributed.occurred_at, attributed.event_name, attributed.properties,
            landing_files.path, attributed.line
        FROM attributed
        ANTI JOIN replaced USING (file_id, line)
        JOIN lake.landing_files USING (file_id)
        WHERE attributed.customer_id = $customer_id
        ORDER BY file_id, line
        LIMIT {EVENTS_MAX + 1}
    """


def _one_of(column: str, texts: list[str]) -> str:
    """SQL: the column has one of the texts."""
    return f"{column} IN ({', '.join(map(quoted, texts))})"


def _by_reason(unmetered: list[dict[str, Any]]) -> list[Unmetered]:
    counts: dict[str, Unmetered] = {}
    for each in unmetered:
        first = counts.get(each["reason"])
        example = first.example if first else f"{each['path']}:{each['line']}"
        count = first.event_count + 1 if first else 1
        counts[each["reason"]] = Unmetered(each["reason"], count, example)
    return sorted(counts.values(), key=lambda found: -found.event_count)
