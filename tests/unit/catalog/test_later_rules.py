"""What contradicts itself in columns and files that bills do not know yet is refused as well."""

from pathlib import Path

import pytest

from pipelines.vocabulary.errors import CatalogError
from tests.worlds.catalogs import RIGHT, read
from tests.worlds.later_catalogs import CHARGES, FILES, with_charge


def problems(folder: Path, files: dict[str, str]) -> list[str]:
    """What contradicts itself, without what is only not priced yet."""
    try:
        read(folder, files)
    except CatalogError as error:
        return [each for each in error.problems if "not priced yet" not in each]
    return []


def with_row(name: str, row: str, columns: str = "") -> dict[str, str]:
    """The right catalog with one row of a file, which may have more columns."""
    header = FILES[name].splitlines()[0]
    return {**RIGHT, name: f"{header}{columns}\n{row}\n"}


@pytest.mark.parametrize(
    ("columns", "cells", "problem"),
    [
        ("unit_divisor", "0", "unit_divisor: '0' is out of bounds; write a decimal above 0"),
        (
            "unit_divisor",
            "1234567890.123456789",
            "unit_divisor: '1234567890.123456789' is out of bounds; write a decimal of at most 18",
        ),
        ("unit_rounding", "half", "unit_rounding: 'half' is not known; write one of: none, up"),
        ("minimum_amount,maximum_amount", "5.01,5", "minimum_amount: 5.01 is above maximum_amount"),
        ("commitment_overage_factor", "1.5", "commitment_overage_factor: is set without a commit"),
        ("commitment_true_up", "no", "commitment_true_up: is set without a commitment_amount"),
        (
            "commitment_amount,commitment_overage_factor",
            "5,0.9",
            "commitment_overage_factor: '0.9' is out of bounds; write a decimal of 1 or more",
        ),
        ("filters", "region", "filters: 'region' has the condition 'region'"),
        ("package_size", "5", "package_size: is set, but a standard charge has no package_size"),
        ("quantity", "5", "quantity: is set, but a standard charge has no quantity; empty it"),
        ("tax_codes", "vat", "tax_codes: 'vat' is not in taxes.csv; add it there or correct it"),
        ("subscription_id", "s9", "subscription_id: 's9' is not in subscriptions.csv; add it"),
        ("prorated", "maybe", "prorated: 'maybe' is not known; write one of: yes, no"),
    ],
)
def test_a_charge_that_contradicts_itself(
    tmp_path: Path, columns: str, cells: str, problem: str
) -> None:
    (found,) = problems(tmp_path, with_charge(columns, cells))

    assert found.startswith(f"charges.csv, row 2, column {problem}")


@pytest.mark.parametrize(
    "divisor", ["1234567890.12345678", "12345678901234567800", "0.000000000000000001", "1024.000"]
)
def test_a_divisor_has_up_to_18_significant_digits(tmp_path: Path, divisor: str) -> None:
    assert problems(tmp_path, with_charge("unit_divisor", divisor)) == []


@pytest.mark.parametrize(
    ("charge", "columns", "cells", "problem"),
    [
        (",flat,,", "prorated", "no", None),
        ("requests,flat,,", "quantity", "3", "metric_code: is set, but a flat charge has no"),
        (",flat,1,", "quantity", "3", "unit_price: is set, but a flat charge has no unit_price"),
        (",flat,,region", "quantity", "3", "group_by: is set, but a flat charge has no group_by"),
        (",flat,,", "unit", "seat", "unit: is set, but a flat charge has no unit; empty it"),
        (",standard,1,", "unit", "", "metric_code: is empty; a standard charge needs it"),
        ("requests,package,4,", "unit", "", "package_size: is empty; a package charge needs it"),
        ("requests,package,4,", "package_size", "0", "package_size: '0' is out of bounds; write"),
        ("requests,matrix,,", "unit", "", "group_by: is empty; a matrix charge needs it"),
        (
            "requests,percentage,,",
            "minimum_per_event,maximum_per_event",
            "2,1",
            "minimum_per_event: 2 is above maximum_per_event 1; lower it, or raise the other",
        ),
        (
            "requests,percentage,,",
            "unit_rounding",
            "up",
            "unit_rounding: 'up' would change the value of each event; empty it",
        ),
        ("requests,percentage,,", "rate_percent", "1000.1", "rate_percent: '1000.1' is out of"),
        ("requests,percentage,,", "free_events", "1.5", "free_events: '1.5' is no whole number"),
        (
            "requests,standard,1,",
            "missing_dimension",
            "x",
            "missing_dimension: 'x' is for groups, and the charge has no group_by",
        ),
    ],
)
def test_a_charge_of_each_model_that_contradicts_itself(
    tmp_path: Path, charge: str, columns: str, cells: str, problem: str | None
) -> None:
    files = with_charge(columns, cells)
    files["charges.csv"] = files["charges.csv"].replace("requests,standard,1,region", charge)

    found = problems(tmp_path, files)

    assert len(found) == (problem is not None), found
    assert problem is None or found[0].startswith(f"charges.csv, row 2, column {problem}")


