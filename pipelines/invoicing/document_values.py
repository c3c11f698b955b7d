"""Document values: how a document writes a value, and what its text is hashed to.

Every format of documents writes its values by these functions. So they are never changed: the
digest of each document follows from them.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.instants import rfc3339_text
from pipelines.vocabulary.money import plain_decimal

Row = Mapping[str, Any]
"""A row of the lake tables `invoices` or `invoice_lines`, by column."""


def canonical_json(value: object) -> str:
    """The canonical text of a JSON value: keys sorted, no spaces, no unnecessary escapes.

    Documents hold texts, integers, flags and nulls. For these it is RFC 8785, with one difference:
    keys sort by code point, which differs from the RFC's order for characters beyond U+FFFF.

    Source: RFC 8785, JSON Canonicalization Scheme.
    """
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def sha256_of(text: str) -> str:
    """SHA-256 (hex) of the text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4096)
def instant_text(instant: datetime) -> str:
    """The instant in UTC as a document writes it: "2026-06-01T00:00:00Z"."""
    return rfc3339_text(instant)


def optional_decimal(value: Decimal | None) -> str | None:
    """The one text of a number that may lack."""
    return None if value is None else plain_decimal(value)


def read_json(text: str, line_id: str) -> Any:
    """The group or the tiers of a line, as a JSON value of texts and nulls.

    The value is cached and may be shared, so do not change it.

    Raises:
        InvariantError: the text is no JSON, repeats a key, or has a number. A number could be
            written in more than one way.
    """
    try:
        return _read_json(text)
    except ValueError as error:
        raise InvariantError(
            f"{line_id}: expected JSON of texts and nulls, found {text}: {error}"
        ) from None


def _refuse_number(number: str) -> None:
    raise ValueError(f"{number} is a number; write decimals as text")


def _read_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) < len(members):
        raise ValueError("a key is repeated")
    return dict(members)


_JSON = json.JSONDecoder(
    parse_int=_refuse_number,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
    object_pairs_hook=_read_object,
)


# A closing reads each text twice, for the sums and for the document. Most groups are equal.
@lru_cache(maxsize=4096)
def _read_json(text: str) -> Any:
    return _JSON.decode(text)
