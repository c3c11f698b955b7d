"""DuckDB refresh: unique events by one plain query over all files, as a notebook would have it.

It is the other side of the benchmark. It drops lines that it cannot parse, and knows no window, no
conflicts and no late events. Each refresh reads every file again.
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
"""The keys of held events take part in deduplication, and only new events are written."""

REFRESH_OF_ALL = f"""
create or replace table events as
select * from (
    select * from {LANDED}
    union all by name
    select * from held.held
)
qualify row_number() over (partition by transaction_id order by filename) = 1
"""
"""The whole table of unique events is written again, held events included."""


def refresh(
    landing: Path, database: Path, threads: int, held: Path | None = None, *, of_all: bool = False
) -> int:
    """The number of rows of the table of unique events, once it is built again.

    DuckDB keeps its own memory limit, 80 % of the machine. With 2 GiB it ends with "Out of Memory"
    on five million events, because the window function holds every event at once.

    Args:
        landing: folder of the files.
        database: DuckDB file of the table.
        threads: DuckDB's threads.
        held: DuckDB file with events held before; an event with the key of one is left out. None:
            nothing is held.
        of_all: True if the held events are written too, and not only the new ones.
    """
    with duckdb.connect(database) as connection:
        connection.execute(f"set threads = {threads}")
        # The order of the files does not matter to the outcome, and DuckDB is faster without it.
        connection.execute("set preserve_insertion_order = false")
        if held is not None:
            connection.execute(f"attach '{held}' as held (read_only)")
        query = REFRESH if held is None else REFRESH_OF_ALL if of_all else REFRESH_OF_NEW
        connection.execute(query, {"files": f"{landing}/**/*.ndjson*"})
        row = connection.execute("select count(*) from events").fetchone()
    assert row is not None
    return int(row[0])


def main() -> None:
    """Refreshes once, and prints the number of rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--held", type=Path, help="database with the events held before")
    parser.add_argument("--of-all", action="store_true", help="held events come out of it, too")
    arguments = parser.parse_args()
    rows = refresh(
        arguments.landing,
        arguments.database,
        arguments.threads,
        arguments.held,
        of_all=arguments.of_all,
    )
    json.dump({"rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()
