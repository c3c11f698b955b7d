"""The product's dbt project over the lake that `bills_by_hand` writes, and how dbt is run on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder

from pipelines.warehouse.dbt_vars import vars_argument
from tests.worlds.bills_by_hand import make_world
from tests.worlds.made_once import made_once

_NOT_PASSED = ("error", "fail", "runtime error", "skipped")


@dataclass(frozen=True)
class DbtWorld:
    """A lake, a warehouse and the project below one folder.

    Attributes:
        folder: of the lake, the warehouse and the project.
        parsed: where dbt wrote the project's parsed form.
    """

    folder: Path
    parsed: Path

    @property
    def project(self) -> Path:
        """The folder of `dbt_project.yml` and `profiles.yml`."""
        return self.folder / "dbt_project"

    @cached_property
    def manifest(self) -> Any:
        """The parsed project, as dbt has it in memory."""
        manifest = Manifest.from_msgpack(
            (self.parsed / "partial_parse.msgpack").read_bytes(),
            decoder=extended_mashumuro_decoder,
        )
        manifest.build_flat_graph()  # type: ignore[no-untyped-call]
        return manifest

    def invoke(self, *arguments: str) -> dbtRunnerResult:
        """What dbt gave for these arguments."""
        return _invoke(self.folder, dbtRunner(self.manifest), *arguments)

    def results(self, *arguments: str) -> Sequence[Any]:
        """What came of each node, after dbt ran with these arguments."""
        results: Sequence[Any] = getattr(self.invoke(*arguments).result, "results", ())
        return results

    def run(self, *arguments: str) -> dict[str, str]:
        """Status of each node by name, after dbt ran with these arguments."""
        return {result.node.name: str(result.status) for result in self.results(*arguments)}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, which knows the lake."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"attach '{self.folder}/lake.duckdb' as lake (read_only)")
            return connection.execute(sql).fetchall()

    def change(self, database: str, sql: str) -> None:
        """Alters the lake or the warehouse behind dbt's back."""
        with duckdb.connect(str(self.folder / f"{database}.duckdb")) as connection:
            connection.execute(sql)

    def copied_to(self, folder: Path) -> "DbtWorld":
        """A copy with databases of its own; the project's files and its parsed form are shared."""
        for name in ("lake.duckdb", "warehouse.duckdb"):
            (folder / name).write_bytes((self.folder / name).read_bytes())
        copy = DbtWorld(folder, self.parsed)
        copy.project.mkdir()
        for entry in self.project.iterdir():
            if entry.name != "profiles.yml":
                (copy.project / entry.name).symlink_to(entry)
        profile = (self.project / "profiles.yml").read_text()
        (copy.project / "profiles.yml").write_text(profile.replace(str(self.folder), str(folder)))
        return copy


def parsed_again(world: DbtWorld) -> DbtWorld:
    """A world whose project has other files by now, with their parsed form."""
    _invoke(world.folder, dbtRunner(), "parse")
    return DbtWorld(world.folder, world.folder / "target")


def parsed_world() -> DbtWorld:
    """The world before any build; whoever asks copies it."""
    folder = made_once("parsed-world", _parse)
    return DbtWorld(folder, folder / "target")


def built_world() -> DbtWorld:
    """The world after a whole build that passed; whoever asks reads it, or copies it."""
    return DbtWorld(made_once("built-world", _build), parsed_world().parsed)


def not_passed(statuses: Mapping[str, str]) -> dict[str, str]:
    """The nodes that failed or were not run, of those that `DbtWorld.run` gives."""
    return {name: status for name, status in statuses.items() if status in _NOT_PASSED}


def _parse(folder: Path) -> None:
    make_world(folder)
    _invoke(folder, dbtRunner(), "parse")


def _build(folder: Path) -> None:
    world = parsed_world().copied_to(folder)
    statuses = world.run("build")
    assert not_passed(statuses) == {}
    assert "a_line_is_rounded_once_from_its_tiers" in statuses  # a unit test
    assert "unique_key_flags_repeats_and_nulls" in statuses  # a test of a test


def _invoke(folder: Path, runner: dbtRunner, *arguments: str) -> dbtRunnerResult:
    project = folder / "dbt_project"
    places = [f"--project-dir={project}", f"--profiles-dir={project}"]
    logs = [f"--target-path={folder}/target", f"--log-path={folder}", "--quiet"]
    try:
        outcome = runner.invoke([*arguments, *places, *logs, vars_argument(project)])
    finally:
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert outcome.exception is None, outcome.exception
    return outcome
