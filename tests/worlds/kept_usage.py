"""What metrics of all kinds keep from run to run, against a fresh count and against the witness."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import cache
from typing import Any

import polars as pl

from pipelines.warehouse.metric_macros import metric_definition, valued_events_sql
from tests.worlds.book_runs import BookHome
from tests.worlds.compiled_dbt import CompiledDbt, kept_models, kept_statements
from tests.worlds.dbt_macros import macro_sql, metric_macros
from witness.events import Event, Metric
from witness.metrics import Span, usage

KINDS: Mapping[str, Mapping[str, Any]] = {
    "count": {"aggregation": "count", "group_by": ["status"]},
    "sum": {"aggregation": "sum", "value": "bytes", "group_by": ["method", "status"]},
    "sum_recurring": {"aggregation": "sum", "value": "bytes - 5", "recurring": True},
    "sum_days": {"aggregation": "sum", "value": "bytes", "by_days": True},
    "sum_days_recurring": {"aggregation": "sum", "value": "bytes", "by_days": True,
                           "recurring": True, "group_by": ["status"]},
    "min": {"aggregation": "min", "value": "bytes", "group_by": ["status"]},
    "max_recurring": {"aggregation": "max", "value": "bytes", "recurring": True},
    "average": {"aggregation": "average", "value": "bytes"},
    "latest": {"aggregation": "latest", "value": "bytes"},
    "latest_recurring": {"aggregation": "latest", "value": "bytes", "recurring": True,
                         "group_by": ["status"]},
    "unique": {"aggregation": "unique_count", "value": "bytes", "group_by": ["status"]},
    "unique_operation": {"aggregation": "unique_count", "value": "bytes", "operation": "op",
                         "recurring": True},
    "unique_days": {"aggregation": "unique_count", "value": "bytes", "operation": "op",
                    "recurring": True, "by_days": True},
    "weighted": {"aggregation": "weighted_sum", "value": "bytes"},
    "weighted_recurring": {"aggregation": "weighted_sum", "value": "bytes - 3",
                           "recurring": True},
    "levels": {"aggregation": "weighted_sum", "value": "bytes", "values": "levels",
               "recurring": True, "group_by": ["status"]},
    "percentile": {"aggregation": "percentile", "percentile": "50", "value": "bytes"},
    "hours": {"aggregation": "max", "value": "bytes", "bucket": "hour", "bucket_by": ["status"]},
    "days": {"aggregation": "sum", "value": "bytes", "bucket": "day", "combine": "percentile",
             "percentile": "95", "empty_buckets": "zero"},
    "weighted_hours": {"aggregation": "weighted_sum", "value": "bytes", "bucket": "6 hours",
                       "combine": "average", "group_by": ["status"]},
}  # fmt: skip
"""Options of metrics by their codes: each aggregation, and what changes its state."""

_COLUMNS = ("batch_id", "file_id", "line", "source", "customer_id", "customer_ref",
            "subscription_ref", "occurred_at", "received_at", "properties as dimensions")  # fmt: skip

_KEPT, _FRESH = "warehouse.states.", "warehouse.fresh."


@cache
def definition(code: str) -> dict[str, Any]:
    """The definition of one of `KINDS`, as the model of a metric has it."""
    found = metric_definition(KINDS[code])
    assert not found["faults"], found["faults"]
    return found | {"metric_code": code, "is_joined": False}


class KeptHome(BookHome):
    """A home whose runs also keep the usage of `KINDS`, and compare it with two other counts."""

    compared = 0
    codes = tuple(KINDS)
    draw = random.Random(1)

    def _drafted_by_dbt(self, dbt: CompiledDbt, *rest: Any) -> Any:
        drafted = super()._drafted_by_dbt(dbt, *rest)
        keep(dbt, self.codes)
        for code in self.codes:
            fresh = _usage_of(dbt, code, _FRESH)
            kept = _usage_of(dbt, code, _KEPT)
            assert kept == fresh, (code, _difference(kept, fresh))
            if definition(code)["traits"]["daily"]:
                days, fresh_days = _days_of(dbt, code, _KEPT), _days_of(dbt, code, _FRESH)
                assert days == fresh_days, (code, _difference(days, fresh_days))
            if self.draw.random() < 0.3:
                continue
            counted = {row[:3]: row[3:] for row in _counted(dbt, code)}
            by_hand = dict(_by_hand(dbt, code))
            assert counted == by_hand, (code, _difference(counted.items(), by_hand.items()))
            self.compared += len(counted)
        return drafted


def keep(dbt: CompiledDbt, codes: Sequence[str]) -> None:
    """Brings what metrics keep up to the run, and counts all of it anew beside it."""
    metrics = [definition(code) for code in codes]
    models, texts = kept_models(), {"int_events_attributed": ""}
    for metric in metrics:
        code = metric["metric_code"]
        text = valued_events_sql(metric, "events_attributed", list(_COLUMNS))
        texts[f"metric_{code}"] = text
        models[f"metric_{code}"] = f'warehouse.metrics."metric_{code}"'
        dbt.execute(
            f'CREATE OR REPLACE VIEW warehouse.metrics."metric_{code}" AS WITH events_attributed '
            f"AS (SELECT * FROM warehouse.attribution.int_events_attributed) {text}"
        )
    statements = kept_statements(metrics, models, texts, has_counts=False)
    for schema in (_KEPT, _FRESH):
        if schema == _FRESH:
            dbt.execute("DROP SCHEMA IF EXISTS warehouse.fresh CASCADE")
        for statement in (macro_sql("kept_tables()"), *statements):
            dbt.execute(statement.replace(_KEPT, schema).replace(" warehouse.states;", " warehouse.fresh;")
                        if schema == _FRESH else statement)


def _usage_of(dbt: CompiledDbt, code: str, schema: str) -> set[Any]:
    return set(map(repr, dbt.rows(f'SELECT * FROM {schema}"usage_{code}"').rows()))


def _days_of(dbt: CompiledDbt, code: str, schema: str) -> set[Any]:
    rows = dbt.rows(
        f"""
        SELECT slots.* EXCLUDE (slot_id, first_occurred_at, last_occurred_at),
            days.* EXCLUDE (slot_id)
        FROM {schema}"days_{code}" AS days JOIN {schema}"slots_{code}" AS slots USING (slot_id)
        """
    ).rows()
    return set(map(repr, rows))


def _counted(dbt: CompiledDbt, code: str) -> list[Any]:
    finest = sorted(KINDS[code].get("group_by", ()))
    return dbt.rows(
        f"""
        SELECT subscription_id, invoice_id, group_key, quantity, event_count,
            first_occurred_at, last_occurred_at
        FROM {_KEPT}"usage_{code}"
        WHERE subscription_id IS NOT NULL AND NOT is_late AND version_reason IS NULL
            AND unmetered_reason IS NULL
            AND json_array_length(grouping_key) = {len(finest)}
        """
    ).rows()


def _by_hand(dbt: CompiledDbt, code: str) -> Iterator[tuple[Any, Any]]:
    """What the witness counts of the events of each subscription, in each of its periods."""
    metric = Metric(**KINDS[code])
    models = kept_models()
    resolved = metric_macros().resolved_events(code, f'warehouse.metrics."metric_{code}"', models)
    events = defaultdict[str, list[dict[str, Any]]](list)
    for row in dbt.rows(f"SELECT * FROM ({resolved})").iter_rows(named=True):
        if row["subscription_id"] and row["version_reason"] is None:
            events[row["subscription_id"]].append(row)
    periods = dbt.rows("SELECT * FROM warehouse.attribution.int_periods_united")
    for period in periods.iter_rows(named=True):
        own = [_event(row) for row in events[period["subscription_id"]] if _enters(row, period, periods)]
        span = Span(period["period_start_at"], period["period_end_at"], period["full_start_at"],
                    period["full_end_at"], period["time_zone"])  # fmt: skip
        for each in usage(metric, own, span)[0]:
            is_there = each.event_count or (metric.recurring and own and _occurs(metric, own, each, span))
            if is_there:
                key = (period["subscription_id"], period["invoice_id"], _group_key(each.group))
                yield key, (each.quantity, each.event_count, each.first_occurred_at,
                            each.last_occurred_at)  # fmt: skip


def _occurs(metric: Metric, events: list[Event], found: Any, span: Span) -> bool:
    """Whether a group had a valued event before the end of the period."""
    ever = Metric("count", metric.value, group_by=metric.group_by, operation=None)
    whole = Span(datetime(1, 1, 1, tzinfo=span.start.tzinfo), span.end, span.start, span.end)
    return any(
        each.group == found.group and each.event_count
        for each in usage(ever, [e for e in events if e.properties.get("op") in (None, "add", "remove")
                                 or not metric.operation], whole)[0]
    )  # fmt: skip


def _enters(row: Mapping[str, Any], period: Mapping[str, Any], periods: pl.DataFrame) -> bool:
    """Whether a period knows the event: late ones enter later periods by their due cut."""
    if not row["is_late"]:
        return True
    own = periods.row(by_predicate=pl.col("invoice_id") == row["invoice_id"], named=True)
    return bool(
        own["late_usage_policy"] == "adjust"
        and own["period_index"] < period["period_index"]
        and row["due_cut_at"] is not None
        and row["due_cut_at"] <= period["cut_at"]
    )


def _event(row: Mapping[str, Any]) -> Event:
    properties = dict(row["dimensions"]) if isinstance(row["dimensions"], list) else row["dimensions"]
    place = row["file_id"] * 1_000_000 + row["line"]
    return Event(row["occurred_at"], place, _properties(properties), "http_request")


def _properties(found: Any) -> dict[str, str]:
    if isinstance(found, Mapping):
        return dict(found)
    return {each["key"]: each["value"] if isinstance(each, Mapping) else each for each in found}


def _group_key(group: Mapping[str, str | None]) -> str:
    import json

    return json.dumps({name: group[name] for name in sorted(group)}, separators=(",", ":"))


def _difference(found: Any, expected: Any) -> str:
    found, expected = set(found), set(expected)
    return f"extra {sorted(map(repr, found - expected))[:3]}, missing {sorted(map(repr, expected - found))[:3]}"
