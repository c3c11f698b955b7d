"""Parquet: turns each row into the text of a JSON object, which is then read like a line.

- An integer keeps every digit, and a decimal keeps the digits of its scale.
- A float becomes the shortest text that gives the same float again.
- An instant becomes RFC 3339 in UTC, with the digits of its unit. It has no zone if its column has
  none.
- A null means that the field is absent.
- A column that the dialect does not read is left out, whatever its type and its values.
- A column `properties.bytes` is the member `bytes` of the field `properties`. A struct or a map
  may hold members too.

Rows are numbered from 0, and have no byte range. Row groups are read a few rows at a time, and
texts by their dictionary. So memory is bounded by one page of each column and one row.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.dialects.reach import EVERYTHING, Reach, reach_of_form
from pipelines.reading.formats.file_format import Blocks, FileFormat, OpenedFile
from pipelines.reading.formats.parquet_texts import NOT_FINITE, RowTexts, path_of
from pipelines.reading.formats.records import Record, too_long
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.limits import COMPRESSION_RATIO_MAX, LINE_BYTES_MAX, RAW_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason

MAGIC = b"PAR1"
"""The first and the last bytes of a Parquet file."""

TEXT_RATIO_MAX = 1000
"""Bytes of the rows' text per byte of the file, at most. The first MiB is free.

