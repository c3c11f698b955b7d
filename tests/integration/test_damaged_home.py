"""Runs in homes whose files were edited, lost or swapped: a sentence first, then the remedy."""

from pathlib import Path

from pipelines.home import Home as OpenedHome
from pipelines.vocabulary.tables import INVOICES
from tests.worlds.homes import RUN_SECONDS_MAX, SAMPLE_AS_OF, Home, prepared_home
from tests.worlds.sample_runs import sample_run


def _events(home: Home) -> Path:
    return next((home.folder / "lake" / "data" / "main" / "accepted_events").iterdir())


def _lake_files(home: Home) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (home.folder / "lake" / "data").rglob("*.parquet")}


def test_run_makes_nothing_of_a_flipped_bit(tmp_path: Path) -> None:
    home = sample_run().home.copied_to(tmp_path / "home")
    generation, path = home.status()["generation"], _events(home)
    content = path.read_bytes()
    path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])

    run = home.call("run", "--as-of", SAMPLE_AS_OF)

    assert run.returncode == 1
    assert f"{path} (of batch " in run.stderr
    assert "expected SHA-256" in run.stderr
    assert home.status()["generation"] == generation

    path.write_bytes(content)
    assert home.call("verify", "--files").returncode == 0


def test_run_deletes_nothing_without_the_catalog(tmp_path: Path) -> None:
    home = sample_run().home.copied_to(tmp_path / "home")
    digest, before = home.digest(), _lake_files(home)
    catalog = home.folder / "lake" / "catalog.sqlite"
    copies = sorted((home.folder / "lake" / "catalog_copies").iterdir())
    catalog.unlink()

    run = home.call("run", "--as-of", SAMPLE_AS_OF)

    assert run.returncode == 1
    assert "Rather than begin anew" in run.stderr
    assert _lake_files(home) == before
    # As the sentence says it.
    for suffix in ("-wal", "-shm"):
        Path(f"{catalog}{suffix}").unlink(missing_ok=True)
    catalog.write_bytes(copies[-1].read_bytes())
    assert home.digest() == digest


def test_run_deletes_nothing_with_an_older_catalog(tmp_path: Path) -> None:
    """It ends with the events: the invoices, the last batch, would be leftovers to a sweep."""
    home = sample_run().home.copied_to(tmp_path / "home")
    before = _lake_files(home)
    copies = sorted((home.folder / "lake" / "catalog_copies").iterdir())
    (home.folder / "lake" / "catalog.sqlite").write_bytes(copies[-2].read_bytes())

    run = home.call("run", "--as-of", SAMPLE_AS_OF)

    assert run.returncode == 1
    assert "the catalog is older than its files" in run.stderr
    assert str(copies[-1]) in run.stderr
    assert _lake_files(home) == before


def test_publication_heals_edited_marts_and_says_so(tmp_path: Path) -> None:
    home = sample_run().home.copied_to(tmp_path / "home")
    marts = (home.folder / "published" / "current").resolve() / "marts.duckdb"
    marts.chmod(0o644)
    marts.write_bytes(marts.read_bytes()[:-1])

    published = home.call("publish")

    assert published.returncode == 0, published.stderr
    # The terminal may break the line anywhere.
    said = "".join(published.stderr.split())
    assert f"{marts}waschangedafteritwaspublished;themartsarepublishedagain" in said
    assert home.call("verify", "--files").returncode == 0


def test_nothing_is_closed_from_a_file_that_changed_during_the_run(tmp_path: Path) -> None:
    home = prepared_home(tmp_path / "home")
    process = home.start("run", "--as-of", SAMPLE_AS_OF)
    assert process.stderr is not None
    for line in process.stderr:
        if "metering and rating" in line:
            break
    # No model reads it, so that only the check can notice.
    (path,) = (home.folder / "lake" / "data" / "main" / "catalogs").iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])

    _, said = process.communicate(timeout=RUN_SECONDS_MAX)

    assert process.returncode == 1
    assert f"{path} (of batch 1, " in said
    assert "finalized" not in said
    path.write_bytes(content)
    with OpenedHome(home.settings).lake() as lake:
        assert lake.table(INVOICES).is_empty()
