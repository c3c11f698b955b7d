"""The scanner: common JSON lines read by compiled code, with the result of the strict reader.

Belongs here: what numba compiles, and the columns made of it. Must not be put here: rules that the
strict reader does not have. A line that the scanner does not know goes to the strict reader, so
this folder can be deleted: only `intake.stream` and `intake.sieve` call it.
"""
