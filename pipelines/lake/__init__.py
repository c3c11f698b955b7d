"""The lake: the system of record, appended to by one writer in one transaction a batch.

Belongs here: tables and migrations, transactions, the writer lock, and what a run records about
itself. Must not be put here: which rows are right (see `intake`, `invoicing`, `audit`).
"""
