"""What somebody new writes wrong in a catalog, and the whole sentence that says so."""

from pathlib import Path

import pytest

from tests.worlds.catalogs import RIGHT, Edit, problems_of, read

SEMICOLONS = RIGHT["customers.csv"].replace("Acme, Inc.", "Acme").replace(",", ";")
TABS = RIGHT["customers.csv"].replace("Acme, Inc.", "Acme").replace(",", "\t")

TYPOS = {
    "a column that there is not": (
        Edit("plans.csv", "plan_code,name,currency", "plan_code,name,currency,colour"),
        "plans.csv, row 1: the header has the unknown column 'colour'; write plan_code,name,"
        "currency in any order, and of the columns that may be left out what you need",
    ),
    "a misspelt column": (
        Edit("plans.csv", "name,currency", "name,curency"),
        "plans.csv, row 1: the header lacks currency and has the unknown column 'curency' (meant "
        "is currency?); write plan_code,name,currency in any order, and of the columns that may be "
        "left out what you need",
    ),
    "a column left out": (
        Edit("customers.csv", ",late_usage_policy", ""),
        "customers.csv, row 1: the header lacks late_usage_policy; write customer_id,name,"
        "currency,time_zone,grace_period_days,late_usage_policy in any order, and of the columns "
        "that may be left out what you need",
    ),
    "a column twice": (
        Edit("customer_aliases.csv", "customer_id,valid_from", "customer_id,alias"),
        "customer_aliases.csv, row 1: the header lacks valid_from and has 'alias' twice; write "
        "alias,customer_id,valid_from,valid_to in any order",
    ),
    "semicolons in a row": (
        Edit("plans.csv", "basic,Basic,USD", "basic;Basic;USD"),
        "plans.csv, row 2: has 1 cell and the header 3: its cells are separated by semicolons; "
        "write commas between them",
    ),
    "a cell too few": (
        Edit("plans.csv", "local,Local currency,", "local,Local currency"),
        "plans.csv, row 3: has 2 cells and the header 3; write one per column, empty or not",
    ),
    "a name with a comma and no quotes": (
        Edit("customers.csv", '"Acme, Inc."', "Acme, Inc."),
        "customers.csv, row 2: has 7 cells and the header 6; write one per column, put a text "
        "with a comma in quotes, and write decimals with a point",
    ),
    "a price with a decimal comma": (
        Edit("charge_tiers.csv", "100.5,0.02,5", "100.5,0,02,5"),
        "charge_tiers.csv, row 3: has 8 cells and the header 7; write one per column, put a text "
        "with a comma in quotes, and write decimals with a point",
    ),
    "a space around a cell": (
        Edit("subscriptions.csv", "s2,acme", "s2, acme"),
        "subscriptions.csv, row 3, column customer_id: ' acme' has spaces around it; remove them",
    ),
    "a date of another country": (
        Edit("subscriptions.csv", "2026-03-01,\n", "01.03.2026,\n"),
        "subscriptions.csv, row 3, column start_date: '01.03.2026' is no date; write it like "
        "2026-01-31, or as an instant like 2026-01-31T13:45:00Z",
    ),
    "a day that there is not": (
        Edit("subscriptions.csv", "2026-03-01,\n", "2026-02-30,\n"),
        "subscriptions.csv, row 3, column start_date: '2026-02-30' is no date; there is no such "
        "day",
    ),
    "an alias from a local time": (
        Edit("customer_aliases.csv", "2026-06-01T00:00:00Z,", "2026-06-01,"),
        "customer_aliases.csv, row 3, column valid_from: '2026-06-01' is not an RFC 3339 instant "
        "with zone, like 2026-01-31T13:45:00Z",
    ),
    "an alias of two customers at once": (
        Edit("customer_aliases.csv", "web,zürich,2026-06-01", "web,zürich,2026-05-01"),
        "customer_aliases.csv, row 3, column valid_from: alias 'web' names 'zürich' from "
        "2026-05-01T00:00:00Z, while row 2 lets it name 'acme' until 2026-06-01T00:00:00Z; an "
        "alias names one customer at each instant, once",
    ),
    "a plan that there is not": (
        Edit("subscriptions.csv", "s3,acme,local", "s3,acme,locale"),
        "subscriptions.csv, row 4, column plan_code: 'locale' is not in plans.csv; add it there "
        "or correct it here",
    ),
    "a customer that there is not": (
        Edit("subscriptions.csv", "s2,acme", "s2,Acme"),
        "subscriptions.csv, row 3, column customer_id: 'Acme' is not in customers.csv; add it "
        "there or correct it here",
    ),
    "a metric that there is not": (
        Edit("charges.csv", "traffic,bytes", "traffic,byte"),
        "charges.csv, row 4, column metric_code: 'byte' is no billable metric; there are: bytes, "
        "requests, storage",
    ),
    "a charge model that there is not": (
        Edit("charges.csv", "requests,standard,0.00", "requests,fixed,0.00"),
        "charges.csv, row 2, column charge_model: 'fixed' is not known; write one of: flat, "
        "graduated, graduated_percentage, matrix, package, percentage, stairstep, standard, volume",
    ),
    "a negative price": (
        Edit("charges.csv", "standard,0.000000000000001", "standard,-0.01"),
        "charges.csv, row 2, column unit_price: '-0.01' is no plain decimal of 0 or more; write "
        "it like 0.0025, without sign, exponent or separators",
    ),
    "a price with a currency": (
        Edit("charges.csv", "standard,0.000000000000001", "standard,$0.01"),
        "charges.csv, row 2, column unit_price: '$0.01' is no plain decimal of 0 or more; write "
        "it like 0.0025, without sign, exponent or separators",
    ),
    "tiers with a gap": (
        Edit("charge_tiers.csv", "2025-01-01,100.5,", "2025-01-01,101,"),
        "charge_tiers.csv, row 2, column from_units: 101 is not where the tier before it ends "
        "(100.5, row 3); tiers join without gap or overlap",
    ),
    "tiers that overlap": (
        Edit("charge_tiers.csv", "2025-01-01,100.5,", "2025-01-01,100,"),
        "charge_tiers.csv, row 2, column from_units: 100 is not where the tier before it ends "
        "(100.5, row 3); tiers join without gap or overlap",
    ),
    "a last tier with an end": (
        Edit("charge_tiers.csv", "100.5,,0.01", "100.5,1000,0.01"),
        "charge_tiers.csv, row 2, column up_to_units: 1000 ends the last tier, and usage above it "
        "has no price; leave it empty",
    ),
    "a currency that there is not": (
        Edit("plans.csv", "Basic,USD", "Basic,DOLLAR"),
        "plans.csv, row 2, column currency: 'DOLLAR' is not an active ISO 4217 currency; write a "
        "code such as USD",
    ),
    "a time zone that there is not": (
        Edit("customers.csv", "Europe/Zurich", "Zurich"),
        "customers.csv, row 3, column time_zone: 'Zurich' is no IANA time zone; write a name such "
        "as Europe/Berlin or Etc/UTC",
    ),
    "an id twice": (
        Edit("subscriptions.csv", "s2,acme", "s1,acme"),
        "subscriptions.csv, row 3, column subscription_id: 's1' stands in row 2 already; keep one",
    ),
    "an interval in other words": (
        Edit("subscriptions.csv", "basic,month,1", "basic,monthly,1"),
        "subscriptions.csv, row 2, column interval: 'monthly' is not known; write one of: day, "
        "week, month, quarter, half_year, year",
    ),
    "days of grace with their unit": (
        Edit("customers.csv", ",3,reject", ",3 days,reject"),
        "customers.csv, row 2, column grace_period_days: '3 days' is no whole number from 0 to "
        "36500; correct it",
    ),
    "an end before the start": (
        Edit("subscriptions.csv", "2026-01-01,2026-03-01", "2026-01-01,2025-03-01"),
        "subscriptions.csv, row 2, column end_date: expected later than the start, 2026-01-01 "
        "00:00:00 local (2026-01-01T05:00:00Z), by the local clock and by instant, found "
        "2025-03-01 00:00:00 local (2025-03-01T05:00:00Z); correct one of them",
    ),
    "a dialect that there is not": (
        Edit("sources.csv", "cdn,metronome", "cdn,json"),
        "sources.csv, row 2, column dialect: 'json' is no known dialect; write one of: "
        "cloudevents, custom, lago, metronome, orb, segment, stripe, togai",
    ),
}


