"""The scanner: reads common JSON lines with compiled code, and with the strict reader's results.

The strict reader is `reading.parse`. A line that the scanner does not know goes to it. So this
folder could be deleted: only `intake.stream` and `intake.sieve` call it.

Belongs here: what numba compiles, and the columns made of its results. Must not be put here: rules
that the strict reader does not have.
"""
