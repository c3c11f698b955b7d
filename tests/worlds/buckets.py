"""A bucket on an S3 server of the test session, written as a sender writes it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import s3fs
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from pipelines.landing.store import Landing


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of an S3 server in this process; the environment has credentials for it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with patch.dict(os.environ, _CREDENTIALS):
            yield f"http://{host}:{port}"
    finally:
        server.stop()


_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own for each test, written by the plain S3 API."""

    name: str
    endpoint_url: str
    client: Any

    def put(self, key: str, body: bytes = b"") -> None:
        self.client.call_s3("put_object", Bucket=self.name, Key=key, Body=body)

    def put_behind_the_server(self, key: str) -> None:
        """Puts an empty object at once, or one whose key the server's routes do not know."""
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(self.name, key, b"")

    def delete(self, key: str) -> None:
        self.client.call_s3("delete_object", Bucket=self.name, Key=key)

    def landing(self, prefix: str = "") -> Landing:
        return Landing(f"s3://{self.name}{prefix}", self.endpoint_url)


def make_bucket(name: str, endpoint_url: str) -> Bucket:
    """A new bucket on the server."""
    client = s3fs.S3FileSystem(endpoint_url=endpoint_url, use_listings_cache=False)
    client.call_s3("create_bucket", Bucket=name)
    return Bucket(name, endpoint_url, client)
