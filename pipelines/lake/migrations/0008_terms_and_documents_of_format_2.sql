CREATE TABLE lake.terms (
    batch_id BIGINT,
    terms_digest VARCHAR,
    canonical_json VARCHAR
);
COMMENT ON TABLE lake.terms
    IS 'One row per set of terms that periods were closed by: all that their paper bill needs.';
COMMENT ON COLUMN lake.terms.batch_id
    IS 'The transaction that wrote the row; `batch_id <= n` is the past.';
COMMENT ON COLUMN lake.terms.terms_digest
    IS 'SHA-256 (hex) of the canonical JSON''s UTF-8 bytes.';
COMMENT ON COLUMN lake.terms.canonical_json
    IS 'Customer, plan, charges and more of a period, in canonical JSON.';

ALTER TABLE lake.invoices ADD COLUMN format INTEGER;
COMMENT ON COLUMN lake.invoices.format
    IS 'Layout of its document; null: 1.';
ALTER TABLE lake.invoices ADD COLUMN recipe_version INTEGER;
COMMENT ON COLUMN lake.invoices.recipe_version
    IS 'Rules it was rated by; null: not kept.';
ALTER TABLE lake.invoices ADD COLUMN terms_digest VARCHAR;
COMMENT ON COLUMN lake.invoices.terms_digest
    IS 'Terms it was priced by; see `terms`; null: not kept.';
ALTER TABLE lake.invoices ADD COLUMN corrects_invoice_id VARCHAR;
COMMENT ON COLUMN lake.invoices.corrects_invoice_id
    IS 'Invoice that it corrects; null when it corrects none.';
ALTER TABLE lake.invoices ADD COLUMN subtotal_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoices.subtotal_amount
    IS 'Sum of its lines before discounts; null: total_amount.';
ALTER TABLE lake.invoices ADD COLUMN discount_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoices.discount_amount
    IS 'Discounts on its lines, not negative; null: 0.';
ALTER TABLE lake.invoices ADD COLUMN net_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoices.net_amount
    IS 'subtotal_amount less discount_amount; null: total_amount.';
ALTER TABLE lake.invoices ADD COLUMN tax_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoices.tax_amount
    IS 'Taxes on its lines; null: 0.';
ALTER TABLE lake.invoices ADD COLUMN credit_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoices.credit_amount
    IS 'Credits that paid of it, not negative; null: 0.';
ALTER TABLE lake.invoices ADD COLUMN amount_due DECIMAL(38,15);
COMMENT ON COLUMN lake.invoices.amount_due
    IS 'total_amount less credit_amount; null: total_amount.';

ALTER TABLE lake.invoice_lines ADD COLUMN kind VARCHAR;
COMMENT ON COLUMN lake.invoice_lines.kind
    IS '`usage`; null: `usage`.';
ALTER TABLE lake.invoice_lines ADD COLUMN service_start_at TIMESTAMPTZ;
COMMENT ON COLUMN lake.invoice_lines.service_start_at
    IS 'First instant it is for (UTC); null: the period''s.';
ALTER TABLE lake.invoice_lines ADD COLUMN service_end_at TIMESTAMPTZ;
COMMENT ON COLUMN lake.invoice_lines.service_end_at
    IS 'First instant after that (UTC); null: the period''s.';
ALTER TABLE lake.invoice_lines ADD COLUMN price_digest VARCHAR;
COMMENT ON COLUMN lake.invoice_lines.price_digest
    IS 'SHA-256 (hex) of its charge in the terms; null: not kept.';
ALTER TABLE lake.invoice_lines ADD COLUMN billed_quantity DECIMAL(38,18);
COMMENT ON COLUMN lake.invoice_lines.billed_quantity
    IS 'What was priced; null: the quantity, not below 0.';
ALTER TABLE lake.invoice_lines ADD COLUMN unit VARCHAR;
COMMENT ON COLUMN lake.invoice_lines.unit
    IS 'What one unit of the billed quantity is called; null: not kept.';
ALTER TABLE lake.invoice_lines ADD COLUMN unit_price DECIMAL(38,15);
COMMENT ON COLUMN lake.invoice_lines.unit_price
    IS 'Price of one unit, where one price holds; null: none does.';
ALTER TABLE lake.invoice_lines ADD COLUMN amount_unrounded VARCHAR;
COMMENT ON COLUMN lake.invoice_lines.amount_unrounded
    IS 'What it comes to before rounding, exactly, as decimal text.';
ALTER TABLE lake.invoice_lines ADD COLUMN discount_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoice_lines.discount_amount
    IS 'Discounts that fell on it, not negative; null: 0.';
ALTER TABLE lake.invoice_lines ADD COLUMN net_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoice_lines.net_amount
    IS 'amount less discount_amount; null: amount.';
ALTER TABLE lake.invoice_lines ADD COLUMN tax_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoice_lines.tax_amount
    IS 'Taxes that fell on it; null: 0.';
ALTER TABLE lake.invoice_lines ADD COLUMN credit_amount DECIMAL(38,15);
COMMENT ON COLUMN lake.invoice_lines.credit_amount
    IS 'Credits that paid of it, not negative; null: 0.';
ALTER TABLE lake.invoice_lines ADD COLUMN currency VARCHAR;
COMMENT ON COLUMN lake.invoice_lines.currency
    IS 'ISO 4217 code of every amount; null: the invoice''s.';
ALTER TABLE lake.invoice_lines ADD COLUMN share_days INTEGER;
COMMENT ON COLUMN lake.invoice_lines.share_days
    IS 'Service days that are due of a full period; null: not prorated.';
ALTER TABLE lake.invoice_lines ADD COLUMN share_of_days INTEGER;
COMMENT ON COLUMN lake.invoice_lines.share_of_days
    IS 'Days of that full period; null: not prorated.';
ALTER TABLE lake.invoice_lines ADD COLUMN adjusts_line_id VARCHAR;
COMMENT ON COLUMN lake.invoice_lines.adjusts_line_id
    IS 'Line that it adjusts; null when it adjusts none.';

-- What earlier columns mean has grown.

COMMENT ON COLUMN lake.closed_periods.terms_digest
    IS 'Terms it was priced by; see `terms`; null: not kept, never rated again.';
COMMENT ON COLUMN lake.invoices.total_amount
    IS 'Net amounts and taxes of its lines.';
COMMENT ON TABLE lake.invoice_lines
    IS 'One row per line of a finalized invoice: charge × group, rounded once; and one per discount, tax and credit of it.';
COMMENT ON COLUMN lake.invoice_lines.line_id
    IS 'invoice / code / group.';
COMMENT ON COLUMN lake.invoice_lines.charge_code
    IS 'Charge; of a discount, tax, credit or commitment, its own code.';
