"""Manifest: what one backup consists of, as a file beside the objects.

Its name has its number, the last batch of the lake in it, and a digest of its own bytes:
`backups/000012-batch-000000345-0a1b2c3d4e5f6071.json`. It is written when every object that it
names is in the store, so a killed backup leaves the one before as the newest.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.recovery.store import BackupStore, ChangedFileError
from pipelines.vocabulary.errors import MeterlineError

OBJECTS = "objects"
"""Folder of the store with the files of all backups."""

_NAME = re.compile(r"backups/(\d{6,})-batch-\d{9,}-([0-9a-f]{64})\.json")


class DamagedManifestError(MeterlineError):
    """The file that says what a backup consists of is not what was written."""


class BackedUpFile(BaseModel):
    """A file of the home.

    Attributes:
        path: its path below the home, with `/`.
        size_bytes: its bytes.
        sha256: SHA-256 of its bytes, as hex text.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("path")
    @classmethod
    def _below_the_home(cls, path: str) -> str:
        # A manifest that somebody made must not write outside of the home.
        if not path or any(part in ("", ".", "..") for part in path.split("/")):
            raise ValueError(f"expected a path below the home, found {path!r}")
        return path

    @property
    def object_name(self) -> str:
        """The name of its copy in the store."""
        return f"{OBJECTS}/{self.sha256}"


class Manifest(BaseModel):
    """One backup.

    Attributes:
        version: of this layout.
        number: its place in the order of the store's backups, from 1.
        lake: the identity of the lake; see `Lake.identity`.
        batch_id: the last batch of the lake that it has.
        made_at: when it was begun (UTC).
        code_revision: digest of the code that made it.
        files: the files, in the order in which they are put back. The last one is the catalog
            database of the lake.
    """

    model_config = ConfigDict(frozen=True)

    version: int = 1
    number: int = Field(ge=1)
    lake: str
    batch_id: int = Field(ge=0)
    made_at: datetime
    code_revision: str
    files: tuple[BackedUpFile, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all its files."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True)
class ManifestName:
    """A manifest in the store.

    Attributes:
        name: its name.
        number: number of the backup.
        sha256: SHA-256 of its bytes.
    """

    name: str
    number: int
    sha256: str


def manifest_names(names: Iterable[str]) -> list[ManifestName]:
    """The manifests among names of a store, the newest last."""
    found = [
        ManifestName(name, int(match[1]), match[2])
        for name in names
        if (match := _NAME.fullmatch(name))
    ]
    return sorted(found, key=lambda each: (each.number, each.name))


def read_manifest(store: BackupStore, name: ManifestName) -> Manifest:
    """A manifest of the store.

    Raises:
        DamagedManifestError: it is damaged.
        MeterlineError: it is of a newer version, or the store cannot be read.
    """
    try:
        with TemporaryDirectory(prefix="meterline-backup-") as folder:
            copy = Path(folder) / "manifest.json"
            store.get(name.name, copy, name.sha256)
            manifest = Manifest.model_validate_json(copy.read_bytes())
    except (ChangedFileError, ValidationError) as error:
        raise DamagedManifestError(
            f"backup {name.number} in {store} cannot be used: {error}; choose another one by "
            "--number"
        ) from error
    if manifest.version != 1:
        raise MeterlineError(
            f"backup {name.number} in {store} has layout {manifest.version}, this Meterline knows "
            "layout 1; use the newer Meterline that made it"
        )
    return manifest


def readable_manifests(store: BackupStore, sizes: Mapping[str, int]) -> Iterator[Manifest]:
    """The backups of a store, the newest first, without those whose manifest is damaged."""
    for name in reversed(manifest_names(sizes)):
        with suppress(DamagedManifestError):
            yield read_manifest(store, name)


def chosen_manifest(store: BackupStore, sizes: Mapping[str, int], number: int | None) -> Manifest:
    """The backup with a number, or the newest.

    Args:
        store: where backups are kept.
        sizes: what is in it.
        number: the number. None: the newest.

    Raises:
        MeterlineError: there is none.
    """
    names = manifest_names(sizes)
    if not names:
        raise MeterlineError(f"{store} has no backup; `meterline backup --to {store}` makes one")
    if number is None:
        return read_manifest(store, names[-1])
    chosen = [name for name in names if name.number == number]
    if not chosen:
        raise MeterlineError(
            f"--number {number}: expected one of {_numbers(names)}, the backups in {store}"
        )
    return read_manifest(store, chosen[-1])


def write_manifest(store: BackupStore, manifest: Manifest) -> None:
    """Puts the manifest into the store: from now on it is the newest backup."""
    text = manifest.model_dump_json(indent=1)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    name = f"backups/{manifest.number:06d}-batch-{manifest.batch_id:09d}-{sha256}.json"
    with TemporaryDirectory(prefix="meterline-backup-") as folder:
        written = Path(folder) / "manifest.json"
        written.write_text(text, encoding="utf-8")
        store.put(name, written, sha256)


def _numbers(names: Sequence[ManifestName]) -> str:
    numbers = sorted({name.number for name in names})
    shown = ", ".join(str(number) for number in numbers[-10:])
    return f"…, {shown}" if len(numbers) > 10 else shown
