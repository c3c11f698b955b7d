"""File formats: the records of a file, each with its place.

Belongs here: one module a format, from bytes to records. Must not be put here: what a record's
members mean (see `dialects`). To add a format, add its module and its line in `files.FORMATS`.
"""
