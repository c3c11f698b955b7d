"""Alarms: sent when a run passes a bound of the settings, or when one of its steps fails.

They are part of the job, so they work however the run was launched: by the command line, the UI or
a sensor.
"""

import logging
from typing import Any

import dagster as dg
import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.defs.assets.events import EVENT_TABLES
from pipelines.defs.assets.landing import Landed
from pipelines.defs.resources import Writer
from pipelines.lake.file_states import file_states, unread_files, verdict_counts
from pipelines.operations import attention
from pipelines.operations.alarms import (
    RunSigns,
    bounds_payload,
    failure_payload,
    passed_bounds,
    send,
)
from pipelines.vocabulary.failures import failure_sentence

_progress = logging.getLogger("meterline")

_SUMMED = ("lines", "blank", "not_usage", "rejected", "conflict")


@dg.asset(
    group_name="3_events",
    kinds={"python"},
    deps=[dg.AssetKey(["lake", table]) for table in EVENT_TABLES],
)
def alarms(
    landed_files: Landed, catalog: Catalog, writer: dg.ResourceParam[Writer]
) -> dg.MaterializeResult[None]:
    """The counts of the run, compared with the bounds of the settings; it never fails a run."""
    settings, facts = writer.settings, landed_files.facts
    signs = signs_of(landed_files, catalog.sources, writer)
    passed = passed_bounds(signs, settings)
    delivery = "nothing to tell"
    if passed:
        for alarm in passed:
            _progress.warning(f"alarm: {alarm.sentence}")
        delivery = send(
            settings, bounds_payload(settings, writer.run_id, facts.as_of, signs, passed)
        )
        if delivery != "off":
            _progress.info(delivery)
    return dg.MaterializeResult(
        metadata={
            "alarms": dg.MetadataValue.json([alarm.sentence for alarm in passed]),
            "delivery": delivery,
        }
    )


def signs_of(landed: Landed, sources: pl.DataFrame, writer: Writer) -> RunSigns:
    """The counts of the run that bounds exist for; expected conflicts are not counted."""
    with writer.home.lake_for_writing() as lake:
        batch_id = lake.last_batch_id("decide")
        states = file_states(lake, landed.pending())
        took_in = landed.plan.listing.files.height > 0
        counts = verdict_counts(lake, batch_id) if took_in else None
    if counts is not None:
        calm = sources.filter("conflicts_expected")["source"]
        is_expected = pl.col("source").is_in(calm.implode())
        counts = counts.with_columns(
            pl.when(is_expected).then(0).otherwise(pl.col("conflict")).alias("conflict")
        )
    sums: dict[str, int] = (
        {} if counts is None else {name: int(counts[name].sum()) for name in _SUMMED}
    )
    oldest = attention.oldest_undecided(states, landed.facts.as_of)
    discovery = landed.plan.listing.discovery
    upload = attention.oldest_upload(discovery.unfinished, landed.facts.listing_started_at)
    return RunSigns(
        batch_id=batch_id,
        lines=sums.get("lines", 0) - sums.get("blank", 0) - sums.get("not_usage", 0),
        refused=sums.get("rejected", 0) + sums.get("conflict", 0),
        conflicts=sums.get("conflict", 0),
        waiting_files=unread_files(states).height,
        undecided_seconds=oldest.age_seconds if oldest else 0,
        undecided_path=oldest.path if oldest else None,
        unclaimed_files=discovery.waiting.height,
        unfinished_seconds=upload.age_seconds if upload else 0,
        unfinished_path=upload.path if upload else None,
    )


@dg.failure_hook(required_resource_keys={"writer"})
def tell_failure(context: dg.HookContext) -> None:
    """Sends an alarm when a step fails; it never fails a run itself."""
    writer: Writer = context.resources.writer
    cause: Any = context.op_exception
    while getattr(cause, "__cause__", None) is not None:
        cause = cause.__cause__
    delivery = send(
        writer.settings,
        failure_payload(writer.settings, context.run_id, context.op.name, failure_sentence(cause)),
    )
    if delivery != "off":
        _progress.info(delivery)
