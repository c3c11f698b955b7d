"""Published: an immutable generation of the marts, once every check of the run has passed."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import dagster as dg
import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.defs.assets.landing import Landed
from pipelines.defs.dbt import ASSERTIONS
from pipelines.defs.resources import Writer
from pipelines.defs.shown import markdown_table
from pipelines.invoicing.chain import (
    BEFORE_THE_FIRST,
    GENESIS,
    Link,
    last_link,
    verify_chain,
)
from pipelines.lake.acts import last_numbers, links_from
from pipelines.lake.ducklake import attach_statements
from pipelines.vocabulary.errors import InvariantError
from pipelines.warehouse.descriptions import Description
from pipelines.warehouse.gate import current_inputs
from pipelines.warehouse.generations import ChainHead, Generation, GenerationFacts
from pipelines.warehouse.publish import CheckSummary, publish

_progress = logging.getLogger("meterline")

CHAIN_VERIFIED_EVERY = timedelta(days=1)
"""The time after which a run verifies the whole chain, not only the newly published links."""


def build_publication(
    marts: Sequence[dg.AssetKey], descriptions: Mapping[str, Description]
) -> dg.AssetsDefinition:
    """The asset `published_marts`, which comes after every mart of the dbt project.

    Args:
        marts: keys of the marts.
        descriptions: what is said of each mart, by table.
    """

    @dg.asset(group_name="9_published", deps=marts, kinds={"duckdb"})
    def published_marts(
        context: dg.AssetExecutionContext,
        landed_files: Landed,
        catalog: Catalog,
        writer: dg.ResourceParam[Writer],
    ) -> dg.MaterializeResult[None]:
        """An immutable generation of the marts, once every check of the run has passed."""
        return _publish(landed_files, catalog, writer, _checks_of_run(context), descriptions)

    return published_marts


def _publish(
    landed_files: Landed,
    catalog: Catalog,
    writer: Writer,
    checks: CheckSummary,
    descriptions: Mapping[str, Description],
) -> dg.MaterializeResult[None]:
    settings, facts = writer.settings, landed_files.facts
    before = writer.home.generation()
    verified = _verified_before(before, facts.listing_started_at)
    with writer.home.lake_for_writing() as lake:
        # The verified link is read too, because it must still be as it was.
        links = links_from(lake, verified.position)
        numbers = last_numbers(lake, verified.position)
        inputs = current_inputs(
            lake, settings.home, catalog, facts, leaves_due=landed_files.leaves_due
        )
        batch_id = lake.last_batch_id()
    published_head = before.chain_head.chain_sha256 if before else GENESIS
    broken = verify_chain(links, published_head, verified, numbers)
    if broken:
        raise InvariantError(
            f"{broken.sentence()}; nothing was published, so restore the home from a backup"
        )
    head = chain_head(
        last_link(links, verified),
        before.chain_head.verified_at if before and verified.position else facts.listing_started_at,
    )
    generation = publish(
        settings.published,
        settings.warehouse,
        attach_statements(writer.home.lake_catalog, settings.lake_data, read_only=True),
        GenerationFacts(
            as_of=facts.as_of,
            batch_id=batch_id,
            catalog_digest=catalog.digest,
            code_revision=facts.code_revision,
            inputs_digest=inputs.digest,
            chain_head=head,
        ),
        checks,
        descriptions,
        threads=settings.threads,
        memory_limit=settings.memory_limit,
    )
    _progress.info(f"published generation {generation.generation_id}")
    return dg.MaterializeResult(
        metadata={
            "generation": generation.generation_id,
            "checks_passed": generation.checks_passed,
            "marts": dg.MetadataValue.path(str(settings.published / generation.generation_id)),
            "rows": dg.MetadataValue.md(
                markdown_table(
                    pl.DataFrame(
                        {
                            "table": list(generation.tables),
                            "rows": list(generation.tables.values()),
                        }
                    )
                )
            ),
        }
    )


def chain_head(last: Link, verified_at: datetime | None) -> ChainHead:
    """The end of the chain.

    Args:
        last: its last link.
        verified_at: when the chain was last verified from its first link. None: no run said so.
    """
    return ChainHead(
        invoices=last.invoices,
        links=last.position,
        chain_sha256=last.chain_sha256,
        verified_at=verified_at,
    )


def _verified_before(before: Generation | None, now: datetime) -> Link:
    """The link up to which the chain need not be verified again.

    A generation is published only if its chain holds. Once a day the chain is still verified from
    its first link, so that a change to an old invoice is found.
    """
    if before is None or before.chain_head.verified_at is None:
        return BEFORE_THE_FIRST
    if now - before.chain_head.verified_at >= CHAIN_VERIFIED_EVERY:
        return BEFORE_THE_FIRST
    head = before.chain_head
    return Link(head.position, head.chain_sha256, head.invoices)


def _checks_of_run(context: dg.AssetExecutionContext) -> CheckSummary:
    records = context.instance.get_records_for_run(
        context.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    evaluations = [
        record.event_log_entry.get_dagster_event().asset_check_evaluation_data for record in records
    ]
    failed = (
        f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
        for evaluation in evaluations
        if not evaluation.passed
    )
    return CheckSummary(
        passed=sum(_claims(evaluation) for evaluation in evaluations if evaluation.passed),
        failed=tuple(failed),
    )


def _claims(evaluation: dg.AssetCheckEvaluation) -> int:
    """The number of assertions that the check stands for: those of a dbt test, or itself."""
    counted = evaluation.metadata.get(ASSERTIONS)
    return counted.value if isinstance(counted, dg.IntMetadataValue) and counted.value else 1
