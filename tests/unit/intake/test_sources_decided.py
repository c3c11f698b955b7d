"""Sources with rules of their own, from landed files to checked verdicts in a lake."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.audit.conservation import check_batch
from pipelines.audit.provenance import check_provenance
from pipelines.landing.store import Landing
from pipelines.reading import workers
from pipelines.vocabulary.frames import REFUSAL_CUTS
from tests.worlds.catalogs import RIGHT, read
from tests.worlds.deliveries import NO_CUTS, NOON
from tests.worlds.lakes import decide_landing, open_lake, verdict_rows
from tests.worlds.landings import DroppedFile, drop_into_folder

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

CATALOG = {
    **RIGHT,
    "sources.csv": RIGHT["sources.csv"].splitlines()[0]
    + """,idempotency_key_fields,late_lookup,conflicts_expected
app,custom,,,,,last_modified,tenant.id;seq,,
beat,metronome,,,,,last_modified,,,yes
old,metronome,,,,,last_modified,,yes,
ride,togai,,,,,last_modified,timestamp;accountID;dimensions.city,,
""",
    "source_fields.csv": """\
source,field,path,form
app,customer,$.tenant.id,
app,event_name,api_call,constant
app,optional_timestamp,$.meta.at_ms,unix_milliseconds
app,properties.tokens,$.usage.tokens,
""",
    "event_schemas.csv": """\
