"""One file adds a table or a charge model to the catalog: a toy of each, read beside the others."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.worlds.catalogs import METRICS, RIGHT, write

REPOSITORY = Path(__file__).parents[2]

GIFTS = '''
"""gifts.csv: what a customer is given."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.catalog.cells import CODE, DATE, NAMES, TEXT, whole_number
from pipelines.catalog.rows import Row, column
from pipelines.catalog.table import CatalogTable, Reference


@dataclass(frozen=True, kw_only=True)
class Gift(Row):
    """One row per gift."""

    file_name = "gifts.csv"

    gift_id: str = column(CODE, "Id of the gift.")
    customer_id: str = column(TEXT, "Who is given it.")
    starts_on: date = column(DATE, "First day.")
    charge_codes: list[str] = column(NAMES, "Empty is all.", empty=(), is_optional=True)
    priority: int = column(whole_number(1, 999), "Empty is 100.", empty=100, is_optional=True)


def urgent(tables):
    for row in tables.whole(Gift).where(pl.col("priority") < 10):
        yield row.problem("priority", f"{row.priority} is below 10")


TABLE = CatalogTable(
    Gift,
    key=("gift_id",),
    references=(Reference(("customer_id",), "customers.csv"),),
    rules=(urgent,),
    warnings=(lambda tables: (f"gift {row.gift_id}" for row in tables[Gift]),),
    is_optional=True,
)
'''

CRATE = '''
"""Crate: units are sold in crates of one size."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import PRICE, QUANTITY, one_of
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.rows import column


@dataclass(frozen=True, kw_only=True)
class Crate(UsageCharge):
    """Each unit in a crate of one price."""

    unit_price: Decimal = column(PRICE, "Price of one crate.")
    crate_size: Decimal = column(QUANTITY, "Units in a crate.")
    crate_rounding: str = column(one_of("up", "down"), "Empty is up.", empty="up")

    def problems(self):
        if self.crate_rounding == "up" and self.crate_size == 1:
            yield self.problem("crate_size", f"1, rounded {self.crate_rounding}, is no crate")


MODEL = Crate
'''

READ = """
import json, sys
from pathlib import Path
from pipelines.catalog import charge_models, tables

tables.__path__.append(sys.argv[1])
charge_models.__path__.append(sys.argv[2])

from pipelines.catalog.catalog import TABLES, read_catalog
from pipelines.catalog.frozen import FrozenCatalogs
from pipelines.catalog.reference import MODELS, render_reference
from pipelines.vocabulary.errors import CatalogError

seeds, metrics = Path(sys.argv[3]), frozenset(sys.argv[4:])
frozen = FrozenCatalogs(seeds / "frozen", metrics, "toys")
try:
    frozen.freeze(frozen.read(seeds))
    catalog, problems = frozen.read(seeds), []
except CatalogError as error:
    catalog, problems = None, error.problems
rows = catalog and {
    name: catalog.frame(TABLES[name].row).rows(named=True) for name in ("gifts.csv", "charges.csv")
}
found = {
    "problems": problems,
    "rows": rows,
    "warnings": catalog and [each for each in catalog.warnings if each.startswith("gift ")],
    "page": render_reference(TABLES, MODELS),
}
print(json.dumps(found, default=str))
"""

CHARGES = """\
plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from,crate_size,flat_at_zero
basic,calls,requests,crate,4,,2025-01-01,50,
local,traffic,bytes,graduated,,,2025-01-01,,no
"""


def read_with_toys(tmp_path: Path, files: dict[str, str]) -> dict[str, Any]:
    """What is read of a catalog once a toy table and a toy charge model are there."""
    folders = [tmp_path / name for name in ("tables", "charge_models", "seeds")]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "gifts.py").write_text(GIFTS)
    (folders[1] / "crate.py").write_text(CRATE)
    write(folders[2], RIGHT | files)
    ran = subprocess.run(
        [sys.executable, "-c", READ, *map(str, folders), *METRICS],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_module_adds_a_table_and_one_a_charge_model(tmp_path: Path) -> None:
    gifts = "gift_id,customer_id,starts_on,priority\nd1,acme,2026-01-01,\n"

    found = read_with_toys(tmp_path, {"gifts.csv": gifts, "charges.csv": CHARGES})

    assert found["problems"] == []
    (gift,) = found["rows"]["gifts.csv"]
    assert list(gift.values()) == ["d1", "acme", "2026-01-01", [], 100]
    assert [(row["crate_size"], row["crate_rounding"]) for row in found["rows"]["charges.csv"]] == [
        ("50.000000000000000000", None),
        (None, None),
    ]
    assert found["warnings"] == ["gift d1"]
    assert "\n## gifts.csv\n\nOne row per gift.\n" in found["page"]
    assert "\n### crate\n\nEach unit in a crate of one price.\n" in found["page"]


def test_what_they_declare_is_held_against_every_row(tmp_path: Path) -> None:
    gifts = """\
gift_id,customer_id,starts_on,charge_codes,priority
d1,acme,2026-01-01,calls,9
d1,nobody,2026-01-01,,
"""
    charges = CHARGES.replace("crate,4,,2025-01-01,50", "crate,4,,2025-01-01,1").replace(
        "graduated,,,2025-01-01,", "graduated,,,2025-01-01,7"
    )

    found = read_with_toys(tmp_path, {"gifts.csv": gifts, "charges.csv": charges})

    assert found["problems"] == [
        "charges.csv, row 2, column crate_size: 1, rounded up, is no crate",
        "charges.csv, row 3, column crate_size: is set, but a graduated charge has no "
        "crate_size; empty it, or write a charge_model that has one: crate",
        "gifts.csv, row 2, column priority: 9 is below 10",
        "gifts.csv, row 3, column customer_id: 'nobody' is not in customers.csv; add it there "
        "or correct it here",
        "gifts.csv, row 3, column gift_id: 'd1' stands in row 2 already; keep one",
    ]


def test_a_file_that_may_be_absent_has_no_rows(tmp_path: Path) -> None:
    found = read_with_toys(tmp_path, {})

    assert (found["problems"], found["rows"]["gifts.csv"]) == ([], [])
