"""Recovery: a home copied to a backup, and healed from there or from the landing.

Belongs here: where backups are kept (`store`), what one consists of (`manifest`), how it is made
(`backup`) and put back (`restore`), and how a file of events is made again (`rebuild`). Must not be
put here: whether a file is damaged (see `lake.file_checks`), and which verdicts are right (see
`intake`).
"""
