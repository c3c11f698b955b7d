"""A row of the catalog as JSON: one text for each value, and defaults written out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES, stored_tables
from pipelines.catalog.json_rows import _json_value, json_row
from pipelines.catalog.tables.charges import charges_by_model
from pipelines.catalog.tables.subscriptions import Subscription
from pipelines.invoicing.document_values import canonical_json
from tests.worlds.catalogs import RIGHT
from tests.worlds.later_catalogs import FILES


def rows(files: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    tables = stored_tables({name: text.encode() for name, text in files.items()})
    return {name: [json_row(row) for row in tables[table.row]] for name, table in TABLES.items()}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(Decimal("0.50"), "0.5", id="decimal"),
        pytest.param(Decimal("1E+3"), "1000", id="decimal with an exponent"),
        pytest.param(date(2026, 1, 31), "2026-01-31", id="date"),
        pytest.param(datetime(2026, 1, 31, 5, tzinfo=UTC), "2026-01-31T05:00:00Z", id="instant"),
        pytest.param({"date": date(2026, 1, 31), "at": None}, "2026-01-31", id="when: a date"),
        pytest.param(
            {"date": None, "at": datetime(2026, 1, 31, tzinfo=UTC)},
            "2026-01-31T00:00:00Z",
            id="when: an instant",
        ),
        pytest.param(("b", "a"), ["b", "a"], id="names in their order"),
        pytest.param(True, True, id="flag"),
        pytest.param(7, 7, id="whole number"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_a_value_has_one_form(value: object, written: object) -> None:
    assert _json_value(value) == written
    assert type(_json_value(value)) is type(written)


def test_a_value_of_another_kind_raises() -> None:
    with pytest.raises(TypeError, match="no bytes"):
        _json_value(b"1")


def test_each_row_of_each_file_has_its_columns() -> None:
    found = rows({**RIGHT, **FILES})

    for name, table in TABLES.items():
        if name != "charges.csv":
            columns = {each.name for each in table.columns}
            assert all(set(row) == columns for row in found[name]), name
        assert canonical_json(found[name])
    assert found["subscriptions.csv"][0]["start_date"] == "2026-01-01"
    assert found["subscriptions.csv"][0]["trial_covers"] == "fees"
    assert Subscription.file_name in found


def test_a_charge_has_the_columns_and_defaults_of_its_model() -> None:
    tables = stored_tables({name: text.encode() for name, text in RIGHT.items()})
    charges = {
        (row.charge_code, row.valid_from): json_row(row)
        for each in charges_by_model(tables)
        for row in each
    }

    standard = charges["calls", date(2025, 1, 1)]
    tiered = charges["traffic", date(2025, 1, 1)]
    assert standard["unit_price"] == "0.000000000000001"
    assert standard["group_by"] == ["region", "status"]
    assert (standard["unit_divisor"], standard["unit_rounding"]) == ("1", "none")
    assert (standard["free_units"], tiered["flat_at_zero"]) == ("0", False)
    assert "flat_at_zero" not in standard
    assert "free_units" not in tiered
