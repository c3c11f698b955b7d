"""What metrics of all kinds keep from run to run, against a fresh count and against the witness."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from json import dumps
from typing import Any

import polars as pl

from pipelines.warehouse.metric_macros import metric_definition, valued_events_sql
from pipelines.warehouse.recount import recount
from tests.worlds.book_runs import BookHome
from tests.worlds.compiled_dbt import CompiledDbt, compiled_nodes, kept_models, kept_statements
from tests.worlds.dbt_macros import macro_sql, metric_macros
from tests.worlds.kept_states import kept_rows, require_same
from witness.events import Event, Metric, matches, valued_of
from witness.expressions import Nothing
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
    "sum_rounded": {"aggregation": "sum", "value": "bytes / 3", "fraction_digits": 2,
                    "round_values": True, "group_by": ["status"]},
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


@dataclass(frozen=True)
class Asked:
    """A grouping that a charge asks for.

    Attributes:
        group_by: its properties, sorted.
        missing: the value of a group that lacks one; None: it stays apart.
        filters: as a charge has them.
        rules: the same, as a metric has them.
    """

    group_by: tuple[str, ...]
    missing: str | None = None
    filters: str = ""
    rules: tuple[tuple[str, object], ...] = ()

    @property
    def columns(self) -> str:
        """SQL of the columns that `int_groupings_asked` has of it."""
        return _columns_asked(self.group_by, self.missing, self.filters)

    def takes(self, event: Event) -> bool:
        """Whether an event is in the part that is asked for."""
        return matches(Metric("count", filters=dict(self.rules)), event)

    def grouped(self, event: Event) -> Event:
        """The event with the value of properties that it lacks."""
        filled = {name: event.properties.get(name, self.missing) for name in self.group_by}
        known = {name: text for name, text in filled.items() if text is not None}
        return replace(event, properties={**event.properties, **known})


@cache
def _columns_asked(group_by: tuple[str, ...], missing: str | None, filters: str) -> str:
    # Macros are rendered anew for each call.
    macros = metric_macros()
    names, text = macros.sql_text_list(list(group_by)), macros.sql_text(missing)
    conditions = macros.conditions_of(macros.sql_text(filters))
    key = macros.grouping_key(names, text, conditions)
    return (
        f"{key} AS grouping_key, {names} AS group_by, {text} AS missing_dimension, "
        f"{conditions} AS conditions"
    )


def asked_of(code: str) -> list[Asked]:
    """Groupings of one of `KINDS`, beside the finest one, which stands first."""
    finest = tuple(sorted(KINDS[code].get("group_by", ())))
    if not finest:
        return [Asked(finest)]
    return [
        Asked(finest),
        Asked(finest, "404"),
        Asked((), None, "status=200", (("status", "200"),)),
        Asked(finest[-1:], "none", "status!=200", (("status", {"not_in": ["200"]}),)),
    ]


_COLUMNS = (
    "batch_id", "file_id", "line", "source", "customer_id", "customer_ref", "subscription_ref",
    "occurred_at", "received_at", "properties as dimensions",
)  # fmt: skip

_KEPT = "warehouse.states."


@cache
def definition(code: str) -> dict[str, Any]:
    """The definition of one of `KINDS`, as the model of a metric has it."""
    found = metric_definition(KINDS[code])
    assert not found["faults"], found["faults"]
    return found | {"metric_code": code, "is_joined": False}


class KeptHome(BookHome):
    """A home whose runs also keep the usage of some metrics, and compare it with other counts.

    Attributes:
        codes: those of `KINDS` that are kept.
        draw: says which metrics are counted by the witness, and after which statement a run breaks
            off before it begins anew.
        witnessed: the share of counts that are compared with those of the witness.
        compared: how many quantities were compared with the witness so far.
    """

    def __init__(self, codes: Sequence[str], draw: random.Random, witnessed: float = 0.4) -> None:
        super().__init__()
        self.codes, self.draw, self.witnessed, self.compared = codes, draw, witnessed, 0

    def _drafted_by_dbt(self, dbt: CompiledDbt, *rest: Any) -> Any:
        drafted = super()._drafted_by_dbt(dbt, *rest)
        self._keep(dbt)
        recount(self.lake._connection).require_equal()
        kept, fresh = (kept_rows(dbt.tuples, f"warehouse.{name}") for name in ("states", "fresh"))
        require_same(kept, fresh)
        for code in self.codes:
            if self.draw.random() < self.witnessed:
                events = _events(dbt, code)
                periods = dbt.rows("SELECT * FROM warehouse.attribution.int_periods_united")
                for asked in asked_of(code):
                    counted = {(row[:3], row[3:]) for row in _counted(dbt, code, asked)}
                    by_hand = set(_by_hand(events, periods, code, asked))
                    _same(f"{code} by {asked}", counted, by_hand)
                    self.compared += len(counted)
        return drafted

    def _keep(self, dbt: CompiledDbt) -> None:
        """Brings what is kept up to the run, and counts all of it anew beside it."""
        metrics = [definition(code) for code in self.codes]
        models, texts = kept_models(), {"int_events_attributed": ""}
        models["int_groupings_asked"] = _ask(dbt, self.codes, models)
        for metric in metrics:
            name = f"metric_{metric['metric_code']}"
            texts[name] = valued_events_sql(metric, "events_attributed", list(_COLUMNS))
            models[name] = f'warehouse.metrics."{name}"'
            dbt.execute(
                f"CREATE OR REPLACE VIEW {models[name]} AS WITH events_attributed AS "
                f"(SELECT * FROM warehouse.attribution.int_events_attributed) {texts[name]}"
            )
        statements = kept_statements(metrics, models, texts, has_counts=False)
        if self.draw.random() < 0.3:
            for statement in statements[: self.draw.randrange(1, len(statements) - 1)]:
                dbt.execute(statement)
            dbt.execute("ROLLBACK")
        for statement in statements:
            dbt.execute(statement)
        dbt.execute("DROP SCHEMA IF EXISTS warehouse.fresh CASCADE")
        of_product = [each for node in compiled_nodes() for each in node.statements]
        for statement in (macro_sql("kept_tables()"), *of_product, *statements):
            dbt.execute(statement.replace("warehouse.states", "warehouse.fresh"))


def _same(code: str, found: set[Any], expected: set[Any]) -> None:
    extra, missing = sorted(map(repr, found - expected)), sorted(map(repr, expected - found))
    assert (extra, missing) == ([], []), f"{code}: extra {extra[:3]}, missing {missing[:3]}"


def _ask(dbt: CompiledDbt, codes: Sequence[str], models: Mapping[str, str]) -> str:
    """A relation by which all groupings of these metrics are asked for, in every period."""
    relation = 'warehouse.metrics."groupings_asked"'
    of_metrics = " UNION ALL ".join(
        f"SELECT '{code}' AS metric_code, {asked.columns}"
        for code in codes
        for asked in asked_of(code)
    )
    dbt.execute(
        f"CREATE OR REPLACE VIEW {relation} AS SELECT * FROM {models['int_groupings_asked']} "
        "UNION ALL BY NAME SELECT invoice_id, subscription_id, of_metrics.* "
        f"FROM {models['int_periods_united']} CROSS JOIN ({of_metrics}) AS of_metrics"
    )
    return relation


def _counted(dbt: CompiledDbt, code: str, asked: Asked) -> list[Any]:
    return dbt.rows(
        f"""
        SELECT subscription_id, invoice_id, group_key, quantity, event_count,
            first_occurred_at, last_occurred_at
        FROM {_KEPT}"usage_{code}" INNER JOIN (SELECT {asked.columns}) USING (grouping_key)
        WHERE subscription_id IS NOT NULL AND NOT is_late AND version_reason IS NULL
            AND unmetered_reason IS NULL
        """
    ).rows()


def _events(dbt: CompiledDbt, code: str) -> dict[str, list[dict[str, Any]]]:
    """The events of a metric that each subscription has."""
    view = f'warehouse.metrics."metric_{code}"'
    resolved = metric_macros().resolved_events(code, view, kept_models())
    events = defaultdict[str, list[dict[str, Any]]](list)
    for row in dbt.rows(f"SELECT * FROM ({resolved})").iter_rows(named=True):
        if row["subscription_id"] and row["version_reason"] is None:
            events[row["subscription_id"]].append(row)
    return events


def _by_hand(
    events: Mapping[str, Sequence[Mapping[str, Any]]],
    periods: pl.DataFrame,
    code: str,
    asked: Asked,
) -> Iterator[tuple[Any, Any]]:
    """What the witness counts of the events of each subscription, in each of its periods."""
    metric = Metric(**{**KINDS[code], "group_by": asked.group_by})
    for period in periods.iter_rows(named=True):
        rows = events.get(period["subscription_id"], ())
        entering = [_event(row) for row in rows if _enters(row, period, periods)]
        known = [asked.grouped(event) for event in entering if asked.takes(event)]
        span = Span(
            period["period_start_at"], period["period_end_at"], period["full_start_at"],
            period["full_end_at"], period["time_zone"],
        )  # fmt: skip
        there = {key for key, at in _groups(metric, known) if _counts(metric, at, span)}
        for each in usage(metric, known, span)[0]:
            group = _group_key(each.group)
            if group in there:
                yield (
                    (period["subscription_id"], period["invoice_id"], group),
                    (each.quantity, each.event_count, each.first_occurred_at,
                     each.last_occurred_at),
                )  # fmt: skip


def _groups(metric: Metric, events: Sequence[Event]) -> Iterator[tuple[str, datetime]]:
    """The group and instant of each event that has a value."""
    for event in events:
        if matches(metric, event) and not isinstance(valued_of(metric, event), Nothing):
            group = {name: event.properties.get(name) for name in metric.group_by}
            yield _group_key(group), event.occurred_at


def _counts(metric: Metric, at: datetime, span: Span) -> bool:
    return at < span.end and (metric.recurring or at >= span.start)


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
    place = row["file_id"] * 1_000_000 + row["line"]
    return Event(row["occurred_at"], place, dict(row["dimensions"]), "http_request")


def _group_key(group: Mapping[str, str | None]) -> str:
    return dumps({name: group[name] for name in sorted(group)}, separators=(",", ":"))
