"""charge_cells.csv: the prices of matrix charges, by group."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations

import polars as pl

from pipelines.catalog.cells import CODE, DATE, PRICE, TEXT, shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.matrix import Matrix
from pipelines.catalog.filters import ANY, MATCH, parse_match
from pipelines.catalog.rows import Problem, Row, column
from pipelines.catalog.table import CatalogTable, Reference, Rows, Tables
from pipelines.catalog.tables.charge_tiers import PriceVersion


@dataclass(frozen=True, kw_only=True)
class ChargeCell(Row):
    """One row per cell of a matrix charge's price version.

    The cell that fixes the most properties of a group prices it.

    An edit changes every draft from the next run on, and no finalized invoice. For other prices,
    add the cells of a new price version instead of editing those of an old one.
    """

    file_name = "charge_cells.csv"

    plan_code: str = column(CODE, "The plan.")
    charge_code: str = column(CODE, "The charge.")
    valid_from: date = column(DATE, "Its price version.")
    match: str = column(
        MATCH,
        "The groups it prices. A property of `group_by` that is left out, or `*`, may be anything.",
    )
    unit_price: Decimal = column(PRICE, "Price of one unit.")
    subscription_id: str | None = column(
        TEXT,
        "Cells of a negotiated charge, as in charges.csv; empty is the plan's own.",
        empty=None,
        is_optional=True,
    )

    @property
    def price(self) -> PriceVersion:
        """The price version it belongs to."""
        return self.plan_code, self.charge_code, self.subscription_id or "", self.valid_from

    @property
    def fixed(self) -> dict[str, str]:
        """The text of each property that it fixes, in the order of their names."""
        matches = sorted(parse_match(self.match).items())
        return {name: text for name, text in matches if text != ANY}

    def problems(self, charge: Charge) -> Iterator[Problem]:
        """Why it is no cell of this charge, which its price version names."""
        if not isinstance(charge, Matrix):
            yield self.problem(
                "charge_code",
                f"{shown(self.charge_code)} is a {charge.charge_model} charge from "
                f"{self.valid_from} on, without cells; remove the row, or write another "
                "charge_model",
            )
            return
        for name in parse_match(self.match):
            if name not in charge.group_by:
                yield self.problem(
                    "match",
                    f"{shown(name)} is not in group_by of the charge (charges.csv, row "
                    f"{charge.line}), which has: {', '.join(charge.group_by) or 'nothing'}; "
                    "correct one",
                )


def cells_of_no_matrix(tables: Tables) -> Iterator[Problem]:
    """A cell is of a matrix charge, and fixes properties of its `group_by`."""
    matrix = pl.col("charge_model") == "matrix"
    charges = {each.price: each for each in tables.whole(Charge)}
    charges |= {each.price: each for each in Rows(Matrix, tables[Charge].where(matrix).frame)}
    for cell in tables[ChargeCell]:
        if cell.price in charges:
            yield from cell.problems(charges[cell.price])


def ambiguous_cells(tables: Tables) -> Iterator[Problem]:
    """One cell prices a group: of those that match it, one fixes the most properties."""
    cells = defaultdict[PriceVersion, list[ChargeCell]](list)
    for cell in tables.whole(ChargeCell):
        cells[cell.price].append(cell)
    for rows in cells.values():
        yield from ambiguities(rows)


def ambiguities(cells: Sequence[ChargeCell]) -> Iterator[Problem]:
    """Cells of one price version that can price a group as well as another of them."""
    parsed = [(cell, cell.fixed) for cell in cells]
    for (cell, fixed), (other, others) in combinations(parsed, 2):
        if len(fixed) == len(others) and _can_meet(fixed, others):
            yield other.problem(
                "match",
                f"{shown(other.match)} and {shown(cell.match)} in row {cell.line} can price "
                "the same group, and fix equally many properties; change one, so that one cell "
                "prices each group",
            )


def groups_without_cell(
    cells: Sequence[ChargeCell], groups: Sequence[Mapping[str, str]]
) -> Iterator[int]:
    """The places of groups that no cell matches.

    Args:
        cells: those of one price version.
        groups: the text of each property of its `group_by`.
    """
    texts_by_names = defaultdict[tuple[str, ...], set[tuple[str, ...]]](set)
    for cell in cells:
        fixed = cell.fixed
        texts_by_names[tuple(fixed)].add(tuple(fixed.values()))
    for place, group in enumerate(groups):
        if not any(
            tuple(group[name] for name in names) in texts for names, texts in texts_by_names.items()
        ):
            yield place


def fixed_cells(tables: Tables) -> pl.DataFrame:
    """The cells with what they fix, as SQL takes them; schema `FIXED_CELLS`."""
    rows = []
    for cell in tables[ChargeCell]:
        fixed = cell.fixed
        version = cell.plan_code, cell.charge_code, cell.subscription_id, cell.valid_from
        rows.append((*version, [*fixed], [*fixed.values()], cell.unit_price))
    return pl.DataFrame(rows, FIXED_CELLS, orient="row")


def _can_meet(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(other.get(name, text) == text for name, text in one.items())


FIXED_CELLS = pl.Schema(
    {
        "plan_code": pl.String(),
        "charge_code": pl.String(),
        "subscription_id": pl.String(),
        "valid_from": pl.Date(),
        "properties": pl.List(pl.String()),
        "texts": pl.List(pl.String()),
        "unit_price": pl.Decimal(30, 15),
    }
)
"""One row per cell: the properties that it fixes, sorted, and the text of each.

`subscription_id` is null for a cell of the plan's own charge.
"""

TABLE = CatalogTable(
    ChargeCell,
    key=("plan_code", "charge_code", "subscription_id", "valid_from", "match"),
    references=(
        Reference(("plan_code", "charge_code", "subscription_id", "valid_from"), "charges.csv"),
    ),
    rules=(cells_of_no_matrix, ambiguous_cells),
    is_optional=True,
    is_seed=False,
)
