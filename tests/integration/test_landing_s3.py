"""A landing on an S3 server: the same listing, versions and verdicts as a local folder."""

from pathlib import Path

import polars as pl
import pytest
import s3fs
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from s3fs.errors import translate_boto_error

from pipelines.audit.provenance import check_provenance
from pipelines.landing.discovery import discover
from pipelines.landing.store import Landing
from pipelines.vocabulary.errors import LandingError, UnreadableFileError
from pipelines.vocabulary.frames import LISTING
from pipelines.vocabulary.tables import LANDING_FILES
from tests.worlds.buckets import Bucket
from tests.worlds.deliveries import CDN, NO_CUTS, cut_rows, source_rows
from tests.worlds.file_lines import FIELDS
from tests.worlds.formats import WRITERS
from tests.worlds.lakes import decide_landing, open_lake, start_lake, verdict_rows
from tests.worlds.landings import drop_into_folder, make_landed_world


def _version(landing: Landing, path: str) -> tuple[str, str, int]:
    listing = landing.list_objects().filter(pl.col("path") == path)
    return path, listing["etag"].item(), listing["size_bytes"].item()


def test_objects_over_several_pages_are_each_listed_once(bucket: Bucket) -> None:
    keys = [f"in/cdn/{number % 7}/part-{number:04d}.ndjson" for number in range(1100)]
    for key in keys:
        bucket.put_behind_the_server(key)

    listing = bucket.landing("/in").list_objects()

    assert listing.schema == LISTING
    assert listing["path"].to_list() == sorted(key.removeprefix("in/") for key in keys)
    assert listing["modified_at"].null_count() == 0


def test_an_empty_prefix_lists_nothing(bucket: Bucket) -> None:
    bucket.put("elsewhere/cdn/a.json")

    assert bucket.landing("/in").list_objects().is_empty()


def test_a_prefix_is_a_folder_and_not_the_beginning_of_another_ones_name(bucket: Bucket) -> None:
    for key in ("in/cdn/a.json", "inner/cdn/b.json", "in2/cdn/c.json", "in-cdn.json", "in"):
        bucket.put(key)

    assert bucket.landing("/in").list_objects()["path"].to_list() == ["cdn/a.json"]
    assert bucket.landing("/i").list_objects().is_empty()


def test_an_object_named_as_the_prefix_is_not_below_it(bucket: Bucket) -> None:
    bucket.put("in")

    assert bucket.landing("/in").list_objects().is_empty()


def test_a_whole_bucket_is_a_landing(bucket: Bucket) -> None:
    bucket.put("cdn/a.json", b"whole")
    landing = bucket.landing()

    with landing.opened(*_version(landing, "cdn/a.json")) as stream:
        assert stream.read() == b"whole"


def test_placeholders_of_folders_are_no_files(bucket: Bucket) -> None:
    for key in ("in/", "in/cdn/", "in/cdn/a.json"):
        bucket.put(key)

    assert bucket.landing("/in").list_objects()["path"].to_list() == ["cdn/a.json"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("cdn/with space +%20&=?versionId=1#.json", id="url_characters"),
        pytest.param("cdn/straße/東京/e\u0301.json", id="unicode"),
        pytest.param("cdn/\U0001f4a9.json", id="emoji"),
        pytest.param("cdn/tab\tand\x7f.json", id="control_characters"),
        pytest.param("cdn/../../escape.json", id="parent_folder"),
        pytest.param("cdn//twice.json", id="empty_folder"),
        pytest.param("cdn/'; DROP TABLE x; --\"<b>{{ 1 }}.json", id="quotes"),
        pytest.param("cdn/[a-b]*.json", id="wildcards"),
    ],
)
def test_any_key_is_listed_and_read_as_it_is(endpoint_url: str, path: str) -> None:
    client = s3fs.S3FileSystem(endpoint_url=endpoint_url, use_listings_cache=False)
    client.call_s3("create_bucket", Bucket="any-key")
    keys = Bucket("any-key", endpoint_url, client)
    keys.put(f"in/{path}", path.encode())
    landing = keys.landing("/in")

    with landing.opened(*_version(landing, path)) as stream:
        assert stream.read() == path.encode()