TIERS = (
    "plan_code,charge_code,valid_from,from_units,up_to_units,unit_price,flat_amount{columns}\n"
    "local,traffic,2025-01-01,0,10,{first}\n"
    "local,traffic,2025-01-01,10,,{second}\n"
)


@pytest.mark.parametrize(
    ("model", "columns", "first", "second", "problem"),
    [
        ("volume", "", "1,", "2,", None),
        ("volume", ",package_size", "1,,5", "2,,", None),
        ("volume", "", "1,", ",", "row 3, column unit_price: is empty; a tier of a volume charge"),
        ("stairstep", "", ",5", ",9", None),
        ("stairstep", "", "1,5", ",9", "row 2, column unit_price: is set, but a tier of a stair"),
        (
            "stairstep",
            ",package_size",
            ",5,2",
            ",9,",
            "row 2, column package_size: is set, but a tier of a stairstep charge has no package",
        ),
        ("graduated_percentage", ",rate_percent", ",,2", ",,0", None),
        (
            "graduated_percentage",
            ",rate_percent",
            ",,2",
            ",,",
            "row 3, column rate_percent: is empty; a tier of a graduated_percentage charge needs",
        ),
        (
            "graduated",
            ",rate_percent",
            "1,,2",
            "1,,",
            "row 2, column rate_percent: is set, but a tier of a graduated charge has no rate",
        ),
        ("graduated", ",package_size", "1,,0", "1,,", "row 2, column package_size: '0' is out of"),
    ],
)
def test_tiers_have_what_their_model_asks_for(
    tmp_path: Path, model: str, columns: str, first: str, second: str, problem: str | None
) -> None:
    files = {
        **RIGHT,
        "charges.csv": RIGHT["charges.csv"].replace("bytes,graduated", f"bytes,{model}"),
        "charge_tiers.csv": TIERS.format(columns=columns, first=first, second=second),
    }
    if problem is None and model == "graduated":
        read(tmp_path, files)
        return

    found = problems(tmp_path, files)

    assert len(found) == (problem is not None), found
    assert problem is None or found[0].startswith(f"charge_tiers.csv, {problem}")


@pytest.mark.parametrize("model", ["graduated", "volume", "stairstep", "graduated_percentage"])
def test_the_flat_amount_of_the_first_tier_is_said_for_nothing_used(
    tmp_path: Path, model: str
) -> None:
    charges = RIGHT["charges.csv"].replace("2025-01-01,no", "2025-01-01,")
    files = {**RIGHT, "charges.csv": charges.replace("bytes,graduated", f"bytes,{model}")}

    found = [each for each in problems(tmp_path, files) if "flat_at_zero" in each]

    assert found == [
        "charges.csv, row 4, column flat_at_zero: is not said, but the first tier has the "
        "flat_amount 5 (charge_tiers.csv, row 3); write yes if it is due when nothing is used, or "
        "no"
    ]


def test_a_first_tier_without_flat_amount_says_nothing(tmp_path: Path) -> None:
    charges = RIGHT["charges.csv"].replace("2025-01-01,no", "2025-01-01,")
    tiers = RIGHT["charge_tiers.csv"].replace("0.02,5", "0.02,0.0")

    read(tmp_path, {**RIGHT, "charges.csv": charges, "charge_tiers.csv": tiers})


