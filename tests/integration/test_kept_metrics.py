"""Metrics that are edited, renamed, added or gone, and a full refresh: what is kept of them."""

import shutil
from collections import Counter
from pathlib import Path

from tests.worlds.dbt_world import DbtWorld, built_world, not_passed, parsed_again
from tests.worlds.kept_states import kept_rows, require_same

MARKER = "insert into {} (file_id, unmetered_reason) values (-1, 'marker')"


def _table(world: DbtWorld, view: str) -> str:
    """The table of which a view is made."""
    name = f"{view}_________"  # a digest of eight digits
    ((table,),) = world.query(
        f"select table_name from duckdb_tables() where schema_name = 'states' "
        f"and table_name like '{name}'"
    )
    return f"states.{table}"


def _codes(world: DbtWorld) -> set[str]:
    return {str(code) for (code,) in world.query("select metric_code from states.marks")}


def _relations(world: DbtWorld) -> set[str]:
    rows = world.query(
        "select view_name from duckdb_views() where schema_name = 'states' union all "
        "select table_name from duckdb_tables() where schema_name = 'states'"
    )
    return {str(name) for (name,) in rows}


def _forgotten(world: DbtWorld) -> dict[str, Counter[str]]:
    """What a world without anything kept makes of the same lake and catalog."""
    world.change("warehouse", "drop schema states cascade")
    assert not_passed(world.run("run", "--select", "tag:billing")) == {}
    return kept_rows(world.query)


def test_kept_tables_follow_the_metrics(tmp_path: Path) -> None:
    world = built_world().copied_to(tmp_path)
    metrics = _own_models(world) / "metrics"
    before = kept_rows(world.query)

    # All is made anew by hand, and is the same. The marker is no event: it is gone.
    world.change("warehouse", MARKER.format(_table(world, "unmetered_requests")))
    refreshed = world.run("run", "--full-refresh", "--select", "tag:billing")
    assert not_passed(refreshed) == {}
    require_same(kept_rows(world.query), before, "full refresh")

    # One metric is renamed, one is edited, one is new; requests stay as they are.
    table = _table(world, "unmetered_requests")
    world.change("warehouse", MARKER.format(table))
    text = (metrics / "metric_requests.sql").read_text()
    (metrics / "metric_answers.sql").write_text(text.replace("'requests'", "'answers'"))
    odd = metrics / "metric_odd_answers.sql"
    (metrics / "metric_abc.sql").write_text(
        odd.read_text().replace("odd_answers", "abc").replace("'method'", "'a_new_property'")
    )
    odd.unlink()
    egress = metrics / "metric_egress_bytes.sql"
    edited = egress.read_text().replace("value='bytes'", "value='bytes + 1'")
    assert edited != egress.read_text()
    egress.write_text(edited)
    old_egress = _table(world, "unmetered_egress_bytes")
    world = parsed_again(world)
    assert not_passed(world.run("run", "--select", "tag:billing")) == {}

    assert _codes(world) == {"", "abc", "answers", "egress_bytes", "requests"}
    assert not [each for each in _relations(world) if "odd_answers" in each]
    assert old_egress != _table(world, "unmetered_egress_bytes")
    assert old_egress.removeprefix("states.") not in _relations(world)
    assert table == _table(world, "unmetered_requests")
    assert world.query(f"select unmetered_reason from {table} where file_id = -1") == [("marker",)]
    world.change("warehouse", f"delete from {table} where file_id = -1")
    usage = world.query(
        "select metric_code, event_count from metering.int_metrics_totalled "
        "where metric_code in ('requests', 'answers') order by all"
    )
    assert usage[0][1] == usage[1][1] > 0
    found = kept_rows(world.query)
    require_same(found, _forgotten(world), "edited metrics")


def _own_models(world: DbtWorld) -> Path:
    """A copy of the models that may be changed."""
    models = world.project / "models"
    source = models.resolve()
    models.unlink()
    shutil.copytree(source, models)
    return models
