"""Audit: what was written is checked by another road than the one that wrote it.

Belongs here: invariants of the lake, and reading landed bytes again. Must not be put here: a fix
for what is found. A finding blocks closing and publication.
"""
