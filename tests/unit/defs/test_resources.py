import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from pipelines.defs.resources import (
    RunMemory,
    Writer,
    build_writer,
    end_dead_run,
    end_runs_of_dead_processes,
    lock_held_for_runs,
)
from pipelines.lake.writer_lock import writer_lock
from pipelines.settings import Settings
from pipelines.vocabulary.errors import AlreadyRunningError, MeterlineError

KILLED = "00000000-0000-0000-0000-000000000001"


@dg.asset
def lock_note(writer: dg.ResourceParam[Writer]) -> dg.MaterializeResult[Any]:
    note = json.loads(writer.settings.writer_lock.with_suffix(".json").read_text())
    return dg.MaterializeResult(metadata={"holder": note["run_id"], "run": writer.run_id})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def add_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> None:
    instance.add_run(dg.DagsterRun(job_name="meterline", run_id=KILLED, status=status))


def status_of_killed(instance: dg.DagsterInstance) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(KILLED)
    assert run is not None
    return run.status


def note_holder(settings: Settings, pid: int) -> None:
    note = settings.writer_lock.with_suffix(".json")
    note.write_text(json.dumps({"run_id": KILLED, "pid": pid}))


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_run_holds_the_lock_in_its_own_name(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    outcome = dg.materialize(
        [lock_note], resources={"writer": build_writer(settings)}, instance=instance
    )
    (made,) = outcome.get_asset_materialization_events()
    assert made.materialization.metadata["holder"] == made.materialization.metadata["run"]
    with writer_lock(settings.writer_lock, "next", 0.0) as killed:
        assert killed is None


def test_second_run_is_refused_while_the_lock_is_held(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    with (
        writer_lock(settings.writer_lock, "first", 0.0),
        pytest.raises(dg.DagsterResourceFunctionError) as refused,
    ):
        dg.materialize([lock_note], resources={"writer": build_writer(settings)}, instance=instance)
    assert isinstance(refused.value.user_exception, AlreadyRunningError)
    assert "run first" in str(refused.value.user_exception)


def test_run_that_dagster_launched_waits_for_the_lock_and_says_so(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = RegisteredCodeLocationOrigin("meterline")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "repository"), "meterline")
    monkeypatch.setattr(dg.DagsterRun, "remote_job_origin", origin)
    first = writer_lock(settings.writer_lock, "first", 0.0)
    first.__enter__()
    said: list[str] = []

    def let_go(_self: Any, sentence: str) -> None:
        said.append(sentence)
        first.__exit__(None, None, None)

    monkeypatch.setattr(dg.DagsterLogManager, "info", let_go)
    outcome = dg.materialize(
        [lock_note], resources={"writer": build_writer(settings)}, instance=instance
    )

    (made,) = outcome.get_asset_materialization_events()
    assert made.materialization.metadata["holder"] == made.materialization.metadata["run"]
    (sentence,) = said
    assert sentence.startswith("already running: run first")
    assert sentence.endswith("This run waits, and goes on when that one ends.")


def test_runs_of_one_command_share_its_lock(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    for _ in range(2):
        with lock_held_for_runs(settings, "command") as killed:
            assert killed is None
            for _ in range(2):
                outcome = dg.materialize(
                    [lock_note], resources={"writer": build_writer(settings)}, instance=instance
                )
                (made,) = outcome.get_asset_materialization_events()
                assert made.materialization.metadata["holder"].value == outcome.run_id
                with (
                    pytest.raises(AlreadyRunningError, match=f"run {outcome.run_id}"),
                    writer_lock(settings.writer_lock, "another", 0.0),
                ):
                    pass
    with writer_lock(settings.writer_lock, "next", 0.0) as left:
        assert left is None


def test_taking_the_lock_ends_the_run_that_was_killed_holding_it(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    add_run(instance, dg.DagsterRunStatus.STARTED)
    note_holder(settings, os.getpid())
    dg.materialize([lock_note], resources={"writer": build_writer(settings)}, instance=instance)
    assert status_of_killed(instance) is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE, id="started"),
        pytest.param(dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.FAILURE, id="canceling"),
        pytest.param(dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.SUCCESS, id="ended well"),
        pytest.param(
            dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.NOT_STARTED, id="not begun"
        ),
    ],
)
def test_only_a_run_that_was_going_is_ended(
    instance: dg.DagsterInstance, before: dg.DagsterRunStatus, after: dg.DagsterRunStatus
) -> None:
    add_run(instance, before)
    assert end_dead_run(instance, KILLED) is (before is not after)
    assert status_of_killed(instance) is after


def test_run_that_nobody_recorded_is_no_error(instance: dg.DagsterInstance) -> None:
    assert not end_dead_run(instance, KILLED)


def test_dead_process_is_noticed_without_the_lock(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    add_run(instance, dg.DagsterRunStatus.STARTED)
    assert not end_runs_of_dead_processes(instance, settings.writer_lock)

    note_holder(settings, os.getpid())
    assert not end_runs_of_dead_processes(instance, settings.writer_lock)

    note_holder(settings, dead_pid())
    assert end_runs_of_dead_processes(instance, settings.writer_lock)
    assert status_of_killed(instance) is dg.DagsterRunStatus.FAILURE


def test_value_of_another_run_is_refused_by_name(instance: dg.DagsterInstance) -> None:
    @dg.asset
    def parsed() -> int:
        return 1

    @dg.asset
    def decided(parsed: int) -> int:
        return parsed + 1

    memory = dg.IOManagerDefinition(lambda _context: RunMemory())
    both = dg.materialize([parsed, decided], resources={"io_manager": memory}, instance=instance)
    assert both.output_for_node("decided") == 2
    with pytest.raises(MeterlineError, match="parsed was not made in this run"):
        dg.materialize(
            [parsed, decided],
            selection=[decided],
            resources={"io_manager": memory},
            instance=instance,
        )
