"""Fees in advance: billed before they are served, and settled by what became of the period."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.catalog.catalog import TABLES, Catalog, catalog_of, validated_tables
from pipelines.operations.giving_back import to_give_back
from pipelines.vocabulary.errors import MeterlineError
from tests.worlds.book_runs import BookHome, Drafted
from tests.worlds.edited_catalogs import Files, Row, copied, file_bytes
from tests.worlds.naive_books import METRICS
from tests.worlds.pages import blocks, page, section

FIRST_DAY = "2026-01-01"
START = datetime(2026, 3, 1, 2, tzinfo=UTC)
"""The subscription has begun, and its start has settled."""

AFTER_MARCH = datetime(2026, 4, 1, 2, tzinfo=UTC)
AFTER_APRIL = datetime(2026, 5, 1, 2, tzinfo=UTC)
AFTER_MAY = datetime(2026, 6, 1, 2, tzinfo=UTC)


def fee(code: str, amount: str, plan: str = "seats", **columns: str) -> Row:
    return {"plan_code": plan, "charge_code": code, "charge_model": "flat", "flat_amount": amount,
            "valid_from": FIRST_DAY, "invoiced_in": "advance"} | columns  # fmt: skip


def catalog(*charges: Row, **subscription: str) -> Files:
    """acme has seats by the month from 1 March, for 30.00 in advance unless said."""
    rows: Mapping[str, list[Row]] = {
        "sources.csv": [
            {"source": "cdn", "dialect": "metronome", "dedupe_window_days": "unlimited",
             "received_at_from": "last_modified"},
        ],
        "plans.csv": [
            {"plan_code": "seats", "name": "Seats"},
            {"plan_code": "more", "name": "More"},
            {"plan_code": "euro", "name": "Euro", "currency": "EUR"},
        ],
        "charges.csv": [
            *(charges or (fee("seat", "30"),)), fee("seat", "60", "more"), fee("seat", "90", "euro")
        ],
        "customers.csv": [
            {"customer_id": "acme", "name": "Acme", "currency": "USD", "time_zone": "Etc/UTC",
             "grace_period_days": "0", "late_usage_policy": "reject"}
        ],
        "subscriptions.csv": [
            {"subscription_id": "s1", "customer_id": "acme", "plan_code": "seats",
             "interval": "month", "interval_count": "1", "anchor": "calendar",
             "start_date": "2026-03-01"} | subscription,
        ],
    }  # fmt: skip
    return {
        name: [{column.name: row.get(column.name, "") for column in table.columns}
               for row in rows.get(name, [])]
        for name, table in TABLES.items()
    }  # fmt: skip


def with_row(files: Files, file_name: str, **cells: str) -> Files:
    edited = copied(files)
    edited[file_name].append(
        dict.fromkeys((each.name for each in TABLES[file_name].columns), "") | cells
    )
    return edited


def with_cells(files: Files, file_name: str, **cells: str) -> Files:
    """The catalog with other cells in the first row of a file."""
    edited = copied(files)
    edited[file_name][0].update(cells)
    return edited


def on_plan(files: Files, day: str, plan: str) -> Files:
    """The catalog in which the subscription changes its plan on a day."""
    cells = {"subscription_id": "s1", "from": day, "plan_code": plan}
    return with_row(files, "subscription_phases.csv", **cells)


def paused(files: Files, first: str, to: str) -> Files:
    """The catalog in which the subscription pauses."""
    cells = {"subscription_id": "s1", "from": first, "to": to}
    return with_row(files, "subscription_pauses.csv", **cells)


@pytest.fixture
def home() -> Iterator[BookHome]:
    made = BookHome()
    yield made
    made.close()


def run(home: BookHome, files: Files, as_of: datetime) -> Drafted:
    """What a run drafted."""
    drafted = home.run(files, as_of, [], is_checked=False).drafted
    assert drafted is not None
    return drafted


def checked(home: BookHome, files: Files, as_of: datetime) -> Drafted:
    """The same; the marts are built, and no test of dbt fails."""
    drafted = home.run(files, as_of, []).drafted
    assert drafted is not None
    assert drafted.failed == {}
    return drafted


NO_LINE = (None, None, None, None, None)


def closed(home: BookHome) -> dict[str, list[tuple[Any, ...]]]:
    """Kind, charge, first day of service, days, and amount of each line, by invoice."""
    found = home.lake.query(
        "SELECT invoice_id, invoice_lines.kind, charge_code, service_start_at::DATE::VARCHAR, "
        "share_days, amount FROM lake.invoices LEFT JOIN lake.invoice_lines USING (invoice_id) "
        "ORDER BY series_number, line_number"
    )
    lines: dict[str, list[tuple[Any, ...]]] = {}
    for invoice_id, *line in found.iter_rows():
        lines.setdefault(invoice_id, []).append(tuple(line))
    return lines


def total(home: BookHome, invoice_id: str) -> tuple[Decimal, Decimal]:
    ((net, due),) = home.lake.query(
        "SELECT net_amount, amount_due FROM lake.invoices WHERE invoice_id = $id",
        {"id": invoice_id},
    ).rows()
    return net, due


MARCH = ("flat", "seat", "2026-03-01", 31, Decimal(30))
APRIL = ("flat", "seat", "2026-04-01", 30, Decimal(30))
MAY = ("flat", "seat", "2026-05-01", 31, Decimal(30))


def test_the_fee_of_a_period_is_on_the_invoice_at_its_start(home: BookHome) -> None:
    files = catalog()

    assert run(home, files, START).closed.select("invoice_id", "kind").rows() == [
        ("s1/2026-03-01/advance", "advance")
    ]
    run(home, files, AFTER_MARCH)
    checked(home, files, AFTER_APRIL)

    assert closed(home) == {
        "s1/2026-03-01/advance": [MARCH],
        "s1/2026-03-01": [APRIL],
        "s1/2026-04-01": [MAY],
    }


def test_one_run_over_three_cuts_is_three_runs(home: BookHome) -> None:
    run(home, catalog(), AFTER_APRIL)

    assert closed(home) == {
        "s1/2026-03-01/advance": [MARCH],
        "s1/2026-03-01": [APRIL],
        "s1/2026-04-01": [MAY],
    }


def test_a_period_that_ends_earlier_gives_back_what_is_unused(home: BookHome) -> None:
    run(home, catalog(), AFTER_MARCH)
    # 15 of the 30 days of April: its fee was 30.00 for all of them.
    checked(home, catalog(end_date="2026-04-16"), AFTER_APRIL)

    assert closed(home)["s1/2026-04-01"] == [
        ("unused_advance", "seat", "2026-04-01", None, Decimal(-15))
    ]
    assert total(home, "s1/2026-04-01") == (Decimal(-15), Decimal(0))


def test_the_day_of_an_end_at_a_time_of_day_is_served(home: BookHome) -> None:
    run(home, catalog(), AFTER_MARCH)
    run(home, catalog(end_date="2026-04-16T00:00:01Z"), AFTER_APRIL)

    assert closed(home)["s1/2026-04-01"] == [
        ("unused_advance", "seat", "2026-04-01", None, Decimal(-14))
    ]


@pytest.mark.parametrize("end", ["2026-05-01", "2026-05-02"])
def test_an_end_that_leaves_the_period_whole_gives_nothing_back(home: BookHome, end: str) -> None:
    files = catalog(end_date=end)
    run(home, catalog(), AFTER_MARCH)
    run(home, files, AFTER_MAY)

    found = closed(home)
    # 1 of the 31 days of May: 0.967…
    last: list[tuple[Any, ...]] = (
        [("flat", "seat", "2026-05-01", 1, Decimal("0.97"))] if end == "2026-05-02" else []
    )
    assert found["s1/2026-04-01"] == (last or [NO_LINE])
    if last:
        assert found["s1/2026-05-01"] == [NO_LINE]


def test_a_plan_that_changes_gives_back_the_old_fee_and_bills_the_new_one(home: BookHome) -> None:
    files = catalog()
    run(home, files, AFTER_MARCH)
    changed = on_plan(files, "2026-04-16", "more")
    checked(home, changed, AFTER_APRIL)

    found = closed(home)
    assert found["s1/2026-04-01"] == [
        # 60.00 for 15 of 30 days, and 30.00 less 15 of 30 days of it.
        ("flat", "seat", "2026-04-16", 15, Decimal(30)),
        ("unused_advance", "seat", "2026-04-01", None, Decimal(-15)),
    ]
    assert found["s1/2026-04-16"] == [("flat", "seat", "2026-05-01", 31, Decimal(60))]
    ids = home.lake.query(
        "SELECT line_id, adjusts_line_id, price_digest IS NOT NULL FROM lake.invoice_lines "
        "WHERE invoice_id = 's1/2026-04-01' ORDER BY line_number"
    )
    assert ids.rows() == [
        ("s1/2026-04-01/flat/2026-04-16/seat/{}", None, True),
        ("s1/2026-04-01/unused_advance/seat/{}", "s1/2026-03-01/flat/2026-04-01/seat/{}", True),
    ]


def test_a_plan_in_another_currency_has_an_invoice_of_its_own_in_advance(home: BookHome) -> None:
    files = on_plan(catalog(), "2026-04-16", "euro")
    checked(home, files, AFTER_APRIL)

    # 15.00 for 15 of 30 days in USD; 90.00 for 15 of 30 days in EUR.
    assert closed(home) == {
        "s1/2026-03-01/advance": [MARCH],
        "s1/2026-03-01": [("flat", "seat", "2026-04-01", 15, Decimal(15))],
        "s1/2026-04-01": [NO_LINE],
        "s1/2026-04-16/advance": [("flat", "seat", "2026-04-16", 15, Decimal(45))],
        "s1/2026-04-16": [("flat", "seat", "2026-05-01", 31, Decimal(90))],
    }
    cuts = home.lake.query("SELECT cut_at, currency, plan_code FROM lake.invoices "
                           "WHERE invoice_id = 's1/2026-04-16/advance'")  # fmt: skip
    assert cuts.rows() == [(datetime(2026, 4, 16, tzinfo=UTC), "EUR", "euro")]


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        pytest.param({"quantity": "3"}, ("adjustment", Decimal(60)), id="three seats"),
        pytest.param({"flat_amount": "10"}, ("unused_advance", Decimal(-20)), id="cheaper"),
        pytest.param({"flat_amount": "0"}, ("unused_advance", Decimal(-30)), id="for nothing"),
        pytest.param({"flat_amount": "30.005"}, ("adjustment", Decimal("0.01")), id="a cent"),
        pytest.param({"invoiced_in": "", "quantity": "2"}, ("adjustment", Decimal(30)),
                     id="in arrears by now"),
    ],
)  # fmt: skip
def test_an_edit_of_the_price_is_settled_at_the_cut_of_the_period(
    home: BookHome, cells: Row, line: tuple[str, Decimal]
) -> None:
    files = catalog()
    run(home, files, AFTER_MARCH)
    drafted = run(home, with_cells(files, "charges.csv", **cells), AFTER_APRIL)

    found = closed(home)["s1/2026-04-01"]
    kind, amount = line
    assert (kind, "seat", "2026-04-01", None, amount) in found
    assert not [each for each in found if each[0] == "flat" and each[2] == "2026-04-01"]
    assert drafted.closed["invoice_id"].to_list() == ["s1/2026-04-01"]


def test_an_edit_between_the_start_and_the_first_cut_waits_for_that_cut(home: BookHome) -> None:
    files = catalog()
    run(home, files, START)
    again = run(home, with_cells(files, "charges.csv", quantity="2"), START.replace(hour=4))
    assert again.closed.height == 0
    run(home, with_cells(files, "charges.csv", quantity="2"), AFTER_MARCH)

    assert closed(home) == {
        "s1/2026-03-01/advance": [MARCH],
        "s1/2026-03-01": [
            ("flat", "seat", "2026-04-01", 30, Decimal(60)),
            ("adjustment", "seat", "2026-03-01", None, Decimal(30)),
        ],
    }


def test_a_fee_that_is_added_later_stands_on_the_own_invoice(home: BookHome) -> None:
    files = catalog()
    run(home, files, AFTER_MARCH)
    added = copied(files)
    added["charges.csv"].append(dict.fromkeys(files["charges.csv"][0], "") | fee("desk", "12"))
    run(home, added, AFTER_APRIL)

    assert closed(home)["s1/2026-04-01"] == [
        ("flat", "desk", "2026-04-01", 30, Decimal(12)),
        ("flat", "desk", "2026-05-01", 31, Decimal(12)),
        MAY,
    ]


def test_a_fee_whose_charge_is_gone_is_given_back(home: BookHome) -> None:
    files = catalog(fee("desk", "12"), fee("seat", "30"))
    run(home, files, AFTER_MARCH)
    gone = copied(files)
    del gone["charges.csv"][0]
    run(home, gone, AFTER_APRIL)

    assert closed(home)["s1/2026-04-01"] == [
        MAY,
        ("unused_advance", "desk", "2026-04-01", None, Decimal(-12)),
    ]
    # Nobody settles it a second time.
    run(home, gone, AFTER_MAY)
    assert closed(home)["s1/2026-05-01"] == [("flat", "seat", "2026-06-01", 30, Decimal(30))]


def test_a_fee_whose_period_is_gone_is_given_back_on_the_next_invoice(home: BookHome) -> None:
    files = catalog(start_date="2026-03-08")
    run(home, files, START.replace(day=8))
    # Earlier by two days: the period that begins on 8 March is no longer there.
    earlier = with_cells(files, "subscriptions.csv", start_date="2026-03-06")
    checked(home, earlier, AFTER_MARCH)

    found = closed(home)
    # 24 and 26 of 31 days: 23.225… and 25.161….
    assert found["s1/2026-03-08/advance"] == [("flat", "seat", "2026-03-08", 24, Decimal("23.23"))]
    assert found["s1/2026-03-06/advance"] == [("flat", "seat", "2026-03-06", 26, Decimal("25.16"))]
    assert found["s1/2026-03-06"] == [
        APRIL,
        ("unused_advance", "seat", "2026-03-08", None, Decimal("-23.23")),
    ]


@pytest.mark.parametrize("model", ["seat", "none"])
def test_an_invoice_of_nothing_is_not_made_in_advance(home: BookHome, model: str) -> None:
    files = catalog(fee("seat", "0")) if model == "seat" else catalog(fee("seat", "9", "other"))
    if model == "none":
        del files["charges.csv"][0]
        files["charges.csv"][0] |= {"plan_code": "seats", "invoiced_in": "arrears"}

    assert run(home, files, START).closed.height == 0
    assert "s1/2026-03-01/advance" not in run(home, files, AFTER_MARCH).drafts["invoice_id"]


def test_days_of_trial_and_of_pause_are_not_billed(home: BookHome) -> None:
    files = paused(catalog(trial_until="2026-03-11"), "2026-04-11", "2026-04-21")
    run(home, files, AFTER_MARCH)
    # A pause that is entered later takes days from what was billed.
    longer = paused(files, "2026-04-21", "2026-04-24")
    run(home, longer, AFTER_APRIL)

    assert closed(home) == {
        # 21 of 31 days: 20.322…
        "s1/2026-03-01/advance": [("flat", "seat", "2026-03-01", 21, Decimal("20.32"))],
        "s1/2026-03-01": [("flat", "seat", "2026-04-01", 20, Decimal(20))],
        "s1/2026-04-01": [MAY, ("unused_advance", "seat", "2026-04-01", None, Decimal(-3))],
    }


def test_a_fee_that_is_due_once_is_due_at_the_start_and_never_again(home: BookHome) -> None:
    setup = fee("setup", "99", billed="once")
    files = catalog(setup, fee("seat", "30"))
    run(home, files, AFTER_MARCH)
    dearer = with_cells(files, "charges.csv", flat_amount="150")
    run(home, dearer, AFTER_APRIL)
    earlier = with_cells(dearer, "subscriptions.csv", start_date="2026-02-20")
    drafted = run(home, earlier, AFTER_APRIL.replace(day=2))

    assert [line for lines in closed(home).values() for line in lines if line[1] == "setup"] == [
        ("flat", "setup", "2026-03-01", None, Decimal(99))
    ]
    assert "setup" not in drafted.lines["charge_code"]


def test_a_minimum_stands_on_the_invoice_of_its_period(home: BookHome) -> None:
    files = catalog(fee("seat", "30", minimum_amount="50"))
    run(home, files, AFTER_MARCH)

    assert closed(home) == {
        "s1/2026-03-01/advance": [MARCH],
        "s1/2026-03-01": [APRIL, ("minimum", "seat", "2026-03-01", None, Decimal(20))],
    }


def test_what_a_void_document_billed_in_advance_is_due_no_more(home: BookHome) -> None:
    files = catalog()
    run(home, files, START)
    home.void("s1/2026-03-01/advance", START)
    # It is made once, and the fee belongs to it: a void one is not made again.
    assert run(home, files, START.replace(hour=5)).closed.height == 0
    run(home, with_cells(files, "charges.csv", quantity="2"), AFTER_MARCH)

    assert closed(home) == {
        "s1/2026-03-01/advance": [MARCH],
        "s1/2026-03-01": [("flat", "seat", "2026-04-01", 30, Decimal(60))],
    }


def test_a_void_invoice_takes_the_fee_of_the_next_period_with_it(home: BookHome) -> None:
    files = catalog()
    run(home, files, AFTER_MARCH)
    home.void("s1/2026-03-01", AFTER_MARCH)
    run(home, files, AFTER_APRIL)

    assert closed(home)["s1/2026-04-01"] == [MAY]


def test_a_period_that_was_added_to_the_past_bears_no_fee_of_the_next_one(home: BookHome) -> None:
    files = catalog()
    run(home, files, AFTER_APRIL)
    earlier = with_cells(files, "subscriptions.csv", start_date="2026-02-01")
    drafted = run(home, earlier, AFTER_APRIL.replace(day=6))

    assert drafted.closed.height == 0
    assert set(drafted.held_back.filter(reason_code="added_to_the_past")["invoice_id"]) == {
        "s1/2026-02-01", "s1/2026-02-01/advance",
    }  # fmt: skip
    drafted = run(home, earlier, AFTER_MAY)
    assert drafted.closed["invoice_id"].to_list() == ["s1/2026-05-01"]


def test_what_was_billed_in_another_currency_holds_back_the_customer(home: BookHome) -> None:
    run(home, catalog(), AFTER_MARCH)
    files = catalog()
    changed = on_plan(files, "2026-04-01", "euro")
    drafted = run(home, changed, AFTER_APRIL)

    assert drafted.closed.height == 0
    (reason,) = drafted.held_back.filter(reason_code="fault")["reason"].unique()
    assert reason == (
        "s1/2026-04-01: customer acme, charge seat, group {}: expected the currency EUR, found "
        "USD, in which it was billed in advance by s1/2026-03-01/flat/2026-04-01/seat/{}; correct "
        "the plan, or void that invoice"
    )


@pytest.mark.parametrize("column", ["subscription_id", "customer_id"])
def test_a_subscription_that_was_billed_in_advance_may_not_go(home: BookHome, column: str) -> None:
    files = catalog()
    run(home, files, START)
    other = with_row(files, "customers.csv", **files["customers.csv"][0] | {"customer_id": "beta"})
    edited = with_cells(other, "subscriptions.csv", **{column: "beta"})

    (problem,) = home.run(edited, AFTER_MARCH, []).refused

    found = "found none" if column == "subscription_id" else 'found "beta"'
    assert found.replace('"', "'") in problem.replace('"', "'")
    assert "was billed in advance by INV-000001" in problem
    home.void("s1/2026-03-01/advance", START)
    assert home.run(edited, AFTER_MARCH, [], is_checked=False).refused == ()


def test_the_document_has_the_terms_of_its_fees(home: BookHome) -> None:
    files = catalog()
    files["plans.csv"][1]["rounding"] = "half_even"
    changed = on_plan(files, "2026-04-01", "more")
    run(home, changed, AFTER_MARCH)

    found = home.lake.query(
        """
        SELECT invoice_id, price_digest, sha256(charge::VARCHAR) AS charge_digest FROM (
            SELECT invoice_id, price_digest, unnest(from_json(coalesce(
                json_extract(terms.canonical_json, '$.ahead.charges'),
                json_extract(terms.canonical_json, '$.charges')
            ), '["JSON"]')) AS charge
            FROM lake.invoices JOIN lake.terms USING (terms_digest)
            JOIN lake.invoice_lines USING (invoice_id)
        ) ORDER BY 1
        """
    )
    assert [(row[0], row[1] == row[2]) for row in found.iter_rows()] == [
        ("s1/2026-03-01", True),
        ("s1/2026-03-01/advance", True),
    ]
    closed_terms = home.lake.query(
        "SELECT periods.terms_digest = invoices.terms_digest FROM lake.closed_periods AS periods "
        "JOIN lake.invoices AS invoices USING (invoice_id)"
    )
    assert closed_terms.rows() == [(True,)]


def reissue(home: BookHome, files: Files, as_of: datetime, *invoices: str) -> None:
    assert home.run(files, as_of, [], is_checked=False, reissue=invoices).drafted is not None


def test_a_reissued_invoice_bears_the_fee_of_the_open_period_again(home: BookHome) -> None:
    files = catalog()
    run(home, files, AFTER_MARCH)
    twice = with_cells(files, "charges.csv", quantity="2")
    reissue(home, twice, AFTER_MARCH.replace(day=5), "s1/2026-03-01")
    run(home, twice, AFTER_APRIL)

    found = closed(home)
    assert found["s1/2026-03-01/r2"] == [
        ("flat", "seat", "2026-04-01", 30, Decimal(60)),
        ("adjustment", "seat", "2026-03-01", None, Decimal(30)),
    ]
    assert found["s1/2026-04-01"] == [("flat", "seat", "2026-05-01", 31, Decimal(60))]


def test_a_reissue_takes_no_fee_from_a_period_that_stays_closed(home: BookHome) -> None:
    files = catalog()
    run(home, files, AFTER_APRIL)
    twice = with_cells(files, "charges.csv", quantity="2")
    later = AFTER_APRIL.replace(day=5)

    with pytest.raises(MeterlineError, match=r"INV-000002 has fees .* closed by INV-000003"):
        reissue(home, twice, later, "s1/2026-03-01")

    reissue(home, twice, later, "s1/2026-03-01", "s1/2026-04-01")
    found = closed(home)
    assert found["s1/2026-03-01/r2"] == [
        ("flat", "seat", "2026-04-01", 30, Decimal(60)),
        ("adjustment", "seat", "2026-03-01", None, Decimal(30)),
    ]
    assert found["s1/2026-04-01/r2"] == [("flat", "seat", "2026-05-01", 31, Decimal(60))]


def test_status_lists_what_is_to_be_given_back(home: BookHome) -> None:
    run(home, catalog(), AFTER_MARCH)
    ended = catalog(end_date="2026-04-01")
    run(home, ended, AFTER_APRIL)

    # No period comes after March, so no invoice gives back the fee for April.
    (back,) = to_give_back(home.lake, read(ended), AFTER_APRIL)
    assert (back.amount, back.currency, back.customer_id) == ("30.00", "USD", "acme")
    assert (back.invoice_number, back.reason) == (
        "INV-000002", "seat was billed in advance, and the subscription ended before",
    )  # fmt: skip

    # In April it ends after all: its invoice gives back more than it bills.
    run(home, catalog(end_date="2026-04-16"), AFTER_APRIL.replace(day=2))
    (back,) = to_give_back(home.lake, read(ended), AFTER_APRIL)
    assert (back.amount, back.invoice_number) == ("15.00", "INV-000003")
    assert back.reason == "it gives back more than it bills"


def read(files: Files) -> Catalog:
    contents = file_bytes(files)
    return catalog_of(validated_tables(contents, frozenset(METRICS)), contents)


def test_the_page_of_prices_says_what_is_billed(home: BookHome) -> None:
    text = section(page("prices"), "A fee in advance")
    (rows,), (invoices,) = blocks(text, "csv"), blocks(text, "json")
    charges = csv.DictReader(rows.splitlines())
    files = catalog()
    files["charges.csv"] = [dict.fromkeys(files["charges.csv"][0], "") | row for row in charges]
    run(home, files, AFTER_MARCH)
    run(home, on_plan(files, "2026-04-16", "more"), AFTER_APRIL)

    names = ("kind", "from", "share_days", "amount")
    assert [
        {"invoice_id": invoice_id,
         "lines": [
             dict(zip(names, (kind, day, days, f"{amount.normalize():f}"), strict=True))
             for kind, _, day, days, amount in lines
         ]}
        for invoice_id, lines in closed(home).items()
    ] == json.loads(invoices)  # fmt: skip
