"""What contradicts itself between rows or files is refused; what stands at the bound is not."""

from pathlib import Path

import pytest

from tests.worlds.catalogs import RIGHT, Edit, problems_of, read


@pytest.mark.parametrize(
    ("edit", "places"),
    [
        pytest.param(
            Edit("sources.csv", "raw,metronome", "cdn,metronome"),
            [
                "sources.csv, row 5, column dedupe_window_days: dedupe_scope 'cdn' has a window of "
                "unlimited here and of 34 days in row 2; write the same",
                "sources.csv, row 5, column source: 'cdn' stands in row 2 already",
            ],
            id="source-twice",
        ),
        pytest.param(
            Edit("plans.csv", "local,Local", "basic,Local"),
            [
                "charges.csv, row 4, column plan_code: 'local' is not in plans.csv",
                "plans.csv, row 3, column plan_code: 'basic' stands in row 2 already",
                "subscriptions.csv, row 4, column plan_code: 'local' is not in plans.csv",
            ],
            id="plan-twice",
        ),
        pytest.param(
            Edit("charges.csv", ",2026-02-01", ",2025-01-01"),
            [
                "charges.csv, row 3, column valid_from: 'basic', 'calls', '2025-01-01' stands in "
                "row 2 already"
            ],
            id="price-version-twice",
        ),
        pytest.param(
            Edit("subscriptions.csv", "s2,", "s1,"),
            ["subscriptions.csv, row 3, column subscription_id: 's1' stands in row 2 already"],
            id="subscription-twice",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "ops,acme", "ops,Acme"),
            ["customer_aliases.csv, row 4, column customer_id: 'Acme' is not in customers.csv"],
            id="alias-of-nobody",
        ),
        pytest.param(
            Edit("subscriptions.csv", "s2,acme", "s2,nobody"),
            ["subscriptions.csv, row 3, column customer_id: 'nobody' is not in customers.csv"],
            id="subscription-of-nobody",
        ),
        pytest.param(
            Edit("charges.csv", "traffic,bytes", "traffic,seconds"),
            [
                "charges.csv, row 4, column metric_code: 'seconds' is no billable metric; "
                "there are: bytes, requests, storage"
            ],
            id="unknown-metric",
        ),
        pytest.param(
            Edit("charge_tiers.csv", "traffic,2025-01-01,100.5", "traffic,2025-01-02,100.5"),
            [
                "charge_tiers.csv, row 2, column from_units: 100.5 begins the first tier; write 0",
                "charge_tiers.csv, row 2, column valid_from: 'local', 'traffic', '2025-01-02' is "
                "not in charges.csv",
                "charge_tiers.csv, row 3, column up_to_units: 100.5 ends the last tier",
            ],
            id="tier-of-no-price",
        ),
        pytest.param(
            Edit("sources.csv", "api,metronome,shared,40", "api,metronome,shared,41"),
            [
                "sources.csv, row 4, column dedupe_window_days: dedupe_scope 'shared' has a window "
                "of 41 days here and of 40 days in row 3"
            ],
            id="scope-with-two-windows",
        ),
        pytest.param(
            Edit("sources.csv", ",38,,", ",39,,"),
            [
                "sources.csv, row 4, column max_lateness_days: max_lateness + future_skew <= "
                "window must hold, with a lateness above 0: it is 39 days + 2 days (the greatest "
                "skew of dedupe_scope 'shared') and 40 days"
            ],
            id="lateness-over-the-window-by-another-sources-skew",
        ),
        pytest.param(
            Edit("sources.csv", "cdn,metronome,,,,", "cdn,metronome,,,34,"),
            [
                "sources.csv, row 2, column max_lateness_days: max_lateness + future_skew <= "
                "window must hold, with a lateness above 0: it is 34 days + 1 day"
            ],
            id="lateness-over-the-window",
        ),
        pytest.param(
            Edit("sources.csv", "cdn,metronome,,,,", "cdn,metronome,,1,,24"),
            ["sources.csv, row 2"],
            id="skew-fills-the-window",
        ),
        pytest.param(
            Edit("charges.csv", "standard,0.000000000000001", "standard,"),
            ["charges.csv, row 2, column unit_price: is empty; a standard charge needs it: Price"],
            id="standard-without-price",
        ),
        pytest.param(
            Edit("charges.csv", "bytes,graduated,", "bytes,graduated,1"),
            ["charges.csv, row 4, column unit_price: is set, but a graduated charge has no unit"],
            id="graduated-with-price",
        ),
        pytest.param(
            Edit("charges.csv", "bytes,graduated,", "bytes,standard,1"),
            [
                "charge_tiers.csv, row 2, column charge_code: 'traffic' is a standard charge",
                "charge_tiers.csv, row 3, column charge_code: 'traffic' is a standard charge",
                "charges.csv, row 4, column flat_at_zero: is set, but a standard charge has no fl",
            ],
            id="standard-with-tiers",
        ),
        pytest.param(
            Edit("charges.csv", "bytes,graduated,", "bytes,standard,"),
            [
                "charge_tiers.csv, row 2, column charge_code: 'traffic' is a standard charge",
                "charge_tiers.csv, row 3, column charge_code: 'traffic' is a standard charge",
                "charges.csv, row 4, column flat_at_zero: is set, but a standard charge has no fl",
                "charges.csv, row 4, column unit_price: is empty; a standard charge needs it",
            ],
            id="standard-with-tiers-alone",
        ),
        pytest.param(
            Edit(
                "charges.csv",
                "calls,requests,standard,999999999999999.999999999999999",
                "calls,requests,graduated,1",
            ),
            [
                "charges.csv, row 3, column charge_model: 'graduated' has its prices in charge_tie",
                "charges.csv, row 3, column unit_price: is set, but a graduated charge has no unit",
            ],
            id="graduated-with-price-alone",
        ),
        pytest.param(
            Edit(
                "charges.csv",
                "calls,requests,standard,999999999999999.999999999999999",
                "calls,requests,graduated,",
            ),
            ["charges.csv, row 3, column charge_model: 'graduated' has its prices in charge_tiers"],
            id="graduated-without-tiers",
        ),
        pytest.param(
            Edit(
                "charges.csv",
                "calls,requests,standard,999999999999999.999999999999999",
                "calls,storage,standard,1",
            ),
            ["charges.csv, row 3, column metric_code: 'storage' differs from 'requests'"],
            id="price-version-of-another-metric",
        ),
        pytest.param(
            Edit("charges.csv", "local,traffic,bytes", "basic,more,requests"),
            [
                "charge_tiers.csv, row 2, column valid_from: 'local', 'traffic', '2025-01-01' is",
                "charge_tiers.csv, row 3, column valid_from: 'local', 'traffic', '2025-01-01' is",
                "charges.csv, row 4, column charge_model: 'graduated' has its prices in",
                "charges.csv, row 4, column metric_code: 'requests' is charged by 'calls'",
            ],
            id="metric-charged-twice-in-a-plan",
        ),
        pytest.param(
            Edit("charges.csv", "graduated,,,2025-01-01", "graduated,,,2026-01-02"),
            [
                "charge_tiers.csv, row 2, column valid_from: 'local', 'traffic', '2025-01-01' is",
                "charge_tiers.csv, row 3, column valid_from: 'local', 'traffic', '2025-01-01' is",
                "charges.csv, row 4, column charge_model: 'graduated' has its prices in",
                "charges.csv, row 4, column valid_from: 2026-01-02 is the first price of "
                "'traffic', but subscription 's3' (subscriptions.csv, row 4) is on plan 'local'",
            ],
            id="no-price-at-the-start",
        ),
        pytest.param(
            Edit("charge_tiers.csv", "2025-01-01,0,100.5", "2025-01-01,1,100.5"),
            ["charge_tiers.csv, row 3, column from_units: 1 begins the first tier; write 0"],
            id="tiers-not-from-zero",
        ),
        pytest.param(
            Edit("charge_tiers.csv", "2025-01-01,100.5,", "2025-01-01,100.6,"),
            [
                "charge_tiers.csv, row 2, column from_units: 100.6 is not where the tier before it "
                "ends (100.5, row 3)"
            ],
            id="gap-between-tiers",
        ),
        pytest.param(
            Edit("charge_tiers.csv", "2025-01-01,0,100.5", "2025-01-01,0,"),
            [
                "charge_tiers.csv, row 2, column from_units: 100.5 is not where the tier before it "
                "ends (open, row 3)"
            ],
            id="open-tier-in-the-middle",
        ),
        pytest.param(
            Edit("charge_tiers.csv", "2025-01-01,100.5,,", "2025-01-01,100.5,200,"),
            ["charge_tiers.csv, row 2, column up_to_units: 200 ends the last tier, and usage"],
            id="last-tier-not-open",
        ),
        pytest.param(
            Edit("charge_tiers.csv", "2025-01-01,100.5,,", "2025-01-01,100.5,100.5,"),
            [
                "charge_tiers.csv, row 2, column up_to_units: 100.5 ends the last tier",
                "charge_tiers.csv, row 2, column up_to_units: 100.5 is not above from_units 100.5",
            ],
            id="tier-of-nothing",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "web,zürich,2026-06-01", "web,zürich,2026-05-31"),
            [
                "customer_aliases.csv, row 3, column valid_from: alias 'web' names 'zürich' from "
                "2026-05-31T00:00:00Z, while row 2 lets it name 'acme' until 2026-06-01T00:00:00Z"
            ],
            id="alias-of-two-customers-at-once",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "web,zürich,2026-06-01", "web,acme,2026-05-31"),
            ["customer_aliases.csv, row 3, column valid_from: alias 'web' names 'acme' from"],
            id="alias-of-one-customer-twice-at-once",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "ops,acme", "zürich,acme"),
            ["customer_aliases.csv, row 4, column alias: 'zürich' is another customer's id"],
            id="alias-is-another-customers-id",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "ops,acme", "acme,acme"),
            ["customer_aliases.csv, row 4, column alias: 'acme' is its own customer's id"],
            id="alias-is-the-customers-own-id",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "2026-01-02T00:00:00.5Z", "2026-01-01T00:00:00Z"),
            ["customer_aliases.csv, row 4, column valid_to: 2026-01-01T00:00:00Z is not after"],
            id="alias-of-no-time",
        ),
        pytest.param(
            Edit("subscriptions.csv", "2026-01-01,2026-03-01", "2026-01-01,2026-01-01"),
            [
                "subscriptions.csv, row 2, column end_date: expected later than the start, "
                "2026-01-01 00:00:00 local (2026-01-01T05:00:00Z), by the local clock and by "
                "instant, found 2026-01-01 00:00:00 local (2026-01-01T05:00:00Z); correct one"
            ],
            id="subscription-of-no-days",
        ),
        pytest.param(
            Edit("subscriptions.csv", "2026-01-01,2026-03-01", "2026-01-01,2026-03-02"),
            [
                "subscriptions.csv, row 3, column plan_code: 'basic' charges 'requests' from "
                "2026-03-01, for which subscription 's1' (row 2) bills the same customer until "
                "2026-03-02; no event is billed twice for one metric"
            ],
            id="metric-charged-by-two-subscriptions-for-a-day",
        ),
        pytest.param(
            Edit("subscriptions.csv", "2026-01-01,2026-03-01", "2026-01-01,"),
            ["subscriptions.csv, row 3, column plan_code: 'basic' charges 'requests'"],
            id="metric-charged-by-two-subscriptions-for-ever",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, edit: Edit, places: list[str]) -> None:
    found = problems_of(tmp_path, edit.of(RIGHT))

    assert len(found) == len(places), found
    for problem, place in zip(found, places, strict=True):
        assert problem.startswith(place), problem


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(
            Edit("sources.csv", "cdn,metronome,,,,", "cdn,metronome,,2,,25"),
            id="an-odd-skew-leaves-23-hours",
        ),
        pytest.param(
            Edit("charges.csv", "region;status,2025-01-01", "region;status,2026-01-01"),
            id="first-price-on-the-day-of-the-start",
        ),
        pytest.param(
            Edit("charge_tiers.csv", "2025-01-01,100.5,", "2025-01-01,100.500,"),
            id="bounds-are-compared-as-numbers",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "web,zürich,2026-06-01", "web,zürich,2026-07-01"),
            id="alias-of-nobody-for-a-month",
        ),
        pytest.param(
            Edit("subscriptions.csv", "s2,acme", "s2,zürich"),
            id="two-customers-may-share-a-metric",
        ),
    ],
)
def test_what_stands_exactly_at_the_bound_is_read(tmp_path: Path, edit: Edit) -> None:
    read(tmp_path, edit.of(RIGHT))


