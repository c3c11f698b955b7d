"""Discovery: new versions, names, senders, when a file was received, and the sequence."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.landing.discovery import discover, first_batch, is_harmless
from pipelines.vocabulary.frames import LISTING
from pipelines.vocabulary.tables import LANDING_FILES
from tests.worlds.deliveries import NOON, TICK, source_rows
from tests.worlds.oracle import Sender

DAY = timedelta(days=1)
SENDERS = {
    "cdn": Sender("cdn", 34 * DAY, 33 * DAY, DAY),
    "app": Sender("shared", 34 * DAY, 33 * DAY, DAY),
}
SOURCES = pl.concat(
    [
        source_rows(SENDERS),
        source_rows({"archive": Sender("archive", None, None, DAY)}, received_at_from="path"),
    ]
)
NO_REGISTRY = pl.DataFrame(schema=LANDING_FILES.schema)

Listed = tuple[str, str, int, datetime]
"""Path, etag, size in bytes, modification time."""


def _listing(*objects: Listed | str) -> pl.DataFrame:
    rows = [(each, "v1", 10, NOON) if isinstance(each, str) else each for each in objects]
    return pl.DataFrame(rows, schema=LISTING, orient="row")


def _registry(files: pl.DataFrame) -> pl.DataFrame:
    """The registry after a batch has decided these files."""
    return files.with_columns(pl.lit(1, pl.Int64).alias("batch_id")).select(
        LANDING_FILES.column_names
    )


def _paths(files: pl.DataFrame) -> list[str]:
    return files["path"].to_list()


def test_new_file_is_described_by_the_listing_and_its_source() -> None:
    files = discover(_listing(("app/a.ndjson", "v1", 17, NOON)), NO_REGISTRY, SOURCES).files

    assert files.rows(named=True) == [
        {
            "file_id": 1,
            "source": "app",
            "path": "app/a.ndjson",
            "etag": "v1",
            "size_bytes": 17,
            "received_at": NOON,
            "corrects_file_id": None,
            "dialect": "metronome",
            "dedupe_scope": "shared",
        }
    ]


def test_empty_landing_has_no_files_and_the_same_columns() -> None:
    empty = discover(_listing(), NO_REGISTRY, SOURCES)
    full = discover(_listing("cdn/a.ndjson"), NO_REGISTRY, SOURCES)

    assert (empty.listed, empty.files.height, empty.ignored.height) == (0, 0, 0)
    assert empty.files.schema == full.files.schema


def test_known_files_are_not_new() -> None:
    listing = _listing("cdn/a.ndjson", "cdn/b.ndjson")
    registry = _registry(discover(listing, NO_REGISTRY, SOURCES).files)

    again = discover(listing, registry, SOURCES)

    assert again.files.is_empty()
    assert again.listed == 2


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(("cdn/a.ndjson", "v2", 10, NOON), id="another-content-of-the-same-size"),
        pytest.param(("cdn/a.ndjson", "v1", 11, NOON), id="another-size"),
        pytest.param(("cdn/b.ndjson", "v1", 10, NOON), id="another-path"),
    ],
)
def test_overwritten_object_is_a_new_version(version: Listed) -> None:
    registry = _registry(discover(_listing("cdn/a.ndjson"), NO_REGISTRY, SOURCES).files)

    files = discover(_listing(version), registry, SOURCES).files

    assert files.select("file_id", "path", "etag", "size_bytes").rows() == [(2, *version[:3])]


def test_touched_object_is_the_same_version() -> None:
    registry = _registry(discover(_listing("cdn/a.ndjson"), NO_REGISTRY, SOURCES).files)

    assert discover(
        _listing(("cdn/a.ndjson", "v1", 10, NOON + DAY)), registry, SOURCES
    ).files.is_empty()


def test_object_older_than_all_known_is_still_new() -> None:
    registry = _registry(discover(_listing("cdn/a.ndjson"), NO_REGISTRY, SOURCES).files)

    listing = _listing("cdn/a.ndjson", ("cdn/b.ndjson", "v1", 10, NOON - 400 * DAY))

    assert _paths(discover(listing, registry, SOURCES).files) == ["cdn/b.ndjson"]


@pytest.mark.parametrize(
    "path",
    [
        "cdn/_a.ndjson",
        "cdn/.a.ndjson",
        "cdn/2026/_temporary/0/a.ndjson",
        "cdn/.staging/a.ndjson",
        "cdn/a.ndjson.tmp",
        "cdn/a.ndjson.gz.part",
        "_cdn/a.ndjson",
        "unheard_of/a.ndjson.tmp",
    ],
)
def test_unfinished_upload_is_not_read_but_counted(path: str) -> None:
    discovery = discover(_listing(path, "cdn/b.ndjson"), NO_REGISTRY, SOURCES)

    assert _paths(discovery.files) == ["cdn/b.ndjson"]
    assert discovery.listed == 2
    ((ignored, reason),) = discovery.ignored.rows()
    assert ignored == path
    assert reason.startswith("unfinished upload")


@pytest.mark.parametrize(
    "path",
    [
        "cdn/a.ndjson",
        "cdn/a.jsonl.gz",
        "cdn/a.json.zst",
        "cdn/a.csv",
        "cdn/a.csv.gz",
        "cdn/a.csv.zst",
        "cdn/a.parquet",
        "cdn/a.snappy.parquet",
        "cdn/a_b.c.ndjson",
        "cdn/any/depth/at/all/a.ndjson",
        "cdn/part-00000.tmp.ndjson",
        "cdn/a b'; drop table x;--.ndjson",
        "cdn/é/日本.ndjson",
        "cdn/a.tsv",
        "cdn/a.csv.bz2",
        "cdn/a.parquet.gz",
        "cdn/a.parquet.crc",
        "cdn/a.ndjson.bz2",
        "cdn/a.NDJSON",
        "cdn/ndjson",
        "cdn/a.ndjson.gz.zst",
        "cdn/README.md",
        "cdn/a.ndjson.tmp2",
        "cdn/firehose-1-2026-01-10-10-00-00-5e7f",
        "cdn/segment-logs/a1B2/1768003200000/1768003214_0001.abc.gz",
    ],
)
def test_finished_upload_is_read(path: str) -> None:
    assert _paths(discover(_listing(path), NO_REGISTRY, SOURCES).files) == [path]


def test_a_file_that_was_taken_in_under_such_a_name_is_known() -> None:
    copy = _listing("cdn/_fixed/a.ndjson")
    known = _registry(discover(_listing("cdn/a.ndjson"), NO_REGISTRY, SOURCES).files)
    known = known.with_columns(pl.lit("cdn/_fixed/a.ndjson").alias("path"))

    assert discover(copy, NO_REGISTRY, SOURCES).unfinished["path"].to_list() == [
        "cdn/_fixed/a.ndjson"
    ]
    assert discover(copy, known, SOURCES).unfinished.is_empty()


@pytest.mark.parametrize(
    ("path", "size_bytes", "is_upload"),
    [
        pytest.param("cdn/_a.ndjson", 1, True, id="of-one-byte"),
        pytest.param("cdn/_SUCCESS", 0, False, id="empty"),
        pytest.param("unheard_of/a.tmp", 1, False, id="of-no-source"),
        pytest.param("cdn/a.ndjson", 1, False, id="finished"),
    ],
)
def test_an_upload_that_may_go_on_is_known_by_its_age(
    path: str, size_bytes: int, is_upload: bool
) -> None:
    listing = _listing((path, "v1", size_bytes, NOON))

    unfinished = discover(listing, NO_REGISTRY, SOURCES).unfinished

    assert unfinished.rows() == ([(path, NOON)] if is_upload else [])


def test_link_to_a_folder_is_not_read_but_named() -> None:
    discovery = discover(_listing("cdn/more/", "cdn/old.json/", "new/"), NO_REGISTRY, SOURCES)

    assert discovery.files.is_empty()
    assert {path: reason[:52] for path, reason in discovery.ignored.rows()} == dict.fromkeys(
        ("cdn/more/", "cdn/old.json/", "new/"),
        "a link to a folder, which is not followed; put the f"[:52],
    )


def test_folder_of_no_known_source_is_not_read_but_named() -> None:
    discovery = discover(_listing("cnd/a.ndjson", "cdn/a.ndjson"), NO_REGISTRY, SOURCES)

    assert _paths(discovery.files) == ["cdn/a.ndjson"]
    assert discovery.ignored.rows() == [("cnd/a.ndjson", "no row for source 'cnd' in sources.csv")]
    assert discovery.waiting.drop("file_id").rows() == [
        ("cnd", "cnd/a.ndjson", 10, NOON, "no row for source 'cnd' in sources.csv")
    ]


def test_what_waits_is_numbered_after_what_is_new_and_not_if_it_is_known() -> None:
    listing = _listing("cnd/b.ndjson", "cdn/a.ndjson", "cnd/a.ndjson")
    files = discover(listing, NO_REGISTRY, SOURCES)
    known = _registry(files.files).with_columns(pl.lit("cnd/b.ndjson").alias("path"))

    assert files.files["file_id"].to_list() == [1]
    assert files.waiting.select("file_id", "path").rows() == [
        (2, "cnd/a.ndjson"),
        (3, "cnd/b.ndjson"),
    ]
    assert discover(listing, known, SOURCES).waiting["path"].to_list() == ["cnd/a.ndjson"]


PATTERNS = SOURCES.with_columns(
    pl.when(pl.col("source") == "cdn")
    .then(pl.lit(["*.gz", "usage/*"], pl.List(pl.String)))
    .alias("paths")
)


def test_patterns_narrow_a_source_and_what_they_leave_out_is_counted() -> None:
    listing = _listing(
        "cdn/a.gz", "cdn/b/c.gz", "cdn/usage/d", "cdn/a.json", "cdn/_e", "app/a.json"
    )

    discovery = discover(listing, NO_REGISTRY, PATTERNS)

    assert _paths(discovery.files) == ["app/a.json", "cdn/a.gz", "cdn/b/c.gz", "cdn/usage/d"]
    assert discovery.ignored.rows() == [
        ("cdn/_e", "left out by `paths` of its source: *.gz;usage/*"),
        ("cdn/a.json", "left out by `paths` of its source: *.gz;usage/*"),
    ]
    assert (discovery.waiting.height, discovery.unfinished.height) == (0, 0)
    assert discovery.unmatched == ()


def test_a_pattern_that_matches_nothing_is_named() -> None:
    discovery = discover(_listing("cdn/a.gz"), NO_REGISTRY, PATTERNS)

    assert discovery.unmatched == (
        "source 'cdn': no object matches 'usage/*' of `paths` in sources.csv",
    )


def test_source_added_later_heals_what_was_ignored() -> None:
    listing = _listing("new/a.ndjson")
    assert discover(listing, NO_REGISTRY, SOURCES).files.is_empty()

    senders = SENDERS | {"new": Sender("new", None, None, DAY)}
    assert _paths(discover(listing, NO_REGISTRY, source_rows(senders)).files) == ["new/a.ndjson"]


def test_object_outside_any_folder_belongs_to_nobody_and_is_counted() -> None:
    """It could be usage of any sender, so a person must see it. It holds no invoice back."""
    listing = _listing("README.md", "a.ndjson", "_b.ndjson", "cdn/a.ndjson")
    discovery = discover(listing, NO_REGISTRY, SOURCES)

    sentence = "it stands in no folder, so no source sent it; move it into its source's folder"
    unfinished = "unfinished upload (the name begins with _ or . or ends in .tmp or .part)"
    assert discovery.ignored.rows() == [
        ("README.md", sentence),
        ("_b.ndjson", unfinished),
        ("a.ndjson", sentence),
    ]
    assert (discovery.listed, _paths(discovery.files)) == (4, ["cdn/a.ndjson"])
    assert discovery.waiting.is_empty()
    assert discovery.unfinished.is_empty()
    assert is_harmless(sentence)


@pytest.mark.parametrize(
    ("path", "received_at"),
    [
        pytest.param("2026/03/10/00/a", datetime(2026, 3, 10, 0, tzinfo=UTC), id="first-hour"),
        pytest.param("2026/03/10/23/a", datetime(2026, 3, 10, 23, tzinfo=UTC), id="last-hour"),
        pytest.param("2026/12/31/23/a", datetime(2026, 12, 31, 23, tzinfo=UTC), id="year-end"),
        pytest.param("2024/02/29/12/a", datetime(2024, 2, 29, 12, tzinfo=UTC), id="leap-day"),
        pytest.param("us/2026/03/29/02/x/a", datetime(2026, 3, 29, 2, tzinfo=UTC), id="deep"),
        pytest.param(
            "2026/03/10/01/2027/04/11/02/a", datetime(2026, 3, 10, 1, tzinfo=UTC), id="first-date"
        ),
        pytest.param("2026/03/10/a", datetime(2026, 3, 10, tzinfo=UTC), id="a-day"),
        pytest.param("2026/03/10/05-a", datetime(2026, 3, 10, tzinfo=UTC), id="hour-in-the-name"),
        pytest.param(
            "2026/03/10/x/2027/04/11/02/a", datetime(2027, 4, 11, 2, tzinfo=UTC), id="hour-wins"
        ),
        pytest.param(
            "year=2026/month=03/day=10/hour=05/a", datetime(2026, 3, 10, 5, tzinfo=UTC), id="hive"
        ),
        pytest.param(
            "year=2026/month=3/day=1/hour=5/a", datetime(2026, 3, 1, 5, tzinfo=UTC), id="hive-short"
        ),
        pytest.param(
            "year=2026/month=03/day=10/a", datetime(2026, 3, 10, tzinfo=UTC), id="hive-day"
        ),
        pytest.param("dt=2026-03-10/a", datetime(2026, 3, 10, tzinfo=UTC), id="dt"),
        pytest.param(
            "dt=2026-03-10/hour=23/a", datetime(2026, 3, 10, 23, tzinfo=UTC), id="dt-hour"
        ),
        pytest.param("date=2026-03-10-07/a", datetime(2026, 3, 10, 7, tzinfo=UTC), id="date-hour"),
        pytest.param("2026-03-10/a", datetime(2026, 3, 10, tzinfo=UTC), id="iso-day"),
        pytest.param("20260310/a", datetime(2026, 3, 10, tzinfo=UTC), id="day-in-a-row"),
        pytest.param("x/20260310/10/a", datetime(2026, 3, 10, 10, tzinfo=UTC), id="row-hour"),
        pytest.param("20261231-23/a", datetime(2026, 12, 31, 23, tzinfo=UTC), id="row-dash-hour"),
        pytest.param("20260310/hr=9/a", datetime(2026, 3, 10, 9, tzinfo=UTC), id="row-hr"),
        pytest.param("20260310/1/a", datetime(2026, 3, 10, tzinfo=UTC), id="one-digit-is-no-hour"),
        pytest.param("event_date=2026-03-10/a", datetime(2026, 3, 10, tzinfo=UTC), id="event-date"),
        pytest.param("dt=20260310/a", datetime(2026, 3, 10, tzinfo=UTC), id="dt-in-a-row"),
        pytest.param(
            "date=20260310/hour=00/a", datetime(2026, 3, 10, tzinfo=UTC), id="date-in-a-row-hour-0"
        ),
        pytest.param(
            "ds=20260310/hr=23/a", datetime(2026, 3, 10, 23, tzinfo=UTC), id="ds-in-a-row-hr"
        ),
        pytest.param("dt=2026-03-10/hour=5/a", datetime(2026, 3, 10, 5, tzinfo=UTC), id="dt-hour"),
        pytest.param(
            "year=2026/month=03/day=10/hr=05/a", datetime(2026, 3, 10, 5, tzinfo=UTC), id="hive-hr"
        ),
        pytest.param("2026/03/10/hour=7/a", datetime(2026, 3, 10, 7, tzinfo=UTC), id="named-hour"),
        pytest.param("20240101/2026-03-10/a", datetime(2026, 3, 10, tzinfo=UTC), id="dashes-win"),
        pytest.param(
            "20240101/1768003200000/a", datetime(2026, 1, 10, tzinfo=UTC), id="milliseconds-win"
        ),
        pytest.param(
            "20261310/20260310/a", datetime(2026, 3, 10, tzinfo=UTC), id="customer-of-8-digits"
        ),
        pytest.param(
            "segment-logs/x/1768003200000/a", datetime(2026, 1, 10, tzinfo=UTC), id="milliseconds"
        ),
    ],
)
def test_archive_is_received_at_the_hour_in_its_path(path: str, received_at: datetime) -> None:
    listing = _listing((f"archive/{path}.ndjson", "v1", 10, NOON + 100 * DAY))

    assert discover(listing, NO_REGISTRY, SOURCES).files["received_at"].to_list() == [received_at]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("a", id="no-date"),
        pytest.param("2026/03/10/24/a", id="hour-24"),
        pytest.param("2026/02/29/00/a", id="february-29-of-a-usual-year"),
        pytest.param("2026/13/01/00/a", id="month-13"),
        pytest.param("2026/00/01/00/a", id="month-0"),
        pytest.param("2026/3/10/00/a", id="single-digit"),
        pytest.param("year=2026/month=13/day=10/hour=00/a", id="hive-month-13"),
        pytest.param("dt=2026-02-30/a", id="february-30"),
        pytest.param("dt=2026-03-10", id="date-in-the-name"),
        pytest.param("20260310", id="day-in-a-row-in-the-name"),
        pytest.param("20260230/a", id="february-30-in-a-row"),
        pytest.param("dt=20260230/a", id="dt-february-30-in-a-row"),
        pytest.param("20261310/a", id="month-13-in-a-row"),
        pytest.param("20260132/a", id="day-32-in-a-row"),
        pytest.param("19991231/a", id="a-number-of-8-digits"),
        pytest.param("x20260310/a", id="letter-before-the-day"),
        pytest.param("2026031010/a", id="ten-digits-may-be-unix-seconds"),
        pytest.param("20240101/20260310/a", id="two-days-in-a-row"),
        pytest.param("20260310/24/a", id="hour-24-in-a-row"),
        pytest.param("dt=20260310/hour=24/a", id="named-hour-24"),
    ],
)
def test_archive_without_an_hour_in_its_path_is_not_read_but_counted(path: str) -> None:
    discovery = discover(_listing(f"archive/{path}.ndjson"), NO_REGISTRY, SOURCES)

    assert discovery.files.is_empty()
    sentence = "no date like 2026/01/10/10/ in the path of a source dated by its path"
    assert discovery.ignored["reason"].to_list() == [sentence]
    assert discovery.waiting.select("received_at", "reason").rows() == [(NOON, sentence)]


def test_date_in_the_path_means_nothing_where_the_source_does_not_say_so() -> None:
    files = discover(_listing("cdn/2020/01/01/00/a.ndjson"), NO_REGISTRY, SOURCES).files

    assert files["received_at"].to_list() == [NOON]


def test_sequence_is_by_reception_then_path() -> None:
    listing = _listing(
        ("cdn/b.ndjson", "v1", 10, NOON),
        ("cdn/z.ndjson", "v1", 10, NOON - TICK),
        ("app/c.ndjson", "v1", 10, NOON),
        ("archive/2026/03/10/12/a.ndjson", "v1", 10, NOON - DAY),  # received at noon, by its path
        ("cdn/a.ndjson", "v1", 10, NOON + TICK),
    )

    files = discover(listing.reverse(), NO_REGISTRY, SOURCES).files

    assert files.select("file_id", "path").rows() == [
        (1, "cdn/z.ndjson"),
        (2, "app/c.ndjson"),
        (3, "archive/2026/03/10/12/a.ndjson"),
        (4, "cdn/b.ndjson"),
        (5, "cdn/a.ndjson"),
    ]


def test_paths_are_ordered_byte_by_byte_whatever_the_locale() -> None:
    names = ["cdn/B.ndjson", "cdn/a.ndjson", "cdn/a/b.ndjson", "cdn/ä.ndjson"]

    files = discover(_listing(*reversed(names)), NO_REGISTRY, SOURCES).files

    assert _paths(files) == sorted(names, key=lambda name: name.encode())


def test_sequence_goes_on_after_the_registry() -> None:
    first = discover(_listing("cdn/a.ndjson", "cdn/b.ndjson"), NO_REGISTRY, SOURCES).files
    listing = _listing(
        "cdn/a.ndjson", "cdn/b.ndjson", ("cdn/0.ndjson", "v1", 10, NOON - DAY), "cdn/c.ndjson"
    )

    files = discover(listing, _registry(first), SOURCES).files

    # A file that lands late is numbered late: files that have a number keep it.
    assert files.select("file_id", "path").rows() == [(3, "cdn/0.ndjson"), (4, "cdn/c.ndjson")]


def _sized(*sizes: int) -> pl.DataFrame:
    return discover(
        _listing(*((f"cdn/{n}.ndjson", "v1", size, NOON) for n, size in enumerate(sizes))),
        NO_REGISTRY,
        SOURCES,
    ).files


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([100], 1, id="exactly-the-batch"),
        pytest.param([101], 1, id="one-too-large-goes-alone"),
        pytest.param([101, 1], 1, id="nothing-beside-one-too-large"),
        pytest.param([60, 40, 1], 2, id="filled-exactly"),
        pytest.param([60, 41, 1], 1, id="no-later-file-overtakes"),
        pytest.param([0, 101], 1, id="an-empty-file-is-a-file"),
        pytest.param([0, 0, 100, 0, 1], 4, id="empty-files-cost-nothing"),
        pytest.param([1] * 150, 100, id="many"),
    ],
)
def test_batch_takes_the_first_files_that_fit_and_at_least_one(
    sizes: list[int], taken: int
) -> None:
    files = _sized(*sizes)

    batch = first_batch(files.reverse(), batch_bytes=100)

    assert batch["file_id"].to_list() == list(range(1, taken + 1))
    assert batch.schema == files.schema


def test_batches_together_take_every_file_once() -> None:
    waiting = _sized(30, 90, 0, 200, 10, 10, 80, 5)
    taken = []
    while waiting.height:
        batch = first_batch(waiting, batch_bytes=100)
        taken.append(batch["file_id"].to_list())
        waiting = waiting.join(batch, on="file_id", how="anti")

    assert taken == [[1], [2, 3], [4], [5, 6, 7], [8]]
