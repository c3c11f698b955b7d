"""Worlds: what tests of several rooms build alike. What a test expects stands in the test.

    made_once          folders that a test session makes once, for all its workers
    catalogs           a small catalog that is right, and edits that make it wrong
    later_catalogs     catalogs that say what bills do not know yet
    periods            billing periods of one subscription
    walked_periods     subscriptions for oracles that go day by day
    lives              lives by chance around changes of clocks, for the calendar and its witness
    previews           cases of preview, from JSON to JSON
    pages              pages of the documentation, their examples and blocks of code
    deliveries         events and their senders, as the frames that stages hand each other
    file_lines         lines as a Metronome sender writes them, and the parser run over a file
    formats            the same events in every format
    dialect_samples    one event in each dialect, and how it is read or refused
    landings           landings full of contested keys, made from a seed
    oracle             a second opinion about verdicts, which shares no code with the product
    price_cases        cases of prices, written short
    priced_bills       price cases as plans of a catalog, and what is billed
    random_prices      cases of prices made from a seed
    published_prices   examples that vendors publish, as cases of prices
    published_settlements  examples of discounts, taxes and credits that vendors publish
    settle_cases       cases of settlements, written short
    random_settlements cases of settlements made from a seed
    payers             invoices that share what discounts and credits have left
    random_metrics     cases of metrics made from a seed, and what the witness says of them
    random_exports     landings of files as vendors' own tools write them, made from a seed
    naive_senders      a second opinion about such files, from their bytes alone
    buckets            a bucket on an S3 server of the test session
    kept_states        the rows that metrics keep, whatever they are numbered by
    kept_usage         what metrics of all kinds keep, against two other counts
    lakes              lakes: new, of old schemas, filled from a landing, or in memory
    disks              a disk whose syncs are noted, or one that fails
    commits            batches of plain events, and a lake whose statements are reported
    backups            homes of a few batches that are backed up
    taken_in           homes of the sample's catalog that take in a small landing
    replays            a lake's refused lines decided again
    books              drafts, their lines, and invoices closing after closing
    marts              marts published from rows written by hand
    reports            reports of a home and their rows, each right in itself
    histories          metered periods and their usage, as published marts have them
    bills_by_hand      a lake, calendar and catalog whose bills a person can work out
    dbt_world          the product's dbt project over `bills_by_hand`
    dbt_macros         macros as SQL text, without dbt
    plain_jinja        dbt's `adapter` for macros that sqlfluff renders
    small_dbt_project  a dbt project with a tag for each story
    fork_server        the process of which a test session's programs are copies
    programs           programs that tests start and kill
    homes              homes in which `meterline` runs as a command
    naive_books        what a home must bill, refuse and close, by loops over days and events
    naive_fees         fees in advance, settled item by item by hand
    naive_revenue      what each day earned of a line, by fractions over days and events
    edited_catalogs    a small catalog, and every edit that a person may make in it
    compiled_dbt       dbt's own SQL, compiled once and run without dbt
    book_runs          runs stage by stage over a lake and compiled SQL in one process
    book_commands      the same runs as processes of the command
    sample_runs        homes after runs on the sample, each made once a session

A world imports worlds and the product; a test imports worlds, and never another test.
"""
