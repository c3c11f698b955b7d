"""A landing in a folder: every file is listed once, and only the listed version is read."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.landing.store import Landing
from pipelines.vocabulary.errors import LandingError, UnreadableFileError
from pipelines.vocabulary.frames import LISTING


def _drop(root: Path, path: str, content: bytes = b"{}\n") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def _paths(root: Path) -> list[str]:
    return Landing(str(root)).list_objects()["path"].to_list()


def _version(root: Path, path: str) -> tuple[str, str, int]:
    listing = Landing(str(root)).list_objects().filter(pl.col("path") == path)
    return path, listing["etag"].item(), listing["size_bytes"].item()


def test_files_at_any_depth_are_listed_in_order_of_their_paths(tmp_path: Path) -> None:
    for path in ("cdn/b.json", "cdn/2026/03/10/12/deep/er/a.ndjson.gz", "app/a.json", "stray"):
        _drop(tmp_path, path)

    assert _paths(tmp_path) == [
        "app/a.json",
        "cdn/2026/03/10/12/deep/er/a.ndjson.gz",
        "cdn/b.json",
        "stray",
    ]


def test_a_listed_file_has_its_size_and_its_time_to_the_microsecond(tmp_path: Path) -> None:
    file = _drop(tmp_path, "cdn/a.json", b"12345")
    os.utime(file, ns=(0, 1_773_144_000_123_456_789))

    listing = Landing(str(tmp_path)).list_objects()

    assert listing.schema == LISTING
    assert listing["size_bytes"].item() == 5
    assert listing["modified_at"].item() == datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC)


def test_an_empty_landing_lists_nothing(tmp_path: Path) -> None:
    listing = Landing(str(tmp_path)).list_objects()

    assert listing.is_empty()
    assert listing.schema == LISTING


def test_a_missing_folder_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        LandingError, match=r"METERLINE_LANDING is not a folder: .*/gone; create the folder"
    ):
        Landing(str(tmp_path / "gone")).list_objects()


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    file = _drop(tmp_path, "landing")

    with pytest.raises(LandingError, match="METERLINE_LANDING is not a folder"):
        Landing(str(file)).list_objects()


def test_a_folder_that_cannot_be_listed_is_an_error_rather_than_missing_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _drop(tmp_path, "cdn/closed/a.json")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)

    with pytest.raises(LandingError, match=r"cdn/closed cannot be listed: Permission denied"):
        _paths(tmp_path)


def test_what_is_no_file_is_not_listed(tmp_path: Path) -> None:
    _drop(tmp_path, "cdn/a.json")
    (tmp_path / "cdn/to_nowhere.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "cdn/to_itself.json").symlink_to(tmp_path / "cdn/to_itself.json")
    os.mkfifo(tmp_path / "cdn/pipe.json")  # To open it would block until somebody writes.

    assert _paths(tmp_path) == ["cdn/a.json"]


def test_a_link_to_a_file_of_the_landing_is_read_as_that_file(tmp_path: Path) -> None:
    target = _drop(tmp_path, "landing/old/a.json", b"linked")
    landing = tmp_path / "landing"
    (landing / "cdn").mkdir(parents=True)
    (landing / "cdn/a.json").symlink_to(target)
    (tmp_path / "also").symlink_to(landing)

    for address in (landing, tmp_path / "also"):
        with Landing(str(address)).opened(*_version(address, "cdn/a.json")) as stream:
            assert stream.read() == b"linked"


@pytest.mark.parametrize(
    "target", ["{outside}/secret.json", "../../secret.json", "../cdn/../../secret.json"]
)
def test_a_link_out_of_the_landing_is_listed_and_never_read(tmp_path: Path, target: str) -> None:
    _drop(tmp_path, "secret.json", b"secret")
    landing = tmp_path / "landing"
    (landing / "cdn").mkdir(parents=True)
    (landing / "cdn/a.json").symlink_to(target.format(outside=tmp_path))

    with (
        pytest.raises(UnreadableFileError, match="it is a link that leads out of the landing; put"),
        Landing(str(landing)).opened(*_version(landing, "cdn/a.json")),
    ):
        pass


def test_a_landing_beside_another_of_a_longer_name_does_not_reach_into_it(tmp_path: Path) -> None:
    target = _drop(tmp_path, "landing2/a.json")
    (tmp_path / "landing/cdn").mkdir(parents=True)
    (tmp_path / "landing/cdn/a.json").symlink_to(target)
    version = _version(tmp_path / "landing", "cdn/a.json")

    with (
        pytest.raises(UnreadableFileError, match="leads out of the landing"),
        Landing(str(tmp_path / "landing")).opened(*version),
    ):
        pass


def test_a_link_whose_target_may_not_be_looked_at_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = tmp_path / "landing"
    _drop(landing, "cdn/b.json")
    (landing / "cdn/a.json").symlink_to(tmp_path / "closed/a.json")
    stat = Path.stat

    def refusing(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == "a.json" and follow_symlinks:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refusing)

    assert _paths(landing) == ["cdn/a.json", "cdn/b.json"]
    with (
        pytest.raises(UnreadableFileError, match="leads out of the landing"),
        Landing(str(landing)).opened(*_version(landing, "cdn/a.json")),
    ):
        pass


def test_a_folder_that_becomes_a_link_while_a_file_is_opened_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = tmp_path / "landing"
    _drop(landing, "cdn/a.json")
    _drop(tmp_path, "outside/a.json", b"secret")
    version = _version(landing, "cdn/a.json")
    opened = Path.open

    def swapping(path: Path, mode: str) -> object:
        (landing / "cdn").rename(landing / "was")
        (landing / "cdn").symlink_to(tmp_path / "outside")
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", swapping)

    with (
        pytest.raises(UnreadableFileError, match="leads out of the landing"),
        Landing(str(landing)).opened(*version),
    ):
        pass


def test_a_link_to_a_folder_is_listed_and_not_followed(tmp_path: Path) -> None:
    _drop(tmp_path, "outside/b.json")
    landing = tmp_path / "landing"
    _drop(landing, "cdn/a.json")
    (landing / "cdn/more").symlink_to(tmp_path / "outside")
    (landing / "app").symlink_to(landing / "cdn")

    assert _paths(landing) == ["app/", "cdn/a.json", "cdn/more/"]


def test_a_name_that_is_not_utf_8_stops_no_other_file(tmp_path: Path) -> None:
    _drop(tmp_path, "cdn/a.json")
    misnamed = os.fsencode(tmp_path) + b"/cdn/caf\xe9.json"
    Path(os.fsdecode(misnamed)).write_bytes(b"{}\n")

    assert _paths(tmp_path) == ["cdn/a.json", "cdn/caf\ufffd.json"]
    with (
        pytest.raises(UnreadableFileError, match="its name is not valid UTF-8; rename it"),
        Landing(str(tmp_path)).opened(*_version(tmp_path, "cdn/caf\ufffd.json")),
    ):
        pass


def test_the_listed_version_is_read(tmp_path: Path) -> None:
    _drop(tmp_path, "cdn/a b ü\n.json", b"exact\r\nbytes\x00")

    with Landing(str(tmp_path)).opened(*_version(tmp_path, "cdn/a b ü\n.json")) as stream:
        assert stream.read() == b"exact\r\nbytes\x00"


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"other", id="same_size"), pytest.param(b"longer than before", id="longer")],
)
def test_a_file_overwritten_since_it_was_listed_is_not_read(tmp_path: Path, content: bytes) -> None:
    os.utime(_drop(tmp_path, "cdn/a.json", b"first"), ns=(0, 1))
    version = _version(tmp_path, "cdn/a.json")
    os.utime(_drop(tmp_path, "cdn/a.json", content), ns=(0, 2))

    with (
        pytest.raises(UnreadableFileError, match="it was changed after it was listed"),
        Landing(str(tmp_path)).opened(*version),
    ):
        pass


def test_a_file_appended_to_while_it_is_read_is_not_trusted(tmp_path: Path) -> None:
    file = _drop(tmp_path, "cdn/a.json", b"first\n")
    landing = Landing(str(tmp_path))

    with (  # noqa: PT012 — the test is about a change between two reads
        pytest.raises(UnreadableFileError, match="it was changed after it was listed"),
        landing.opened(*_version(tmp_path, "cdn/a.json")) as stream,
    ):
        assert stream.read() == b"first\n"
        with file.open("ab") as writer:
            writer.write(b"second\n")


def test_a_file_deleted_since_it_was_listed_is_unreadable(tmp_path: Path) -> None:
    file = _drop(tmp_path, "cdn/a.json")
    version = _version(tmp_path, "cdn/a.json")
    file.unlink()

    with (
        pytest.raises(UnreadableFileError, match="it was deleted before it could be read"),
        Landing(str(tmp_path)).opened(*version),
    ):
        pass


def test_a_folder_in_place_of_a_listed_file_is_unreadable(tmp_path: Path) -> None:
    file = _drop(tmp_path, "cdn/a.json")
    version = _version(tmp_path, "cdn/a.json")
    file.unlink()
    file.mkdir()

    with (
        pytest.raises(UnreadableFileError, match="it cannot be opened: Is a directory"),
        Landing(str(tmp_path)).opened(*version),
    ):
        pass


@pytest.mark.parametrize(
    ("number", "expected", "sentence"),
    [
        (errno.EACCES, UnreadableFileError, "no permission to read it; grant read access, then"),
        (errno.EPERM, UnreadableFileError, "no permission to read it; grant read access, then"),
        (errno.ELOOP, UnreadableFileError, "it cannot be opened: Too many levels"),
        (errno.ETIMEDOUT, LandingError, "cdn/a.json cannot be opened: .* run again when the"),
        (errno.ENETUNREACH, LandingError, "cdn/a.json cannot be opened: .* run again when the"),
        (errno.ESTALE, LandingError, "cdn/a.json cannot be opened: .* run again when the"),
        (errno.EIO, LandingError, "cdn/a.json cannot be opened: .* run again when the"),
        (
            errno.EMFILE,
            LandingError,
            "a.json cannot be opened: Too many .*; raise the limit of open",
        ),
    ],
)
def test_refusal_of_one_file_is_told_from_a_landing_that_does_not_answer(
    number: int,
    expected: type[Exception],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _drop(tmp_path, "cdn/a.json")
    version = _version(tmp_path, "cdn/a.json")

    def refusing(path: Path, *_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "open", refusing)

    with pytest.raises(expected, match=sentence), Landing(str(tmp_path)).opened(*version):
        pass
