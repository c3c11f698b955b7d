"""S3 client: the file system of an S3 server, with the patience and the checks that we want."""

from typing import Any

READ_ATTEMPTS = 5
"""Number of times that a download is tried."""


def s3_file_system(endpoint_url: str | None) -> Any:
    """An `s3fs.S3FileSystem`.

    Args:
        endpoint_url: URL of an S3-compatible server. None: AWS. Credentials come from the `AWS_*`
            variables.
    """
    import s3fs  # it takes a run with a folder a quarter of a second

    return s3fs.S3FileSystem(
        endpoint_url=endpoint_url,
        use_listings_cache=False,
        config_kwargs={
            "connect_timeout": 10,
            "read_timeout": 60,
            "retries": {"max_attempts": READ_ATTEMPTS},
            "request_checksum_calculation": "when_required",
        },
    )
