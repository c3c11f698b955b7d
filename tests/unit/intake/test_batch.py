"""A batch computes refusal cuts only where it needs them."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.intake import batch
from pipelines.intake.window_index import WindowIndex
from pipelines.landing.store import Landing
from tests.worlds.deliveries import NO_CUTS, NOON
from tests.worlds.lakes import open_lake
from tests.worlds.landings import DroppedFile, drop_into_folder
from tests.worlds.replays import STRICT, line


def cuts_asked_for(home: Path, folder: Path) -> list[list[datetime]]:
    """The instants for which cuts are asked while one file, received at noon, is parsed."""
    drop_into_folder(folder, [DroppedFile("cdn/a.ndjson", line("k"), NOON, 0, ())])
    asked = list[list[datetime]]()

    def cuts_until(received_at: pl.Series) -> pl.DataFrame:
        asked.append(received_at.to_list())
        return NO_CUTS

    landing = Landing(str(folder))
    with open_lake(home, read_only=False) as lake:
        planned = batch.plan(lake, landing, STRICT, home / "staging", 2**40)
        index = WindowIndex(home / "lake" / "window")
        parsed = batch.parse(lake, index, planned, landing, STRICT, cuts_until, 1)
    assert sum(file.lines for file in parsed.files) == 1
    return asked


def test_a_small_batch_is_parsed_without_cuts(lake_home: Path, tmp_path: Path) -> None:
    assert cuts_asked_for(lake_home, tmp_path / "landing") == []


@pytest.mark.usefixtures("streamed")
def test_a_streamed_batch_asks_once_for_the_cuts_of_its_files(
    lake_home: Path, tmp_path: Path
) -> None:
    assert cuts_asked_for(lake_home, tmp_path / "landing") == [[NOON]]
