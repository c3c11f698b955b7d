"""Rows of the catalog as JSON values, so that others can keep what the catalog says.

Decimals are texts in their one form, dates and instants are ISO texts, and what an empty cell means
is written out. So a kept row says the same under a later version, whatever its defaults are then.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipelines.catalog.rows import Row, columns_of, field_of
from pipelines.vocabulary.instants import rfc3339_text
from pipelines.vocabulary.money import plain_decimal


def json_row(row: Row) -> dict[str, Any]:
    """The columns of a row and their values.

    Example: the cells `0.50`, `2026-01-31`, `yes` and `vat;city` are "0.5", "2026-01-31", true and
    ["vat", "city"].
    """
    return {name: _json_value(getattr(row, field_of(name))) for name in columns_of(type(row))}


def _json_value(value: object) -> Any:
    match value:
        case Decimal():
            return plain_decimal(value)
        case datetime():
            return rfc3339_text(value)
        case date():
            return value.isoformat()
        case list() | tuple():
            return [_json_value(each) for each in value]
        case {"date": day, "at": at}:
            return _json_value(at if day is None else day)
        case None | str() | bool() | int():
            return value
    raise TypeError(f"a cell of the catalog is no {type(value).__name__}")
