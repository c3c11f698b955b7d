"""Parquet: turns each row into the text of a JSON object, which is then read like a line.

- An integer keeps every digit, and a decimal keeps the digits of its scale.
- A float becomes the shortest text that gives the same float again.
- An instant becomes RFC 3339 in UTC, with the digits of its unit. It has no zone if its column has
  none.
- A null means that the field is absent.
- A column `properties.bytes` is the member `bytes` of the field `properties`. A struct or a map
  may hold members too.

Rows are numbered from 0, and have no byte range. Row groups are read a few rows at a time, and
texts by their dictionary. So memory is bounded by one page of each column and one row.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.reading.dialects import RefusedLineError
from pipelines.reading.formats.file_format import Blocks, FileFormat, OpenedFile
from pipelines.reading.formats.records import Record, columns_of, too_long
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
_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_NAME = re.compile(r"\.parquet$")
_NOT_FINITE = "\x00"
"""The text of NaN and of the infinities. No JSON text holds this character."""

Texts = list[str | None]
"""The JSON text of each value of a column. None: the value is null."""


def read_rows(
    landed: BinaryIO, size_bytes: int, wanted: frozenset[int] | None = None
) -> Iterator[Record]:
    """The rows of the file as records, in order.

    Args:
        landed: the bytes of the file, at any position.
        size_bytes: the file's size.
        wanted: the numbers of the rows to read. None: all rows.

    Raises:
        UnreadableFileError: the file is truncated or corrupt, has a column of a type that is not
            read, or exceeds a limit.
    """
    try:
        yield from _rows(landed, size_bytes, wanted)
    except (pa.ArrowException, OSError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableFileError(f"corrupt Parquet: {what[:200]}") from None
    except UnicodeDecodeError:
        raise UnreadableFileError("corrupt Parquet: a text is not valid UTF-8") from None
    except RecursionError:
        raise UnreadableFileError("its columns are nested too deep to be read") from None


def _rows(landed: BinaryIO, size_bytes: int, wanted: frozenset[int] | None) -> Iterator[Record]:
    metadata = pq.read_metadata(landed)
    _refuse_bombs(metadata, size_bytes)
    file = pq.ParquetFile(
        landed,
        metadata=metadata,
        pre_buffer=False,
        buffer_size=_BUFFER_BYTES,
        read_dictionary=_text_columns(metadata),
        page_checksum_verification=True,
    )
    objects = _RowTexts(file.schema_arrow)
    number, text_bytes = 0, 0
    for group in range(file.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if wanted is not None and wanted.isdisjoint(range(number, number + rows)):
            number += rows
            continue
        for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], use_threads=False):
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
    if _NOT_FINITE in text:
        refusal = RefusedLineError(
            Reason.INVALID_PROPERTY, "a number of the row is NaN or infinite; leave it null"
        )
        return Record(number, None, None, digest, refusal)
    if len(content) > LINE_BYTES_MAX:
        return Record(number, None, None, digest, too_long(len(content)))
    return Record(number, None, None, digest, content)


def _refuse_bombs(metadata: pq.FileMetaData, size_bytes: int) -> None:
    """Raises `UnreadableFileError` if the file's metadata announces more than the limits."""
    raw_bytes = values = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
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


