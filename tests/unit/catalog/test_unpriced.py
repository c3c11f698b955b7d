"""What bills do not know yet is read, held against its rules, and refused; never passed over."""

from pathlib import Path

import pytest

from pipelines.catalog.catalog import TABLES
from pipelines.catalog.tables.charges import MODELS
from tests.worlds.catalogs import RIGHT, problems_of, read
from tests.worlds.later_catalogs import CHARGES, FILES, with_charge


@pytest.mark.parametrize("name", FILES)
def test_a_row_of_a_file_that_bills_do_not_know_is_refused(tmp_path: Path, name: str) -> None:
    found = problems_of(tmp_path, {**RIGHT, name: FILES[name]})

    assert found == [f"{name}, row 2: not priced yet: bills do not know this file; remove the row"]


@pytest.mark.parametrize("name", FILES)
def test_its_header_alone_is_read(tmp_path: Path, name: str) -> None:
    read(tmp_path, {**RIGHT, name: FILES[name].splitlines()[0] + "\n"})


def test_every_file_that_is_not_priced_is_tried_here() -> None:
    unpriced = {name for name, table in TABLES.items() if not table.is_priced}

    assert unpriced == {*FILES, "charge_cells.csv"}


SAID = {
    "subscription_id": "s1",
    "minimum_amount": "5",
    "maximum_amount": "5.50",
    "filters": "region=eu",
    "missing_dimension": "other",
    "unit_divisor": "1000",
    "unit_rounding": "up",
    "unit": "GB",
    "priced_each": "bucket",
    "commitment_amount": "20",
    "free_units": "10",
}


@pytest.mark.parametrize("column", SAID)
def test_a_cell_that_bills_do_not_know_is_refused(tmp_path: Path, column: str) -> None:
    found = problems_of(tmp_path, with_charge(column, SAID[column]))

    shown = SAID[column].removesuffix("0") if column == "maximum_amount" else SAID[column]
    sentence = f"not priced yet: {shown!r}; leave the cell empty"
    assert found[0] == f"charges.csv, row 2, column {column}: {sentence}"
    assert len(found) == 1


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("unit_divisor", "1.0"),
        ("unit_rounding", "none"),
        ("free_units", "0"),
        ("priced_each", "period"),
        ("commitment_overage_factor,commitment_true_up", "1,yes"),
        ("prorated", "no"),
        ("subscription_id,filters,tax_codes", ",,"),
    ],
)
def test_what_says_as_much_as_an_empty_cell_is_read(
    tmp_path: Path, columns: str, cells: str
) -> None:
    read(tmp_path, with_charge(columns, cells))


@pytest.mark.parametrize(
    ("file", "columns", "cells", "column", "value"),
    [
        ("plans.csv", "minimum_amount", "5", "minimum_amount", "5"),
        ("plans.csv", "maximum_amount", "5", "maximum_amount", "5"),
        ("plans.csv", "rounding", "half_even", "rounding", "half_even"),
        ("customers.csv", "invoice_series", "EU", "invoice_series", "EU"),
        ("charge_tiers.csv", "package_size", "10", "package_size", "10"),
        ("charge_tiers.csv", "maximum_amount", "10", "maximum_amount", "10"),
    ],
)
def test_the_same_holds_for_every_file(
    tmp_path: Path, file: str, columns: str, cells: str, column: str, value: str
) -> None:
    header, first, *rest = RIGHT[file].splitlines()
    lines = [f"{header},{columns}", f"{first},{cells}", *(f"{line}," for line in rest)]

    found = problems_of(tmp_path, {**RIGHT, file: "\n".join(lines) + "\n"})

    sentence = f"not priced yet: {value!r}; leave the cell empty"
    assert found == [f"{file}, row 2, column {column}: {sentence}"]


MODEL_CHARGES = {
    "flat": ("", "flat", "", "", "flat_amount", "50"),
    "package": ("requests", "package", "4", "", "package_size", "50"),
    "matrix": ("requests", "matrix", "", "region", "unit", ""),
    "percentage": ("requests", "percentage", "", "", "rate_percent", "2"),
}


@pytest.mark.parametrize("model", MODEL_CHARGES)
def test_a_model_that_bills_do_not_know_is_refused_once(tmp_path: Path, model: str) -> None:
    metric, word, price, group_by, column, cell = MODEL_CHARGES[model]
    text = CHARGES.format(columns=f",{column}", cells=f",{cell}", commas=",").replace(
        "requests,standard,1,region", f"{metric},{word},{price},{group_by}"
    )

    found = problems_of(tmp_path, {**RIGHT, "charges.csv": text})

    assert found[0] == (
        f"charges.csv, row 2, column charge_model: not priced yet: {model!r}; remove the row, or "
        "write one of: graduated, standard"
    )


@pytest.mark.parametrize("model", ["volume", "stairstep", "graduated_percentage"])
def test_a_model_with_tiers_that_bills_do_not_know_is_refused(tmp_path: Path, model: str) -> None:
    charges = RIGHT["charges.csv"].replace("bytes,graduated", f"bytes,{model}")

    found = problems_of(tmp_path, {**RIGHT, "charges.csv": charges})

    assert found[-1].startswith(
        f"charges.csv, row 4, column charge_model: not priced yet: {model!r}; remove the row"
    )


def test_every_model_is_priced_or_tried_here() -> None:
    unpriced = {name for name, model in MODELS.items() if not model.IS_PRICED}

    assert unpriced == {*MODEL_CHARGES, "volume", "stairstep", "graduated_percentage"}
