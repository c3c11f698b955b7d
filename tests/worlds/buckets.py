"""A bucket on an S3 server of the test session, written as a sender writes it."""

from dataclasses import dataclass
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from pipelines.landing.store import Landing


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
