"""A sample of names is counted anew: what is kept of them must be what the lake supports."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from pipelines.vocabulary.errors import InvariantError
from pipelines.warehouse import recount as recounts
from pipelines.warehouse.recount import Recount, recount
from tests.properties.random_books import History
from tests.worlds.book_runs import BookHome

RUNS = 3


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of a home after some runs, each with a batch of its own, and its lake."""
    home = BookHome()
    History(1, home, checked=0).live(RUNS)
    yield home.lake._connection
    home.close()


@pytest.fixture(autouse=True)
def _every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("NAMES_PER_METRIC", "_CANDIDATES"):
        monkeypatch.setattr(recounts, limit, 1_000)


@contextmanager
def altered(warehouse: duckdb.DuckDBPyConnection, statement: str) -> Iterator[None]:
    """The statement holds meanwhile; `{state}` is the table behind the view `state_requests`."""
    ((table,),) = warehouse.execute(
        "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'state_requests_')"
    ).fetchall()
    state = f'warehouse.states."{table}"'
    warehouse.execute(f"CREATE OR REPLACE TEMP TABLE state_before AS SELECT * FROM {state}")
    warehouse.execute(statement.format(state=state))
    yield
    warehouse.execute(f"DELETE FROM {state}")
    warehouse.execute(f"INSERT INTO {state} SELECT * FROM state_before")


def said(found: Recount) -> str:
    with pytest.raises(InvariantError) as raised:
        found.require_equal()
    return str(raised.value)


def test_home_of_several_batches_is_counted_as_it_is_kept(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    batches = warehouse.execute("SELECT count(*) FROM lake.batches WHERE kind = 'decide'")
    assert batches.fetchall()[0][0] >= 2

    found = recount(warehouse)

    assert (found.differences, found.repeated) == ((), ())
    assert found.names > 2
    assert found.events > found.names
    found.require_equal()


@pytest.mark.parametrize(
    ("statement", "kept", "counted"),
    [
        pytest.param("UPDATE {state} SET event_count = event_count + 7 WHERE rowid = {first}",
                     "kept event_count ", "counted event_count ", id="a part is altered"),
        pytest.param("DELETE FROM {state} WHERE rowid = {first}",
                     "kept nothing, ", "first_place ", id="a part is gone"),
        pytest.param("INSERT INTO {state} SELECT * FROM {state} WHERE rowid = {first}",
                     "first_place ", "counted nothing", id="a part is there twice"),
        pytest.param("UPDATE {state} SET group_key = 'x' WHERE rowid = {first}",
                     'group_key x', "counted nothing", id="in another group"),
    ],
)  # fmt: skip
def test_part_that_was_altered_is_found(
    warehouse: duckdb.DuckDBPyConnection, statement: str, kept: str, counted: str
) -> None:
    first = "(SELECT min(rowid) FROM {state})"
    with altered(warehouse, statement.replace("{first}", first)):
        found = recount(warehouse)

    assert {each.metric_code for each in found.differences} == {"requests"}
    sentence = said(found)
    assert "requests of " in sentence
    assert kept in sentence
    assert counted in sentence
    assert "--full-refresh" in sentence
    recount(warehouse).require_equal()


def test_event_that_is_twice_in_a_metric_is_found(warehouse: duckdb.DuckDBPyConnection) -> None:
    ((sql,),) = warehouse.execute(
        "SELECT events FROM warehouse.states.recounts WHERE metric_code = 'requests'"
    ).fetchall()
    twice = f"(SELECT * FROM {sql} UNION ALL SELECT * FROM {sql})"
    statement = "UPDATE warehouse.states.recounts SET events = $sql WHERE metric_code = 'requests'"
    warehouse.execute(statement, {"sql": twice})
    found = recount(warehouse)
    warehouse.execute(statement, {"sql": sql})

    assert all(sentence.startswith("requests of ") for sentence in found.repeated)
    assert " in the lake, " in found.repeated[0]
    assert "expected each event of a name once" in said(found)


def test_run_counts_a_few_names_and_other_ones_after_each_batch(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recounts, "NAMES_PER_METRIC", 1)
    samples = set()
    for batch_id in range(1, 20):
        warehouse.execute("UPDATE warehouse.calendar.clock SET batch_id = $id", {"id": batch_id})
        first, again = (recounts._sample(warehouse, "requests") for _ in range(2))
        assert len(first) == 1
        assert first == again
        samples |= set(first)
    assert len(samples) > 1


def test_name_with_too_many_events_is_left_out(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recounts, "EVENTS_MAX", 0)
    assert recount(warehouse) == Recount()
