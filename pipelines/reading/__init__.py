"""Bytes become events or rejections: every line of a file leaves by one of these two doors.

Belongs here: formats (one module a format), dialects (one module a vendor), the compiled scanner,
and the processes that read files. Must not be put here: verdicts that need other events or the
catalog's periods (see `intake`).
"""
