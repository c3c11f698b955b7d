"""Homes of the sample's catalog that take in a small landing, as a run does without Dagster."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipelines.home import Home
from pipelines.intake.kinds import Kind, NewFiles, Tools
from pipelines.lake.run_facts import RunFacts
from pipelines.settings import Settings
from tests.worlds.file_lines import event_line

LISTED_AT = datetime(2015, 5, 18, tzinfo=UTC)


def home_with_landing(folder: Path) -> Home:
    """A home, and an empty landing beside it."""
    landing = folder.parent / "landing"
    landing.mkdir(exist_ok=True)
    return Home(Settings(home=folder, landing=str(landing)))


def usage(key: str, **others: object) -> bytes:
    """A line of the sample's sender about 17 May 2015, 10:00."""
    fields = {"timestamp": "2015-05-17T10:00:00Z", "customer_id": "www"} | others
    return event_line(transaction_id=key, **fields) + b"\n"


def drop(home: Home, hour: int, name: str, content: bytes) -> str:
    """Its path below the landing, once the file is there as of an hour of 17 May 2015."""
    path = f"cdn_logs/2015/05/17/{hour:02d}/{name}.ndjson"
    target = Path(home.settings.landing) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return path


def take_in(home: Home, kind: Kind | None = None) -> int:
    """The newest batch, once the landing (or what the kind names) is decided and committed."""
    settings, catalog = home.settings, home.catalog()
    facts = RunFacts(LISTED_AT, LISTED_AT, catalog.digest, catalog.files, "1" * 64)
    with home.lake_for_writing() as lake:
        tools = Tools(
            lake=lake,
            index=home.window_index(),
            landing=home.landing(),
            sources=catalog.sources,
            cuts_until=partial(home.refusal_cuts, lake, catalog),
            staging=settings.staging,
            batch_bytes=settings.batch_bytes,
            listed_at=LISTED_AT,
            threads=1,
            hold=home.hold_rule,
        )
        plan = (kind or NewFiles()).plan(tools)
        plan.decide(tools, plan.parse(tools), facts)
        tools.index.bring_up(lake)
        return lake.last_batch_id()
