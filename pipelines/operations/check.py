"""Check: what would keep a run from its work, found before any file is taken in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.headers import changed_headers, columns_left_out
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.home import Home
from pipelines.lake.closed_book import NEWEST_CLOSED
from pipelines.operations.notices import addresses_of, unknown_addresses
from pipelines.settings import DBT_PROJECT, Settings, metric_codes
from pipelines.vocabulary.errors import CatalogError, MeterlineError, OlderSchemaError
from pipelines.vocabulary.tables import CATALOGS
from pipelines.warehouse.contradictions import contradictions
from pipelines.warehouse.dbt_runner import prepare_project, read_manifest
from pipelines.warehouse.declared_metrics import (
    DeclaredMetric,
    declared_metrics,
    group_problems,
    metric_problems,
)
from pipelines.warehouse.mappings import mapping_problems
from pipelines.warehouse.stored_catalogs import last_catalog_digest, stored_files


@dataclass(frozen=True)
class Checked:
    """What was checked, and what is wrong.

    Attributes:
        catalog: its folder.
        customers: how many it has; None where it has problems of its own.
        subscriptions: the same.
        metrics: codes of the billable metrics; none where the dbt project cannot be parsed.
        closed_periods: how many the catalog was compared with.
        problems: a sentence each; none where a run can begin.
        warnings: what is allowed but may surprise, a sentence each.
        columns: what differs in the catalog's columns from the last run, a sentence each.
        left_out: columns that the header of a file leaves out, by file; they count as empty.
    """

    catalog: str
    customers: int | None
    subscriptions: int | None
    metrics: list[str]
    closed_periods: int
    problems: list[str]
    warnings: list[str]
    columns: list[str]
    left_out: dict[str, list[str]]


def check_home(settings: Settings, project_dir: Path = DBT_PROJECT) -> Checked:
    """Everything that is wrong with landing, catalog, metrics and dbt project, found at once.

    The parsed project is kept in the home, where the next run finds it. Nothing else is written,
    and no landed file is looked at.

    Args:
        settings: of the home; they are valid, or there would be none.
        project_dir: folder of the dbt project.
    """
    home = Home(settings)
    problems, warnings, columns = list[str](), list[str](), list[str]()
    catalog, metrics, closed_periods = None, list[DeclaredMetric](), 0
    problems += unknown_addresses(addresses_of(settings))
    with _noted(problems):
        home.landing().require_folder()
    with _noted(problems):
        catalog = home.catalog()
    with _noted(problems):
        manifest = read_manifest(prepare_project(project_dir, settings.dbt_target))
        metrics = declared_metrics(manifest)
        problems += map(str, metric_problems(metrics))
        problems += map(str, mapping_problems(manifest, project_dir))
    if catalog is not None:
        warnings += catalog.warnings
        problems += map(str, group_problems(catalog, metrics))
        with _noted(problems):
            closed_periods = _hold_against_the_home(home, catalog, problems, warnings, columns)
    return Checked(
        catalog=str(settings.catalog),
        customers=catalog.frame(Customer).height if catalog else None,
        subscriptions=catalog.frame(Subscription).height if catalog else None,
        metrics=[metric.code for metric in metrics],
        closed_periods=closed_periods,
        problems=problems,
        warnings=warnings,
        columns=columns,
        left_out=columns_left_out(catalog.files) if catalog else {},
    )


@contextmanager
def _noted(problems: list[str]) -> Iterator[None]:
    """Adds what an error in the block says to the problems, and goes on after it."""
    try:
        yield
    except CatalogError as error:
        problems += error.problems
    except MeterlineError as error:
        problems.append(str(error))


def _hold_against_the_home(
    home: Home,
    catalog: Catalog,
    problems: list[str],
    warnings: list[str],
    columns: list[str],
) -> int:
    """The number of closed periods that the catalog was compared with."""
    if not home.has_lake:
        return 0
    try:
        with home.lake() as lake:
            problems += contradictions(lake, catalog, metric_codes())
            last = stored_files(lake.table(CATALOGS), last_catalog_digest(lake))
            columns += changed_headers(last, catalog.files) if last else ()
            return int(lake.query(f"SELECT count(*) AS n FROM ({NEWEST_CLOSED})")["n"][0])
    except OlderSchemaError as error:
        warnings.append(f"the catalog was not compared with what is closed: {error}")
        return 0
