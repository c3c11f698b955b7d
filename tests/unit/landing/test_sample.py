import gzip
import json
import re
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.sample.make_sample import (
    ACCESS_LOG,
    LANDING,
    LINE_BYTES_MAX,
    SOURCE,
    hourly_files,
    make_sample,
    read_requests,
    section_of,
    write_event,
)

HOUR_IN_PATH = re.compile(r"(\d{4})/(\d{2})/(\d{2})/(\d{2})/")


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return make_sample()


def test_the_landing_is_what_the_script_makes(made: dict[str, bytes]) -> None:
    folder = LANDING / SOURCE
    landed = {
        str(Path(SOURCE) / file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
    assert sorted(landed) == sorted(made)
    for path, content in made.items():
        assert gzip.decompress(landed[path]) == gzip.decompress(content), path
        # Fixed header: deflate, no flags and no name, time 0, best compression, no system.
        assert landed[path][:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff", path
        if "ng" not in zlib.ZLIB_RUNTIME_VERSION:
            assert landed[path] == content, path


def test_every_request_is_sent_once_in_the_file_of_its_hour() -> None:
    requests = read_requests(ACCESS_LOG)
    sent = Counter[str]()
    for path, lines in hourly_files(requests).items():
        match = HOUR_IN_PATH.search(path)
        assert match is not None
        year, month, day, hour = map(int, match.groups())
        received_at = datetime(year, month, day, hour, tzinfo=UTC)
        for line in lines:
            event = json.loads(line)
            occurred_at = datetime.fromisoformat(event["timestamp"])
            assert timedelta(0) < received_at - occurred_at <= timedelta(hours=1)
            sent[event["transaction_id"]] += 1
    assert len(requests) == 10_000
    assert sum(sent.values()) == 10_000
    assert set(sent.values()) == {1}


def test_sizes_add_up_and_a_dash_is_left_out() -> None:
    requests = read_requests(ACCESS_LOG)
    sent = [json.loads(json.dumps(write_event(request)))["properties"] for request in requests]
    sizes = [properties["bytes"] for properties in sent if "bytes" in properties]
    logged = [request.fields["bytes"] for request in requests]
    assert len(requests) - len(sizes) == logged.count("-") == 669
    assert sum(sizes) == sum(int(text) for text in logged if text != "-")


@pytest.mark.parametrize(
    ("path", "section"),
    [
        pytest.param("/blog/tags/puppet", "blog", id="first folder"),
        pytest.param("/blog/", "blog", id="a folder itself"),
        pytest.param("/", "root", id="front page"),
        pytest.param("/favicon.ico", "root", id="file beside the front page"),
        pytest.param("//admin.php", "root", id="doubled slash before a file"),
        pytest.param("//wp/admin.php", "wp", id="doubled slash before a folder"),
    ],
)
def test_section_is_the_first_folder_of_the_path(path: str, section: str) -> None:
    assert section_of(path) == section


def test_second_deliveries_hold_what_the_readme_says(made: dict[str, bytes]) -> None:
    def lines(name: str) -> list[bytes]:
        (content,) = (
            content for path, content in made.items() if path.endswith(f"/{name}.ndjson.gz")
        )
        return gzip.decompress(content).removesuffix(b"\n").split(b"\n")

    assert lines("edge-20150518T08-redelivered") == lines("edge-20150518T08")
    assert len(lines("edge-20150518T08-redelivered")) == 110
    retried, first = lines("edge-20150519T19-retry"), lines("edge-20150519T19")
    assert len(first) == 136
    assert len([line for line in retried if line in first]) == 136
    assert len(retried) == 147
    assert retried.count(b"") == 1
    assert len([line for line in retried if len(line) > LINE_BYTES_MAX]) == 1