The number of values is limited in the same way. The ratio is higher than that of compressed text,
since a dictionary holds a text once that a million rows repeat.
"""

_FREE_BYTES = 1024 * 1024
_ROW_BYTES = 100
"""Bytes that each row counts at least, since a million empty rows are a bomb too."""

_BATCH_ROWS = 1024
_BUFFER_BYTES = 1024 * 1024
_NO_MARK = "its name ends in .parquet, but it does not begin with PAR1"


def read_rows(
    landed: BinaryIO,
    size_bytes: int,
    wanted: frozenset[int] | None = None,
    reach: Reach = EVERYTHING,
) -> Iterator[Record]:
    """The rows of the file as records, in order.

    Args:
        landed: the bytes of the file, at any position.
        size_bytes: the file's size.
        wanted: the numbers of the rows to read. None: all rows.
        reach: the members that are read. If it has none of the file's columns, all are read, so
            that the reasons name what the file holds.

    Raises:
        UnreadableFileError: the file is truncated or corrupt, has a column that is read and whose
            type has no text, or exceeds a limit.
    """
    try:
        yield from _rows(landed, size_bytes, wanted, reach)
    except (pa.ArrowException, OSError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableFileError(f"corrupt Parquet: {what[:200]}") from None
    except UnicodeDecodeError:
        raise UnreadableFileError("corrupt Parquet: a text is not valid UTF-8") from None
    except RecursionError:
        raise UnreadableFileError("its columns are nested too deep to be read") from None


def _rows(
    landed: BinaryIO, size_bytes: int, wanted: frozenset[int] | None, reach: Reach
) -> Iterator[Record]:
    metadata = pq.read_metadata(landed)
    schema = metadata.schema.to_arrow_schema()
    if not any(reach.reads(path_of(name)) for name in schema.names):
        reach = EVERYTHING
    columns = [name for name in schema.names if reach.reads(path_of(name))]
    _refuse_bombs(metadata, size_bytes, columns)
    file = pq.ParquetFile(
        landed,
        metadata=metadata,
        pre_buffer=False,
        buffer_size=_BUFFER_BYTES,
        read_dictionary=_text_columns(metadata),
        page_checksum_verification=True,
    )
    objects = RowTexts(schema, columns, reach)
    number, text_bytes = 0, 0
    for group in range(file.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if wanted is not None and wanted.isdisjoint(range(number, number + rows)):
            number += rows
            continue
        for batch in file.iter_batches(
            _BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False
        ):
            for text in objects.of(batch):
                text_bytes += len(text)
                _refuse_long_text(text_bytes, size_bytes)
                if wanted is None or number in wanted:
                    yield _record(number, text)
                number += 1
    if number != metadata.num_rows:
        raise UnreadableFileError(f"{metadata.num_rows} rows are announced, {number} could be read")


def _record(number: int, text: str) -> Record:
    content = text.encode(errors="surrogatepass")
    digest = hashlib.sha256(content).digest()
    if NOT_FINITE in text:
        refusal = RefusedLineError(
            Reason.INVALID_PROPERTY, "a number of the row is NaN or infinite; leave it null"
        )
        return Record(number, None, None, digest, refusal)
    if len(content) > LINE_BYTES_MAX:
        return Record(number, None, None, digest, too_long(len(content)))
    return Record(number, None, None, digest, content)


def _refuse_bombs(metadata: pq.FileMetaData, size_bytes: int, columns: list[str]) -> None:
    """Raises `UnreadableFileError` if the metadata of these columns announces too much."""
    names = set(columns)
    beginnings = tuple(f"{name}." for name in columns)
    leaves = [metadata.schema.column(index).path for index in range(metadata.num_columns)]
    raw_bytes = values = 0
    for group in range(metadata.num_row_groups):
        for column, leaf in enumerate(leaves):
            if leaf not in names and not leaf.startswith(beginnings):
                continue
            chunk = metadata.row_group(group).column(column)
            raw_bytes += chunk.total_uncompressed_size
            values += chunk.num_values
    if raw_bytes > RAW_BYTES_MAX:
        raise UnreadableFileError(f"more than {RAW_BYTES_MAX} bytes once decompressed")
    if raw_bytes > _FREE_BYTES + COMPRESSION_RATIO_MAX * size_bytes:
        raise UnreadableFileError(
            f"decompresses to more than {COMPRESSION_RATIO_MAX} times its {size_bytes} bytes"
        )
    _refuse_long_text(max(values, metadata.num_rows * _ROW_BYTES), size_bytes)


def _refuse_long_text(text_bytes: int, size_bytes: int) -> None:
    if text_bytes > min(RAW_BYTES_MAX, _FREE_BYTES + TEXT_RATIO_MAX * size_bytes):
        raise UnreadableFileError(
            f"its rows are more than {TEXT_RATIO_MAX} times its {size_bytes} bytes, "
            f"or more than {RAW_BYTES_MAX} bytes"
        )


def _text_columns(metadata: pq.FileMetaData) -> list[str]:
    columns = (metadata.schema.column(index) for index in range(metadata.num_columns))
    return [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY" and column.logical_type.type == "STRING"
    ]


def _is_parquet(opened: OpenedFile, landed_head: bytes, head: bytes) -> bool:
    if landed_head.startswith(MAGIC):
        return True
    if opened.path.endswith(".parquet"):
        raise UnreadableFileError(_NO_MARK, Reason.NOT_DECLARED_FORMAT)
    if head.startswith(MAGIC):
        raise UnreadableFileError("a compressed Parquet file is not read; Parquet packs itself")
    return False


def _read(opened: OpenedFile, blocks: Blocks) -> Iterator[Record]:
    for _ in blocks:
        pass  # Every block must be counted and digested. Parquet's own metadata is at its end.
    reach = reach_of_form(opened.dialect.form)
    yield from read_rows(opened.file, opened.size_bytes, reach=reach)


def _read_again(opened: OpenedFile, _blocks: Blocks, places: pl.DataFrame) -> Iterator[Record]:
    reach = reach_of_form(opened.dialect.form)
    return iter(list(read_rows(opened.file, opened.size_bytes, frozenset(places["line"]), reach)))


FORMAT = FileFormat(
    name="Parquet",
    order=10,
    is_of=_is_parquet,
    read=_read,
    read_again=_read_again,
    has_ranges=False,
    declared_as="parquet",
)
"""Recognized by its first bytes. A file whose name ends in `.parquet` must have them."""
