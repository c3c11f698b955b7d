"""Invariants of a batch, one module per subject.

A module lists its `INVARIANTS`. Each has a query with one row per offence and a sentence for an
offence. NULL counts as an offence. To add a check, add a module or add to one.

Source: the invariants I-1 to I-10 of the design; each meaning has its number.
"""
