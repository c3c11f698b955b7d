"""The lake: the system of record, appended to by one writer in one transaction a batch.

Belongs here: the catalog database, migrations (`migrations/`, a file of SQL each), transactions,
the writer lock, and what a run records about itself. Must not be put here: tables and columns (see
`vocabulary.tables`), and which rows are right (see `intake`, `invoicing`, `audit`).
"""
