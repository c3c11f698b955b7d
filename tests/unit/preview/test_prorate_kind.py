"""Prorated amounts, asked through preview: examples of the contract and of other systems."""

import pytest

from tests.worlds.previews import Case, error_of, part, result_of

JANUARY = "2026-01-01/2026-02-01"
APRIL = "2026-04-01/2026-05-01"


def prorated(*parts: Case, **more: object) -> Case:
    return result_of({"kind": "prorate", "parts": list(parts)} | more)


def amounts(*parts: Case, **more: object) -> list[str]:
    return [each["amount"] for each in prorated(*parts, **more)["parts"]]


def test_fee_from_the_8th_is_24_of_31_days() -> None:
    assert prorated(part("50.00", "2026-01-08/2026-02-01", JANUARY), currency="EUR") == {
        "parts": [
            {"days": 24, "of": 31, "amount_unrounded": "38.70967741935483871", "amount": "38.71"}
        ],
        "net": "38.71",
        "share": "0.774193548387096774",
    }


def test_plan_change_settles_what_is_unused_against_the_new_fee() -> None:
    parts = [
        part("-30.00", "2026-04-16/2026-05-01", APRIL),
        part("60.00", "2026-04-16/2026-05-01", APRIL),
    ]
    assert amounts(*parts) == ["-15", "30"]
    assert prorated(*parts)["net"] == "15"


@pytest.mark.parametrize(
    ("old", "new", "service", "full", "expected", "net"),
    [
        # 45 of 90 days; Flexprice, understanding proration.
        ("300", "150", "2026-02-15/2026-04-01", "2026-01-01/2026-04-01", ["-150", "75"], "-75"),
        # 265 of 365 days; the same. Rounding the net alone would give 435.62.
        ("600", "1200", "2026-04-11/2027-01-01", "2026-01-01/2027-01-01",
         ["-435.62", "871.23"], "435.61"),
    ],
)  # fmt: skip
def test_published_plan_change(
    old: str, new: str, service: str, full: str, expected: list[str], net: str
) -> None:
    result = prorated(part(f"-{old}", service, full), part(new, service, full))
    assert [each["amount"] for each in result["parts"]] == expected
    assert result["net"] == net


def days(service: str, full: str = JANUARY, zone: str = "Etc/UTC", **more: str) -> tuple[int, int]:
    asked = part("1", service, full)
    asked["service"] |= more
    (found,) = prorated(asked, time_zone=zone)["parts"]
    return found["days"], found["of"]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        pytest.param(JANUARY, 31, id="all"),
        pytest.param("2026-01-10/2026-01-10", 0, id="no time"),
        pytest.param("2026-01-10T10:00:00Z/2026-01-10T10:00:00Z", 0, id="no time at ten"),
        pytest.param("2026-01-10T10:00:00Z/2026-01-10T10:00:01Z", 1, id="a second"),
        pytest.param("2026-01-10T10:00:00Z/2026-01-12", 2, id="an end at a midnight"),
        pytest.param("2026-01-10T10:00:00Z/2026-01-12T00:00:01Z", 3, id="a second later"),
        pytest.param("2025-12-20/2026-02-20", 31, id="days beyond the full period"),
        pytest.param("2025-12-20/2025-12-30", 0, id="all days beyond it"),
    ],
)
def test_days_of_a_service(service: str, expected: int) -> None:
    assert days(service) == (expected, 31)


def test_another_phase_takes_the_day_over() -> None:
    service = "2026-01-10/2026-01-12T10:00:00Z"
    assert days(service) == (3, 31)
    assert days(service, ends="change") == (2, 31)


def test_days_are_local_and_have_any_number_of_hours() -> None:
    march = "2026-03-01/2026-04-01"
    assert days("2026-03-29/2026-03-30", march, "Europe/Berlin") == (1, 31)
    # 23:30 UTC on the 9th is 00:30 on the 10th in Berlin.
    assert days("2026-03-09T23:30:00Z/2026-04-01", march, "Europe/Berlin") == (22, 31)
    assert days("2026-03-09T23:30:00Z/2026-04-01", march) == (23, 31)


def test_full_period_at_a_time_of_day_leaves_its_last_day_to_the_next() -> None:
    full = "2026-01-15T10:00:00Z/2026-02-15T10:00:00Z"
    assert days(full, full) == (31, 31)


