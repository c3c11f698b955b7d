"""What bills do not know yet is read, held against its rules, and refused; never passed over."""

from pathlib import Path

import pytest

from pipelines.catalog.catalog import TABLES
from tests.worlds.catalogs import RIGHT, problems_of, read
from tests.worlds.later_catalogs import FILES, with_charge


@pytest.mark.parametrize("name", FILES)
def test_a_row_of_a_file_that_bills_do_not_know_is_refused(tmp_path: Path, name: str) -> None:
    found = problems_of(tmp_path, {**RIGHT, name: FILES[name]})

    assert found == [f"{name}, row 2: not priced yet: bills do not know this file; remove the row"]


@pytest.mark.parametrize("name", FILES)
def test_its_header_alone_is_read(tmp_path: Path, name: str) -> None:
    read(tmp_path, {**RIGHT, name: FILES[name].splitlines()[0] + "\n"})


def test_every_file_that_is_not_priced_is_tried_here() -> None:
    unpriced = {name for name, table in TABLES.items() if not table.is_priced}

    assert unpriced == {*FILES}


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
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
        ("plans.csv", "maximum_amount", "5.50", "maximum_amount", "5.5"),
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
