"""Events that an earlier Meterline accepted are still the same events."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.landing.store import Landing
from pipelines.vocabulary.frames import REFUSAL_CUTS, SOURCES
from tests.worlds.lakes import OLD_LAKES, copy_old_lake, decide_landing, open_lake

SOURCE = {
    "source": "cdn_logs",
    "dialect": "metronome",
    "dedupe_scope": "cdn_logs",
    "dedupe_window": timedelta(days=34),
    "max_lateness": timedelta(days=33),
    "future_skew": timedelta(days=1),
    "received_at_from": "last_modified",
}


def test_a_line_delivered_again_after_the_upgrade_is_a_duplicate(tmp_path: Path) -> None:
    old = sorted((OLD_LAKES / "landing").rglob("*.ndjson"))[0].read_text().splitlines()[:4]
    lines = [
        text
        for event in map(json.loads, old)
        for text in (
            json.dumps(event),
            # A null property is no property, so this is the same event too.
            json.dumps(event | {"properties": event["properties"] | {"note": None}}),
        )
    ]
    again = tmp_path / "landing" / "cdn_logs" / "again.ndjson"
    again.parent.mkdir(parents=True)
    again.write_text("\n".join(lines))
    received = datetime(2015, 5, 20, tzinfo=UTC).timestamp()
    os.utime(again, (received, received))
    home = copy_old_lake("schema_4", tmp_path)

    decide_landing(
        home,
        Landing(str(tmp_path / "landing")),
        pl.DataFrame([SOURCE], schema=SOURCES),
        pl.DataFrame(schema=REFUSAL_CUTS),
    )

    with open_lake(home, read_only=True) as lake:
        verdicts = lake.query(
            "SELECT verdict FROM lake.refused_events JOIN lake.landing_files USING (file_id) "
            "WHERE path = 'cdn_logs/again.ndjson'"
        )["verdict"]
    assert len(lines) == 8
    assert verdicts.to_list() == ["duplicate"] * len(lines)
