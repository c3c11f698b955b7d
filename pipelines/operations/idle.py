"""The idle run: whether a run would find nothing to do, seen without loading Dagster.

Belongs here: the question, asked of the landing, the catalog and the lake. Must not be put
here: what a run does. A scheduler that asks every minute pays this much and no more; whatever
is not plainly in order, an error included, is left to a whole run, which says it in the UI.
"""

from datetime import UTC, datetime

from pipelines.home import Home
from pipelines.intake import batch
from pipelines.lake.file_states import file_states
from pipelines.lake.run_facts import RunFacts, choose_as_of, code_revision
from pipelines.lake.writer_lock import last_holder
from pipelines.operations import attention
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse import gate


def finds_nothing(settings: Settings, as_of: str | None) -> bool:
    """True if a run would take in, close and publish nothing, and has nothing to alarm about.

    Args:
        settings: of the home.
        as_of: instant the run would speak for, RFC 3339; None is the present.
    """
    is_clean = (
        Home(settings).has_lake
        and last_holder(settings.writer_lock) is None
        and not any(settings.staging.glob("*"))
    )
    if not is_clean:
        return False
    try:
        return _finds_nothing(settings, as_of)
    except MeterlineError:
        return False


def _finds_nothing(settings: Settings, as_of: str | None) -> bool:
    home = Home(settings)
    generation = home.generation()
    if generation is None:
        return False
    catalog = home.catalog()
    listing_started_at = datetime.now(UTC)
    with home.lake() as lake:
        plan = batch.plan(
            lake,
            home.landing(),
            catalog.sources,
            settings.staging,
            settings.batch_bytes,
            listing_started_at,
        )
        if plan.discovery.files.height:
            return False
        if any(attention.waiting_files(lake, file_states(lake, plan.undecided())).values()):
            return False
        facts = RunFacts(
            as_of=choose_as_of(
                as_of, listing_started_at, gate.last_as_of(lake, settings.published)
            ),
            listing_started_at=listing_started_at,
            catalog_digest=catalog.digest,
            catalog_files=catalog.files,
            code_revision=code_revision(),
        )
        inputs = gate.current_inputs(lake, settings.home, catalog, facts)
    return generation.inputs_digest == inputs.digest
