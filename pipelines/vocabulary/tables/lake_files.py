"""Files of the lake itself, as they were committed."""

from pipelines.vocabulary.tables.columns import BATCH_ID, LakeTable, bigint, text

LAKE_FILES = LakeTable(
    "lake_files",
    "One row per Parquet file of the lake: its size and digest when it was committed.",
    (
        BATCH_ID,
        text("table_name", "Table that the file belongs to."),
        text("file_name", "Name of the file; `batch-<id>-` says which batch it belongs to."),
        bigint("size_bytes", "Bytes of the file."),
        text("sha256", "SHA-256 (hex) of the file's bytes."),
    ),
)