def test_a_line_end_in_a_key_is_listed_as_it_is(bucket: Bucket) -> None:
    bucket.put_behind_the_server("in/cdn/line\nend.json")

    assert bucket.landing("/in").list_objects()["path"].to_list() == ["cdn/line\nend.json"]


def test_unfinished_names_are_listed_but_not_taken(bucket: Bucket) -> None:
    unfinished = ["cdn/.hidden.json", "cdn/_work/a.json", "cdn/a.json.part", "cdn/a.json.tmp"]
    for path in (*unfinished, "cdn/a.json"):
        bucket.put(f"in/{path}")

    found = discover(
        bucket.landing("/in").list_objects(),
        pl.DataFrame(schema=LANDING_FILES.schema),
        CDN,
    )

    assert found.files["path"].to_list() == ["cdn/a.json"]
    assert found.ignored["path"].to_list() == unfinished
    assert found.listed == 5


def test_an_overwritten_object_is_a_new_version_and_the_old_one_cannot_be_read(
    bucket: Bucket,
) -> None:
    bucket.put("in/cdn/a.json", b"first")
    landing, sources = bucket.landing("/in"), CDN
    registry = discover(
        landing.list_objects(), pl.DataFrame(schema=LANDING_FILES.schema), sources
    ).files
    old_version = _version(landing, "cdn/a.json")

    bucket.put("in/cdn/a.json", b"other")

    found = discover(landing.list_objects(), registry, sources).files
    assert found["path"].to_list() == ["cdn/a.json"]
    assert found["file_id"].to_list() == [2]
    assert found["etag"].item() != registry["etag"].item()
    with (
        pytest.raises(UnreadableFileError, match="it was overwritten after it was listed"),
        landing.opened(*old_version),
    ):
        pass
    with landing.opened(*_version(landing, "cdn/a.json")) as stream:
        assert stream.read() == b"other"


def test_the_same_bytes_put_again_are_no_new_version(bucket: Bucket) -> None:
    bucket.put("in/cdn/a.json", b"same")
    landing, sources = bucket.landing("/in"), CDN
    registry = discover(
        landing.list_objects(), pl.DataFrame(schema=LANDING_FILES.schema), sources
    ).files

    bucket.put("in/cdn/a.json", b"same")

    assert discover(landing.list_objects(), registry, sources).files.is_empty()


def test_an_object_deleted_since_it_was_listed_is_unreadable(bucket: Bucket) -> None:
    bucket.put("in/cdn/a.json")
    landing = bucket.landing("/in")
    version = _version(landing, "cdn/a.json")
    bucket.delete("in/cdn/a.json")

    with (
        pytest.raises(UnreadableFileError, match="it was deleted before it could be read"),
        landing.opened(*version),
    ):
        pass


def test_a_body_of_another_length_than_listed_is_unreadable(bucket: Bucket) -> None:
    bucket.put("in/cdn/a.json", b"12345")
    landing = bucket.landing("/in")
    path, etag, _ = _version(landing, "cdn/a.json")

    with (
        pytest.raises(UnreadableFileError, match="6 bytes were listed, 5 came"),
        landing.opened(path, etag, 6),
    ):
        pass


