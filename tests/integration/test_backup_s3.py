"""A backup on an S3 server: the same files, none of them twice, and a home restored from it."""

import hashlib
from pathlib import Path
from unittest.mock import patch

import pytest

from pipelines.home import Home
from pipelines.recovery.backup import back_up
from pipelines.recovery.manifest import chosen_manifest
from pipelines.recovery.restore import check_backup, restore_files, restore_home
from pipelines.recovery.store import ChangedFileError, FolderStore, S3Store, open_store
from pipelines.vocabulary.errors import MeterlineError
from tests.worlds.backups import commit, home_of, kept, lake_files, two_batches
from tests.worlds.buckets import Bucket


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return two_batches(tmp_path / "home")


def _store(bucket: Bucket, prefix: str = "/backups of/meterline") -> S3Store:
    store = open_store(f"s3://{bucket.name}{prefix}", bucket.endpoint_url)
    assert isinstance(store, S3Store)
    return store


@pytest.mark.parametrize("prefix", ["", "/backups of/meterline", "/a/"])
def test_home_is_restored_from_a_bucket(
    prefix: str, home: Home, bucket: Bucket, tmp_path: Path
) -> None:
    store = _store(bucket, prefix)

    made = back_up(home, store)

    other = home_of(tmp_path / "other")
    assert restore_home(other, store).files == made.files
    assert lake_files(other) == lake_files(home)
    # The next case has the same bucket.
    bucket.client.rm(bucket.name, recursive=True)


def test_bucket_and_folder_hold_the_same(home: Home, bucket: Bucket, tmp_path: Path) -> None:
    store, folder = _store(bucket), FolderStore(tmp_path / "backup")
    back_up(home, store)
    back_up(home, folder)

    def objects(sizes: dict[str, int]) -> dict[str, int]:
        return {name: size for name, size in sizes.items() if name.startswith("objects/")}

    assert objects(dict(store.sizes())) == objects(dict(folder.sizes()))
    assert len(store.sizes()) == len(kept(folder))


def test_second_backup_sends_only_what_is_new(home: Home, bucket: Bucket) -> None:
    store = _store(bucket)
    back_up(home, store)
    first = dict(store.sizes())
    commit(home, 3)
    sent = list[str]()
    put = S3Store.put

    def noted(self: S3Store, name: str, source: Path, sha256: str) -> None:
        sent.append(name)
        put(self, name, source, sha256)

    with patch.object(S3Store, "put", noted):
        made = back_up(home, store)

    assert len(sent) == made.new_files + 1
    assert set(sent) & set(first) == set()
    assert {name: store.sizes()[name] for name in first} == first


def test_damaged_files_are_put_back_from_a_bucket(home: Home, bucket: Bucket) -> None:
    store = _store(bucket)
    back_up(home, store)
    before = lake_files(home)
    for path in (home.settings.lake_data / "main" / "accepted_events").iterdir():
        path.write_bytes(b"")

    assert restore_files(home, store).files == 2
    assert lake_files(home) == before


def test_damaged_and_lost_objects_are_named(home: Home, bucket: Bucket, tmp_path: Path) -> None:
    store = _store(bucket, "/b")
    back_up(home, store)
    first, second = chosen_manifest(store, store.sizes(), None).files[:2]
    bucket.put(f"b/{first.object_name}", b"x" * first.size_bytes)
    bucket.delete(f"b/{second.object_name}")

    with pytest.raises(MeterlineError, match="is damaged") as refused:
        check_backup(store, tmp_path)

    assert f"{first.path}: {store}/{first.object_name}: expected SHA-256" in str(refused.value)
    assert f"{second.path}: {store}/{second.object_name} is missing" in str(refused.value)
    # The lost one is copied again by the next backup, and the one of equal size is not looked at.
    commit(home, 3)
    back_up(home, store)
    assert second.object_name in store.sizes()


def test_changed_file_is_not_sent(home: Home, bucket: Bucket, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"other")
    store = _store(bucket)

    with pytest.raises(ChangedFileError, match="expected SHA-256"):
        store.put("objects/a", source, hashlib.sha256(b"this").hexdigest())

    assert dict(store.sizes()) == {}


@pytest.mark.parametrize("address", ["s3://", "s3:///", "S3:///"])
def test_address_without_a_bucket_is_refused(address: str) -> None:
    with pytest.raises(MeterlineError, match="expected s3://bucket or s3://bucket/prefix"):
        open_store(address, None)


def test_bucket_that_is_not_there_is_a_sentence(
    home: Home, endpoint_url: str, tmp_path: Path
) -> None:
    store = open_store("s3://no-such-bucket/b", endpoint_url)

    with pytest.raises(MeterlineError, match=r"s3://no-such-bucket/b (cannot be|has no)") as one:
        back_up(home, store)
    with pytest.raises(MeterlineError, match=r"s3://no-such-bucket/b (cannot be|has no)"):
        restore_home(home_of(tmp_path / "other"), store)

    assert "METERLINE_S3_ENDPOINT_URL" in str(one.value)
