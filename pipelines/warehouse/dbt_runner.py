"""dbt in this process: the project is parsed once per change, and its nodes run by selection.

A `dbt` child would outlive a killed parent and keep the warehouse locked. In process, dbt's imports
and its parsed project also serve both phases. The parsed form lies in a folder that is named by the
digest of the project's files. So a run ends with the SQL that it started with, whatever is edited
meanwhile.
"""

import hashlib
import json
import logging
import os
import shutil
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse import parse_errors
from pipelines.warehouse.dbt_vars import vars_argument
from pipelines.warehouse.phase_outcome import PhaseOutcome, outcome_of

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

_progress = logging.getLogger("meterline")

_RESULT_EVENTS = frozenset(
    {"LogSeedResult", "LogModelResult", "LogSnapshotResult", "LogTestResult"}
)
"""dbt's events that say how a node ended."""

_ALWAYS = (
    "--no-send-anonymous-usage-stats",
    "--no-version-check",
    "--no-partial-parse",
    "--log-level-file=none",
)
"""Arguments that every invocation begins with."""

_IN_A_RUN = ("--no-use-colors", "--no-populate-cache", "--log-level=none")
"""Those of a run, which says itself what dbt does."""

_CHOSEN = "chosen"
"""The tag of the nodes to build, when they are given one by one."""

_KEPT_MANIFESTS = 5
"""How many versions of the parsed project stay; a run of an older one may still be going."""


@dataclass(frozen=True)
class PreparedProject:
    """A dbt project and its parsed form.

    Attributes:
        project_dir: folder of `dbt_project.yml` and `profiles.yml`.
        folder: what dbt wrote when it parsed exactly these files.
    """

    project_dir: Path
    folder: Path

    @property
    def manifest_file(self) -> Path:
        """The manifest as JSON, dbt's public artifact."""
        return self.folder / "manifest.json"

    @property
    def parsed_file(self) -> Path:
        """The manifest as dbt keeps it for itself, read faster and without loss."""
        return self.folder / "partial_parse.msgpack"


def prepare_project(project_dir: Path, artifacts: Path) -> PreparedProject:
    """The project in its parsed form, parsed only when its files changed.

    Args:
        project_dir: folder of `dbt_project.yml` and `profiles.yml`.
        artifacts: where parsed forms are kept, one folder per digest.

    Raises:
        MeterlineError: dbt does not understand the project.
    """
    folder = artifacts / f"manifest-{_project_digest(project_dir)[:16]}"
    project = PreparedProject(project_dir, folder)
    if project.parsed_file.is_file() and project.manifest_file.is_file():
        return project
    _progress.info("parsing the dbt project, which is new or was changed")
    artifacts.mkdir(parents=True, exist_ok=True)
    workplace = Path(tempfile.mkdtemp(prefix="parsing-", dir=artifacts))
    try:
        places = _places(project_dir, workplace, artifacts)
        invocation = _invoke([*_ALWAYS, *_IN_A_RUN, "parse", *places])
        if not invocation.success:
            raise MeterlineError(
                parse_errors.explained(str(invocation.exception), project_dir)
            ) from invocation.exception
        if not folder.exists():
            workplace.rename(folder)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    _forget_old_manifests(artifacts)
    return project


def read_manifest(project: PreparedProject) -> dict[str, Any]:
    """The project's manifest as dbt wrote it."""
    manifest: dict[str, Any] = json.loads(project.manifest_file.read_bytes())
    return manifest


def run_phase(
    project: PreparedProject,
    selection: Sequence[str] | AbstractSet[str],
    *,
    connection: Mapping[str, str],
    seed_folder: Path,
    artifacts: Path,
    report: Callable[[str], None],
) -> PhaseOutcome:
    """What came of building the selected nodes; all failures are in it, none is raised.

    Unit tests are left out: they test the SQL, not these data, and belong to `make test`.

    Args:
        project: the parsed project.
        selection: dbt's selection arguments, such as `["--select", "tag:billing"]`, or a set
            of unique ids, which are built and nothing else.
        connection: environment for the connection (`connection_environment`).
        seed_folder: holds the catalog's CSV files; a seed that has no file there is read
            from the project.
        artifacts: where compiled SQL goes.
        report: told a sentence when a node ends, unless it is a test that passes; called
            from dbt's threads.

    Raises:
        MeterlineError: dbt itself broke off.
        KeyboardInterrupt: the run was interrupted; dbt's queries are cancelled.
    """
    node_events: list[Mapping[str, Any]] = []

    def collect(event: "EventMsg") -> None:
        if event.info.name not in _RESULT_EVENTS:
            return
        from dbt_common.events.functions import msg_to_dict

        node_event = msg_to_dict(event)
        node_events.append(node_event)
        if node_event["data"]["status"] != "pass":
            report(_sentence(node_event["data"]))

    chosen = selection if isinstance(selection, AbstractSet) else frozenset()
    select_chosen = ("--select", f"tag:{_CHOSEN}", "--indirect-selection=empty")
    arguments = [
        *_ALWAYS,
        *_IN_A_RUN,
        "build",
        *(select_chosen if chosen else selection),
        "--exclude-resource-type=unit_test",
        "--no-write-json",
        *_places(project.project_dir, artifacts / "target", artifacts),
    ]
    with _environment(connection), _interrupts_cancel_queries():
        invocation = _invoke(arguments, _load_manifest(project, seed_folder, chosen), [collect])
    return outcome_of(invocation, node_events)