@pytest.mark.parametrize(
    ("code", "expected", "sentence"),
    [
        ("AccessDenied", UnreadableFileError, "no permission to read it; grant read access, then"),
        ("InvalidObjectState", UnreadableFileError, "it is in an archive of the store; restore it"),
        ("ExpiredToken", LandingError, r"s3://.*/in/cdn/a.json cannot be read: said by the server"),
        ("InvalidAccessKeyId", LandingError, "cannot be read: said by the server"),
        ("RequestTimeTooSkewed", LandingError, "correct that of this host"),
        ("SlowDown", LandingError, "cannot be read: .*said by the server"),
    ],
)
def test_refusal_of_one_object_is_told_from_a_store_that_refuses_everything(
    code: str,
    expected: type[Exception],
    sentence: str,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket.put("in/cdn/a.json")
    landing = bucket.landing("/in")
    version = _version(landing, "cdn/a.json")
    answer = {
        "Error": {"Code": code, "Message": "said by the server"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }

    async def refusing(*_: object, **__: object) -> None:
        raise translate_boto_error(ClientError(answer, "GetObject"))

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", refusing)

    with pytest.raises(expected, match=sentence), landing.opened(*version):
        pass


@pytest.mark.parametrize("prefix", ["", "/in"])
def test_a_wrong_bucket_is_an_error_that_says_what_to_check(endpoint_url: str, prefix: str) -> None:
    landing = Landing(f"s3://no-such-bucket{prefix}", endpoint_url)

    with pytest.raises(
        LandingError,
        match=r"s3://no-such-bucket.* cannot be listed: .*check METERLINE_LANDING, "
        "METERLINE_S3_ENDPOINT_URL and the AWS_",
    ):
        landing.list_objects()


def test_an_overwritten_object_heals_what_was_quarantined(bucket: Bucket, tmp_path: Path) -> None:
    world = make_landed_world(seed=2)
    corrupt = next(file for file in world.files if "cut-short" in file.path)
    healthy = next(file for file in world.files if file.lines and file.path.endswith(".gz"))
    landing = bucket.landing("/in")
    sources, cuts = source_rows(world.senders, "path"), cut_rows(world.cuts)

    bucket.put(f"in/{corrupt.path}", corrupt.content)
    decide_landing(tmp_path, landing, sources, cuts)
    assert verdict_rows(tmp_path) == []
    bucket.put(f"in/{corrupt.path}", healthy.content)
    decide_landing(tmp_path, landing, sources, cuts)

    lines = [line for _, line, *_ in verdict_rows(tmp_path)]
    assert lines == [
        number for number, line in enumerate(healthy.lines, start=1) if line is not None
    ]
    with open_lake(tmp_path, read_only=True) as lake:
        statuses = lake.query("SELECT status FROM lake.file_decisions ORDER BY file_id")
    assert statuses["status"].to_list() == ["quarantined", "decided"]


def test_a_server_gives_the_verdicts_of_a_folder_with_the_same_bytes(
    bucket: Bucket, tmp_path: Path
) -> None:
    world = make_landed_world(seed=6)
    sources, cuts = source_rows(world.senders, "path"), cut_rows(world.cuts)
    folder = Landing(str(tmp_path / "landing"))

    for wave in world.waves():
        drop_into_folder(tmp_path / "landing", wave)
        for file in wave:
            bucket.put(f"in/{file.path}", file.content)
        decide_landing(tmp_path / "by_folder", folder, sources, cuts)
        decide_landing(tmp_path / "by_server", bucket.landing("/in"), sources, cuts)

    assert verdict_rows(tmp_path / "by_server") == verdict_rows(tmp_path / "by_folder")
    assert verdict_rows(tmp_path / "by_server") == world.expected_rows()


def test_files_of_every_format_give_the_verdicts_of_a_folder(
    bucket: Bucket, tmp_path: Path
) -> None:
    events = [FIELDS | {"transaction_id": str(number % 5)} for number in range(7)]
    for name, write in WRITERS.items():
        content = write(events)
        bucket.put(f"in/cdn/{name}", content)
        (tmp_path / "landing" / "cdn").mkdir(parents=True, exist_ok=True)
        (tmp_path / "landing" / "cdn" / name).write_bytes(content)
    bucket.put("in/cdn/cut.parquet", WRITERS["table.parquet"](events)[:-1])
    homes = []
    for number, landing in enumerate((bucket.landing("/in"), Landing(str(tmp_path / "landing")))):
        homes.append(start_lake(tmp_path / str(number)))
        decide_landing(homes[-1], landing, CDN, NO_CUTS)
        with open_lake(homes[-1], read_only=True) as lake:
            finding = check_provenance(lake, landing, 1, CDN)
            assert (finding.offences, finding.sample) == (0, "")

    on_s3, in_a_folder = (
        [(path, line, verdict) for path, line, verdict, *_ in verdict_rows(home)] for home in homes
    )
    # Which copy is the first depends on when a file was received, and that on the store.
    assert [row[:2] for row in on_s3] == [row[:2] for row in in_a_folder]
    assert sum(row[2] == "accepted" for row in on_s3) == 5
    assert len(on_s3) == 7 * len(WRITERS)
    with open_lake(homes[0], read_only=True) as lake:
        assert (
            lake.query(
                "SELECT count(*) FROM lake.file_decisions WHERE status = 'quarantined'"
            ).item()
            == 1
        )
