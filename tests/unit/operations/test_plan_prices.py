"""What a plan comes to over metered history, worked out by hand at each boundary."""

from datetime import date
from decimal import Decimal

import pytest

from pipelines.catalog.catalog import stored_tables
from pipelines.operations.metered_history import MeteredHistory
from pipelines.operations.plan_prices import PlanBill, bill_of, versions_of
from pipelines.vocabulary.errors import MeterlineError
from tests.worlds.histories import history, line, period, plan, used

KEY = "plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from"
CALLS = "p,calls,requests,standard,2,,2026-01-01"
BY_REGION = "p,calls,requests,standard,2,region,2026-01-01"
TIERS = "plan_code,charge_code,valid_from,from_units,up_to_units,unit_price,flat_amount"


def bill(metered: MeteredHistory, *charges: str, columns: str = "", **files: list[str]) -> PlanBill:
    """What the plan `p` with these rows of charges.csv comes to.

    Args:
        metered: the history.
        charges: rows.
        columns: names of further columns of theirs, each behind a comma.
        files: rows of other files with their headers, by name without `.csv`.
    """
    rows = {"charges": [KEY + columns, *charges]} | files
    content = {f"{name}.csv": "\n".join([*lines, ""]).encode() for name, lines in rows.items()}
    content |= {"charge_tiers.csv": f"{TIERS}\n".encode()} if "charge_tiers" not in rows else {}
    return bill_of(versions_of(stored_tables(content), "p"), metered, plan())


def test_quantities_of_a_period_are_priced_and_rounded_once_a_line() -> None:
    found = bill(
        history(used("1", 3, a="x"), used("2.5", 4, a="y")),
        "p,calls,requests,standard,0.0025,,2026-01-01",
        "p,traffic,bytes,standard,9,,2026-01-01",
        "q,calls,requests,standard,1000,,2026-01-01",
    )

    # 3.5 × 0.0025 is 0.00875; rounded by group it would be 0.00 and 0.01.
    assert found.amounts == {"i": Decimal("0.01")}
    assert found.metric_codes == {"requests", "bytes"}
    assert (found.faults, +found.left_out) == ({}, {})


@pytest.mark.parametrize(
    ("first_day", "amount"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), "6"),
        (date(2026, 1, 31), "6"),
        (date(2026, 2, 1), "9"),
        (date(2027, 1, 1), "9"),
    ],
)
def test_the_version_of_the_first_local_day_prices_the_period(
    first_day: date, amount: str | None
) -> None:
    newer = CALLS.replace("standard,2,,2026-01-01", "standard,3,,2026-02-01")

    found = bill(history(used("3"), periods=[period(period_start_date=first_day)]), newer, CALLS)

    assert found.amounts == ({} if amount is None else {"i": Decimal(amount)})


def test_a_negotiated_price_stands_for_the_plans_own_from_its_day_on() -> None:
    days = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    periods = [
        period(f"{who} {day}", subscription_id=who, period_start_date=day)
        for who in ("s1", "s2")
        for day in days
    ]
    usage = [used("1", of=each["invoice_id"]) for each in periods]
    rows = [
        "p,calls,requests,standard,2,,2026-01-01,",
        "p,calls,requests,standard,4,,2026-03-01,",
        "p,calls,requests,standard,1,,2026-02-01,s1",
    ]

    found = bill(history(*usage, periods=periods), *rows, columns=",subscription_id")

    assert [int(found.amounts[each["invoice_id"]]) for each in periods] == [2, 1, 1, 2, 2, 4]


def test_fees_are_for_days_and_what_is_billed_once_for_the_first_period_alone() -> None:
    periods = [
        period("first", is_first=True, service_days=24),
        period("later", service_days=24),
        period("trial", service_days=0),
    ]
    rows = ["p,seats,,flat,,,2026-01-01,50,3,", "p,setup,,flat,,,2026-01-01,10,,once"]

    found = bill(history(periods=periods), *rows, columns=",flat_amount,quantity,billed")

    # 150 × 24 ÷ 31 is 116.129…
    assert {name: str(amount) for name, amount in found.amounts.items()} == {
        "first": "126.13",
        "later": "116.13",
        "trial": "0",
    }


