"""Store: a folder or an S3 prefix where backups are kept. Nothing in it is deleted or changed.

objects/<sha256>                             a file, named by the SHA-256 of its bytes
backups/<number>-batch-<id>-<digest>.json    one backup: which file of the home is which object

An object is complete as soon as it has its name, and equal files are kept once. A killed backup
leaves objects that no backup names, and in a folder files that end in `.unfinished`.
"""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipelines import durable
from pipelines.landing.s3_client import READ_ATTEMPTS, s3_file_system
from pipelines.vocabulary.errors import MeterlineError

_BLOCK_BYTES = 1024 * 1024


class ChangedFileError(Exception):
    """The bytes of a file are not those that it was said to have; nothing was kept of them."""


@contextmanager
def disk_is_explained() -> Iterator[None]:
    """Says what to do when a disk of the home or of temporary files is full or fails.

    Raises:
        MeterlineError: the disk refused.
    """
    try:
        yield
    except OSError as error:
        raise MeterlineError(
            f"{error.filename or 'a file'} cannot be written or read: {error.strerror or error}; "
            "free space or check the disk, then give the same command again"
        ) from error


class BackupStore(ABC):
    """Where backups are kept."""

    @abstractmethod
    def __str__(self) -> str:
        """Its address."""

    @abstractmethod
    def sizes(self) -> Mapping[str, int]:
        """The bytes of each complete file in it, by name.

        Raises:
            MeterlineError: it cannot be listed.
        """

    @abstractmethod
    def put(self, name: str, source: Path, sha256: str) -> None:
        """Keeps a copy of a file, or of what is wrong nothing.

        Args:
            name: the name of the copy; a file of that name has the same bytes.
            source: the file.
            sha256: SHA-256 that its bytes must have, as hex text.

        Raises:
            ChangedFileError: its bytes are others.
            MeterlineError: the store cannot be written, for example because it is full.
        """

    @abstractmethod
    def get(self, name: str, target: Path, sha256: str) -> None:
        """Writes a copy of a file of the store, to disk.

        Args:
            name: the name of the file.
            target: path of the copy, which is replaced.
            sha256: SHA-256 that its bytes must have, as hex text.

        Raises:
            ChangedFileError: its bytes are others, or it is gone.
            MeterlineError: the store cannot be read, or the copy cannot be written.
        """


def open_store(address: str, s3_endpoint_url: str | None) -> BackupStore:
    """The store at an address.

    Args:
        address: a folder, or `s3://bucket/prefix`.
        s3_endpoint_url: URL of an S3-compatible server. None: AWS.

    Raises:
        MeterlineError: the address names no bucket.
    """
    if address[:5].lower() != "s3://":
        return FolderStore(Path(address).expanduser().resolve())
    prefix = address[5:].strip("/")
    if not prefix:
        raise MeterlineError(f"expected s3://bucket or s3://bucket/prefix, found {address}")
    return S3Store(prefix, s3_endpoint_url)


@dataclass(frozen=True)
class FolderStore(BackupStore):
    """A folder, which is made by the first copy.

    Attributes:
        folder: its path.
    """

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def sizes(self) -> Mapping[str, int]:
        """See `BackupStore`."""
        if not self.folder.exists():
            return {}
        found: dict[str, int] = {}
        try:
            for kind in ("objects", "backups"):
                if (self.folder / kind).is_dir():
                    with os.scandir(self.folder / kind) as entries:
                        found |= {f"{kind}/{each.name}": each.stat().st_size for each in entries}
        except OSError as error:
            raise MeterlineError(f"{self.folder} cannot be listed: {error.strerror}") from error
        return {name: size for name, size in found.items() if not name.endswith(_UNFINISHED)}

    def put(self, name: str, source: Path, sha256: str) -> None:
        """See `BackupStore`."""
        target = self.folder / name
        unfinished = target.with_name(f"{target.name}.{uuid4().hex[:8]}{_UNFINISHED}")
        try:
            durable.make_folder(target.parent)
            try:
                _copy(source, unfinished, sha256)
                durable.sync(unfinished)
                unfinished.rename(target)
            except BaseException:
                with suppress(OSError):
                    unfinished.unlink(missing_ok=True)
                raise
            durable.sync(target.parent)
        except OSError as error:
            raise MeterlineError(
                f"{source} cannot be copied to {target}: {error.strerror}"
            ) from error

    def get(self, name: str, target: Path, sha256: str) -> None:
        """See `BackupStore`."""
        try:
            _copy(self.folder / name, target, sha256)
        except FileNotFoundError as error:
            if error.filename != str(self.folder / name):
                raise MeterlineError(f"{target} cannot be written: {error.strerror}") from error
            raise ChangedFileError(f"{self.folder / name} is missing") from None
        except OSError as error:
            raise MeterlineError(
                f"{self.folder / name} cannot be copied to {target}: {error.strerror}"
            ) from error
        durable.sync(target)


_UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class S3Store(BackupStore):
    """A prefix of a bucket.

    Attributes:
        prefix: bucket and prefix, without a slash at the end.
        endpoint_url: URL of an S3-compatible server. None: AWS. Credentials come from the `AWS_*`
            variables.
    """

    prefix: str
    endpoint_url: str | None

    def __str__(self) -> str:
        return f"s3://{self.prefix}"

    def sizes(self) -> Mapping[str, int]:
        """See `BackupStore`."""
        beginning = f"{self.prefix}/"
        try:
            found = self._file_system().find(beginning, detail=True)
        except Exception as error:
            raise self._failed("listed", error) from error
        return {
            name.removeprefix(beginning): int(facts["size"])
            for name, facts in found.items()
            if facts["type"] == "file" and name.startswith(beginning)
        }

    def put(self, name: str, source: Path, sha256: str) -> None:
        """See `BackupStore`."""
        # The server shows a file only when all of it has come.
        try:
            found = sha256_of(source)
        except OSError as error:
            raise MeterlineError(f"{source} cannot be read: {error.strerror}") from error
        _require_equal(source, sha256, found)
        try:
            self._file_system().put_file(str(source), f"{self.prefix}/{name}")
        except Exception as error:
            raise self._failed("written", error) from error

    def get(self, name: str, target: Path, sha256: str) -> None:
        """See `BackupStore`."""
        found = ""
        for _ in range(READ_ATTEMPTS):
            try:
                self._file_system().get_file(f"{self.prefix}/{name}", str(target))
                found = sha256_of(target)
            except FileNotFoundError:
                raise ChangedFileError(f"{self}/{name} is missing") from None
            except Exception as error:
                raise self._failed("read", error) from error
            # A download that was cut off need not be what the server has.
            if found == sha256:
                durable.sync(target)
                return
        raise ChangedFileError(f"{self}/{name}: expected SHA-256 {sha256}, found {found}")

    def _file_system(self) -> Any:
        return s3_file_system(self.endpoint_url)

    def _failed(self, what: str, error: Exception) -> MeterlineError:
        return MeterlineError(
            f"{self} cannot be {what}: {type(error).__name__}: {error}; check the address, "
            "METERLINE_S3_ENDPOINT_URL and the AWS_* credentials"
        )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: Path, target: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as written:
        while block := read.read(_BLOCK_BYTES):
            digest.update(block)
            written.write(block)
    _require_equal(source, sha256, digest.hexdigest())


def _require_equal(path: Path, expected: str, found: str) -> None:
    if found != expected:
        raise ChangedFileError(f"{path}: expected SHA-256 {expected}, found {found}")
