"""Senders' files: the landing is listed, its new files are found, and one file is opened.

Belongs here: stores (a folder, S3) and the choice of what is new. Must not be put here: what the
bytes of a file mean (see `reading`). Nothing here writes to the landing.
"""