class _RowTexts:
    """Turns rows into the texts of JSON objects.

    Args:
        schema: the columns of the file.

    Raises:
        UnreadableFileError: a column has a type that is not read.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = columns_of(schema.names)
        self._of_column = [_texts_of(field.type, field.name) for field in schema]

    def of(self, batch: pa.RecordBatch) -> Iterator[str]:
        """One text per row of the batch."""
        whole: list[tuple[str, Texts]] = []
        parted: dict[str, list[tuple[str, Texts]]] = {}
        for column, texts, values in zip(
            self._columns, self._of_column, batch.columns, strict=True
        ):
            members = whole if column.inner is None else parted.setdefault(column.member, [])
            members.append((column.inner or column.member, texts(values)))
        for member, inner in parted.items():
            # An object whose members are all null is absent.
            objects = _object_texts(inner, batch.num_rows)
            whole.append((member, [None if text == "{}" else text for text in objects]))
        yield from _object_texts(whole, batch.num_rows)


def _object_texts(members: list[tuple[str, Texts]], rows: int) -> Iterator[str]:
    names = [_quoted(name) + ":" for name, _ in members]
    # A row without any member is still a row: its object is empty.
    for texts in zip(*(texts for _, texts in members), strict=True) if members else [()] * rows:
        yield f"{{{','.join([n + t for n, t in zip(names, texts, strict=True) if t is not None])}}}"


_quoted = json.encoder.encode_basestring
_ToTexts = Callable[[pa.Array], Texts]


def _texts_of(dtype: pa.DataType, name: str) -> _ToTexts:
    """The function that turns values of a type into JSON texts.

    Args:
        dtype: the type of the values.
        name: the column, for an error.

    Raises:
        UnreadableFileError: the type is not read.
    """
    for is_of, texts in _SCALARS:
        if is_of(dtype):
            return texts
    for is_of, texts_of in _COMPOSED:
        if is_of(dtype):
            return texts_of(dtype, name)
    raise UnreadableFileError(f"column {name[:64]!a} is of type {dtype}, which is not read")


def _strings(values: pa.Array) -> Texts:
    return [v if v is None else _quoted(v) for v in values.to_pylist()]


def _integers(values: pa.Array) -> Texts:
    return [v if v is None else str(v) for v in values.to_pylist()]


def _booleans(values: pa.Array) -> Texts:
    return [v if v is None else "true" if v else "false" for v in values.to_pylist()]


def _decimals(values: pa.Array) -> Texts:
    return [v if v is None else f"{v:f}" for v in values.to_pylist()]


def _floats(values: pa.Array) -> Texts:
    # Arrow writes the fewest digits that round back to the same double or single.
    finite = pc.if_else(pc.is_finite(values), pc.cast(values, pa.string()), _NOT_FINITE)
    return list(finite.to_pylist())


def _dates(values: pa.Array) -> Texts:
    return [v if v is None else f'"{v}"' for v in pc.cast(values, pa.string()).to_pylist()]


def _uuids(values: pa.Array) -> Texts:
    return [v if v is None else f'"{v}"' for v in values.to_pylist()]


def _nulls(values: pa.Array) -> Texts:
    return [None] * len(values)


_SCALARS: tuple[tuple[Callable[[pa.DataType], bool], _ToTexts], ...] = (
    (pa.types.is_string, _strings),
    (pa.types.is_large_string, _strings),
    (pa.types.is_integer, _integers),
    (pa.types.is_boolean, _booleans),
    (pa.types.is_decimal, _decimals),
    (pa.types.is_floating, _floats),
    (pa.types.is_date, _dates),
    (pa.types.is_null, _nulls),
    (lambda dtype: isinstance(dtype, pa.UuidType), _uuids),
)


def _instant_texts(dtype: pa.TimestampType, _name: str) -> _ToTexts:
    digits, zone = _UNIT_DIGITS[dtype.unit], "Z" if dtype.tz else ""

    def texts(values: pa.TimestampArray) -> Texts:
        return [
            v if v is None else f'"{_instant(v, digits)}{zone}"'
            for v in values.view(pa.int64()).to_pylist()
        ]

    return texts


def _instant(value: int, digits: int) -> str:
    seconds, fraction = divmod(value, 10**digits)
    try:
        instant = datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 — of any zone
    except OverflowError:
        return f"{seconds} seconds from 1970"  # Not RFC 3339, so the dialect refuses it.
    return instant.isoformat() + (f".{fraction:0{digits}}" if digits else "")


def _dictionary_texts(dtype: pa.DictionaryType, name: str) -> _ToTexts:
    of_values = _texts_of(dtype.value_type, name)

    def texts(values: pa.DictionaryArray) -> Texts:
        # The dictionary belongs to the whole row group, and a batch uses few of its texts.
        used = values.indices.unique().drop_null()
        shared = of_values(values.dictionary.take(used))
        of_index = {None: None, **dict(zip(used.to_pylist(), shared, strict=True))}
        return [of_index[index] for index in values.indices.to_pylist()]

    return texts


def _extension_texts(dtype: pa.BaseExtensionType, name: str) -> _ToTexts:
    of_storage = _texts_of(dtype.storage_type, name)
    return lambda values: of_storage(values.storage)


def _struct_texts(dtype: pa.StructType, name: str) -> _ToTexts:
    fields = [dtype.field(index) for index in range(dtype.num_fields)]
    of_fields = [_texts_of(field.type, name) for field in fields]

    def texts(values: pa.StructArray) -> Texts:
        members = [
            (field.name, of_field(child))
            for field, of_field, child in zip(fields, of_fields, values.flatten(), strict=True)
        ]
        return _where_valid(values, list(_object_texts(members, len(values))))

    return texts


def _map_texts(dtype: pa.MapType, name: str) -> _ToTexts:
    if dtype.key_type not in (pa.string(), pa.dictionary(pa.int32(), pa.string())):
        raise UnreadableFileError(f"column {name[:64]!a} is a map whose keys are no texts")
    of_keys, of_items = _texts_of(dtype.key_type, name), _texts_of(dtype.item_type, name)

    def texts(values: pa.MapArray) -> Texts:
        # A key with a null value is present, unlike a null column. It is refused as in JSON.
        pairs = [
            f"{key}:{item or 'null'}"
            for key, item in zip(of_keys(values.keys), of_items(values.items), strict=True)
        ]
        return _where_valid(values, [f"{{{','.join(p)}}}" for p in _parts(values, pairs)])

    return texts


def _list_texts(dtype: pa.ListType, name: str) -> _ToTexts:
    of_elements = _texts_of(dtype.value_type, name)

    def texts(values: pa.ListArray) -> Texts:
        elements = [text or "null" for text in of_elements(values.values)]
        return _where_valid(values, [f"[{','.join(p)}]" for p in _parts(values, elements)])

    return texts


def _parts(values: pa.ListArray | pa.MapArray, texts: list[str]) -> Iterator[list[str]]:
    offsets = values.offsets.to_pylist()
    for start, end in pairwise(offsets):
        yield texts[start:end]


def _where_valid(values: pa.Array, texts: list[str]) -> Texts:
    is_valid = values.is_valid().to_pylist()
    return [text if valid else None for text, valid in zip(texts, is_valid, strict=True)]


_COMPOSED: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType, str], _ToTexts]], ...]
_COMPOSED = (
    (pa.types.is_timestamp, _instant_texts),
    (pa.types.is_dictionary, _dictionary_texts),
    (pa.types.is_struct, _struct_texts),
    (pa.types.is_map, _map_texts),
    (pa.types.is_list, _list_texts),
    (pa.types.is_large_list, _list_texts),
    (lambda dtype: isinstance(dtype, pa.BaseExtensionType), _extension_texts),
)
"""For types with inner types or a unit: what makes the function of `_texts_of`."""


def _is_parquet(path: str, landed_head: bytes, head: bytes) -> bool:
    if landed_head.startswith(MAGIC):
        return True
    if _NAME.search(path):
        raise UnreadableFileError("its name ends in .parquet, but it does not begin with PAR1")
    if head.startswith(MAGIC):
        raise UnreadableFileError("a compressed Parquet file is not read; Parquet packs itself")
    return False


def _read(opened: OpenedFile, blocks: Blocks) -> Iterator[Record]:
    for _ in blocks:
        pass  # Every block must be counted and digested. Parquet's own metadata is at its end.
    yield from read_rows(opened.file, opened.size_bytes)


def _read_again(opened: OpenedFile, _blocks: Blocks, places: pl.DataFrame) -> Iterator[Record]:
    return iter(list(read_rows(opened.file, opened.size_bytes, frozenset(places["line"]))))


FORMAT = FileFormat(
    name="Parquet",
    order=10,
    is_of=_is_parquet,
    read=_read,
    read_again=_read_again,
    has_ranges=False,
)
"""Recognized by its first bytes. A file whose name ends in `.parquet` must have them."""
