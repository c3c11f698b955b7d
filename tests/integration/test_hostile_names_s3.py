"""Objects whose keys no folder can hold, or only some can, through a bucket and into the lake."""

from pathlib import Path

import pytest

from tests.hostile.files import (
    IGNORED_NAMES,
    READ_NAMES,
    S3_IGNORED_NAMES,
    S3_NAMES,
    one_line,
)
from tests.hostile.landing_run import outcome_of
from tests.worlds.buckets import Bucket

NOT_ON_THIS_SERVER = "\n"
"""The server's routes do not know a key with a line feed; such names are tried in a folder."""


def test_any_key_of_a_bucket_is_read_or_counted(bucket: Bucket, lake_home: Path) -> None:
    read = [name for name in (*READ_NAMES, *S3_NAMES) if NOT_ON_THIS_SERVER not in name]
    ignored = {
        name: reason
        for name, reason in {**IGNORED_NAMES, **S3_IGNORED_NAMES}.items()
        if NOT_ON_THIS_SERVER not in name
    }
    for name in (*read, *ignored):
        bucket.put(f"in/metronome/{name}", one_line(name))

    outcome = outcome_of(lake_home, bucket.landing("/in"))

    # The server dates them today, so that their one event is long too late; it was read.
    assert {path: (row["status"], row["lines"]) for path, row in outcome.files.items()} == {
        f"metronome/{name}": ("decided", 1) for name in read
    }
    assert {row["reason_code"] for row in outcome.refused.values()} == {"too_late"}
    assert outcome.ignored.keys() == {f"metronome/{name}" for name in ignored}
    for name, reason in ignored.items():
        assert reason in outcome.ignored[f"metronome/{name}"]
    assert outcome.findings == []


@pytest.mark.parametrize("key", ["/absolute.json", "unknown/a.json", "Metronome/a.json"])
def test_a_key_of_no_known_source_is_counted(bucket: Bucket, lake_home: Path, key: str) -> None:
    bucket.put(f"in/{key}", one_line(key))

    outcome = outcome_of(lake_home, bucket.landing("/in"))

    assert outcome.files == {}
    assert "no row for source" in outcome.ignored[key]