def test_groups_of_a_charge_are_added_up_from_those_of_the_metric() -> None:
    metered = history(
        used("0.1", 1, region="eu", zone="a"),
        used("0.1", 2, region="eu", zone=None),
        used("0.3", 4, region="us", zone="a"),
        used("0.4", 8, region="", zone="a"),
        used("70", 16, region=None, zone="a"),
    )

    found = bill(metered, BY_REGION.replace("standard,2,", "standard,0.025,"))

    # 0.2, 0.3 and 0.4 units at 0.025 are 0.005, 0.0075 and 0.01: a cent for each group.
    assert found.amounts == {"i": Decimal("0.03")}
    assert +found.left_out == {("requests", "missing_dimension"): 16}


def test_a_missing_property_takes_the_text_of_the_charge_and_joins_its_group() -> None:
    metered = history(used("60", region="eu"), used("60", region=None), used("1", region="us"))
    rows = ["p,calls,requests,volume,,region,2026-01-01,eu"]
    tiers = [TIERS, "p,calls,2026-01-01,0,100,1,", "p,calls,2026-01-01,100,,0.5,"]

    found = bill(metered, *rows, columns=",missing_dimension", charge_tiers=tiers)

    # 120 of eu reach the second tier: 60.00; and 1.00 of us.
    assert found.amounts == {"i": Decimal(61)}
    assert +found.left_out == {}


def test_a_quantity_below_0_is_billed_as_nothing() -> None:
    metered = history(used("-5", 3, region="eu"), used("5", 1, region="us"))
    flat_at_zero = "p,calls,requests,graduated,,{},2026-01-01,yes"
    tiers = [TIERS, "p,calls,2026-01-01,0,,1,3"]

    by_group = bill(metered, flat_at_zero.format("region"), columns=",flat_at_zero",
                    charge_tiers=tiers)  # fmt: skip
    assert by_group.amounts == {"i": Decimal(8)}
    assert +by_group.left_out == {("requests", "negative_quantity"): 3}

    # As a whole they come to 0, which has the flat amount of the first tier.
    whole = bill(metered, flat_at_zero.format(""), columns=",flat_at_zero", charge_tiers=tiers)
    assert whole.amounts == {"i": Decimal(3)}
    assert +whole.left_out == {}

    below = bill(history(used("-1", 2)), flat_at_zero.format(""), columns=",flat_at_zero",
                 charge_tiers=tiers)  # fmt: skip
    assert below.amounts == {"i": Decimal(3)}
    assert +below.left_out == {("requests", "negative_quantity"): 2}


def test_without_usage_a_charge_has_a_line_as_a_whole_and_none_by_group() -> None:
    rows = [
        "p,calls,requests,standard,1,,2026-01-01,7",
        "p,traffic,bytes,standard,1,region,2026-01-01,20",
    ]

    found = bill(history(), *rows, columns=",minimum_amount")

    # Minimums are of the charge, whether it has lines or not.
    assert found.amounts == {"i": Decimal(27)}


@pytest.mark.parametrize(
    ("condition", "amount", "left_out"),
    [
        ("ms>5", 4, 11),
        ("ms>=5", 6, 9),
        ("ms<5", 0, 15),
        ("region=eu", 10, 5),
        ("region!=eu|us", 16, 14),
        ("region!?", 16, 14),
        ("region?", 14, 1),
    ],
)
def test_a_filter_takes_its_part_and_the_rest_is_listed(
    condition: str, amount: int, left_out: int
) -> None:
    metered = history(
        used("1", 2, region="eu", ms="5"),
        used("4", 8, region="eu", ms="x"),
        used("2", 4, region="us", ms="5.5"),
        used("8", 1, region=None, ms=None),
    )
    found = bill(metered, f"{CALLS},{condition}", columns=",filters")

    assert found.amounts == {"i": Decimal(amount)}
    assert +found.left_out == {("requests", "filtered_out"): left_out}


