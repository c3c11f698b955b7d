"""Documents: an invoice as canonical JSON, and whether the lake's rows still say the same.

A document says nothing about the run that wrote it: no batch, `as_of`, clock or code. So invoices
closed in one run or in many have the same bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from pipelines.invoicing import document_formats
from pipelines.invoicing.document_values import Row, canonical_json
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.members import members

FORMATS: Final[Mapping[int, Callable[[Row, Sequence[Row]], dict[str, Any]]]] = MappingProxyType(
    {
        int(name.removeprefix("format_")): document
        for name, document in members(document_formats, "document").items()
    }
)
"""What makes the document of an invoice from its rows, by format."""

FORMAT: Final = max(FORMATS)
"""The format of new documents."""

SERIES = "INV"
"""The series of the invoice numbers of customers that have none of their own."""


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


def document_text(invoice: Row, lines: Sequence[Row], document_format: int = FORMAT) -> str:
    """The invoice as canonical JSON.

    Args:
        invoice: the numbered invoice; columns derived from the document may be missing.
        lines: its lines, by `line_number`.
        document_format: one of `FORMATS`.

    Raises:
        InvariantError: a group or the tiers are not JSON of texts and nulls.
    """
    return canonical_json(FORMATS[document_format](invoice, lines))


def lines_per_invoice(lines: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """The lines of each invoice by `line_number`, by `invoice_id`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines.sort("invoice_id", "line_number").iter_rows(named=True):
        found.setdefault(line["invoice_id"], []).append(line)
    return found


class LinesInOrder(Mapping[str, Sequence[Row]]):
    """The lines of each invoice by `line_number`, by `invoice_id`; for invoices asked in an order.

    Rows of a block of invoices become Python values when one of them is asked for, and are
    forgotten with the next block: those of a hundred thousand invoices would take gigabytes.
    """

    def __init__(self, lines: pl.DataFrame, invoice_ids: Iterable[str]) -> None:
        """Sorts the lines.

        Args:
            lines: at least those of the invoices.
            invoice_ids: in the order in which they will be asked for.
        """
        self._places = {invoice_id: place for place, invoice_id in enumerate(invoice_ids)}
        order = pl.DataFrame(
            {"invoice_id": list(self._places), "place": range(len(self._places))},
            {"invoice_id": pl.String(), "place": pl.Int64()},
        )
        lines = lines.join(order, on="invoice_id").sort("place", "line_number")
        self._blocks = {
            block: rows.drop("place", "block")
            for (block,), rows in lines.with_columns(block=pl.col("place") // _BLOCK)
            .partition_by("block", as_dict=True, maintain_order=True)
            .items()
        }
        self._loaded: tuple[int, dict[str, list[dict[str, Any]]]] = (-1, {})

    def __getitem__(self, invoice_id: str) -> Sequence[Row]:
        block = self._places[invoice_id] // _BLOCK
        if block != self._loaded[0]:
            rows = self._blocks.get(block)
            self._loaded = (block, {} if rows is None else lines_per_invoice(rows))
        return self._loaded[1].get(invoice_id, [])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


_BLOCK = 500


def verify_documents(invoices: pl.DataFrame, lines: pl.DataFrame) -> BrokenPromise | None:
    """The first invoice whose rows differ from its document; None if all agree.

    A document is held against its rows by the code of its own format.

    Args:
        invoices: schema of the lake table `invoices`, in any order.
        lines: schema of the lake table `invoice_lines`, with all lines of these invoices.
    """
    of_invoice = lines_per_invoice(lines)
    for invoice in invoices.sort("series", "series_number").iter_rows(named=True):
        broken = _verified(invoice, of_invoice.pop(invoice["invoice_id"], []))
        if broken is not None:
            return broken
    for invoice_id in of_invoice:
        return BrokenPromise(invoice_id, "its lines belong to an invoice", "an invoice", "none")
    return None


def _verified(invoice: Row, lines: Sequence[Row]) -> BrokenPromise | None:
    document = json.loads(invoice["canonical_json"])
    number, found_format = invoice["invoice_number"], document.get("format")
    if type(found_format) is not int or found_format not in FORMATS:
        known = " or ".join(map(str, sorted(FORMATS)))
        found = canonical_json(found_format)
        return BrokenPromise(number, "this Meterline knows its document's format", known, found)
    # The row of an invoice of format 1 does not say its format.
    if (invoice["format"] or 1) != found_format:
        claim = "its row has the format of its document"
        return BrokenPromise(number, claim, str(found_format), str(invoice["format"] or 1))
    try:
        of_rows = json.loads(document_text(invoice, lines, found_format))
    except (AttributeError, ValueError, InvariantError) as error:
        claim = "its rows have what its document says"
        return BrokenPromise(number, claim, "every value", f"a row that lacks one ({error})")
    for place, expected, found in _differences(document, of_rows):
        claim = f"its rows say what its document says at {place}"
        return BrokenPromise(number, claim, expected, found)
    return None


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
