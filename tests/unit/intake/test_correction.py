"""A corrected copy replaces refused lines only, with the `received_at` of the original."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.audit.conservation import check_batch
from pipelines.audit.provenance import check_provenance
from pipelines.audit.window import check_index
from pipelines.intake import batch
from pipelines.intake.correction import plan_correction, require_same_events
from pipelines.intake.window_index import WindowIndex
from pipelines.landing.discovery import discover
from pipelines.landing.store import Landing
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import LANDING_FILES
from tests.worlds.deliveries import NO_CUTS, NOON
from tests.worlds.file_lines import BAD
from tests.worlds.lakes import open_lake
from tests.worlds.landings import DroppedFile, drop_into_folder
from tests.worlds.replays import FACTS, HOUR, STRICT, decide, land, line, lines_now

ORIGINAL, COPY = "cdn/a.ndjson", "cdn/_fixed/a.ndjson"


@pytest.fixture(autouse=True, params=["strict", "streamed"])
def _road(request: pytest.FixtureRequest) -> None:
    if request.param == "streamed":
        request.getfixturevalue("streamed")


def correct(
    home: Path,
    copy: bytes,
    path: str = COPY,
    original: str = ORIGINAL,
    sources: pl.DataFrame = STRICT,
) -> None:
    """Lands the copy five hours after the original, and takes it in."""
    drop_into_folder(home / "landing", [DroppedFile(path, copy, NOON + 5 * HOUR, 0, ())])
    landing = Landing(str(home / "landing"))
    with open_lake(home, read_only=False) as lake:
        found = discover(landing.list_objects(), lake.table(LANDING_FILES), sources)
        plan = plan_correction(lake, landing, sources, found, original, path, home / "staging")
        index = WindowIndex(home / "lake" / "window")
        parsed = batch.parse(lake, index, plan, landing, sources, lambda _: NO_CUTS, 1)
        require_same_events(lake, plan, parsed)
        batch.decide_and_commit(lake, index, plan, parsed, sources, NO_CUTS, FACTS)
        index.bring_up(lake)
        indexed, repeated = check_index(index, lake, plan.batch_id)
        findings = [indexed, *check_batch(lake, plan.batch_id, sources, repeated)]
        findings.append(check_provenance(lake, landing, plan.batch_id, sources))
        assert [finding for finding in findings if not finding.holds] == []
        received = lake.query(
            "SELECT DISTINCT received_at = $noon FROM lake.accepted_events", {"noon": NOON}
        )
        assert received.rows() == [(True,)]


def test_corrected_lines_are_accepted_as_of_the_original(tmp_path: Path) -> None:
    """Line 2 would be too late if it counted as received with the copy, five hours later."""
    land(tmp_path, a=line("k") + BAD + b"\n" + line("k") + line("l") * 1)
    decide(tmp_path)

    correct(tmp_path, line("k") + line("new", 1) + b"\n" + line("k") + line("l"))

    assert [row for row in lines_now(tmp_path) if row[2] == "accepted"] == [
        ("a", 1, "accepted", None),
        ("a", 2, "accepted", None),
        ("a", 5, "accepted", None),
    ]
    assert [row[3] for row in lines_now(tmp_path) if row[2] == "duplicate"] == [
        "1:1",
        "1:1",
        "1:1",
        "1:5",
    ]


@pytest.mark.parametrize(
    ("copy", "sentence"),
    [
        (line("k"), "expected the original's 3 lines, found 1"),
        (line("x") + line("n") + b"\n", "line 1 is not refused in the original"),
        (line("k", 1) + line("n") + b"\n", "line 1 is not refused in the original"),
        (b"\n" + line("n") + b"\n", "line 1 is not refused in the original"),
        (line("k") + line("n") + line("o"), "line 3 is not refused in the original"),
        (line("k") + line("n") + BAD, "line 3 is not refused in the original"),
    ],
)
def test_copy_that_changes_more_is_refused(copy: bytes, sentence: str, tmp_path: Path) -> None:
    land(tmp_path, a=line("k") + BAD + b"\n")
    decide(tmp_path)
    before = lines_now(tmp_path)

    with pytest.raises(MeterlineError, match=sentence):
        correct(tmp_path, copy)
    assert lines_now(tmp_path) == before


STRIPE = STRICT.with_columns(pl.lit("stripe").alias("dialect"))


def meter_event(identifier: str, value: str = "1") -> bytes:
    own = f'"identifier":"{identifier}",' if identifier else ""
    payload = f'"payload":{{"stripe_customer_id":"acme","value":"{value}"}}'
    return f'{{{own}"event_name":"call",{payload}}}\n'.encode()


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        pytest.param("", "", "line 1 of the original was accepted without a key", id="both"),
        pytest.param("k", "", "line 3 of the original was accepted without a key", id="one"),
        pytest.param("k", "l", None, id="none"),
    ],
)
def test_an_event_whose_key_is_its_place_has_no_corrected_copy(
    first: str, second: str, sentence: str | None, tmp_path: Path
) -> None:
    land(tmp_path, a=meter_event(first) + BAD + meter_event(second))
    decide(tmp_path, STRIPE)
    before = lines_now(tmp_path)
    copy = meter_event(first) + meter_event("mended") + meter_event(second)

    if sentence is None:
        correct(tmp_path, copy, sources=STRIPE)
        assert [row[:3] for row in lines_now(tmp_path)].count(("a", 2, "accepted")) == 1
        return
    with pytest.raises(MeterlineError, match=sentence):
        correct(tmp_path, copy, sources=STRIPE)
    assert lines_now(tmp_path) == before


@pytest.mark.parametrize(
    ("path", "original", "sentence"),
    [
        (COPY, "cdn/x.ndjson", "no file with this path was ever taken in"),
        ("other/_a.ndjson", ORIGINAL, "expected a landed file below cdn/, found none"),
    ],
)
def test_files_that_are_not_there_are_refused(
    path: str, original: str, sentence: str, tmp_path: Path
) -> None:
    land(tmp_path, a=line("k") + BAD)
    decide(tmp_path)

    with pytest.raises(MeterlineError, match=sentence):
        correct(tmp_path, line("k") + line("n"), path, original)


def test_file_is_corrected_once(tmp_path: Path) -> None:
    land(tmp_path, a=line("k") + BAD)
    decide(tmp_path)
    correct(tmp_path, line("k") + line("n"))

    with pytest.raises(MeterlineError, match="this version was taken in before"):
        correct(tmp_path, line("k") + line("n"))
    with pytest.raises(MeterlineError, match="it is corrected already"):
        correct(tmp_path, line("k") + line("m"), "cdn/_other.ndjson")
