"""The catalog: CSV files become reference data without contradictions, and billing periods.

Belongs here: tables, cells and rules of the catalog, and the one function that makes billing
periods. Must not be put here: events, usage, amounts.
"""