def run_by_hand(
    project: PreparedProject,
    arguments: Sequence[str],
    *,
    connection: Mapping[str, str],
    seed_folder: Path,
    artifacts: Path,
) -> bool:
    """True if the command that a person gave to dbt succeeded; dbt prints what it does itself.

    Args:
        project: the parsed project.
        arguments: those of dbt, such as `["build", "--select", "fct_invoices"]`.
        connection: environment for the connection; empty for a command that opens none.
        seed_folder: holds the catalog's CSV files.
        artifacts: where compiled SQL and dbt's artifacts go.

    Raises:
        MeterlineError: dbt itself broke off, or does not know an argument.
        KeyboardInterrupt: the command was interrupted; dbt's queries are cancelled.
    """
    places = {
        "DBT_PROJECT_DIR": str(project.project_dir),
        "DBT_PROFILES_DIR": str(project.project_dir),
        "DBT_TARGET_PATH": str(artifacts / "target"),
        "DBT_LOG_PATH": str(artifacts),
    }
    with _environment({**places, **connection}), _interrupts_cancel_queries():
        manifest = _load_manifest(project, seed_folder, frozenset())
        # The last `--vars` counts: without ours there would be no metrics.
        variables = vars_argument(project.project_dir)
        invocation = _invoke([*_ALWAYS, *arguments, variables], manifest)
    if isinstance(invocation.exception, KeyboardInterrupt | SystemExit):
        raise KeyboardInterrupt("dbt was interrupted; its queries are cancelled")
    if invocation.exception is not None:
        raise MeterlineError(f"dbt broke off: {invocation.exception}") from invocation.exception
    return invocation.success


def _load_manifest(
    project: PreparedProject, seed_folder: Path, chosen: AbstractSet[str]
) -> "Manifest":
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import SeedNode
    from dbt.parser.manifest import extended_mashumuro_decoder

    # Loaded anew for each phase (0.1 s): dbt writes compiled SQL into the manifest it is given.
    manifest: Manifest = Manifest.from_msgpack(
        project.parsed_file.read_bytes(), decoder=extended_mashumuro_decoder
    )
    for node in manifest.nodes.values():
        if isinstance(node, SeedNode):
            name = Path(node.original_file_path).name
            if (seed_folder / name).is_file():
                # Never an absolute `original_file_path`: dbt joins it to its target folder as
                # well, and would write compiled SQL over the catalog. It looks in the project
                # first, where no seed lies at the top, and then below `root_path`.
                node.original_file_path = name
                node.root_path = str(seed_folder.resolve())
    for unique_id in chosen:
        manifest.nodes[unique_id].tags.append(_CHOSEN)
    # What `graph` is to a model; dbt fills it only when it parses.
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def _invoke(
    arguments: Sequence[str],
    manifest: "Manifest | None" = None,
    callbacks: Sequence[Callable[["EventMsg"], None]] = (),
) -> "dbtRunnerResult":
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt_common.behavior_flags import BehaviorFlagRendered

    # dbt asks of each flag of its adapter who declared it, by reading the source of every frame
    # of the stack: 0.2 s a flag beneath Dagster, for a warning that we do not show.
    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]
    try:
        # A seed may lack a column that is declared: the catalog's newer ones can be left out.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*does not match the name of any column")
            return dbtRunner(manifest, list(callbacks)).invoke([*arguments])
    finally:
        # dbt-duckdb keeps the file open for the life of the process; the close and the next
        # phase, at a newer snapshot, need it free.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _sentence(ended: Mapping[str, Any]) -> str:
    node = ended["node_info"]
    kind, name = node["resource_type"], node["node_name"]
    return f"dbt {kind} {name}: {ended['status']} in {float(ended['execution_time']):.1f} s"


def _places(project_dir: Path, target: Path, logs: Path) -> tuple[str, ...]:
    return (
        f"--project-dir={project_dir}",
        f"--profiles-dir={project_dir}",
        f"--target-path={target}",
        f"--log-path={logs}",
        vars_argument(project_dir),
    )


def _project_digest(project_dir: Path) -> str:
    """The digest of all that decides how the project parses.

    The bytes of the catalog's seeds are left out: dbt reads them when it loads them, and a new
    price must not cost a parse. Those of `reference` belong to the code.
    """
    versions = [f"{package} {version(package)}" for package in ("dbt-core", "dbt-duckdb")]
    digest = hashlib.sha256("\n".join([*versions, str(project_dir)]).encode())
    for path in sorted(_project_files(project_dir)):
        digest.update(f"\n{path.relative_to(project_dir)}\n".encode())
        if path.suffix != ".csv" or path.parent.name == "reference":
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _project_files(project_dir: Path) -> Iterator[Path]:
    suffixes = {".sql", ".yml", ".md", ".csv"}
    left_out = {"target", "logs", "dbt_packages"}
    for path in project_dir.rglob("*"):
        if path.suffix in suffixes and path.relative_to(project_dir).parts[0] not in left_out:
            yield path


def _forget_old_manifests(artifacts: Path) -> None:
    folders = sorted(artifacts.glob("manifest-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in folders[:-_KEPT_MANIFESTS]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _interrupts_cancel_queries() -> Iterator[None]:
    # dbt cancels its queries on KeyboardInterrupt alone; Dagster's handlers raise another
    # exception, after which dbt's threads would go on writing to the warehouse.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
