"""What a catalog's files leave out, and what came or went since another catalog."""

from pipelines.catalog.headers import changed_headers, columns_left_out
from tests.worlds.catalogs import RIGHT

FILES = {name: text.encode() for name, text in RIGHT.items()}


def test_columns_that_bills_know_and_a_file_lacks_are_left_out() -> None:
    found = columns_left_out(FILES)

    assert found["customers.csv"] == ["ends_on", "tax_exempt", "invoice_series"]
    # `flat_at_zero` is there, and what bills do not know yet is of no use.
    assert {"name", "prorated", "unit_divisor"} <= set(found["charges.csv"])
    assert not {"flat_at_zero", "tax_codes"} & set(found["charges.csv"])
    assert found["plans.csv"] == ["rounding"]


def test_nothing_has_changed_between_equal_catalogs() -> None:
    assert list(changed_headers(FILES, dict(FILES))) == []


def test_columns_and_files_that_came_or_went_are_named() -> None:
    today = {
        **FILES,
        "charges.csv": b"plan_code,name,charge_code,metric_code,charge_model,unit_price,group_by,"
        b"valid_from\n",
        "source_fields.csv": b"source,field,path\n",
    }
    del today["plans.csv"]

    assert list(changed_headers(FILES, today)) == [
        "charges.csv has name, which it had not at the last run",
        "charges.csv had flat_at_zero at the last run: they count as empty now",
        "plans.csv was there at the last run, and is gone: it counts as empty",
        "source_fields.csv is new since the last run",
    ]
