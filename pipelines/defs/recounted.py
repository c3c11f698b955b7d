"""Recounted: the check that a sample of names is counted as what metrics keep of them.

It runs after dbt's first phase and before the drafts are closed.
"""

from collections.abc import Iterator

import dagster as dg

from pipelines.defs.resources import Writer
from pipelines.defs.shown import in_own_words
from pipelines.lake.ducklake import attach_statements
from pipelines.vocabulary.visible import visible
from pipelines.warehouse.recount import EVENTS_MAX, NAMES_PER_METRIC, recounted

KEPT_USAGE = dg.AssetKey(["metering", "int_usage_kept"])
"""What metrics keep from run to run; whatever must wait for the check depends on it."""

CHECK = "a_sample_of_names_is_counted_as_it_is_kept"


@dg.multi_asset_check(
    name="recounted_sample",
    specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=KEPT_USAGE,
            description=(
                f"{NAMES_PER_METRIC} names of each metric, other ones after each batch and none "
                f"with more than {EVENTS_MAX:,} events, are counted anew from the lake: what is "
                "kept of them is the same, and no event is in a metric twice."
            ),
            blocking=True,
        )
    ],
)
def recounted_sample(writer: dg.ResourceParam[Writer]) -> Iterator[dg.AssetCheckResult]:
    """A sample of names, counted anew from the lake."""
    settings = writer.settings
    found = recounted(
        attach_statements(writer.home.lake_catalog, settings.lake_data, read_only=True),
        settings.warehouse,
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
    said = [*(each.sentence for each in found.differences), *found.repeated]
    yield dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=KEPT_USAGE,
        passed=not said,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "names": found.names,
            "events": found.events,
            "differences": len(found.differences),
            "events_not_once": len(found.repeated),
        }
        | ({"sample": visible(said[0])} if said else {}),
    )
    with in_own_words():
        found.require_equal()