def test_an_unknown_charge_model_is_named_beside_ill_formed_rows(tmp_path: Path) -> None:
    files = Edit("charges.csv", "standard,0.000000000000001", "fixed,0.000000000000001").of(RIGHT)
    files["charge_tiers.csv"] = RIGHT["charge_tiers.csv"].replace("0.01", "free")
    files["charges.csv"] = files["charges.csv"].replace("999999999999999.9", "-9")

    assert [problem.split(":")[0] for problem in problems_of(tmp_path, files)] == [
        "charge_tiers.csv, row 2, column unit_price",
        "charges.csv, row 2, column charge_model",
        "charges.csv, row 3, column unit_price",
    ]


def test_a_long_subscription_is_held_against_all_that_start_in_it(tmp_path: Path) -> None:
    lives = """\
subscription_id,customer_id,plan_code,interval,interval_count,anchor,start_date,end_date
long,acme,basic,month,1,calendar,2026-01-01,2027-01-01
short,acme,basic,month,1,calendar,2026-02-01,2026-03-01
later,acme,basic,month,1,calendar,2026-04-01,2026-05-01
"""

    found = problems_of(tmp_path, {**RIGHT, "subscriptions.csv": lives})

    assert [problem.split(", for which")[1].split(" bills")[0] for problem in found] == [
        " subscription 'long' (row 2)",
        " subscription 'long' (row 2)",
    ]