@pytest.mark.parametrize(("edit", "sentence"), TYPOS.values(), ids=TYPOS)
def test_a_typo_is_one_sentence_with_its_place_and_what_to_write(
    tmp_path: Path, edit: Edit, sentence: str
) -> None:
    assert problems_of(tmp_path, edit.of(RIGHT)) == [sentence]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(
            SEMICOLONS.encode(),
            "customers.csv: the cells are separated by semicolons; save the file with commas "
            "between them",
            id="semicolons",
        ),
        pytest.param(
            SEMICOLONS.replace("zürich", '"zürich"').encode(),
            "customers.csv: the cells are separated by semicolons; save the file with commas "
            "between them",
            id="semicolons and quotes",
        ),
        pytest.param(
            TABS.encode(),
            "customers.csv: the cells are separated by tabs; save the file with commas between "
            "them",
            id="tabs",
        ),
        pytest.param(
            TABS.encode("utf-16"),
            "customers.csv: the file is UTF-16, as some spreadsheets save it; save it as CSV in "
            "UTF-8",
            id="UTF-16",
        ),
        pytest.param(
            RIGHT["customers.csv"].encode("latin-1"),
            "customers.csv: the file is not UTF-8 in row 3; save it as UTF-8",
            id="Latin-1",
        ),
        pytest.param(
            None,
            "customers.csv: the file is missing; add it, with its header alone if it has no rows",
            id="missing",
        ),
    ],
)
def test_a_file_that_was_saved_otherwise_is_one_sentence(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    assert problems_of(tmp_path, {**RIGHT, "customers.csv": content}) == [sentence]


def test_a_byte_order_mark_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "marked").mkdir()
    marked = {name: b"\xef\xbb\xbf" + content.encode() for name, content in RIGHT.items()}

    plain, read_again = read(tmp_path / "plain"), read(tmp_path / "marked", marked)

    assert read_again.digest == plain.digest
    assert read_again.files == plain.files


def test_a_sender_without_received_at_from_is_dated_by_its_objects(tmp_path: Path) -> None:
    files = Edit(
        "sources.csv", "raw,metronome,,unlimited,,0,last_modified", "raw,metronome,,unlimited,,0,"
    )

    assert read(tmp_path, files.of(RIGHT)).sources["received_at_from"].to_list() == [
        "path",
        *["last_modified"] * 3,
    ]
