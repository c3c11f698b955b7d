"""A catalog is frozen once, byte for byte; it is parsed once, and then its typed rows are read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES, Catalog, read_catalog
from pipelines.catalog.csv_files import FileRead, read_file
from pipelines.catalog.frozen import FrozenCatalogs
from pipelines.catalog.table import CatalogTable
from pipelines.vocabulary.errors import CatalogError
from tests.worlds.catalogs import METRICS, RIGHT, read, write


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    (tmp_path / "seeds").mkdir()
    return write(tmp_path / "seeds", RIGHT)


@pytest.fixture
def catalogs(tmp_path: Path) -> FrozenCatalogs:
    return FrozenCatalogs(tmp_path / "home" / "catalog", METRICS, "a" * 64)


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were parsed, of all catalogs that were validated since."""
    parsed: list[str] = []

    def counted(table: CatalogTable[Any], content: bytes | None) -> FileRead:
        parsed.append(table.file_name)
        return read_file(table, content)

    monkeypatch.setattr("pipelines.catalog.catalog.read_file", counted)
    return parsed


def typed_folders(frozen: Path) -> list[Path]:
    return [path for path in frozen.iterdir() if path.is_dir()]


def same(one: Catalog, other: Catalog) -> bool:
    frames = ((one.tables.frames[name], other.tables.frames[name]) for name in TABLES)
    return (
        all(frame.equals(twin) and frame.schema == twin.schema for frame, twin in frames)
        and one.sources.equals(other.sources)
        and one.warnings == other.warnings
        and (one.digest, one.files) == (other.digest, other.files)
    )


def test_a_catalog_is_frozen_once_byte_for_byte(tmp_path: Path, catalogs: FrozenCatalogs) -> None:
    (tmp_path / "seeds").mkdir()
    catalog = read(tmp_path / "seeds")

    frozen = catalogs.freeze(catalog)
    written = {path: path.stat().st_mtime_ns for path in frozen.rglob("*")}

    assert frozen == catalogs.folder / catalog.digest
    assert {path.name: path.read_bytes() for path in frozen.glob("*.*")} == catalog.files
    assert catalogs.freeze(catalog) == frozen
    assert {path: path.stat().st_mtime_ns for path in frozen.rglob("*")} == written
    assert read_catalog(frozen, METRICS).digest == catalog.digest


@pytest.mark.parametrize("name", ["{digest}", "typed-0123456789abcdef"])
def test_what_an_unfinished_freeze_left_is_swept(
    name: str, tmp_path: Path, catalogs: FrozenCatalogs
) -> None:
    catalog = read(tmp_path)
    leftover = catalogs.folder / f".unfinished-{name.format(digest=catalog.digest)}"
    leftover.mkdir(parents=True)
    (leftover / "plans.csv").write_text("half a fi")

    frozen = catalogs.freeze(catalog)

    assert list(catalogs.folder.iterdir()) == [frozen]
    assert (frozen / "plans.csv").read_bytes() == catalog.files["plans.csv"]


def test_a_frozen_copy_that_was_edited_is_refused(tmp_path: Path, catalogs: FrozenCatalogs) -> None:
    catalog = read(tmp_path)
    frozen = catalogs.freeze(catalog)
    (frozen / "plans.csv").write_text("plan_code,name,currency\n")

    with pytest.raises(CatalogError, match="remove the folder and run again"):
        catalogs.freeze(catalog)
    with pytest.raises(CatalogError, match="is not what was frozen; put its files back"):
        catalogs.sources(catalog.digest)


def test_a_catalog_is_parsed_until_it_is_frozen_and_never_again(
    seeds: Path, catalogs: FrozenCatalogs, parses: list[str]
) -> None:
    first = catalogs.read(seeds)
    assert parses == list(TABLES)
    assert not catalogs.folder.exists()
    catalogs.freeze(first)
    parses.clear()

    again = catalogs.read(seeds)

    assert parses == []
    assert same(first, again)


def test_other_bytes_are_another_catalog(
    seeds: Path, catalogs: FrozenCatalogs, parses: list[str]
) -> None:
    catalogs.freeze(catalogs.read(seeds))
    parses.clear()
    (seeds / "plans.csv").write_text(RIGHT["plans.csv"].replace("Basic,USD", "Basic,EUR"))

    assert catalogs.read(seeds).digest not in {path.name for path in catalogs.folder.iterdir()}
    assert parses == list(TABLES)


def test_rows_that_other_code_has_typed_are_not_read_and_then_replaced(
    seeds: Path, catalogs: FrozenCatalogs, parses: list[str]
) -> None:
    frozen = catalogs.freeze(catalogs.read(seeds))
    (before,) = typed_folders(frozen)
    parses.clear()
    newer = replace(catalogs, code_revision="b" * 64)

    newer.freeze(newer.read(seeds))

    assert parses == list(TABLES)
    (after,) = typed_folders(frozen)
    assert after != before


def test_a_metric_that_is_gone_is_missed_although_the_catalog_was_frozen(
    seeds: Path, catalogs: FrozenCatalogs
) -> None:
    catalogs.freeze(catalogs.read(seeds))
    fewer = replace(catalogs, metric_codes=METRICS - {"bytes"})

    with pytest.raises(CatalogError, match="'bytes' is no billable metric"):
        fewer.read(seeds)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def one_byte_changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file_name", ["customers.parquet", "SHA256SUMS"])
@pytest.mark.parametrize("damage", [cut_short, one_byte_changed, Path.unlink])
def test_typed_rows_that_are_damaged_are_parsed_anew_and_mended(
    file_name: str,
    damage: Callable[[Path], None],
    seeds: Path,
    catalogs: FrozenCatalogs,
    parses: list[str],
) -> None:
    first = catalogs.read(seeds)
    (typed,) = typed_folders(catalogs.freeze(first))
    right = (typed / file_name).read_bytes()
    damage(typed / file_name)
    parses.clear()

    again = catalogs.read(seeds)

    assert parses == list(TABLES)
    assert same(first, again)
    catalogs.freeze(again)
    assert (typed / file_name).read_bytes() == right


def test_a_contradiction_is_found_whatever_was_frozen(
    seeds: Path, catalogs: FrozenCatalogs
) -> None:
    catalogs.freeze(catalogs.read(seeds))
    (seeds / "plans.csv").write_text("plan_code,name,currency\n")

    with pytest.raises(CatalogError, match=r"'basic' is not in plans\.csv"):
        catalogs.read(seeds)
    assert len(list(catalogs.folder.iterdir())) == 1