def test_a_long_alias_is_held_against_all_that_start_in_it(tmp_path: Path) -> None:
    aliases = """\
alias,customer_id,valid_from,valid_to
web,acme,,2026-12-01T00:00:00Z
web,zürich,2026-02-01T00:00:00Z,2026-03-01T00:00:00Z
web,zürich,2026-04-01T00:00:00Z,2026-05-01T00:00:00Z
"""

    found = problems_of(tmp_path, {**RIGHT, "customer_aliases.csv": aliases})

    assert [problem.split(", while ")[1].split(" lets")[0] for problem in found] == [
        "row 2",
        "row 2",
    ]


def test_the_earliest_subscription_needs_the_price_wherever_it_stands(tmp_path: Path) -> None:
    files = Edit("charges.csv", "region;status,2025-01-01", "region;status,2026-01-15").of(RIGHT)
    files["subscriptions.csv"] = """\
subscription_id,customer_id,plan_code,interval,interval_count,anchor,start_date,end_date
late,acme,basic,month,1,calendar,2026-02-01,
early,zürich,basic,month,1,calendar,2026-01-14,
"""

    (found,) = problems_of(tmp_path, files)

    assert "subscription 'early' (subscriptions.csv, row 3)" in found


def test_all_problems_are_told_at_once_ordered_by_place(tmp_path: Path) -> None:
    files = {
        **RIGHT,
        "customers.csv": RIGHT["customers.csv"].replace("USD", "XXX").replace("Zurich", "Zuerich"),
        "plans.csv": None,
        "subscriptions.csv": RIGHT["subscriptions.csv"].replace("s3,acme", "s3,nobody"),
    }

    found = problems_of(tmp_path, files)

    # The ill-formed customers are known all the same: their ids can be read.
    assert [problem.split(":")[0] for problem in found] == [
        "customers.csv, row 2, column currency",
        "customers.csv, row 3, column time_zone",
        "plans.csv",
        "subscriptions.csv, row 4, column customer_id",
    ]


