"""Fixtures of the tests that need a server."""

from collections.abc import Iterator

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from tests.worlds.buckets import Bucket


@pytest.fixture(scope="module")
def endpoint_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint_url: str, request: pytest.FixtureRequest) -> Bucket:
    name = request.node.originalname.replace("_", "-")[:63].strip("-")
    client = s3fs.S3FileSystem(endpoint_url=endpoint_url, use_listings_cache=False)
    client.call_s3("create_bucket", Bucket=name)
    return Bucket(name, endpoint_url, client)
