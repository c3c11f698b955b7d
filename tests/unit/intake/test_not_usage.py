"""A file with lines that are no usage, through the stages into the lake, and decided again."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.audit.conservation import check_batch
from pipelines.audit.provenance import check_provenance
from pipelines.landing.store import Landing
from pipelines.reading.hold_rule import HoldRule
from pipelines.vocabulary.frames import REFUSAL_CUTS, SOURCES
from tests.hostile.cases import good_line
from tests.hostile.landing_run import drop
from tests.worlds.lakes import decide_landing, open_lake

PAGE = b'{"type":"page","messageId":"p","name":"Home"}'
SOURCE = {
    "source": "web",
    "dialect": "segment",
    "dedupe_scope": "web",
    "future_skew": timedelta(days=1),
    "received_at_from": "last_modified",
}
COUNTS = "lines, accepted, duplicate, rejected, not_usage, blank, held"


def _decided(tmp_path: Path, lines: list[bytes]) -> tuple[str, dict[str, int]]:
    drop(tmp_path / "landing", [("web/segment-logs.ndjson", b"\n".join(lines))])
    landing = Landing(str(tmp_path / "landing"))
    sources = pl.DataFrame([SOURCE], schema=SOURCES)
    home = tmp_path / "home"
    decide_landing(home, landing, sources, pl.DataFrame(schema=REFUSAL_CUTS), hold=HoldRule())
    with open_lake(home, read_only=True) as lake:
        findings = [*check_batch(lake, 1, sources), check_provenance(lake, landing, 1, sources)]
        assert [each.sample for each in findings if each.offences] == []
        row = lake.query(f"SELECT status, {COUNTS} FROM lake.file_decisions").row(0, named=True)
    return row.pop("status"), row


def test_a_file_of_tracks_and_pages_is_decided(tmp_path: Path) -> None:
    lines = [PAGE, good_line("segment", "a"), PAGE, b"", good_line("segment", "a"), b"{", PAGE]

    status, counts = _decided(tmp_path, lines)

    assert status == "decided"
    assert list(counts.values()) == [7, 1, 1, 1, 3, 1, 0]


def test_a_held_file_counts_them_too(tmp_path: Path) -> None:
    status, counts = _decided(
        tmp_path, [PAGE, PAGE, good_line("segment", "a"), b"{", b"{", b"", PAGE]
    )

    assert status == "held"
    assert list(counts.values()) == [7, 0, 0, 2, 3, 1, 1]


@pytest.mark.parametrize("pages", [1, 50])
def test_a_file_of_nothing_else_is_decided_without_an_event(tmp_path: Path, pages: int) -> None:
    status, counts = _decided(tmp_path, [PAGE] * pages)

    assert (status, counts["not_usage"], counts["lines"]) == ("decided", pages, pages)
