"""Documents: an invoice as canonical JSON, and its digest.

A document says nothing about the run that wrote it: no batch, `as_of`, clock or code. So invoices
closed in one run or in many have the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache, reduce
from typing import Any

import polars as pl

from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.money import minor_unit_digits, plain_decimal, round_half_away

FORMAT = 1
"""Version of the document's layout. Each document has it, so that old ones stay readable."""


SERIES = "INV"
"""The series of all invoice numbers, for every currency."""

Row = Mapping[str, Any]
"""A row of the lake tables `invoices` or `invoice_lines`, by column."""

_FACTS = (
    "catalog_digest",
    "currency",
    "customer_id",
    "invoice_id",
    "invoice_number",
    "kind",
    "plan_code",
    "series",
    "series_number",
    "subscription_id",
)
_INSTANTS = ("cut_at", "period_end_at", "period_start_at")
_LINE_FACTS = (
    "charge_code",
    "charge_model",
    "event_count",
    "line_id",
    "line_number",
    "metric_code",
)

_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
"""Wide enough for any sum of DECIMAL(38, 15) amounts. A sum that is not exact raises."""


@dataclass(frozen=True)
class BrokenPromise:
    """The first invoice that is not as it was finalized.

    Attributes:
        invoice: its number, or the name of another thing that is wrong.
        claim: the claim that does not hold.
        expected: the value that the claim asks for.
        found: the value that is there.
    """

    invoice: str
    claim: str
    expected: str
    found: str

    def sentence(self) -> str:
        """The difference, in words."""
        return f"{self.invoice}: {self.claim}: expected {self.expected}, found {self.found}"


def invoice_number(series: str, number: int) -> str:
    """The number as printed, such as INV-000001; it has more digits from a million on."""
    return f"{series}-{number:06d}"


def canonical_json(value: object) -> str:
    """The canonical text of a JSON value: keys sorted, no spaces, no unnecessary escapes.

    Documents hold texts, integers and nulls. For these it is RFC 8785, with one difference: keys
    sort by code point, which differs from the RFC's order for characters beyond U+FFFF.

    Source: RFC 8785, JSON Canonicalization Scheme.
    """
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def document_text(invoice: Row, lines: Sequence[Row]) -> str:
    """The invoice as canonical JSON.

    Decimals are texts (`plain_decimal`), for example "12.5". Instants are RFC 3339 in UTC, for
    example "2026-06-01T00:00:00Z". Counts and positions are integers. Group and tiers are JSON
    values and not texts that contain JSON.

    Args:
        invoice: the numbered invoice; columns derived from the document may be missing.
        lines: its lines, by `line_number`.

    Raises:
        InvariantError: a group or the tiers are not JSON of texts and nulls.
    """
    return canonical_json(
        {
            "format": FORMAT,
            **{name: invoice[name] for name in _FACTS},
            **{name: instant_text(invoice[name]) for name in _INSTANTS},
            "total_amount": plain_decimal(invoice["total_amount"]),
            "lines": [
                {
                    **{name: line[name] for name in _LINE_FACTS},
                    "price_valid_from": line["price_valid_from"].isoformat(),
                    "quantity": plain_decimal(line["quantity"]),
                    "amount": plain_decimal(line["amount"]),
                    "group": read_json(line["group_key"], line["line_id"]),
                    "tiers": read_json(line["tiers"], line["line_id"]),
                }
                for line in lines
            ],
        }
    )