def test_what_no_charge_in_force_is_for_is_not_charged() -> None:
    metered = history(used("1", 3), used("1", 5, metric="bytes"))

    assert +bill(metered, CALLS).left_out == {("bytes", "not_charged"): 5}


def test_filters_that_exclude_each_other_share_a_metric() -> None:
    metered = history(used("1", 1, region="eu"), used("1", 2, region="us"), used("1", region="ap"))
    rows = [f"{CALLS},region=eu", f"{CALLS},region!=eu|ap".replace("calls", "rest")]

    found = bill(metered, *rows, columns=",filters")

    assert found.amounts == {"i": Decimal(4)}
    assert +found.left_out == {("requests", "filtered_out"): 1}


def test_a_metric_is_not_charged_before_its_charge_is_in_force() -> None:
    days = {"old": date(2025, 12, 31), "new": date(2026, 1, 1)}
    periods = [period(name, period_start_date=day) for name, day in days.items()]
    usage = [used("1", events, of=name, region=region) for name in days
             for region, events in (("eu", 2), ("us", 4))]  # fmt: skip
    rows = ["p,fee,,flat,,,2025-01-01,", f"{CALLS},region=eu"]

    found = bill(history(*usage, periods=periods), *rows, columns=",filters")

    assert found.amounts == {"old": Decimal(0), "new": Decimal(2)}
    assert +found.left_out == {("requests", "not_charged"): 6, ("requests", "filtered_out"): 4}


def test_a_matrix_leaves_out_a_group_without_a_price() -> None:
    metered = history(
        used("10", 1, region="eu"), used("10", 4, region="us"), used("-1", 8, region="ap")
    )
    cells = ["plan_code,charge_code,valid_from,match,unit_price", "p,calls,2026-01-01,region=eu,3"]

    unpriced = bill(metered, "p,calls,requests,matrix,,region,2026-01-01", charge_cells=cells)
    assert unpriced.amounts == {"i": Decimal(30)}
    assert +unpriced.left_out == {("requests", "no_price"): 12}

    priced = bill(metered, "p,calls,requests,matrix,1,region,2026-01-01", charge_cells=cells)
    assert priced.amounts == {"i": Decimal(40)}
    assert +priced.left_out == {("requests", "negative_quantity"): 8}


class TestQuantitiesThatDoNotAddUp:
    """Quantities of a maximum or of distinct texts: groups are not added up."""

    TWO = (used("7", 3, region="eu", zone="a"), used("5", 2, region="eu", zone="b"))

    def test_one_group_is_the_whole(self) -> None:
        assert bill(history(self.TWO[0], adds_up=False), CALLS).amounts == {"i": Decimal(14)}

    def test_groups_of_the_metric_are_groups_of_the_charge(self) -> None:
        by_both = "p,calls,requests,standard,2,region;zone,2026-01-01"

        assert bill(history(*self.TWO, adds_up=False), by_both).amounts == {"i": Decimal(24)}

    def test_several_are_not_told(self) -> None:
        found = bill(history(*self.TWO, adds_up=False), BY_REGION)

        assert found.faults == {
            "i": "charge calls prices requests by region, and the marts hold it by more "
            "properties, whose quantities do not add up"
        }

    def test_lines_of_all_their_events_tell_what_they_come_to(self) -> None:
        lines = [line("9", 5, region="eu"), line("1000", 5), line("1000", 5, "b", zone="a")]

        found = bill(history(*self.TWO, lines=lines, adds_up=False), BY_REGION)

        assert (found.amounts, found.faults) == ({"i": Decimal(18)}, {})

    def test_lines_of_another_part_do_not(self) -> None:
        for events in (4, 6):
            lines = [line("9", events, region="eu")]
            assert bill(history(*self.TWO, lines=lines, adds_up=False), BY_REGION).faults

    def test_lines_do_not_where_a_group_is_carried_in(self) -> None:
        """A filter of the line's charge may leave it out, and no count of events shows that."""
        carried = used("1", 0, region="eu", zone="c")
        lines = [line("9", 5, region="eu")]

        assert bill(history(*self.TWO, carried, lines=lines, adds_up=False), BY_REGION).faults

    def test_lines_do_not_where_the_charge_has_a_filter(self) -> None:
        lines = [line("9", 5, region="eu")]
        metered = history(*self.TWO, lines=lines, adds_up=False)

        assert bill(metered, f"{BY_REGION},zone?", columns=",filters").faults


