"""The whole job with its landing on an S3 server."""

from pathlib import Path

from pipelines.config import REPOSITORY
from tests.integration.s3_server import Bucket
from tests.meterline_runs import SAMPLE_AS_OF, prepared_home


def test_landing_on_s3_gives_the_digest_of_the_folder(bucket: Bucket, tmp_path: Path) -> None:
    landing = REPOSITORY / "landing"
    for path in landing.rglob("*"):
        if path.is_file():
            bucket.put(f"usage/{path.relative_to(landing).as_posix()}", path.read_bytes())
    on_s3 = prepared_home(
        tmp_path / "s3",
        {
            "METERLINE_LANDING": f"s3://{bucket.name}/usage",
            "METERLINE_S3_ENDPOINT_URL": bucket.endpoint_url,
        },
    )
    in_a_folder = prepared_home(tmp_path / "folder")
    from_s3 = on_s3.report("run", "--as-of", SAMPLE_AS_OF)
    from_folder = in_a_folder.report("run", "--as-of", SAMPLE_AS_OF)

    assert from_s3["file_classes"] == from_folder["file_classes"]
    assert from_s3["invoices"] == from_folder["invoices"]
    assert on_s3.digest() == in_a_folder.digest()
