"""The catalog: CSV files become reference data without contradictions, and billing periods.

Belongs here: the files (one module a file in `tables`), the charge models (one module a model in
`charge_models`), what their cells may hold, and what follows from them alone: senders, periods,
names, refusal cuts. Must not be put here: events, usage, amounts.
"""