@pytest.mark.parametrize(
    ("amount", "credited", "expected"),
    [
        ("-15", {"billed": "30", "credited": "0"}, "-15"),
        ("-15", {"billed": "30", "credited": "20"}, "-10"),
        ("-15", {"billed": "30", "credited": "30"}, "0"),
        ("-15", {"billed": "30", "credited": "31"}, "0"),
        ("0", {"billed": "30", "credited": "0"}, "0"),
        # Of 10.009 nothing beyond whole cents can be given back.
        ("-15", {"billed": "10.009", "credited": "0"}, "-10"),
    ],
)
def test_credit_is_at_most_what_is_left_of_what_was_billed(
    amount: str, credited: Case, expected: str
) -> None:
    assert amounts(part(amount, JANUARY, JANUARY, credited_from=credited)) == [expected]


@pytest.mark.parametrize(
    ("amount", "currency", "rounding", "expected"),
    [
        ("0.125", "USD", "half_away", "0.13"),
        ("-0.125", "USD", "half_away", "-0.13"),
        ("0.125", "USD", "half_even", "0.12"),
        ("0.135", "USD", "half_even", "0.14"),
        ("0.1251", "USD", "half_even", "0.13"),
        ("-0.004", "USD", "half_away", "0"),
        ("2.5", "JPY", "half_away", "3"),
        ("2.5", "JPY", "half_even", "2"),
        ("1.0005", "KWD", "half_away", "1.001"),
        ("99999999999999999999.005", "USD", "half_away", "99999999999999999999.01"),
    ],
)
def test_amount_is_rounded_once_to_the_minor_unit(
    amount: str, currency: str, rounding: str, expected: str
) -> None:
    asked = part(amount, JANUARY, JANUARY)
    assert amounts(asked, currency=currency, rounding=rounding) == [expected]


def test_quotient_that_ends_is_exact_however_long() -> None:
    (found,) = prorated(part("0.000000000000000001", "2026-01-01/2026-01-02",
                             "2026-01-01/2026-03-06"))["parts"]  # fmt: skip
    assert (found["days"], found["of"]) == (1, 64)
    assert found["amount_unrounded"] == "0.000000000000000000015625"


@pytest.mark.parametrize(
    ("case", "code", "path"),
    [
        ({}, "missing_field", "parts"),
        ({"parts": {}}, "bad_value", "parts"),
        ({"parts": [3]}, "bad_value", "parts[0]"),
        ({"parts": [{"amount": "1"}]}, "missing_field", "parts[0].service"),
        ({"parts": [part("1e3", JANUARY, JANUARY)]}, "bad_value", "parts[0].amount"),
        ({"parts": [part("+1", JANUARY, JANUARY)]}, "bad_value", "parts[0].amount"),
        ({"parts": [part("1", JANUARY, JANUARY)], "currency": "XXX"}, "bad_value", "currency"),
        ({"parts": [part("1", JANUARY, JANUARY)], "rounding": "up"}, "bad_value", "rounding"),
        ({"parts": [part("1", "2026-01-02/2026-01-01", JANUARY)]}, "contradiction",
         "parts[0].service.end"),
        ({"parts": [part("1", JANUARY, "2026-01-01/2026-01-01")]}, "contradiction",
         "parts[0].full.end"),
        ({"parts": [part("1", JANUARY, "2026-01-01T10:00:00Z/2026-01-01T18:00:00Z")]},
         "contradiction", "parts[0].full"),
        ({"parts": [part("1", JANUARY, JANUARY, credited_from={"billed": "1", "credited": "0"})]},
         "contradiction", "parts[0].credited_from"),
        ({"parts": [part("-1", JANUARY, JANUARY, credited_from={"billed": "1"})]},
         "missing_field", "parts[0].credited_from.credited"),
        ({"parts": [part("1", JANUARY, JANUARY, share="1")]}, "unknown_field", "parts[0].share"),
        ({"parts": [part("1", JANUARY, JANUARY)] * 1_001}, "too_large", "parts"),
    ],
)  # fmt: skip
def test_wrong_part_names_its_place(case: Case, code: str, path: str) -> None:
    error = error_of({"kind": "prorate"} | case)
    assert (error["code"], error["path"]) == (code, path)
