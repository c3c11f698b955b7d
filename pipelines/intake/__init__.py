"""Intake: files become verdicts, and one transaction makes a batch of them visible.

Belongs here: the rules about events, the index of the dedupe window, and the kinds of run
(new files, replay, correction). Must not be put here: reading bytes (see `reading`), tables and
transactions (see `lake`).
"""
