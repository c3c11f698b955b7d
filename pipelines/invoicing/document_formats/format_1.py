"""Format 1: usage lines and one total, without terms. Lakes before schema 8 hold it."""

from collections.abc import Sequence
from typing import Any

from pipelines.invoicing.document_values import Row, instant_text, read_json
from pipelines.vocabulary.money import plain_decimal

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


def document(invoice: Row, lines: Sequence[Row]) -> dict[str, Any]:
    """The document of an invoice.

    Decimals are texts (`plain_decimal`), for example "12.5". Instants are RFC 3339 in UTC, for
    example "2026-06-01T00:00:00Z". Counts and positions are integers. Group and tiers are JSON
    values and not texts that contain JSON.

    Args:
        invoice: the numbered invoice; columns derived from the document may be missing.
        lines: its lines, by `line_number`.

    Raises:
        InvariantError: a group or the tiers are not JSON of texts and nulls.
    """
    return {
        "format": 1,
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
