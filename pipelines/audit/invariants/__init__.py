"""Invariants of a batch, one module a subject.

A module lists its `INVARIANTS`. Each is a query that gives one row per offence, and a sentence that
says one offence. NULL counts as an offence. To add a check, add a module, or a query to one.

Source: the invariants I-1 to I-10 of the design; their numbers stand in each meaning.
"""
