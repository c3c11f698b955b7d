"""The landing: a folder or an S3 prefix behind one address, listed and opened.

A file version is (path, etag, size). `Landing.opened` gives the bytes of exactly that version,
or raises.

A link in a folder is followed to a file of the same landing, and nowhere else: whoever may write to
the landing could otherwise have any file of this host read. A link to a folder is not followed.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from pipelines.landing.s3_client import READ_ATTEMPTS, s3_file_system
from pipelines.vocabulary.errors import LandingError, UnreadableFileError
from pipelines.vocabulary.frames import LISTING
from pipelines.vocabulary.instants import microseconds_of
from pipelines.vocabulary.tables import UTC_MICROSECONDS

_REFUSALS_OF_A_FILE = frozenset(
    {
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
        errno.ENXIO,
        errno.EOVERFLOW,
    }
)
"""Errors of `open` that concern one file. Any other may come from the disk or the network."""

_ADVICE = dict.fromkeys(
    (errno.EMFILE, errno.ENFILE),
    "raise the limit of open files, for example with `ulimit -n 4096`, then run again",
)
"""What a person does about an error of this host, by its number."""

_NO_PERMISSION = "there is no permission to read it; grant read access, then replay the file"
# Granting access changes neither time nor size of a file. So no new version would heal it.

_REFUSALS_OF_AN_OBJECT = {
    "AccessDenied": _NO_PERMISSION,
    "InvalidObjectState": "it is in an archive of the store; restore it, then replay the file",
}
"""Sentences for the codes by which S3 refuses one object.

