"""Finalized invoices and their lines."""

import polars as pl

from pipelines.vocabulary.tables.columns import (
    BATCH_ID,
    Column,
    LakeTable,
    bigint,
    decimal,
    instant,
    integer,
    text,
)

INVOICES = LakeTable(
    "invoices",
    "One row per finalized invoice; immutable, numbered, hashed and chained.",
    (
        BATCH_ID,
        text("invoice_id", "subscription / first local day of the period."),
        text("series", "Series the number belongs to."),
        bigint("series_number", "1..n within the series, gapless, in closing order."),
        text("invoice_number", "Series and number as printed."),
        text("kind", "`arrears`: usage of the period that has ended."),
        text("subscription_id", "Subscription billed."),
        text("customer_id", "Customer billed."),
        text("plan_code", "Plan of the subscription."),
        text("currency", "ISO 4217 code of every amount."),
        instant("period_start_at", "First instant of the billing period (UTC)."),
        instant("period_end_at", "First instant after the billing period (UTC)."),
        instant("cut_at", "Period end plus grace: received from here on is late (UTC)."),
        instant("as_of", "The instant of the run that finalized it (UTC)."),
        bigint("event_batch_id", "Last batch of events it saw."),
        decimal("total_amount", 15, "Sum of its lines."),
        bigint("line_count", "Number of lines."),
        text("catalog_digest", "Catalog it was priced with."),
        text("code_revision", "Code it was computed with."),
        text("canonical_json", "The document in canonical JSON."),
        text("document_sha256", "SHA-256 (hex) of the canonical JSON's UTF-8 bytes."),
        text("previous_chain_sha256", "The chain before it; 64 zeros for the first."),
        text("chain_sha256", "SHA-256 (hex) of previous chain and document digest."),
        bigint(
            "chain_position",
            "1..n in the chain of invoices and voids, gapless; null: the series_number.",
        ),
    ),
)

INVOICE_LINES = LakeTable(
    "invoice_lines",
    "One row per line of a finalized invoice: charge × group, rounded once.",
    (
        BATCH_ID,
        text("invoice_id", "The invoice."),
        text("line_id", "invoice / charge / group."),
        integer("line_number", "Position on the invoice, from 1."),
        text("charge_code", "Charge of the plan."),
        text("metric_code", "Billable metric the charge prices."),
        text("charge_model", "`standard` or `graduated`."),
        text("group_key", "JSON object of the charge's grouping; `{}` when ungrouped."),
        Column("price_valid_from", "DATE", pl.Date(), "Price version in force at period start."),
        bigint("event_count", "Events behind the quantity."),
        decimal("quantity", 18, "In the metric's unit."),
        decimal("amount", 15, "Rounded to the minor unit."),
        text("tiers", "JSON array of tier details, decimals as text, unrounded."),
    ),
)
