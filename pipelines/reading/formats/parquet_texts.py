"""Texts of Parquet values: turns the columns of a batch into the texts of JSON objects.

A struct whose members are not all read is cut down to those that are.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.reading.dialects.reach import EVERYTHING, Path, Reach
from pipelines.reading.formats.records import columns_of
from pipelines.vocabulary.errors import UnreadableFileError
from pipelines.vocabulary.visible import beginning

_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
NOT_FINITE = "\x00"
"""The text of NaN and of the infinities. No JSON text holds this character."""

Texts = list[str | None]
"""The JSON text of each value of a column. None: the value is null."""


def path_of(name: str) -> Path:
    """The path of a column: `properties.bytes` is `bytes` in the member `properties`."""
    member, dot, inner = name.partition(".")
    return (member, inner) if dot else (member,)


class RowTexts:
    """Turns rows into the texts of JSON objects.

    Args:
        schema: the columns of the file.
        names: those of them that are read.
        reach: what is read of them.

    Raises:
        UnreadableFileError: a column has a type without text.
    """

    def __init__(self, schema: pa.Schema, names: list[str], reach: Reach) -> None:
        self._names = names
        self._columns = columns_of(names)
        self._of_column = [
            _texts_of(schema.field(name).type, name, reach.inside(path_of(name))) for name in names
        ]

    def of(self, batch: pa.RecordBatch) -> Iterator[str]:
        """One text per row of the batch."""
        whole: list[tuple[str, Texts]] = []
        parted: dict[str, list[tuple[str, Texts]]] = {}
        for name, column, texts in zip(self._names, self._columns, self._of_column, strict=True):
            values = batch.column(name)
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


def _texts_of(dtype: pa.DataType, name: str, reach: Reach = EVERYTHING) -> _ToTexts:
    """The function that turns values of a type into JSON texts.

    Args:
        dtype: the type of the values.
        name: the column, for an error.
        reach: what is read of the values, if they are structs.

    Raises:
        UnreadableFileError: the type has no text.
    """
    if pa.types.is_struct(dtype):
        return _struct_texts(dtype, name, reach)
    for is_of, texts in _SCALARS:
        if is_of(dtype):
            return texts
    for is_of, texts_of in _COMPOSED:
        if is_of(dtype):
            return texts_of(dtype, name)
    raise UnreadableFileError(f"column {beginning(name)} is of type {dtype}, which is not read")


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
    finite = pc.if_else(pc.is_finite(values), pc.cast(values, pa.string()), NOT_FINITE)
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


def _struct_texts(dtype: pa.StructType, name: str, reach: Reach) -> _ToTexts:
    fields = [dtype.field(index) for index in range(dtype.num_fields)]
    of_fields = [
        (index, field.name, _texts_of(field.type, name, reach.inside((field.name,))))
        for index, field in enumerate(fields)
        if reach.reads((field.name,))
    ]

    def texts(values: pa.StructArray) -> Texts:
        children = values.flatten()
        members = [(inner, of_field(children[index])) for index, inner, of_field in of_fields]
        return _where_valid(values, list(_object_texts(members, len(values))))

    return texts


def _map_texts(dtype: pa.MapType, name: str) -> _ToTexts:
    if dtype.key_type not in (pa.string(), pa.dictionary(pa.int32(), pa.string())):
        raise UnreadableFileError(f"column {beginning(name)} is a map whose keys are no texts")
    of_keys, of_items = _texts_of(dtype.key_type, name), _texts_of(dtype.item_type, name)

    def texts(values: pa.MapArray) -> Texts:
        # A key with a null value is present, unlike a null column. It is no property, as in JSON.
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
    (pa.types.is_map, _map_texts),
    (pa.types.is_list, _list_texts),
    (pa.types.is_large_list, _list_texts),
    (lambda dtype: isinstance(dtype, pa.BaseExtensionType), _extension_texts),
)
"""For types with inner types or a unit: what makes the function of `_texts_of`."""
