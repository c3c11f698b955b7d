"""File digests: size and SHA-256 of every lake file, as it was committed.

They stand in the table `lake_files`. A file of that table cannot hold its own digest. It stands in
the row set of the next commit, and until then in `unlisted_files.json` beside the lake's catalog.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import durable
from pipelines.lake.ducklake import METADATA, Attached, damage_is_explained
from pipelines.vocabulary.tables.lake_files import LAKE_FILES

UNLISTED = "unlisted_files.json"
"""Name of the file with the digests that are not in the table yet."""


@dataclass(frozen=True)
class FileDigest:
    """A lake file as it was committed.

    Attributes:
        table_name: table that the file belongs to.
        file_name: name of the file.
        size_bytes: bytes of the file.
        sha256: SHA-256 of its bytes, as hex text.
    """

    table_name: str
    file_name: str
    size_bytes: int
    sha256: str

    @property
    def key(self) -> tuple[str, str]:
        """The name of the file within the lake."""
        return self.table_name, self.file_name


Digests = Mapping[tuple[str, str], FileDigest]
"""Digests by the name of the file within the lake."""


@dataclass(frozen=True)
class RegisteredFile:
    """A Parquet file that the lake's catalog knows.

    Attributes:
        table_name: table that the file belongs to.
        file_name: name of the file.
        size_bytes: bytes of the file, as DuckLake noted them.
        rows: number of its rows.
    """

    table_name: str
    file_name: str
    size_bytes: int
    rows: int

    @property
    def key(self) -> tuple[str, str]:
        """The name of the file within the lake."""
        return self.table_name, self.file_name

    @property
    def batch_id(self) -> int | None:
        """The batch that committed it, as its name says; None for a record of a migration."""
        batch = re.match(r"batch-(\d+)-", self.file_name)
        return int(batch[1]) if batch else None

    def below(self, data: Path) -> Path:
        """The path of the file in a lake with this data path."""
        return data / "main" / self.table_name / self.file_name


def digest_of(path: Path) -> FileDigest:
    """The digest of a lake file as its bytes are now."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return FileDigest(path.parent.name, path.name, file.tell(), sha256)


def registered_files(attached: Attached) -> list[RegisteredFile]:
    """Every file of the lake, by table and name; those of `lake_files` first."""
    return [
        RegisteredFile(*row)
        for row in _rows(
            attached,
            f"""
        SELECT table_name, files.path, file_size_bytes, record_count
        FROM {METADATA}.ducklake_data_file AS files
        JOIN {METADATA}.ducklake_table AS tables USING (table_id)
        WHERE files.end_snapshot IS NULL AND tables.end_snapshot IS NULL
        ORDER BY table_name <> '{LAKE_FILES.name}', table_name, files.path
        """,
        )
    ]


def listed_digests(attached: Attached) -> Digests:
    """The digests in the table `lake_files`; none in a lake whose schema does not have it yet."""
    try:
        rows = _rows(
            attached,
            f"SELECT table_name, file_name, size_bytes, sha256 FROM lake.{LAKE_FILES.name}",
        )
    except duckdb.CatalogException:
        return {}
    return {digest.key: digest for digest in (FileDigest(*row) for row in rows)}


def noted_digests(folder: Path) -> Digests:
    """The digests that were noted beside the lake; most of them are in `lake_files` by now."""
    try:
        written = json.loads((folder / UNLISTED).read_text(encoding="utf-8"))
        return {digest.key: digest for digest in (FileDigest(**each) for each in written)}
    except (FileNotFoundError, ValueError, TypeError):
        # Without it, the newest file of `lake_files` is taken as it is found.
        return {}


def note_unlisted(folder: Path, digest: FileDigest, listed: Digests) -> None:
    """Notes the digest of a file of `lake_files` itself, on disk, before it is committed.

    Args:
        folder: the folder of `unlisted_files.json`.
        digest: of the new file.
        listed: the digests in the table, which need no note any more. The commit may still fail,
            so what it is about to list stays noted.
    """
    kept = [each for key, each in noted_digests(folder).items() if key not in listed]
    noted = {each.key: asdict(each) for each in (*kept, digest)}
    durable.replace_text(folder / UNLISTED, json.dumps(list(noted.values()), indent=1))


def rows_of(batch_id: int, digests: Iterable[FileDigest]) -> pl.DataFrame:
    """The rows of `lake_files` for these digests."""
    rows = [{"batch_id": batch_id, **asdict(digest)} for digest in digests]
    return pl.DataFrame(rows, schema=LAKE_FILES.schema)


def _rows(attached: Attached, sql: str) -> list[tuple[Any, ...]]:
    with damage_is_explained():
        return attached.connection.execute(sql).fetchall()
