"""A landing is listed as the lake and the catalog have it now, and no file is opened."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.home import Home
from pipelines.operations.listed import list_landing
from pipelines.settings import Settings
from pipelines.vocabulary.errors import CatalogError, LandingError
from pipelines.vocabulary.tables import LANDING_FILES
from tests.worlds.catalogs import METRICS, RIGHT, write
from tests.worlds.lakes import LakeInMemory, lake_rows


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("pipelines.home.metric_codes", lambda: METRICS)
    for name in ("landing", "catalog"):
        (tmp_path / name).mkdir()
    write(tmp_path / "catalog", RIGHT)
    return Home(
        Settings(
            home=tmp_path / "home", landing=str(tmp_path / "landing"), catalog=tmp_path / "catalog"
        )
    )


def land(home: Home, path: str) -> None:
    file = Path(home.settings.landing) / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}\n")


def test_before_the_first_run_every_file_is_new(home: Home) -> None:
    for path in ("raw/1.ndjson", "raw/_2.ndjson", "nobody/3.ndjson"):
        land(home, path)
    before = datetime.now(UTC)
    listed = list_landing(home, None)

    assert listed.discovery.files["path"].to_list() == ["raw/1.ndjson"]
    assert listed.discovery.ignored["path"].to_list() == ["nobody/3.ndjson", "raw/_2.ndjson"]
    assert before <= listed.listed_at <= datetime.now(UTC)
    assert listed.catalog.digest == home.catalog().digest


def test_what_the_lake_has_registered_is_not_new(home: Home) -> None:
    land(home, "raw/1.ndjson")
    (known,) = list_landing(home, None).discovery.files.drop("dialect", "dedupe_scope").to_dicts()
    land(home, "raw/2.ndjson")
    with LakeInMemory({LANDING_FILES: lake_rows(LANDING_FILES, known)}) as lake:
        listed = list_landing(home, lake)

    assert listed.discovery.files.select("file_id", "path").rows() == [(2, "raw/2.ndjson")]


def test_what_cannot_be_listed_is_an_error(home: Home) -> None:
    Path(home.settings.landing).rmdir()
    with pytest.raises(LandingError, match="METERLINE_LANDING is not a folder"):
        list_landing(home, None)

    (home.settings.catalog / "plans.csv").unlink()
    with pytest.raises(CatalogError):
        list_landing(home, None)