def test_usage_that_was_kept_by_other_properties_is_told() -> None:
    periods = [period("old"), period("new")]
    usage = [used("1", of="old", zone="a"), used("1", of="new", zone="a", region="eu")]

    found = bill(history(*usage, periods=periods), BY_REGION)

    assert found.faults == {
        "old": "charge calls needs region, and requests was kept without",
    }
    assert found.amounts["new"] == 2


def test_usage_that_came_too_late_is_nothing() -> None:
    found = bill(history(used(None, 0, 5, region="eu"), used("1", 1, 5, region="us")), BY_REGION)

    assert (found.amounts, found.faults) == ({"i": Decimal(2)}, {})


MOST = "99999999999999999999.999999999999999999"
SENTENCE = "the quantity of requests has more than 20 digits before its point"


def test_a_quantity_beyond_a_bill_is_a_fault() -> None:
    dear = "p,calls,requests,standard,0.001,,2026-01-01"

    assert bill(history(used(MOST)), dear).amounts == {"i": Decimal(10) ** 17}
    for rows in (
        [used(MOST, a="x"), used("0.000000000000000001", a="y")],
        [used(f"-{MOST}", a="x"), used("-0.000000000000000001", a="y")],
        [used(None)],
        [used(None, 0, 0)],
    ):
        assert bill(history(*rows), dear).faults == {"i": SENTENCE}


def test_an_amount_beyond_a_bill_is_a_fault() -> None:
    found = bill(history(used(MOST)), "p,calls,requests,standard,1001,,2026-01-01")

    assert found.faults == {"i": "an amount has more digits than one may have"}


@pytest.mark.parametrize(
    ("row", "columns", "sentence"),
    [
        ("p,calls,seats,standard,2,,2026-01-01", "",
         r"calls of plan p prices seats, which the published marts do not know yet; .*run"),
        (f"{CALLS},bucket", ",priced_each", r"calls of plan p prices each bucket, .*preview"),
        ("p,calls,requests,percentage,,,2026-01-01,2,25", ",free_events,minimum_per_event",
         r"has free_events and minimum_per_event, which price single events, .*preview"),
    ],
)  # fmt: skip
def test_what_the_marts_do_not_hold_is_refused(row: str, columns: str, sentence: str) -> None:
    with pytest.raises(MeterlineError, match=sentence):
        bill(history(), row, columns=columns)

    # A version that no period asks for harms nobody.
    assert bill(history(periods=[]), row, columns=columns).amounts == {}


def test_a_percentage_is_priced_by_totals_and_says_so() -> None:
    found = bill(
        history(used("100", 3)),
        "p,pay,requests,percentage,,,2026-01-01,2.9,0.30",
        columns=",rate_percent,fixed_amount",
    )

    assert found.amounts == {"i": Decimal("3.8")}
    assert found.totals_priced == {"pay"}


def test_amounts_have_the_digits_of_the_currency_of_each_period() -> None:
    periods = [period(code, customer_currency=code) for code in ("JPY", "USD", "KWD")]
    usage = [used("1", of=code) for code in ("JPY", "USD", "KWD")]

    found = bill(history(*usage, periods=periods), "p,calls,requests,standard,1.2345,,2026-01-01")

    assert [str(found.amounts[each["invoice_id"]]) for each in periods] == ["1", "1.23", "1.235"]
