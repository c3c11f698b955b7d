"""Senders' files: lists the landing, finds its new files, and opens one file.

Belongs here: stores (a folder, S3) and the choice of which files are new. Must not be put here:
what the bytes of a file mean (see `reading`). Nothing here writes to the landing.
"""
