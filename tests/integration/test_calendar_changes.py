"""What this run's calendar says otherwise than the one that a kept table was made by."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.worlds.compiled_dbt import CompiledDbt, compiled_nodes

AT = pl.Datetime("us", "UTC")
COLUMNS: dict[str, Any] = {
    "kind": pl.String, "name": pl.String, "reference": pl.String, "metric_code": pl.String,
    "from_at": AT, "to_at": AT, "file_id": pl.Int64, "line": pl.Int64, "detail": pl.String,
}  # fmt: skip

Row = dict[str, object]
Change = tuple[str, object, bool]
"""Kind and detail of a row, and whether it is gone."""


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def cut(number: int, subscription_id: str = "s") -> Row:
    detail = f"{subscription_id}/{number}"
    return {"kind": "cut", "reference": subscription_id, "from_at": day(number), "detail": detail}


def closing(batch_id: int, number: int = 1) -> Row:
    return {"kind": "closing", "name": "a", "reference": "", "from_at": day(number),
            "to_at": day(number + 1), "detail": str(batch_id)}  # fmt: skip


def offer(detail: str) -> Row:
    return {"kind": "offer", "name": "a", "reference": "", "from_at": day(1), "to_at": day(2),
            "detail": detail}  # fmt: skip


def name(customer_id: str, until: int | None = None) -> Row:
    return {"kind": "name", "name": "web", "to_at": until and day(until), "detail": customer_id}


@pytest.fixture(scope="module")
def dbt() -> Iterator[CompiledDbt]:
    with duckdb.connect() as connection:
        yield CompiledDbt(connection)


def changes(dbt: CompiledDbt, kept: dict[str, list[Row]], run: list[Row]) -> pl.DataFrame:
    """The changes from the kept calendars, by digest, to that of the run, whose digest is `run`."""
    frames = [
        _frame(rows).select(pl.lit(digest).alias("calendar_digest"), pl.all())
        for digest, rows in kept.items()
    ]
    dbt.write("states", calendars=pl.concat(frames))
    dbt.write(
        "attribution",
        int_calendar=_frame(run),
        int_calendar_digest=pl.DataFrame({"calendar_digest": ["run"]}),
    )
    (node,) = (each for each in compiled_nodes() if each.name == "int_calendar_changes")
    return dbt.rows(node.sql)


def _frame(rows: Iterable[Row]) -> pl.DataFrame:
    given = [[row.get(column) for column in COLUMNS] for row in rows]
    return pl.DataFrame(given, COLUMNS, orient="row")


ANY: Row = {"kind": "source", "name": "cdn"}
"""A row that both calendars have: without any, there is no earlier calendar."""


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        pytest.param([cut(5), closing(7)], [closing(7), cut(5)], [], id="another order"),
        pytest.param([], [closing(7)], [], id="a period is closed"),
        pytest.param([closing(7)], [], [("closing", "7", True)], id="a closing is gone"),
        pytest.param([closing(7)], [closing(8)], [("closing", "7", True)],
                     id="another batch closed it"),
        pytest.param([], [cut(5)], [], id="a first cut"),
        pytest.param([cut(5)], [cut(5), cut(6)], [], id="a cut after all others"),
        pytest.param([cut(5)], [cut(4), cut(5)], [("cut", "s/4", False)], id="a cut in between"),
        pytest.param([cut(5, "t")], [cut(5, "t"), cut(4)], [], id="of another subscription"),
        pytest.param([cut(4), cut(5)], [cut(4)], [("cut", "s/5", True)], id="the last cut is gone"),
        pytest.param([], [offer("s/1")], [("offer", "s/1", False)], id="an offer comes"),
        pytest.param([offer("s/1")], [], [("offer", "s/1", True)], id="an offer is gone"),
        pytest.param([name("a")], [name("a", until=3), name("b")],
                     [("name", "a", False), ("name", "a", True), ("name", "b", False)],
                     id="a name means somebody else"),
    ],
)  # fmt: skip
def test_changes_are_what_events_that_were_there_can_notice(
    dbt: CompiledDbt, earlier: list[Row], later: list[Row], expected: list[Change]
) -> None:
    found = changes(dbt, {"earlier": [ANY, *earlier]}, [ANY, *later])

    assert set(found["calendar_digest"]) <= {"earlier"}
    assert sorted(found.select("kind", "detail", "is_gone").rows()) == expected


def test_each_calendar_that_a_table_was_made_by_has_changes_of_its_own(dbt: CompiledDbt) -> None:
    kept = {"one": [ANY, offer("s/1")], "two": [ANY], "run": [ANY, offer("s/2")]}

    found = changes(dbt, kept, [ANY, offer("s/2")])

    assert sorted(found.select("calendar_digest", "detail", "is_gone").rows()) == [
        ("one", "s/1", True),
        ("one", "s/2", False),
        ("two", "s/2", False),
    ]


def test_a_run_without_an_earlier_calendar_has_no_changes(dbt: CompiledDbt) -> None:
    assert changes(dbt, {"run": [ANY]}, [ANY, offer("s/1")]).is_empty()
