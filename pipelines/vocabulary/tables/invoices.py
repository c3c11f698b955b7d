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
        text("invoice_id", "subscription / local start of the period; / advance, if it is one."),
        text("series", "Series the number belongs to."),
        bigint("series_number", "1..n within the series, gapless, in closing order."),
        text("invoice_number", "Series and number as printed."),
        text("kind", "`arrears`: of a period that has ended; `advance`: fees of one that begins."),
        text("subscription_id", "Subscription billed."),
        text("customer_id", "Customer billed."),
        text("plan_code", "Plan of the subscription."),
        text("currency", "ISO 4217 code of every amount."),
        instant("period_start_at", "First instant of the billing period (UTC)."),
        instant("period_end_at", "First instant after the billing period (UTC)."),
        instant(
            "cut_at", "From here on it is due: period end plus grace, or an advance's start (UTC)."
        ),
        instant("as_of", "The instant of the run that finalized it (UTC)."),
        bigint("event_batch_id", "Last batch of events it saw."),
        decimal("total_amount", 15, "Net amounts and taxes of its lines, never below 0."),
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
        integer("format", "Layout of its document; null: 1."),
        integer("recipe_version", "Rules it was rated by; null: not kept."),
        text("terms_digest", "Terms it was priced by; see `terms`; null: not kept."),
        text("corrects_invoice_id", "Invoice that it corrects; null when it corrects none."),
        decimal("subtotal_amount", 15, "Sum of its lines before discounts; null: total_amount."),
        decimal("discount_amount", 15, "Discounts on its lines, not negative; null: 0."),
        decimal("net_amount", 15, "subtotal_amount less discount_amount; null: total_amount."),
        decimal("tax_amount", 15, "Taxes on its lines; null: 0."),
        decimal("credit_amount", 15, "Credits that paid of it, not negative; null: 0."),
        decimal("amount_due", 15, "total_amount less credit_amount; null: total_amount."),
    ),
)

INVOICE_LINES = LakeTable(
    "invoice_lines",
    "One row per line of a finalized invoice: charge × group, rounded once; and one per "
    "discount, tax and credit of it.",
    (
        BATCH_ID,
        text("invoice_id", "The invoice."),
        text(
            "line_id",
            "invoice / kind, unless `usage` / local start, if it is not of the period / code / "
            "group.",
        ),
        integer("line_number", "Position on the invoice, from 1."),
        text("charge_code", "Charge; of a discount, tax, credit or commitment, its own code."),
        text("metric_code", "Billable metric the charge prices."),
        text(
            "charge_model",
            "`standard`, `graduated`, `volume`, `package`, `stairstep`, `percentage`, "
            "`graduated_percentage`, `matrix` or `flat`.",
        ),
        text("group_key", "JSON object of the charge's grouping; `{}` when ungrouped."),
        Column(
            "price_valid_from",
            "DATE",
            pl.Date(),
            "Price version in force where its service begins.",
        ),
        bigint("event_count", "Events behind the quantity."),
        decimal("quantity", 18, "In the metric's unit."),
        decimal("amount", 15, "Rounded to the minor unit."),
        text("tiers", "JSON array of tier details, decimals as text, unrounded."),
        text(
            "kind",
            "`usage`, `flat`, `maximum`, `minimum`, `overage`, `true_up`, `unused_advance` or "
            "`adjustment`; of a summary row `discount`, `tax` or `credit`; null: `usage`.",
        ),
        instant("service_start_at", "First instant it is for (UTC); null: the period's."),
        instant("service_end_at", "First instant after that (UTC); null: the period's."),
        text("price_digest", "SHA-256 (hex) of its charge in the terms; null: not in them."),
        decimal("billed_quantity", 18, "What was priced; null: the quantity, not below 0."),
        text("unit", "What one unit of the billed quantity is called; null: not kept."),
        decimal("unit_price", 15, "Price of one unit, where one price holds; null: none does."),
        text("amount_unrounded", "What it comes to before rounding, exactly, as decimal text."),
        decimal("discount_amount", 15, "Discounts that fell on it, not negative; null: 0."),
        decimal("net_amount", 15, "amount less discount_amount; null: amount."),
        decimal("tax_amount", 15, "Taxes that fell on it; null: 0."),
        decimal("credit_amount", 15, "Credits that paid of it, not negative; null: 0."),
        text("currency", "ISO 4217 code of every amount; null: the invoice's."),
        integer("share_days", "Service days that are due of a full period; null: not prorated."),
        integer("share_of_days", "Days of that full period; null: not prorated."),
        text("adjusts_line_id", "Line that it adjusts; null when it adjusts none."),
    ),
)
