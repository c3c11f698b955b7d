"""Hostile input: lines and files with their expected verdicts, and the code that mutates them.

Belongs here: cases, mutations, and the run of all of them through the real stages. Must not be put
here: tests of one module (see `tests.unit`).
"""

from tests.hostile.mutants import mutated_lines

__all__ = ["mutated_lines"]
