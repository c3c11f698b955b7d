"""What a run says it changed, and what a home holds before and after."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.cli.job import HomeCounts, RunOutcome, count_home
from pipelines.settings import Settings
from pipelines.vocabulary.tables import FILE_DECISIONS, INVOICES
from tests.worlds.lakes import LakeInMemory, lake_rows
from tests.worlds.marts import publish_marts

NOTHING_NEW = RunOutcome(
    run_ids=("r",),
    files=0,
    lines=0,
    invoices=0,
    generation="000001-abcdef01",
    is_published=False,
    ingest_seconds=0.25,
)
TOOK_IN = (
    "Took in {} files with {} lines, finalized {} invoices, published generation 000001-abcdef01."
)


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        pytest.param(
            NOTHING_NEW, "Nothing new: generation 000001-abcdef01 stays as it is.", id="nothing"
        ),
        pytest.param(
            replace(NOTHING_NEW, is_published=True), TOOK_IN.format(0, 0, 0), id="published only"
        ),
        pytest.param(
            replace(NOTHING_NEW, files=1, is_published=True), TOOK_IN.format(1, 0, 0), id="a file"
        ),
        pytest.param(
            replace(NOTHING_NEW, invoices=1, is_published=True),
            TOOK_IN.format(0, 0, 1),
            id="an invoice",
        ),
        pytest.param(
            replace(NOTHING_NEW, files=1_000, lines=2_345_678, invoices=9_999, is_published=True),
            TOOK_IN.format("1,000", "2,345,678", "9,999"),
            id="many",
        ),
    ],
)
def test_run_says_what_it_changed(outcome: RunOutcome, sentence: str) -> None:
    assert outcome.sentence() == sentence


def test_outcome_is_json() -> None:
    assert json.loads(json.dumps(NOTHING_NEW.as_json())) == {
        "run_ids": ["r"],
        "files": 0,
        "lines": 0,
        "invoices": 0,
        "generation": "000001-abcdef01",
        "is_published": False,
        "ingest_seconds": 0.25,
    }


def test_untouched_home_holds_nothing_and_stays_untouched(tmp_path: Path) -> None:
    home = tmp_path / "home"

    assert count_home(Settings(home=home)) == HomeCounts(0, 0, 0, None)
    assert not home.exists()


def test_migrated_home_holds_nothing(migrated_home: Path) -> None:
    assert count_home(Settings(home=migrated_home)) == HomeCounts(0, 0, 0, None)


def test_generation_is_counted_even_where_the_lake_is_gone(tmp_path: Path) -> None:
    generation = publish_marts(tmp_path, "CREATE TABLE t AS SELECT 1 AS a")

    assert count_home(Settings(home=tmp_path)) == HomeCounts(0, 0, 0, generation.generation_id)


def test_a_file_counts_once_however_often_it_was_decided_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions = (
        {"file_id": 1, "revision": 0, "lines": 10},
        {"file_id": 1, "revision": 1, "lines": 10},
        # Quarantined: a file of no lines.
        {"file_id": 2, "revision": 0, "lines": 0},
        {"file_id": 3, "revision": 0, "lines": 2**33},
    )
    invoices = ({"invoice_id": "s1/2026-03-01"}, {"invoice_id": "s1/2026-04-01"})
    tables = {
        FILE_DECISIONS: lake_rows(FILE_DECISIONS, *decisions),
        INVOICES: lake_rows(INVOICES, *invoices),
    }

    @contextmanager
    def opened(*_: Path, **__: object) -> Iterator[LakeInMemory]:
        with LakeInMemory(tables) as lake:
            yield lake

    monkeypatch.setattr("pipelines.home.Lake", opened)
    settings = Settings(home=tmp_path)
    settings.lake_catalog.parent.mkdir()
    settings.lake_catalog.touch()

    assert count_home(settings) == HomeCounts(3, 2**33 + 10, 2, None)