MATRIX = CHARGES.format(columns="", cells="", commas="").replace(
    "requests,standard,1,region", "requests,matrix,,region;status"
)
CELLS = "plan_code,charge_code,valid_from,match,unit_price\n"


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["basic,calls,2025-01-01,region=eu,1", "basic,calls,2025-01-01,region=us,2"], None),
        (["basic,calls,2025-01-01,region=eu,1", "basic,calls,2025-01-01,region=eu;status=200,2"],
         None),
        (
            ["basic,calls,2025-01-01,region=eu,1", "basic,calls,2025-01-01,status=200,2"],
            "row 3, column match: 'status=200' and 'region=eu' in row 2 can price the same group",
        ),
        (
            ["basic,calls,2025-01-01,region=*,1", "basic,calls,2025-01-01,status=*,2"],
            "row 3, column match: 'status=*' and 'region=*' in row 2 can price the same group",
        ),
        (
            ["basic,calls,2025-01-01,cloud=aws,1"],
            "row 2, column match: 'cloud' is not in group_by of the charge (charges.csv, row 2)",
        ),
        (
            ["local,traffic,2025-01-01,region=eu,1"],
            "row 2, column charge_code: 'traffic' is a graduated charge from 2025-01-01 on, wit",
        ),
        (
            ["basic,calls,2025-01-02,region=eu,1"],
            "row 2, column valid_from: 'basic', 'calls', '2025-01-02' is not in charges.csv",
        ),
    ],
)  # fmt: skip
def test_cells_price_each_group_once(tmp_path: Path, rows: list[str], problem: str | None) -> None:
    cells = CELLS + "\n".join(rows) + "\n"

    found = problems(tmp_path, {**RIGHT, "charges.csv": MATRIX, "charge_cells.csv": cells})

    assert len(found) == (problem is not None), found
    assert problem is None or found[0].startswith(f"charge_cells.csv, {problem}")


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        (("region=eu", "region=us"), None),
        (("region=eu", "region!=eu"), None),
        (("", "region!=eu"), "is charged by 'calls' of the same plan already (row 2)"),
        (("region=eu|us", "region=us"), "is charged by 'calls' of the same plan already (row 2)"),
    ],
)
def test_charges_of_one_metric_exclude_each_other(
    tmp_path: Path, filters: tuple[str, str], problem: str | None
) -> None:
    header, first, *rest = with_charge("filters", filters[0])["charges.csv"].splitlines()
    other = f"basic,more,requests,standard,2,region,2025-01-01,,{filters[1]}"
    charges = "\n".join([header, first, other, *rest]) + "\n"

    found = problems(tmp_path, {**RIGHT, "charges.csv": charges})

    assert len(found) == (problem is not None), found
    assert problem is None or problem in found[0]


