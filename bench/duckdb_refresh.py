"""The plain way to keep unique events: one DuckDB query over all files, every time.

Belongs here: the other side of the benchmark, written as a person would write it in a notebook.
It rejects nothing but what it cannot parse, knows no window, no conflict and no lateness, and
reads every file again at each refresh.
"""

import argparse
import json
import sys
from pathlib import Path

import duckdb

LANDED = """
read_json(
    $files,
    format = 'newline_delimited',
    ignore_errors = true,
    filename = true,
    columns = {
        transaction_id: 'VARCHAR',
        customer_id: 'VARCHAR',
        timestamp: 'VARCHAR',
        event_type: 'VARCHAR',
        properties: 'JSON'
    }
)
"""

REFRESH = f"""
create or replace table events as
select transaction_id, customer_id, "timestamp", event_type, properties, filename
from {LANDED}
qualify row_number() over (partition by transaction_id order by filename) = 1
"""

REFRESH_OF_NEW = f"""
create or replace table events as
select * exclude (is_held) from (
    select * from (
        select *, false as is_held from {LANDED}
        union all by name
        select transaction_id, '' as filename, true as is_held from held.held
    )
    qualify row_number() over (partition by transaction_id order by filename) = 1
)
where not is_held
"""
"""The bare keys of what is held go through the window, and only new events come out."""

REFRESH_OF_ALL = f"""
create or replace table events as
select * from (
    select * from {LANDED}
    union all by name
    select * from held.held
)
qualify row_number() over (partition by transaction_id order by filename) = 1
"""
"""The table of unique events is built anew, what is held included."""


def refresh(
    landing: Path, database: Path, threads: int, held: Path | None = None, *, of_all: bool = False
) -> int:
    """Builds the table of unique events anew; returns its rows.

    With a database of held events, events that carry one of their keys are left out: the rows of
    both go through the window together. Either all come out of it, or the new ones alone.

    It keeps DuckDB's own memory limit (80 % of the machine): under 2 GiB it ends with "Out of
    Memory" on five million events, because the window holds every event at once.
    """
    with duckdb.connect(database) as connection:
        connection.execute(f"set threads = {threads}")
        # The kindest setting for it: the order of the files does not matter to the outcome.
        connection.execute("set preserve_insertion_order = false")
        if held is not None:
            connection.execute(f"attach '{held}' as held (read_only)")
        query = REFRESH if held is None else REFRESH_OF_ALL if of_all else REFRESH_OF_NEW
        connection.execute(query, {"files": f"{landing}/**/*.ndjson*"})
        row = connection.execute("select count(*) from events").fetchone()
    assert row is not None
    return int(row[0])


def main() -> None:
    """Refreshes once and prints the number of rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--held", type=Path, help="database with the events held before")
    parser.add_argument("--of-all", action="store_true", help="held events come out of it, too")
    arguments = parser.parse_args()
    rows = refresh(
        *(arguments.landing, arguments.database, arguments.threads, arguments.held),
        of_all=arguments.of_all,
    )
    json.dump({"rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()