Wrong and expired credentials have other codes, and end the run.
"""

_DOWNLOAD_BLOCK_BYTES = 1024 * 1024
_UNDECODABLE = "\ufffd"


@dataclass(frozen=True)
class Landing:
    """A landing, known by its address. It can be sent to another process.

    Attributes:
        address: an absolute folder, or `s3://bucket/prefix`.
        s3_endpoint_url: URL of an S3-compatible server. None: AWS. Credentials come from the
            `AWS_*` variables.
    """

    address: str
    s3_endpoint_url: str | None = None

    @property
    def _is_s3(self) -> bool:
        return self.address.startswith("s3://")

    def list_objects(self) -> pl.DataFrame:
        """One row per object of the landing, by path; schema `LISTING`.

        Raises:
            LandingError: the address cannot be listed.
        """
        rows = self._list_s3() if self._is_s3 else self._list_folder()
        frame = pl.DataFrame(rows, schema=LISTING | {"modified_at": pl.Int64()}, orient="row")
        return frame.with_columns(pl.col("modified_at").cast(UTC_MICROSECONDS)).sort("path")

    @contextmanager
    def opened(self, path: str, etag: str, size_bytes: int) -> Iterator[BinaryIO]:
        """The bytes of one file version, as a stream.

        When the block ends the file is checked again: what was read is that version.

        Args:
            path: the file's path below the landing.
            etag: the version's etag, as listed.
            size_bytes: the version's size as listed, compressed if it is.

        Raises:
            UnreadableFileError: the file was overwritten or deleted after it was listed, or the
                store refuses this file alone.
            LandingError: the store did not answer, or refuses every file.
        """
        opener = self._opened_s3 if self._is_s3 else self._opened_local
        with opener(path, etag, size_bytes) as stream:
            yield stream

    def require_folder(self) -> None:
        """Refuses a folder that is not there; a bucket is not asked.

        Raises:
            LandingError: there is no such folder.
        """
        if not self._is_s3 and not Path(self.address).is_dir():
            raise LandingError(
                f"METERLINE_LANDING is not a folder: {self.address}; create the folder or correct "
                "the path"
            )

    def _list_folder(self) -> list[tuple[str, str, int, int]]:
        self.require_folder()
        root, rows = Path(self.address), list[tuple[str, str, int, int]]()
        for folder, folders, names in os.walk(root, onerror=_refuse_unlisted):
            links = [Path(folder) / name for name in folders if Path(folder, name).is_symlink()]
            rows += [_row(root, path, path.lstat(), is_folder=True) for path in links]
            for name in names:
                path = Path(folder) / name
                facts = _facts(path)
                if facts is not None:
                    rows.append(_row(root, path, facts))
        return rows

    def _real_path(self, path: str) -> Path:
        """Where a path of a folder leads, once every link in it is followed.

        Raises:
            UnreadableFileError: out of the landing.
        """
        real, root = (Path(os.path.realpath(Path(self.address, part))) for part in (path, ""))
        if not real.is_relative_to(root):
            raise UnreadableFileError(
                "it is a link that leads out of the landing; put the file itself there"
            )
        return real

    @contextmanager
    def _opened_local(self, path: str, etag: str, size_bytes: int) -> Iterator[BinaryIO]:
        del size_bytes
        self._real_path(path)
        try:
            stream = (Path(self.address) / path).open("rb")
        except FileNotFoundError:
            if _UNDECODABLE in path:
                raise UnreadableFileError("its name is not valid UTF-8; rename it") from None
            raise UnreadableFileError("it was deleted before it could be read") from None
        except PermissionError:
            raise UnreadableFileError(_NO_PERMISSION) from None
        except OSError as error:
            if error.errno in _REFUSALS_OF_A_FILE:
                raise UnreadableFileError(f"it cannot be opened: {error.strerror}") from None
            raise LandingError(
                f"{error.filename} cannot be opened: {error.strerror}; "
                f"{_ADVICE.get(error.errno or 0, 'run again when the landing answers')}"
            ) from error
        with stream:
            facts = os.fstat(stream.fileno())
            # A folder of the path may have become a link since the first look.
            if not _is_same(self._real_path(path), facts):
                raise UnreadableFileError("it was replaced while it was opened")
            _refuse_changed(etag, _local_etag(facts))
            yield stream
            _refuse_changed(etag, _local_etag(os.fstat(stream.fileno())))

    def _list_s3(self) -> list[tuple[str, str, int, int]]:
        prefix = self.address.removeprefix("s3://").rstrip("/") + "/"
        try:
            found = s3_file_system(self.s3_endpoint_url).find(prefix, detail=True)
        except Exception as error:
            raise LandingError(
                f"{self.address} cannot be listed: {type(error).__name__}: {error}; "
                f"{_advice_on_store(error)}"
            ) from error
        return [
            (
                name.removeprefix(prefix),
                str(facts["ETag"]).strip('"'),
                int(facts["size"]),
                microseconds_of(facts["LastModified"]),
            )
            for name, facts in found.items()
            # For an empty prefix s3fs lists one object with the name of the prefix itself.
            if facts["type"] == "file" and name.startswith(prefix) and not name.endswith("/")
        ]

    @contextmanager
    def _opened_s3(self, path: str, etag: str, size_bytes: int) -> Iterator[BinaryIO]:
        bucket, _, prefix = self.address.removeprefix("s3://").partition("/")
        key = "/".join(part for part in (prefix.strip("/"), path) if part)
        # The client does not retry a body that is cut off while it streams. So the whole
        # object is downloaded first, and parsed from the local copy.
        with tempfile.TemporaryFile() as copy:
            self._download(bucket, key, etag, size_bytes, copy)
            copy.seek(0)
            yield copy

    def _download(self, bucket: str, key: str, etag: str, size_bytes: int, copy: Any) -> None:
        from fsspec.asyn import sync

        file_system = s3_file_system(self.s3_endpoint_url)

        async def fetch() -> None:
            answer = await file_system._call_s3(
                "get_object", Bucket=bucket, Key=key, IfMatch=f'"{etag}"'
            )
            async with answer["Body"] as body:
                while block := await body.read(_DOWNLOAD_BLOCK_BYTES):
                    copy.write(block)

        problem: Exception | None = None
        for _ in range(READ_ATTEMPTS):
            copy.seek(0)
            copy.truncate()
            try:
                sync(file_system.loop, fetch)
            except FileNotFoundError:
                raise UnreadableFileError("it was deleted before it could be read") from None
            except Exception as error:
                if _http_status(error) == 412:
                    raise UnreadableFileError("it was overwritten after it was listed") from None
                if sentence := _REFUSALS_OF_AN_OBJECT.get(_error_code(error)):
                    raise UnreadableFileError(sentence) from None
                problem = error
                continue
            if copy.tell() == size_bytes:
                return
            problem = None
        if problem is None:
            raise UnreadableFileError(f"{size_bytes} bytes were listed, {copy.tell()} came")
        raise LandingError(
            f"s3://{bucket}/{key} cannot be read: {problem}; {_advice_on_store(problem)}"
        ) from problem


def _facts(path: Path) -> os.stat_result | None:
    """What is known of a file, or of the link to it if the target may not be looked at.

    None: it is no file. To open a pipe would block until somebody writes to it.
    """
    try:
        facts = path.stat()
    except OSError as error:
        if isinstance(error, PermissionError) and path.is_symlink():
            return path.lstat()
        _refuse_unlisted(error)
        return None
    return facts if stat.S_ISREG(facts.st_mode) else None


def _row(
    root: Path, path: Path, facts: os.stat_result, *, is_folder: bool = False
) -> tuple[str, str, int, int]:
    """The row of a file; the path of a link to a folder ends with `/`."""
    shown = _as_utf8(path.relative_to(root)) + ("/" if is_folder else "")
    return shown, _local_etag(facts), facts.st_size, facts.st_mtime_ns // 1000


def _is_same(path: Path, facts: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), facts)
    except OSError:
        return False


def _refuse_unlisted(error: OSError) -> None:
    if error.errno in (errno.ENOENT, errno.ELOOP):
        return  # A dead link, or renamed meanwhile: the next run lists the new name.
    # If the folder were skipped, it would look as if all its files were decided.
    raise LandingError(
        f"{error.filename} cannot be listed: {error.strerror}; grant this user read access"
    ) from error


def _as_utf8(path: Path) -> str:
    return os.fsencode(path).decode(errors="replace")


def _local_etag(facts: os.stat_result) -> str:
    return f"{facts.st_mtime_ns:x}-{facts.st_size:x}"


def _http_status(error: Exception) -> int | None:
    status = _s3_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    return int(status) if status is not None else None


def _error_code(error: Exception) -> str:
    return str(_s3_answer(error).get("Error", {}).get("Code"))


def _advice_on_store(error: Exception) -> str:
    if _error_code(error) == "RequestTimeTooSkewed":
        return "the clocks of this host and of the store differ: correct that of this host"
    return "check METERLINE_LANDING, METERLINE_S3_ENDPOINT_URL and the AWS_* credentials"


def _s3_answer(error: Exception) -> dict[str, Any]:
    # s3fs raises an OSError, whose cause is the client's own error.
    return getattr(error.__cause__ or error, "response", None) or {}


def _refuse_changed(listed: str, found: str) -> None:
    if listed != found:
        raise UnreadableFileError("it was changed after it was listed")
