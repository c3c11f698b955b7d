"""The idle run: whether a run would find nothing to do, seen without loading Dagster.

A scheduler that asks every minute pays this much and no more. Whatever is not plainly in order, an
error included, is left to a whole run, which says it in the UI.
"""

from pipelines.home import Home
from pipelines.lake.file_checks import is_any_unchecked
from pipelines.lake.file_states import file_states, unread_files
from pipelines.lake.run_facts import RunFacts, choose_as_of, code_revision
from pipelines.lake.writer_lock import last_holder
from pipelines.operations import attention
from pipelines.operations.listed import Listed, list_landing
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse import gate


def idle_listing(settings: Settings, as_of: str | None) -> Listed | None:
    """The landing as it was just listed, if a run has nothing to do; None when one is due.

    A run has nothing to do when it would take in, close and publish nothing, and has nothing to
    alarm about.

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
        return None
    try:
        return _idle_listing(Home(settings), as_of)
    except MeterlineError:
        return None


def _idle_listing(home: Home, as_of: str | None) -> Listed | None:
    settings, generation = home.settings, home.generation()
    if generation is None or home.damage_of_marts():
        return None
    with home.lake() as lake:
        if is_any_unchecked(lake):
            return None
        listed = list_landing(home, lake)
        if listed.pending().height or unread_files(file_states(lake)).height:
            return None
        upload = attention.oldest_upload(listed.discovery.unfinished, listed.listed_at)
        if upload and upload.age_seconds > settings.alarm_undecided_hours * 3600:
            return None
        catalog = listed.catalog
        facts = RunFacts(
            as_of=choose_as_of(as_of, listed.listed_at, gate.last_as_of(lake, settings.published)),
            listing_started_at=listed.listed_at,
            catalog_digest=catalog.digest,
            catalog_files=catalog.files,
            code_revision=code_revision(),
        )
        inputs = gate.current_inputs(lake, settings.home, catalog, facts)
    return listed if generation.inputs_digest == inputs.digest else None
