"""Frozen catalogs: the bytes of each catalog a home has used, and the same rows typed."""

import hashlib
import io
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import polars as pl

from pipelines import durable
from pipelines.catalog.catalog import (
    TABLES,
    Catalog,
    catalog_digest,
    catalog_of,
    read_contents,
    stored_tables,
    validated_tables,
)
from pipelines.catalog.senders import SENDER_TABLES, sources_of
from pipelines.catalog.table import Tables
from pipelines.vocabulary.errors import CatalogError

_UNFINISHED = ".unfinished-"
_TYPED = "typed-"
_CHECKSUMS = "SHA256SUMS"


@dataclass(frozen=True)
class FrozenCatalogs:
    """The catalogs a home has used: a folder each, named by the catalog's digest.

    A folder holds the CSV files byte for byte, and dbt loads them from there. Below it the same
    rows are kept typed, one Parquet file a table, so that a catalog is parsed and validated once
    and not in every run. Typed rows are named after what made them: those of another version of the
    code, or held against other metrics, are not looked at.

    Attributes:
        folder: holds all of them; made by the first `freeze`.
        metric_codes: the billable metrics there are.
        code_revision: digest of the code.
    """

    folder: Path
    metric_codes: frozenset[str]
    code_revision: str

    def read(self, seeds: Path) -> Catalog:
        """The catalog in a folder as it is now: its typed rows where they are kept, or its files.

        Raises:
            CatalogError: with every problem found, ordered by file and row.
        """
        files = read_contents(seeds)
        contents = self._typed_contents(catalog_digest(files))
        if contents is None:
            return catalog_of(validated_tables(files, self.metric_codes), files)
        frames = {name: pl.read_parquet(io.BytesIO(contents[_typed(name)])) for name in TABLES}
        return catalog_of(Tables(frames), files)

    def freeze(self, catalog: Catalog) -> Path:
        """The folder of the catalog: its exact bytes, made once and never changed; typed rows.

        Call it under the writer lock: what an unfinished call left behind is removed.

        Raises:
            CatalogError: the folder is there with other bytes: someone edited the frozen copy.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover)
        frozen = self.folder / catalog.digest
        if not frozen.exists():
            self._write(frozen, catalog.files)
        if any((frozen / name).read_bytes() != content for name, content in catalog.files.items()):
            advice = "remove the folder and run again"
            raise CatalogError([f"{frozen} differs from the catalog of that digest; {advice}"])
        if self._typed_contents(catalog.digest) is None:
            for outdated in frozen.glob(f"{_TYPED}*"):
                shutil.rmtree(outdated)
            contents = {_typed(name): _parquet(catalog.tables.frames[name]) for name in TABLES}
            sums = {_CHECKSUMS: _checksums(contents)}
            self._write(self._typed_folder(catalog.digest), contents | sums)
        return frozen

    def sources(self, digest: str) -> pl.DataFrame:
        """The senders of a catalog the home has used, as it was then; schema `SOURCES`.

        It was valid when it was frozen, so nothing is held against today's metrics.

        Raises:
            CatalogError: the frozen copy is gone, or someone edited it.
        """
        files = read_contents(self.folder / digest)
        if catalog_digest(files) != digest:
            advice = "put its files back; the lake's table `catalogs` has them"
            raise CatalogError([f"{self.folder / digest} is not what was frozen; {advice}"])
        return sources_of(stored_tables(files, SENDER_TABLES))

    def kept_files(self) -> list[Path]:
        """The CSV files of all catalogs, without the typed rows, which are made from them."""
        catalogs = (path for path in self.folder.glob("*") if not path.name.startswith("."))
        return sorted(file for path in catalogs for file in path.glob("*.csv"))

    @cached_property
    def _reader(self) -> str:
        # Time zones come from a package, and Parquet is written by another.
        versions = [f"{package} {version(package)}" for package in ("polars", "tzdata")]
        facts = "\n".join([self.code_revision, *versions, *sorted(self.metric_codes)])
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    def _typed_folder(self, digest: str) -> Path:
        return self.folder / digest / f"{_TYPED}{self._reader}"

    def _typed_contents(self, digest: str) -> dict[str, bytes] | None:
        """The typed rows' files, by name; None where they are absent, damaged or edited."""
        folder = self._typed_folder(digest)
        try:
            contents = {_typed(name): (folder / _typed(name)).read_bytes() for name in TABLES}
            sums = (folder / _CHECKSUMS).read_bytes()
        except OSError:
            return None
        return contents if sums == _checksums(contents) else None

    def _write(self, folder: Path, contents: Mapping[str, bytes]) -> None:
        # Beside all catalogs: the next call sweeps it if this one does not finish.
        unfinished = self.folder / f"{_UNFINISHED}{folder.name}"
        unfinished.mkdir()
        for name, content in contents.items():
            (unfinished / name).write_bytes(content)
        durable.sync_all(unfinished / name for name in contents)
        unfinished.rename(folder)
        durable.sync(folder.parent)


def _typed(file_name: str) -> str:
    return Path(file_name).with_suffix(".parquet").name


def _parquet(frame: pl.DataFrame) -> bytes:
    written = io.BytesIO()
    frame.write_parquet(written)
    return written.getvalue()


def _checksums(contents: Mapping[str, bytes]) -> bytes:
    # As sha256sum writes them, so that a person can check them with it.
    lines = (f"{hashlib.sha256(each).hexdigest()}  {name}" for name, each in contents.items())
    return "".join(f"{line}\n" for line in lines).encode()
