"""The event log with kept connections has the same files, which others can read at any time."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.defs.dagster_home import dagster_instance
from pipelines.defs.event_log import KEPT_MAX, KeptEventLogStorage
from pipelines.settings import Settings


@dg.asset
def usage() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dagster_instance(Settings(home=tmp_path)) as made:
        yield made


def kept(instance: dg.DagsterInstance) -> KeptEventLogStorage:
    storage = instance.event_log_storage
    assert isinstance(storage, KeptEventLogStorage)
    return storage


def files_of(storage: KeptEventLogStorage) -> SqliteEventLogStorage:
    """Dagster's own storage on the same files, as another process opens them."""
    return SqliteEventLogStorage(storage._base_dir)


def test_what_a_run_stores_is_there_for_others_at_once(instance: dg.DagsterInstance) -> None:
    result = dg.materialize([usage], instance=instance)

    ours, theirs = kept(instance), files_of(kept(instance))
    logged = [entry.message for entry in ours.get_logs_for_run(result.run_id)]
    assert logged
    assert [entry.message for entry in theirs.get_logs_for_run(result.run_id)] == logged
    assert theirs.has_asset_key(usage.key)


def test_more_runs_than_are_kept_open_stay_readable(instance: dg.DagsterInstance) -> None:
    runs = [dg.materialize([usage], instance=instance).run_id for _ in range(KEPT_MAX + 2)]

    storage = kept(instance)
    assert all(storage.get_logs_for_run(run_id) for run_id in runs)
    assert len(storage._kept) == KEPT_MAX


def test_forgotten_plan_leaves_the_plans_of_other_runs_and_the_log_of_the_run(
    instance: dg.DagsterInstance,
) -> None:
    @dg.asset
    def bill() -> None:
        pass

    first = dg.materialize([usage, bill], instance=instance).run_id
    second = dg.materialize([usage, bill], instance=instance).run_id
    before = len(kept(instance).get_logs_for_run(second))

    kept(instance).forget_plan(second, usage.key)

    planned = [
        info.run_id
        for key in (usage.key, bill.key)
        if (info := instance.get_latest_planned_materialization_info(key))
    ]
    assert planned == [second, first]
    assert len(kept(instance).get_logs_for_run(second)) == before


def test_a_transaction_that_fails_leaves_nothing(instance: dg.DagsterInstance) -> None:
    storage = kept(instance)
    dg.materialize([usage], instance=instance)

    def break_off() -> None:
        with storage.index_connection() as connection:
            connection.exec_driver_sql("DELETE FROM event_logs")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert storage.has_asset_key(usage.key)
    with storage.index_connection() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM event_logs").scalar()


def test_wiped_and_disposed_storages_can_be_used_again(instance: dg.DagsterInstance) -> None:
    first = dg.materialize([usage], instance=instance).run_id
    storage = kept(instance)

    storage.wipe()
    assert not storage.get_logs_for_run(first)
    second = dg.materialize([usage], instance=instance).run_id
    storage.dispose()
    assert storage.get_logs_for_run(second)


def test_a_table_that_is_there_is_asked_for_once(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = kept(instance)
    asked = list[str]()

    def has_table(_storage: SqliteEventLogStorage, name: str) -> bool:
        asked.append(name)
        return name != "later"

    monkeypatch.setattr(SqliteEventLogStorage, "has_table", has_table)
    answers = [storage.has_table(name) for name in ("here", "here", "later", "later")]

    assert answers == [True, True, False, False]
    assert asked == ["here", "later", "later"]
