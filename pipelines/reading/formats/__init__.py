"""File formats: cut a file into records, each with its place. One module is one format.

To add a format, add one module that defines `FORMAT` (see `file_format`). Its `order` says before
which other formats it is tried.

Belongs here: the way from bytes to records. Must not be put here: what a record's members mean
(see `dialects`).
"""