ENDING = """\
customer_id,name,currency,time_zone,grace_period_days,late_usage_policy,ends_on
acme,Acme,USD,America/New_York,3,reject,
beta,Beta,USD,America/New_York,3,reject,2026-06-01
zürich,Zürich AG,CHF,Europe/Zurich,0,adjust,
"""


@pytest.mark.parametrize(
    ("alias", "problem"),
    [
        # Midnight of New York is 04:00 UTC in summer.
        pytest.param("beta,acme,2026-06-01T04:00:00Z,", None, id="from-its-end-on"),
        pytest.param(
            "beta,acme,2026-06-01T03:59:59.999999Z,",
            "valid_from: alias 'beta' begins with 2026-06-01T03:59:59.999999Z, but it is another "
            "customer's id (customers.csv, row 3) until 2026-06-01T04:00:00Z; begin it then or",
            id="a-microsecond-before",
        ),
        pytest.param(
            "beta,acme,,",
            "valid_from: alias 'beta' begins with the first event, but it is another customer's id",
            id="since-ever",
        ),
        pytest.param(
            "beta,beta,2026-06-01T04:00:00Z,",
            "alias: 'beta' is its own customer's id (customers.csv, row 3)",
            id="its-own",
        ),
    ],
)
def test_the_id_of_a_customer_that_ended_may_name_another(
    tmp_path: Path, alias: str, problem: str | None
) -> None:
    files = {**RIGHT, "customers.csv": ENDING}
    files["customer_aliases.csv"] = f"alias,customer_id,valid_from,valid_to\n{alias}\n"
    if problem is None:
        read(tmp_path, files)
        return

    (found,) = problems_of(tmp_path, files)

    assert found.startswith(f"customer_aliases.csv, row 2, column {problem}")


