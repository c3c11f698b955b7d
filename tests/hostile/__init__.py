"""Hostile input: lines and files with their expected verdicts, and what mutates them."""

from tests.hostile.mutants import mutated_lines

__all__ = ["mutated_lines"]