source,event_name,name,kind,is_required
ride,ride,km,attribute,yes
ride,ride,city,dimension,yes
""",
}
NOON_MILLISECONDS = 1_773_144_000_000
"""`NOON` in the unit of the sender."""

APP = b"""\
{"seq":1,"tenant":{"id":"acme"},"meta":{"at_ms":%d},"usage":{"tokens":0.10}}
{"seq":1,"tenant":{"id":"acme"},"meta":{"at_ms":%d},"usage":{"tokens":0.10},"note":[null]}
{"seq":1,"tenant":{"id":"acme"},"meta":{"at_ms":%d},"usage":{"tokens":0.1}}
{"seq":"1","tenant":{"id":"acme"},"usage":{}}
{"seq":1,"tenant":{"id":7},"meta":{"at_ms":1773144000}}
{"seq":2,"tenant":{},"usage":{"tokens":1}}
""" % ((NOON_MILLISECONDS,) * 3)

RIDE = b"""\
{"schemaName":"ride","timestamp":"2026-03-10T11:00:00","accountID":"acme",\
"attributes":[{"name":"km","value":"7.5"}],"dimensions":{"city":"Bern"}}
{"event":{"schemaName":"ride","timestamp":"2026-03-10T11:00:00","accountID":"acme",\
"attributes":[{"name":"km","value":"7.5"}],"dimensions":[{"name":"city","value":"Bern"}]}}
{"schemaName":"ride","timestamp":"2026-03-10T11:00:00","accountID":"acme",\
"attributes":[{"name":"km","value":"7.5"}],"dimensions":{"city":"Basel"}}
{"schemaName":"ride","timestamp":"2026-03-10T11:00:00","accountID":"acme",\
"attributes":[],"dimensions":{"city":"Basel"}}
{"schemaName":"walk","timestamp":"2026-03-10T11:00:01","accountID":"acme",\
"attributes":[{"name":"km","value":"7.5"}],"dimensions":{"city":"Basel"}}
{"schemaName":"ride","timestamp":"2026-03-10T11:00:02","accountID":"acme",\
"attributes":[{"name":"km","value":"7.5"}],"dimensions":{}}
"""


def event(key: str, at: str, amount: int = 1) -> bytes:
    return (
        f'{{"transaction_id":"{key}","customer_id":"acme","event_type":"x","timestamp":"{at}",'
        f'"properties":{{"n":{amount}}}}}\n'
    ).encode()


AT_NOON, MONTHS_BEFORE = "2026-03-10T12:00:00Z", "2026-01-01T00:00:00Z"

FILES = (
    DroppedFile("app/1.ndjson", APP, NOON, 0, ()),
    DroppedFile("ride/1.ndjson", RIDE, NOON, 0, ()),
    DroppedFile("beat/1.ndjson", event("k", AT_NOON) + event("k", AT_NOON, 2), NOON, 0, ()),
    DroppedFile(
        "old/1.ndjson", event("k", "2026-01-01T00:00:00Z") + event("l", AT_NOON), NOON, 0, ()
    ),
    # This is far beyond the window of 34 days: late copies are found, other events are new.
    DroppedFile(
        "old/2.ndjson",
        event("k", MONTHS_BEFORE) + event("l", AT_NOON) + event("l", "2026-06-18T12:00:00Z"),
        NOON + 100 * DAY,
        0,
        (),
    ),
)


@pytest.mark.parametrize(
    ("batch_bytes", "processes"),
    [
        pytest.param(2**40, 1, id="one-batch"),
        pytest.param(1, 1, id="a-batch-a-file"),
        pytest.param(2**40, 2, id="other-processes"),
    ],
)
def test_what_sources_say_is_heeded_from_landing_to_lake(
    lake_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch_bytes: int,
    processes: int,
) -> None:
    # Each of the two processes gets one file, even though the files are small.
    monkeypatch.setattr(workers, "PARALLEL_BYTES_MIN", 0)
    monkeypatch.setattr(workers, "_TASK_BYTES", 1)
    (tmp_path / "catalog").mkdir()
    sources = read(tmp_path / "catalog", CATALOG).sources
    drop_into_folder(tmp_path / "landing", FILES)
    landing = Landing(str(tmp_path / "landing"))

    batches = decide_landing(
        lake_home,
        landing,
        sources,
        NO_CUTS,
        batch_bytes=iter([batch_bytes] * 9),
        processes=processes,
    )

    assert verdict_rows(lake_home) == [
        ("app/1.ndjson", 1, "accepted", None, None, None),
        ("app/1.ndjson", 2, "duplicate", None, "app/1.ndjson", 1),
        ("app/1.ndjson", 3, "conflict", None, "app/1.ndjson", 1),
        ("app/1.ndjson", 4, "accepted", None, None, None),
        ("app/1.ndjson", 5, "rejected", "invalid_timestamp", None, None),
        ("app/1.ndjson", 6, "rejected", "missing_field", None, None),
        ("beat/1.ndjson", 1, "accepted", None, None, None),
        ("beat/1.ndjson", 2, "conflict", None, "beat/1.ndjson", 1),
        ("old/1.ndjson", 1, "accepted", None, None, None),
        ("old/1.ndjson", 2, "accepted", None, None, None),
        ("old/2.ndjson", 1, "duplicate", None, "old/1.ndjson", 1),
        ("old/2.ndjson", 2, "duplicate", None, "old/1.ndjson", 2),
        ("old/2.ndjson", 3, "accepted", None, None, None),
        ("ride/1.ndjson", 1, "accepted", None, None, None),
        ("ride/1.ndjson", 2, "duplicate", None, "ride/1.ndjson", 1),
        ("ride/1.ndjson", 3, "accepted", None, None, None),
        ("ride/1.ndjson", 4, "rejected", "schema_violation", None, None),
        ("ride/1.ndjson", 5, "rejected", "schema_violation", None, None),
        ("ride/1.ndjson", 6, "rejected", "missing_field", None, None),
    ]
    with open_lake(lake_home, read_only=True) as lake:
        for batch_id in range(1, batches + 1):
            findings = [
                *check_batch(lake, batch_id, sources),
                check_provenance(lake, landing, batch_id, sources),
            ]
            assert [found for found in findings if not found.holds] == []
        read_back = lake.query(
            "SELECT idempotency_key, event_name, customer_ref, occurred_at = received_at AS dated, "
            "map_entries(properties) AS properties FROM lake.accepted_events "
            "WHERE source IN ('app', 'ride') ORDER BY source, line"
        )
    assert read_back.rows() == [
        ('["acme",1]', "api_call", "acme", True, [{"key": "tokens", "value": "0.10"}]),
        ('["acme","1"]', "api_call", "acme", True, []),
        (
            '["2026-03-10T11:00:00","acme","Bern"]',
            "ride",
            "acme",
            False,
            [{"key": "city", "value": "Bern"}, {"key": "km", "value": "7.5"}],
        ),
        (
            '["2026-03-10T11:00:00","acme","Basel"]',
            "ride",
            "acme",
            False,
            [{"key": "city", "value": "Basel"}, {"key": "km", "value": "7.5"}],
        ),
    ]


def test_a_late_lookup_source_still_refuses_what_was_cut(lake_home: Path, tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    sources = read(tmp_path / "catalog", CATALOG).sources
    drop_into_folder(tmp_path / "landing", FILES[3:])
    cuts = pl.DataFrame(
        [("customer", "acme", NOON - 90 * DAY, NOON)], schema=REFUSAL_CUTS, orient="row"
    )

    decide_landing(lake_home, Landing(str(tmp_path / "landing")), sources, cuts)

    assert [row[:4] for row in verdict_rows(lake_home)] == [
        ("old/1.ndjson", 1, "rejected", "backdated"),
        ("old/1.ndjson", 2, "rejected", "backdated"),
        ("old/2.ndjson", 1, "rejected", "backdated"),
        ("old/2.ndjson", 2, "rejected", "backdated"),
        ("old/2.ndjson", 3, "rejected", "backdated"),
    ]