@pytest.mark.parametrize(
    ("valid_to", "is_told"),
    [("", True), ("2026-06-01T04:00:00.000001Z", True), ("2026-06-01T04:00:00Z", False)],
)
def test_an_alias_that_outlives_its_customer_is_a_warning(
    tmp_path: Path, valid_to: str, *, is_told: bool
) -> None:
    aliases = f"alias,customer_id,valid_from,valid_to\nold,beta,,{valid_to}\n"

    warnings = read(
        tmp_path, {**RIGHT, "customers.csv": ENDING, "customer_aliases.csv": aliases}
    ).warnings

    told = [
        each for each in warnings if each.startswith("alias 'old' (customer_aliases.csv, row 2)")
    ]
    assert len(told) == is_told


@pytest.mark.parametrize(
    ("name", "header", "is_refused"),
    [
        ("discount.csv", "discount_id,customer_id", True),
        ("Discounts.csv", "discount_id;customer_id", True),
        ("tax.csv", "tax_code,valid_from", True),
        ("subscription_phase.csv", '"subscription_id","from"', True),
        # Somebody's own mapping.
        ("discounted.csv", "data_centre,region", False),
        ("regions.csv", "tax_code,region", False),
    ],
)
def test_a_misspelt_file_is_not_passed_over(
    tmp_path: Path, name: str, header: str, *, is_refused: bool
) -> None:
    files = {**RIGHT, name: f"{header}\n"}
    if not is_refused:
        read(tmp_path, files)
        return

    (found,) = problems_of(tmp_path, files)

    assert found.startswith(f"{name}: is no file of the catalog, and nobody would read it; rename")


def test_a_subscription_may_end_on_the_day_its_customer_does(tmp_path: Path) -> None:
    lives = RIGHT["subscriptions.csv"] + "s4,beta,basic,day,1,calendar,2026-05-01,{end}\n"
    files = {**RIGHT, "customers.csv": ENDING}

    read(tmp_path, {**files, "subscriptions.csv": lives.format(end="2026-06-01")})
    (found,) = problems_of(tmp_path, {**files, "subscriptions.csv": lives.format(end="2026-06-02")})

    assert found.startswith(
        "subscriptions.csv, row 5, column end_date: the life goes on until 2026-06-02, but "
        "customer 'beta' is gone from 2026-06-01 on"
    )


def with_series(*series: str) -> dict[str, str]:
    """The right catalog with a series for each of the first customers."""
    header, *rows = str(RIGHT["customers.csv"]).splitlines()
    cells = [*series, *[""] * (len(rows) - len(series))]
    lines = [f"{header},invoice_series"]
    lines += [f"{row},{cell}" for row, cell in zip(rows, cells, strict=True)]
    return {**RIGHT, "customers.csv": "\n".join(lines) + "\n"}


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        pytest.param(("EU", "EU"), None, id="the same"),
        pytest.param(("EU", "EU-1"), None, id="another"),
        pytest.param(("EU", "eu"), ("'EU'", "'eu'"), id="case"),
        pytest.param(("inv", ""), ("'inv'", "'INV'"), id="that of the others"),
    ],
)
def test_series_do_not_differ_in_case_alone(
    tmp_path: Path, series: tuple[str, str], expected: tuple[str, str] | None
) -> None:
    if expected is None:
        read(tmp_path, with_series(*series))
        return
    known, found = expected
    assert problems_of(tmp_path, with_series(*series)) == [
        f"customers.csv, row 3, column invoice_series: expected {known} as in another row, found "
        f"{found}; write a series alike in all rows"
    ]
