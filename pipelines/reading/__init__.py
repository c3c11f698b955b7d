"""Turns the bytes of files into events and rejections: each line that is not blank becomes one.

Belongs here: formats (one module a format), dialects (one module a vendor), the compiled scanner,
and the processes that read files. Must not be put here: verdicts that need other events or the
catalog's periods (see `intake`).
"""
