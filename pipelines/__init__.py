"""Meterline's Python, in rooms. Data passes through them in this order.

    vocabulary   words that all rooms share: errors, money, instants, tables, verdicts, limits
    periods      lives of subscriptions become billing periods, days and shares of days
    landing      senders' files: a folder or S3, listed and opened; which of them are new
    reading      bytes become events or rejections
    catalog      CSV files become a catalog without contradictions
    lake         the system of record: tables, transactions, the writer lock
    intake       files become verdicts, in one transaction a batch
    invoicing    drafts become numbered, hashed and chained documents
    warehouse    dbt runs, and its marts are published
    recovery     a home is backed up and restored, and a damaged file of events is made again
    audit        each batch is checked again, by other means than those that wrote it
    preview      cases in JSON are answered by what bills, without a home
    operations   the state of a home, and what a person must look at
    defs         Dagster: assets, checks, sensors, resources
    cli          the command `meterline`

Four modules stand beside the rooms.

    settings     every `METERLINE_*` variable
    durable      files and folders written to disk before anything relies on them
    home         a home, opened: each opener passes on every setting
    definitions  what Dagster serves

A room imports only rooms of lower floors. `docs/architecture.md` shows the floors.
`tests/contracts/test_architecture.py` has the table of what each room may import.
"""
