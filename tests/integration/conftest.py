"""Fixtures of the tests that need a server."""

from collections.abc import Iterator

import pytest

from tests.worlds.buckets import Bucket, make_bucket, s3_server


@pytest.fixture(scope="module")
def endpoint_url() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(endpoint_url: str, request: pytest.FixtureRequest) -> Bucket:
    return make_bucket(request.node.originalname.replace("_", "-")[:63].strip("-"), endpoint_url)
