"""Negotiated prices: rows of a charge that stand for those of the plan for one subscription."""

from pathlib import Path

import pytest

from tests.worlds.catalogs import RIGHT, problems_of, read

HEADER = (
    "plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from,flat_at_zero,"
    "subscription_id,filters\n"
)
CALLS = "basic,calls,requests,standard,1,,2025-01-01,,,\n"
TRAFFIC = "local,traffic,bytes,graduated,,,2025-01-01,no,,\n"
TIERS = "plan_code,charge_code,valid_from,from_units,up_to_units,unit_price,flat_amount"


def catalog(*rows: str, tiers: str = RIGHT["charge_tiers.csv"]) -> dict[str, str]:
    """The right catalog, with these charges beside one of each plan."""
    charges = HEADER + CALLS + TRAFFIC + "".join(f"{row}\n" for row in rows)
    return {**RIGHT, "charges.csv": charges, "charge_tiers.csv": tiers}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(["basic,calls,requests,standard,2,,2025-01-01,,s1,"], id="on the same day"),
        pytest.param(["basic,calls,requests,standard,2,region,2027-01-01,,s1,"], id="other groups"),
        pytest.param(["basic,more,storage,standard,2,,2026-05-01,,s1,"], id="which the plan lacks"),
        pytest.param(
            ["basic,one,storage,standard,2,,2025-01-01,,s1,",
             "basic,two,storage,standard,2,,2025-01-01,,s2,"],
            id="one metric in two subscriptions",
        ),
    ],
)  # fmt: skip
def test_a_subscription_has_its_own_price(tmp_path: Path, rows: list[str]) -> None:
    read(tmp_path, catalog(*rows))


def test_a_negotiated_price_has_tiers_of_its_own(tmp_path: Path) -> None:
    own = "local,traffic,bytes,graduated,,,2025-01-01,yes,s3,"
    tiers = TIERS + ",subscription_id\n" + (
        "local,traffic,2025-01-01,0,,0.02,5,\nlocal,traffic,2025-01-01,0,7,0.01,,s3\n"
        "local,traffic,2025-01-01,7,,0.005,,s3\n"
    )  # fmt: skip

    read(tmp_path, catalog(own, tiers=tiers))
    found = problems_of(tmp_path, catalog(own))

    assert found == [
        "charges.csv, row 4, column charge_model: 'graduated' has its prices in charge_tiers.csv, "
        "which has no tiers of this charge; add them"
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            "local,traffic,bytes,graduated,,,2025-01-01,no,s1,",
            "column subscription_id: 's1' is never on plan 'local', so it would never pay this "
            "price; write a plan_code that it is on: basic",
        ),
        (
            "basic,calls,requests,standard,2,,2025-01-01,,nobody,",
            "column subscription_id: 'nobody' is not in subscriptions.csv; add it there or "
            "correct it here",
        ),
        (
            "basic,calls,storage,standard,2,,2025-01-01,,s1,",
            "column metric_code: 'storage' differs from 'requests' of the same charge in row 2; ",
        ),
        (
            "basic,more,requests,standard,2,,2025-01-01,,s1,",
            "column metric_code: 'requests' is charged by 'calls' of the same plan already",
        ),
    ],
    ids=["another plan", "nobody", "another metric", "a metric that the plan charges"],
)
def test_a_price_that_contradicts_the_plan_is_refused(
    tmp_path: Path, row: str, problem: str
) -> None:
    tiers = TIERS + ",subscription_id\n" + (
        "local,traffic,2025-01-01,0,,0.02,5,\nlocal,traffic,2025-01-01,0,,0.01,,s1\n"
    )  # fmt: skip
    tiers = tiers if row.startswith("local") else RIGHT["charge_tiers.csv"]

    (found,) = problems_of(tmp_path, catalog(row, tiers=tiers))

    assert found.startswith(f"charges.csv, row 4, {problem}")


def test_a_price_of_a_plan_that_a_phase_leads_to_is_read(tmp_path: Path) -> None:
    plans = RIGHT["plans.csv"] + "extra,Extra,USD\n"
    phases = "subscription_id,from,plan_code\ns2,2026-04-01,extra\n"
    row = "extra,more,storage,standard,2,,2025-01-01,,s2,"

    read(tmp_path, {**catalog(row), "plans.csv": plans, "subscription_phases.csv": phases})
