"""Audit: each batch is checked again, by other means than those that wrote it.

Belongs here: invariants of the lake, and reading landed bytes again. Must not be put here: a fix
for what is found. A broken invariant blocks closing and publication.
"""
