-- There are invoices of fees in advance, and the comments say what was added since they were
-- written.
COMMENT ON COLUMN lake.invoices.invoice_id
    IS 'subscription / local start of the period; / advance, if it is one.';
COMMENT ON COLUMN lake.invoices.kind
    IS '`arrears`: of a period that has ended; `advance`: fees of one that begins.';
COMMENT ON COLUMN lake.invoices.cut_at
    IS 'From here on it is due: period end plus grace, or an advance''s start (UTC).';
COMMENT ON COLUMN lake.invoices.total_amount
    IS 'Net amounts and taxes of its lines, never below 0.';
COMMENT ON COLUMN lake.invoice_lines.line_id
    IS 'invoice / kind, unless `usage` / local start, if it is not of the period / code / group.';
COMMENT ON COLUMN lake.invoice_lines.charge_model
    IS '`standard`, `graduated`, `volume`, `package`, `stairstep`, `percentage`, `graduated_percentage`, `matrix` or `flat`.';
COMMENT ON COLUMN lake.invoice_lines.price_valid_from
    IS 'Price version in force where its service begins.';
COMMENT ON COLUMN lake.invoice_lines.kind
    IS '`usage`, `flat`, `maximum`, `minimum`, `overage`, `true_up`, `unused_advance` or `adjustment`; of a summary row `discount`, `tax` or `credit`; null: `usage`.';
COMMENT ON COLUMN lake.invoice_lines.price_digest
    IS 'SHA-256 (hex) of its charge in the terms; null: not in them.';
COMMENT ON COLUMN lake.acts.kind
    IS '`void`, `reissue`, `accept`, `waive`, `waiver_used`, `hold` or `release`.';