ROWS = {
    "no-owner": (
        "discounts.csv",
        "d1,,,,,percent,10,,2026-01-01",
        "column customer_id: is empty, as are subscription_id and plan_code; name one of the three",
    ),
    "two-owners": (
        "discounts.csv",
        "d1,acme,,basic,,percent,10,,2026-01-01",
        "column plan_code: the discount names customer_id and plan_code; name one of them",
    ),
    "over-100-percent": (
        "discounts.csv",
        "d1,acme,,,,percent,100.1,,2026-01-01",
        "column value: 100.1 is more than 100 percent; lower it",
    ),
    "amount-without-currency": (
        "discounts.csv",
        "d1,acme,,,,amount,5,,2026-01-01",
        "column currency: is empty; an amount needs it",
    ),
    "percent-of-a-currency": (
        "discounts.csv",
        "d1,acme,,,,percent,5,USD,2026-01-01",
        "column currency: 'USD' is of no amount; empty it, or write the kind amount",
    ),
    "units-of-everything": (
        "discounts.csv",
        "d1,acme,,,,units,5,,2026-01-01",
        "column charge_codes: is empty; units are those of a charge; name it",
    ),
    "charge-of-another-plan": (
        "discounts.csv",
        "d1,,,basic,traffic,percent,5,,2026-01-01",
        "column charge_codes: 'traffic' is no charge of a plan of this owner; there are: calls",
    ),
    "discount-of-nobody": (
        "discounts.csv",
        "d1,nobody,,,,percent,5,,2026-01-01",
        "column customer_id: 'nobody' is not in customers.csv",
    ),
    "cents-of-a-yen": (
        "credits.csv",
        "c1,acme,Welcome,100.5,JPY,2026-01-01",
        "column amount: 100.5 is not in whole minor units of JPY, which has 0 digits",
    ),
    "commitment-of-no-days": (
        "commitments.csv",
        "m1,s1,1000,2026-01-01,2026-01-01",
        "column ends_on: 2026-01-01 is not after starts_on 2026-01-01",
    ),
    "entitlement-of-no-metric": (
        "entitlements.csv",
        "basic,requests,seconds,5",
        "column metric_code: 'seconds' is no billable metric",
    ),
    "alarm-of-nothing": (
        "usage_alarms.csv",
        "acme,requests,",
        " has none of silent_after, spike_factor, invoice_change_percent; write one",
    ),
    "threshold-in-gold": (
        "thresholds.csv",
        "t1,acme,5,XAU",
        "column currency: 'XAU' is not an active ISO 4217 currency",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_contradicts_itself(tmp_path: Path, name: str) -> None:
    file, row, problem = ROWS[name]

    (found,) = problems(tmp_path, with_row(file, row))

    place = f"{file}, row 2, " if problem.startswith("column") else f"{file}, row 2:"
    assert found.startswith(f"{place}{problem}")


MORE = {
    "discount-that-ends-first": (
        "discounts.csv",
        ",ends_on",
        "d1,acme,,,,percent,10,,2026-01-01,2026-01-01",
        "column ends_on: 2026-01-01 is not after starts_on 2026-01-01",
    ),
    "percent-used-up": (
        "discounts.csv",
        ",spread",
        "d1,acme,,,,percent,10,,2026-01-01,once",
        "column spread: 'once' is for what can be used up",
    ),
    "credit-that-expires-first": (
        "credits.csv",
        ",expires_at",
        # Midnight of New York is 05:00 UTC.
        "c1,acme,Welcome,100,USD,2026-01-01,2026-01-01T05:00:00Z",
        "column expires_at: is not after effective_at by the clock of 'acme'",
    ),
    "credit-for-no-kind": (
        "credits.csv",
        ",kinds",
        "c1,acme,Welcome,100,USD,2026-01-01,usage;taxes",
        "column kinds: 'taxes' is no kind of line that credits pay",
    ),
    "credit-of-too-low-a-priority": (
        "credits.csv",
        ",priority",
        "c1,acme,Welcome,100,USD,2026-01-01,101",
        "column priority: '101' is no whole number from 1 to 100",
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_a_row_with_more_columns_that_contradicts_itself(tmp_path: Path, name: str) -> None:
    file, columns, row, problem = MORE[name]

    (found,) = problems(tmp_path, with_row(file, row, columns))

    assert found.startswith(f"{file}, row 2, {problem}")


@pytest.mark.parametrize(
    ("columns", "row", "file"),
    [
        # One microsecond after midnight of New York.
        (
            ",expires_at",
            "c1,acme,Welcome,100,USD,2026-01-01,2026-01-01T05:00:00.000001Z",
            "credits.csv",
        ),
        (",ends_on", "d1,acme,,,,percent,100,,2026-01-01,2026-01-02", "discounts.csv"),
        (",spread", "d1,,s3,,traffic,amount,5,USD,2026-01-01,once", "discounts.csv"),
    ],
)
def test_a_row_at_the_bound_is_right(tmp_path: Path, columns: str, row: str, file: str) -> None:
    assert problems(tmp_path, with_row(file, row, columns)) == []


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ("m2,s1,5,2026-06-30,2026-12-31,", "from 2026-06-30 on it covers what 'm1' (row 2) covers"),
        ("m2,s1,5,2026-06-30,2026-12-31,calls", "from 2026-06-30 on it covers what 'm1' (row 2)"),
        ("m2,s1,5,2026-07-01,2026-12-31,", None),
        ("m2,s2,5,2026-06-30,2026-12-31,", None),
    ],
)
def test_one_commitment_covers_a_charge_on_a_day(
    tmp_path: Path, second: str, problem: str | None
) -> None:
    header = FILES["commitments.csv"].splitlines()[0]
    rows = f"{header},charge_codes\nm1,s1,1000,2026-01-01,2026-07-01,\n{second}\n"

    found = problems(tmp_path, {**RIGHT, "commitments.csv": rows})

    assert len(found) == (problem is not None), found
    assert problem is None or found[0].startswith(
        f"commitments.csv, row 3, column starts_on: {problem}"
    )


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ("vat,2026-01-01,VAT,21,yes", "row 3, column inclusive: yes differs from no of the same"),
        ("vat,2025-01-01,VAT,21,no", "row 3, column valid_from: 'vat', '2025-01-01' stands in row"),
        ("gst,2026-01-01,GST,21,yes", None),
        ("vat,2026-01-01,VAT,21,", None),
    ],
)
def test_a_tax_is_of_one_kind(tmp_path: Path, second: str, problem: str | None) -> None:
    rows = f"{FILES['taxes.csv'].splitlines()[0]},inclusive\nvat,2025-01-01,VAT,19,no\n{second}\n"

    found = problems(tmp_path, {**RIGHT, "taxes.csv": rows})

    assert len(found) == (problem is not None), found
    assert problem is None or found[0].startswith(f"taxes.csv, {problem}")
