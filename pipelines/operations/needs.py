"""Needs: what in a home a person must look at, for cron and probes.

The bounds are those of the alarms. A run alarms about what it found. A probe also finds that no run
came, or that every run failed.
"""

from pipelines.home import Home
from pipelines.lake.writer_lock import last_holder
from pipelines.landing.discovery import is_harmless
from pipelines.operations.report import HomeReport
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.visible import visible


def needs_of(report: HomeReport, home: Home) -> list[str]:
    """What needs a person, a sentence each; none when all is well.

    Args:
        report: of the home, as it is now.
        home: the same home.
    """
    settings = home.settings
    needs = []
    waiting = [*report.held, *report.quarantined]
    if len(waiting) > settings.alarm_waiting_files:
        files = counted(len(waiting), "file is", "files are")
        needs.append(
            f"{files} held or unreadable, the first is {visible(waiting[0].path)}; "
            "`meterline status` says what to do"
        )
    oldest = report.oldest_undecided
    if oldest and oldest.age_seconds > settings.alarm_undecided_hours * 3600:
        age = counted(oldest.age_seconds // 3600, "hour")
        needs.append(
            f"{visible(oldest.path)} has waited for {age} to be decided; `meterline run` takes in "
            "what has landed"
        )
    strange = [each for each in report.not_read if not is_harmless(each.reason)]
    if strange:
        objects = counted(len(strange), "object of the landing is", "objects of the landing are")
        needs.append(
            f"{objects} not read, the first is {visible(strange[0].path)}: "
            f"{visible(strange[0].reason)}"
        )
    return [*needs, *_unfinished(home)]


def _unfinished(home: Home) -> list[str]:
    """What a run left behind that did not come to its end, unless one is at work now."""
    holder = last_holder(home.settings.writer_lock)
    if holder is not None and holder.is_alive:
        return []
    if holder is not None:
        return [f"run {holder.run_id} was killed; `meterline run` goes on where it stopped"]
    if not home.has_lake:
        return []
    with home.lake() as lake:
        batch_id = lake.last_batch_id("decide")
    generation = home.generation()
    if not batch_id or (generation is not None and generation.batch_id >= batch_id):
        return []
    return [
        f"batch {batch_id} is decided and was never published; `meterline run` says what keeps it "
        "back"
    ]