def require_sums(invoice: Row, lines: Sequence[Row]) -> None:
    """Passes if each line is the sum of its tiers, rounded once, and the total that of its lines.

    dbt computed these amounts. They are added here a second time, in Python's decimals.

    Example: a line in USD has tiers of 1.234 and 0.001. It must be 1.24: the sum 1.235, rounded
    half away from zero. Tiers rounded one by one would add up to 1.23.

    Args:
        invoice: needs `line_count`, `currency` and `total_amount`.
        lines: its lines, by `line_number`.

    Raises:
        InvariantError: a line is missing, its group is no JSON, or an amount is not the sum of
            its parts.
    """
    invoice_id = invoice["invoice_id"]
    numbers = [line["line_number"] for line in lines]
    if numbers != [*range(1, invoice["line_count"] + 1)]:
        raise InvariantError(
            f"{invoice_id}: expected lines 1 to {invoice['line_count']}, found {numbers}"
        )
    digits = minor_unit_digits(invoice["currency"])
    for line in lines:
        read_json(line["group_key"], line["line_id"])
        rounded_once = round_half_away(_sum(_tier_amounts(line)), digits)
        _require_equal(line["line_id"], rounded_once, line["amount"])
    _require_equal(invoice_id, _sum(line["amount"] for line in lines), invoice["total_amount"])


def sha256_of(text: str) -> str:
    """SHA-256 (hex) of the text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


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


def lines_per_invoice(lines: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """The lines of each invoice by `line_number`, by `invoice_id`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines.sort("invoice_id", "line_number").iter_rows(named=True):
        found.setdefault(line["invoice_id"], []).append(line)
    return found


def verify_documents(invoices: pl.DataFrame, lines: pl.DataFrame) -> BrokenPromise | None:
    """The first invoice whose rows differ from its document; None if all agree.

    Args:
        invoices: schema of the lake table `invoices`, in any order.
        lines: schema of the lake table `invoice_lines`, with all lines of these invoices.
    """
    of_invoice = lines_per_invoice(lines)
    for invoice in invoices.sort("series_number").iter_rows(named=True):
        document = json.loads(invoice["canonical_json"])
        of_rows = json.loads(document_text(invoice, of_invoice.pop(invoice["invoice_id"], [])))
        for place, expected, found in _differences(document, of_rows):
            claim = f"its rows say what its document says at {place}"
            return BrokenPromise(invoice["invoice_number"], claim, expected, found)
    for invoice_id in of_invoice:
        return BrokenPromise(invoice_id, "its lines belong to an invoice", "an invoice", "none")
    return None


@lru_cache(maxsize=4096)
def instant_text(instant: datetime) -> str:
    """The instant in UTC as a document writes it: "2026-06-01T00:00:00Z"."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _differences(expected: Any, found: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Each difference of two JSON values: a path such as `lines/0/amount`, and both texts."""
    if isinstance(expected, dict) and isinstance(found, dict):
        names = sorted(expected.keys() | found.keys())
        parts = [(name, expected.get(name), found.get(name)) for name in names]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        parts = [(str(k), *pair) for k, pair in enumerate(zip(expected, found, strict=True))]
    else:
        if expected != found:
            yield place.lstrip("/"), canonical_json(expected), canonical_json(found)
        return
    for name, one, other in parts:
        yield from _differences(one, other, f"{place}/{name}")


def _tier_amounts(line: Row) -> list[Decimal]:
    tiers = read_json(line["tiers"], line["line_id"])
    try:
        amounts = [Decimal(tier["amount"]) for tier in tiers]
    except (KeyError, TypeError, InvalidOperation):
        amounts = [Decimal("NaN")]
    if not all(amount.is_finite() for amount in amounts):
        raise InvariantError(f"{line['line_id']}: expected an amount in each tier, found {tiers}")
    return amounts


def _require_equal(name: str, added: Decimal, stated: Decimal | None) -> None:
    if stated is None:
        raise InvariantError(
            f"{name}: expected {plain_decimal(added)}, the sum of its parts, found no amount"
        )
    if added != stated:
        difference = _EXACT.subtract(stated, added)
        raise InvariantError(
            f"{name}: expected {plain_decimal(added)}, the sum of its parts, found "
            f"{plain_decimal(stated)}; the difference is {plain_decimal(difference)}"
        )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_EXACT.add, amounts, Decimal(0))
