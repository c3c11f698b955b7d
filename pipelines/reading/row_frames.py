"""Row frames: makes the frame of one chunk from the rows that its reader collected."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.vocabulary.tables import PROPERTIES


def frame_of(
    rows: list[tuple[Any, ...]],
    columns: tuple[str, ...],
    shared: Mapping[str, Any],
    schema: pl.Schema,
) -> pl.DataFrame:
    """One row per row, in their order, with the columns of the schema.

    Args:
        rows: the values of `columns`. An instant is in microseconds since 1970.
        columns: the names of the values.
        shared: the columns that all rows share. Those that the schema lacks are left out.
        schema: the schema of the frame.
    """
    if not rows:
        return pl.DataFrame(schema=schema)
    series = {
        name: _series(name, column, schema[name])
        for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    }
    return (
        pl.DataFrame(series)
        .with_columns(
            pl.lit(value).cast(schema[name]).alias(name)
            for name, value in shared.items()
            if name in schema
        )
        .select(schema.names())
    )


def _series(name: str, values: Iterable[Any], dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.Datetime):
        return pl.Series(name, values, dtype=pl.Int64).cast(dtype)
    if dtype == PROPERTIES:
        return _map_series(name, values)
    return pl.Series(name, values, dtype=dtype, strict=True)


def _map_series(name: str, maps: Iterable[dict[str, str]]) -> pl.Series:
    # Polars takes eight times as long to read a list of dicts as to read Arrow's layout.
    offsets, keys, texts = [0], list[str](), list[str]()
    for properties in maps:
        keys.extend(properties)
        texts.extend(properties.values())
        offsets.append(len(keys))
    layout = pa.MapArray.from_arrays(
        pa.array(offsets, pa.int32()),
        pa.array(keys, pa.large_string()),
        pa.array(texts, pa.large_string()),
    )
    return pl.Series(name, layout, dtype=PROPERTIES)
