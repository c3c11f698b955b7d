"""A file with too many bad lines is held as a whole. At the bound it is not."""

import io
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.audit.conservation import check_batch
from pipelines.lake.file_states import held_names
from pipelines.landing.store import Landing
from pipelines.reading.formats.lines import split_chunks
from pipelines.reading.hold_rule import HoldRule, RejectionTally
from pipelines.vocabulary.frames import REJECTIONS
from pipelines.vocabulary.limits import HELD_PERCENT, HELD_REJECTIONS_MIN
from pipelines.vocabulary.tables import HELD_NAMES
from tests.worlds.deliveries import CDN, NO_CUTS, NOON
from tests.worlds.file_lines import BAD, event_line
from tests.worlds.lakes import decide_landing, open_lake, verdict_rows
from tests.worlds.landings import DroppedFile, drop_into_folder


@pytest.fixture(params=["strict", "streamed", "read_again"])
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read by the strict reader, by the scanner, or, if large, twice by the scanner."""
    if request.param != "strict":
        request.getfixturevalue("streamed")
    if request.param == "read_again":
        monkeypatch.setattr("pipelines.intake.stream.FILE_BYTES_HELD", 0)


def good(first: int, count: int) -> bytes:
    """Lines of events, each with its own key."""
    return b"".join(
        event_line(transaction_id=f"key-{number}", timestamp="2026-03-10T11:00:00Z") + b"\n"
        for number in range(first, first + count)
    )


def decided(folder: Path, contents: dict[str, bytes], hold: HoldRule | None) -> list[Any]:
    """Status, lines, accepted, duplicate, rejected, blank, held and reason of each file."""
    dropped = [DroppedFile(f"cdn/{name}", text, NOON, 0, ()) for name, text in contents.items()]
    drop_into_folder(folder / "landing", dropped)
    decide_landing(
        folder,
        Landing(str(folder / "landing")),
        CDN,
        NO_CUTS,
        hold=hold,
    )
    with open_lake(folder, read_only=True) as lake:
        assert all(finding.holds for finding in check_batch(lake, 1, CDN))
        return lake.query(
            "SELECT status, lines, accepted, duplicate, rejected, blank, held, reason "
            "FROM lake.file_decisions ORDER BY file_id"
        ).rows()


def test_the_bound_is_that_of_the_design() -> None:
    assert (HELD_PERCENT, HELD_REJECTIONS_MIN) == (10, 2)
    assert HoldRule() == HoldRule(percent=10, rejections_min=2)


@pytest.mark.parametrize(
    ("rule", "rejected", "read", "holds"),
    [
        (HoldRule(), 2, 20, False),
        (HoldRule(), 2, 19, True),
        (HoldRule(), 100, 1000, False),
        (HoldRule(), 101, 1000, True),
        (HoldRule(), 100, 999, True),
        (HoldRule(), 1, 1, False),
        (HoldRule(), 2, 2, True),
        (HoldRule(), 0, 0, False),
        (HoldRule(rejections_min=1), 1, 9, True),
        (HoldRule(rejections_min=1), 1, 10, False),
        (HoldRule(percent=0, rejections_min=1), 1, 10**9, True),
        (HoldRule(percent=0, rejections_min=1), 0, 10, False),
        (HoldRule(percent=0, rejections_min=0), 0, 10, False),
        (HoldRule(percent=100), 10, 10, False),
        (HoldRule(rejections_min=3), 2, 2, False),
    ],
)
def test_share_beyond_the_bound_holds(
    rule: HoldRule, rejected: int, read: int, holds: bool
) -> None:
    assert rule.holds(rejected, read) is holds


def test_sentence_names_the_share_and_the_most_frequent_reason() -> None:
    rows = [(3, "malformed", "no JSON"), (4, "missing_field", "no key"), (9, "missing_field", "?")]
    frame = pl.DataFrame(rows, schema=["line", "reason_code", "reason"], orient="row")
    tally = RejectionTally()
    tally.add(frame.head(1))
    tally.add(frame.tail(2))

    assert tally.hold_reason(HoldRule(), lines=22, blank=2) == (
        "3 of 20 lines (15.0 %) are rejected, more than 10 %; most often missing_field (2), "
        "such as line 4: no key"
    )
    assert tally.hold_reason(None, lines=22, blank=2) is None
    assert RejectionTally().hold_reason(HoldRule(percent=0), lines=5, blank=5) is None


@pytest.mark.usefixtures("road")
def test_blank_lines_do_not_dilute_the_share(tmp_path: Path) -> None:
    (file,) = decided(tmp_path, {"a.ndjson": good(0, 17) + BAD * 2 + b"\n" * 50}, HoldRule())

    assert file[:7] == ("held", 69, 0, 0, 2, 50, 17)


@pytest.mark.usefixtures("road")
def test_exactly_ten_percent_is_decided_and_one_line_more_is_held(tmp_path: Path) -> None:
    files = decided(
        tmp_path,
        {"a.ndjson": good(0, 18) + BAD * 2, "b.ndjson": good(100, 17) + BAD * 2},
        HoldRule(),
    )

    assert [file[:7] for file in files] == [
        ("decided", 20, 18, 0, 2, 0, 0),
        ("held", 19, 0, 0, 2, 0, 17),
    ]
    assert files[0][7] is None
    assert files[1][7].startswith("2 of 19 lines (10.5 %) are rejected, more than 10 %; most often")


@pytest.mark.usefixtures("road")
def test_held_file_claims_no_key_and_shows_why(tmp_path: Path) -> None:
    """The same events are new when a later file brings them."""
    files = decided(
        tmp_path, {"a.ndjson": good(0, 3) + BAD * 2, "b.ndjson": good(0, 3)}, HoldRule()
    )

    assert [file[:7] for file in files] == [
        ("held", 5, 0, 0, 2, 0, 3),
        ("decided", 3, 3, 0, 0, 0, 0),
    ]
    assert [row[:4] for row in verdict_rows(tmp_path)] == [
        ("cdn/a.ndjson", 4, "rejected", "malformed"),
        ("cdn/a.ndjson", 5, "rejected", "malformed"),
        ("cdn/b.ndjson", 1, "accepted", None),
        ("cdn/b.ndjson", 2, "accepted", None),
        ("cdn/b.ndjson", 3, "accepted", None),
    ]


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("part_rows", [2, 250_000], ids=["parts_written", "parts_pending"])
def test_large_held_file_leaves_only_its_rejections(
    part_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pipelines.reading.formats.lines.split_chunks", partial(split_chunks, chunk_bytes=64)
    )
    monkeypatch.setattr("pipelines.reading.parts.PART_ROWS", part_rows)
    contents = {
        "a.ndjson": good(0, 4),
        "b.ndjson": (good(10, 3) + BAD) * 4,
        "c.ndjson": good(100, 4) + BAD,
    }

    files = decided(tmp_path, contents, HoldRule())

    assert [file[:7] for file in files] == [
        ("decided", 4, 4, 0, 0, 0, 0),
        ("held", 16, 0, 0, 4, 0, 12),
        ("decided", 5, 4, 0, 1, 0, 0),
    ]
    held = [row for row in verdict_rows(tmp_path) if row[0] == "cdn/b.ndjson"]
    assert [row[1] for row in held] == [4, 8, 12, 16]


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("part_rows", [2, 250_000], ids=["parts_written", "parts_pending"])
def test_names_in_a_held_file_are_kept_and_those_in_others_are_not(
    part_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rejected line counts if its names can be read; the instants are then unknown."""
    monkeypatch.setattr("pipelines.reading.parts.PART_ROWS", part_rows)
    ten, eleven = NOON - timedelta(hours=2), NOON - timedelta(hours=1)

    def line(customer: str, timestamp: str) -> bytes:
        key = f"{customer} {timestamp}"
        return event_line(transaction_id=key, customer_id=customer, timestamp=timestamp) + b"\n"

    held = (
        line("acme", f"{eleven:%Y-%m-%dT%H:%M:%SZ}")
        + line("acme", f"{ten:%Y-%m-%dT%H:%M:%SZ}")
        + line("globex", f"{ten:%Y-%m-%dT%H:%M:%SZ}")
        + line("globex", "yesterday")
        + BAD
        + line("zürich", f"{ten:%Y-%m-%dT%H:%M:%SZ}")
    )

    decided(tmp_path, {"a.ndjson": good(0, 3), "b.ndjson": held}, HoldRule())

    with open_lake(tmp_path, read_only=True) as lake:
        found = lake.table(HELD_NAMES)
        assert held_names(lake).rows() == found.drop("batch_id", "revision").rows()
        refused = lake.query("SELECT count(customer_ref) FROM lake.refused_events").row(0)
    assert found.rows() == [
        (1, 2, 0, "customer", "acme", 2, ten, eleven),
        (1, 2, 0, "customer", "globex", 2, None, None),
        (1, 2, 0, "customer", "zürich", 1, ten, ten),
    ]
    assert refused == (0,), "the lake keeps rejected lines as before"


@pytest.mark.usefixtures("road")
def test_without_a_rule_nothing_is_held(tmp_path: Path) -> None:
    (file,) = decided(tmp_path, {"a.ndjson": b'{"n":\n' * 3}, None)

    assert file[:7] == ("decided", 3, 0, 0, 3, 0, 0)


def test_tally_of_nothing_counts_nothing() -> None:
    tally = RejectionTally()
    tally.add(pl.DataFrame(schema=REJECTIONS))

    assert tally.rejected == 0


def test_a_held_file_of_rows_leaves_gaps(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "transaction_id": [f"k{number}" for number in range(5)],
            "event_type": [None, "call", None, "call", None],
            "customer_id": ["acme"] * 5,
            "timestamp": ["2026-03-10T11:00:00Z"] * 5,
        }
    )
    content = io.BytesIO()
    rows.write_parquet(content)

    (file,) = decided(tmp_path, {"a.parquet": content.getvalue()}, HoldRule())

    assert file[:7] == ("held", 5, 0, 0, 3, 0, 2)
