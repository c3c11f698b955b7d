"""Homes of the sample that lose something, get it back from a backup, and go on."""

import shutil
import time
from pathlib import Path

import pytest

from pipelines.home import Home as OpenedHome
from pipelines.recovery.backup import BackedUp, back_up
from pipelines.recovery.rebuild import rebuild_batch
from pipelines.recovery.restore import restore_files, restore_home
from pipelines.recovery.store import FolderStore
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import INVOICES
from tests.worlds.backups import lake_files
from tests.worlds.homes import RUN_SECONDS_MAX, Home, prepared_home
from tests.worlds.sample_runs import SAMPLE_ENDED, ended_sample, sample_run

DOCUMENTS = "SELECT invoice_id, document_sha256, chain_sha256 FROM lake.invoices ORDER BY ALL"


def _documents(home: Home) -> list[tuple[object, ...]]:
    with OpenedHome(home.settings).lake() as lake:
        return lake.query(DOCUMENTS).rows()


def _store(folder: Path) -> FolderStore:
    return FolderStore(folder / "backup")


def test_backups_during_a_run_are_each_of_one_batch(tmp_path: Path) -> None:
    """A run closes invoices meanwhile. Then the home is lost, and an older one goes on."""
    home = sample_run().home.copied_to(tmp_path / "home")
    before, store = home.digest(), _store(tmp_path)
    documents = _documents(home)
    made = [back_up(OpenedHome(home.settings), store)]
    process = home.start("run", "--as-of", SAMPLE_ENDED)
    while process.poll() is None:
        made.append(back_up(OpenedHome(home.settings), store))
        time.sleep(0.2)
    printed, errors = process.communicate(timeout=RUN_SECONDS_MAX)
    assert process.returncode == 0, printed + errors
    made.append(back_up(OpenedHome(home.settings), store))

    assert made[0].batch_id < made[-1].batch_id
    ended = ended_sample().home
    assert home.digest() == ended.digest()
    for each in {each.batch_id: each for each in made}.values():
        _restored_as(each, store, tmp_path / str(each.number), home)

    shutil.rmtree(home.folder)
    restore_home(OpenedHome(home.settings), store, made[0].number)
    assert (home.digest(), _documents(home)) == (before, documents)
    with pytest.raises(MeterlineError, match="`meterline publish` publishes the marts again"):
        OpenedHome(home.settings).require_as_published(is_hashed=False)

    # The invoices that fell due since are closed once more, as they were.
    prepared_home(home.folder)
    report = home.report("run", "--as-of", SAMPLE_ENDED)

    assert home.digest() == ended.digest()
    assert _documents(home) == _documents(ended)
    assert report["run"]["is_published"]
    # No number of a generation is given twice.
    assert report["run"]["generation"].startswith("000002-")
    assert home.rows("SELECT count(*) FROM fct_invoices") == ended.rows(
        "SELECT count(*) FROM fct_invoices"
    )


def _restored_as(made: BackedUp, store: FolderStore, folder: Path, like: Home) -> None:
    """Restores a backup, and compares each of its files with the home that was backed up."""
    restored = Home(folder, like.variables)
    assert restore_home(OpenedHome(restored.settings), store, made.number).batch_id == made.batch_id
    files = lake_files(OpenedHome(restored.settings))
    whole = lake_files(OpenedHome(like.settings))
    assert files == {path: whole[path] for path in files}
    assert restored.digest()
    shutil.rmtree(folder)


def test_catalog_documents_and_events_are_lost_one_after_another(tmp_path: Path) -> None:
    home = sample_run().home.copied_to(tmp_path / "home")
    opened, store = OpenedHome(home.settings), _store(tmp_path)
    digest, files = home.digest(), lake_files(opened)
    back_up(opened, store)

    # The catalog and its copies.
    home.settings.lake_catalog.unlink()
    shutil.rmtree(home.settings.lake_catalog.parent / "catalog_copies")
    restore_home(opened, store)
    assert home.digest() == digest

    # The file with the documents of invoices.
    (documents,) = (home.settings.lake_data / "main" / INVOICES.name).iterdir()
    documents.write_bytes(documents.read_bytes()[:-1])
    with pytest.raises(MeterlineError, match="`meterline restore --files --from BACKUP`"):
        home.digest()
    assert restore_files(opened, store).files == 1
    assert home.digest() == digest

    # The files of accepted and refused events, without a backup.
    for table in ("accepted_events", "refused_events"):
        shutil.rmtree(home.settings.lake_data / "main" / table)
    with pytest.raises(MeterlineError, match="`meterline lake rebuild --batch 1`"):
        home.digest()
    rebuild_batch(opened, 1)

    assert home.digest() == digest
    assert lake_files(opened) == files
    assert home.call("verify", "--files").returncode == 0
