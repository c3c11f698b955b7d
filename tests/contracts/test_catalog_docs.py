"""A catalog table is declared once: what is declared holds together, and everything follows it."""

import inspect
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import polars as pl
import pytest

from pipelines.catalog import tables as table_modules
from pipelines.catalog.catalog import TABLES
from pipelines.catalog.rows import Column, Row, columns_of, field_of
from pipelines.catalog.table import BILLABLE_METRICS, CatalogTable
from pipelines.catalog.tables.charges import MODELS
from pipelines.periods.lives import WHEN, WhenCell
from pipelines.settings import DBT_PROJECT
from pipelines.vocabulary.members import members
from pipelines.vocabulary.tables import UTC_MICROSECONDS

REPOSITORY = Path(__file__).parents[2]
yaml = import_module("yaml")

ROW_CLASSES: tuple[type[Row], ...] = (
    *(table.row for table in TABLES.values()),
    *MODELS.values(),
)
COLUMNS = [
    pytest.param(row, column, id=f"{row.__name__}.{column.name}")
    for row in ROW_CLASSES
    for column in columns_of(row).values()
]
PYTHON_TYPES: dict[pl.DataType, object] = {
    pl.String(): str,
    pl.Int32(): int,
    pl.Boolean(): bool,
    pl.Date(): date,
    UTC_MICROSECONDS: datetime,
    pl.List(pl.String()): list[str],
    WHEN: WhenCell,
}

each_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


def test_a_table_is_called_like_its_module() -> None:
    found = members(table_modules, "TABLE")

    assert [f"{name}.csv" for name in found] == list(TABLES)
    assert all(found[name].file_name == f"{name}.csv" for name in found)


@pytest.mark.parametrize("row", ROW_CLASSES)
def test_a_row_class_says_what_a_row_is(row: type[Row]) -> None:
    first_line = (inspect.getdoc(row) or "").splitlines()[0]

    assert first_line.startswith("Each unit" if row in MODELS.values() else "One row per ")


@pytest.mark.parametrize(("row", "column"), COLUMNS)
def test_the_annotation_of_a_column_is_its_type(row: type[Row], column: Column) -> None:
    hint = get_type_hints(row)[field_of(column.name)]
    alternatives = set(get_args(hint)) if get_origin(hint) is not list else {hint}
    dtype = column.kind.dtype
    expected = Decimal if isinstance(dtype, pl.Decimal) else PYTHON_TYPES[dtype]

    assert (alternatives - {type(None)} or {hint}) == {expected}
    assert (type(None) in alternatives) == (column.empty is None)
    assert not (column.is_optional and column.is_required)


@pytest.mark.parametrize(("row", "column"), COLUMNS)
def test_a_column_says_what_it_means(row: type[Row], column: Column) -> None:
    assert column.meaning.endswith(".")
    assert column.kind.written


@each_table
def test_a_table_says_when_an_edit_takes_effect(table: CatalogTable[Any]) -> None:
    assert "\nAn edit " in (inspect.getdoc(table.row) or "")


@each_table
def test_keys_and_references_name_columns(table: CatalogTable[Any]) -> None:
    assert set(table.key) <= set(table.schema)
    for reference in table.references:
        assert set(reference.columns) <= set(table.schema)
        if reference.to == BILLABLE_METRICS:
            assert reference.columns == ("metric_code",)
        else:
            assert set(reference.columns) == set(TABLES[reference.to].key)


def test_a_column_has_one_type_in_all_charge_models() -> None:
    dtypes = TABLES["charges.csv"].schema

    for model in MODELS.values():
        for name, column in columns_of(model).items():
            assert column.kind.dtype == dtypes[name], f"{model.__name__}.{name}"


def test_each_charge_model_has_its_sql() -> None:
    folder = DBT_PROJECT / "macros" / "rating" / "charge_models"
    files = sorted(folder.glob("*.sql"))

    assert [file.stem for file in files] == sorted(MODELS)


def test_dbt_loads_no_file_that_python_alone_reads() -> None:
    """All that dbt needs of these files is in the periods."""
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text())
    seeds = project["seeds"]["meterline"]
    disabled = [name for name, given in seeds.items() if given == {"+enabled": False}]

    of_python = [name for name, table in TABLES.items() if table.is_priced and not table.is_seed]
    assert sorted(f"{name}.csv" for name in disabled) == of_python


def test_dbt_loads_the_columns_of_its_seeds_as_text() -> None:
    path = DBT_PROJECT / "seeds" / "_catalog__seeds.yml"
    seeds = {seed["name"]: seed for seed in yaml.safe_load(path.read_text())["seeds"]}

    loaded = {name: table for name, table in TABLES.items() if table.is_seed}
    assert [f"{name}.csv" for name in seeds] == list(loaded)
    for name, table in loaded.items():
        seed = seeds[name.removesuffix(".csv")]
        assert [column["name"] for column in seed["columns"]] == list(table.schema)
        assert seed["config"]["column_types"] == dict.fromkeys(table.schema, "varchar")


@pytest.mark.parametrize(
    ("module", "file"),
    [
        ("pipelines.catalog.reference", "docs/catalog.md"),
        ("pipelines.warehouse.catalog_seeds", "dbt_project/seeds/_catalog__seeds.yml"),
    ],
)
def test_what_is_written_from_the_tables_is_current(module: str, file: str) -> None:
    written = subprocess.run(
        [sys.executable, "-m", module],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )

    assert (REPOSITORY / file).read_text() == written.stdout, "run `make docs` and commit"
