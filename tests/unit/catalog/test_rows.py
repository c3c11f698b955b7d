"""An ill-formed file, row or cell is refused by its place, with its value and what to do."""

from pathlib import Path

import pytest

from tests.worlds.catalogs import RIGHT, Edit, problems_of, read


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, ": the file is missing; add it", id="missing"),
        pytest.param(b"", ": the file is empty;", id="empty"),
        pytest.param(
            b"\xef\xbb\xbf" * 2 + b"plan_code,name,currency\n",
            ": the file starts with two byte order marks",
            id="two-byte-order-marks",
        ),
        pytest.param(
            b"plan_code,name,currency\nbasic,\xff,USD\n",
            ": the file is not UTF-8 in row 2;",
            id="latin-1",
        ),
        pytest.param(
            b"plan_code,name,currency\r\nbasic,Basic,USD\n",
            ": the file has line ends that programs read differently;",
            id="mixed-line-ends",
        ),
        pytest.param(
            b"plan_code,name,currency\rbasic,Basic,USD\r",
            ": the file has line ends that programs read differently;",
            id="lone-carriage-returns",
        ),
        pytest.param(
            b"plan_code,name\nbasic,Basic\n",
            ", row 1: the header lacks currency; write plan_code,name,currency in any order",
            id="missing-column",
        ),
        pytest.param(
            b"plan_code,name,currency,note\nbasic,Basic,USD,x\n",
            ", row 1: the header has the unknown column 'note'",
            id="unknown-column",
        ),
        pytest.param(
            b"plan_code,name,currency,name\nbasic,Basic,USD,Basic\n",
            ", row 1: the header has 'name' twice; write",
            id="column-twice",
        ),
        pytest.param(
            b'plan_code,"name" x,currency\nbasic,Basic,USD\n',
            ", row 1: is no CSV from here on: ",
            id="header-is-no-csv",
        ),
        pytest.param(
            b"\nplan_code,name,currency\n",
            ", row 1: the header lacks plan_code, name, currency; write",
            id="blank-line-first",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    # Charges and subscriptions name plans, but nobody can say that these are unknown.
    (found,) = problems_of(tmp_path, {**RIGHT, "plans.csv": content})

    assert found.startswith(f"plans.csv{problem}")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("", "row 3: is blank; remove the line", id="blank"),
        pytest.param("pro,Pro", "row 3: has 2 cells and the header 3;", id="short"),
        pytest.param("pro,Pro,USD,", "row 3: has 4 cells and the header 3;", id="long"),
        pytest.param("   ", "row 3: has 1 cell and the header 3;", id="spaces"),
        pytest.param('pro,"Pro" x,USD', "row 3: is no CSV from here on: ", id="stray-quote"),
        pytest.param('pro,"Pro,USD', "row 3: is no CSV from here on: ", id="open-quote"),
        pytest.param(
            ",Pro,USD", "row 3, column plan_code: is empty; write a value", id="empty-key"
        ),
        pytest.param("pro,,USD", "row 3, column name: is empty; write a value", id="empty-name"),
        pytest.param(
            "pro, Pro,USD", "row 3, column name: ' Pro' has spaces around it", id="spaced"
        ),
        pytest.param(
            'pro,"Pro\nfessional",USD',
            "row 3, column name: 'Pro\\nfessional' has control",
            id="newline",
        ),
        pytest.param("pro,P\x00ro,USD", "row 3", id="nul"),
        pytest.param("pro,NULL,USD", "row 3, column name: 'NULL' is ambiguous", id="null-word"),
        pytest.param("p/o,Pro,USD", "row 3, column plan_code: 'p/o' is no code", id="no-code"),
        pytest.param(f"pro,{'é' * 128},USD", "row 3, column name: ", id="over-255-bytes"),
    ],
)
def test_an_ill_formed_row_is_named_by_its_line(tmp_path: Path, line: str, problem: str) -> None:
    files = Edit("plans.csv", "basic,Basic,USD\n", f"basic,Basic,USD\n{line}\n").of(RIGHT)

    found = problems_of(tmp_path, files)

    assert found[0].startswith(f"plans.csv, {problem}")
    assert len(found) == 1


def test_the_line_counts_the_lines_of_quoted_cells(tmp_path: Path) -> None:
    files = Edit("plans.csv", "basic,Basic,USD\n", '"x","a\nb\nc",USD\nbasic,Basic,XXX\n').of(RIGHT)

    assert [problem.split(":")[0] for problem in problems_of(tmp_path, files)] == [
        "plans.csv, row 2, column name",
        "plans.csv, row 5, column currency",
    ]


@pytest.mark.parametrize(
    ("edit", "place", "reason"),
    [
        pytest.param(
            Edit("sources.csv", "cdn,metronome,,,,", "a/b,metronome,,,,"),
            "row 2, column source",
            "'a/b' can be no folder of the landing",
            id="source-with-a-slash",
        ),
        pytest.param(
            Edit("sources.csv", "cdn,metronome,,,,", "_cdn,metronome,,,,"),
            "row 2, column source",
            "'_cdn' can be no folder",
            id="source-like-an-unfinished-upload",
        ),
        pytest.param(
            Edit("sources.csv", "cdn,metronome", "cdn,chargebee"),
            "row 2, column dialect",
            "'chargebee' is no known dialect; write one of: cloudevents, custom, lago",
            id="unknown-dialect",
        ),
        pytest.param(
            Edit("sources.csv", "raw,metronome,,unlimited", "raw,metronome,,forever"),
            "row 5, column dedupe_window_days",
            "'forever' is no whole number from 1 to 36500",
            id="window-word",
        ),
        pytest.param(
            Edit("sources.csv", "raw,metronome,,unlimited", "raw,metronome,,0"),
            "row 5, column dedupe_window_days",
            "'0' is no whole number",
            id="window-of-nothing",
        ),
        pytest.param(
            Edit("sources.csv", ",30,48,", ",1.5,48,"),
            "row 3, column max_lateness_days",
            "'1.5' is no whole number",
            id="half-days",
        ),
        pytest.param(
            Edit("sources.csv", ",30,48,", ",30,-1,"),
            "row 3, column future_skew_hours",
            "'-1' is no whole number from 0",
            id="negative-skew",
        ),
        pytest.param(
            Edit("sources.csv", ",,path", ",,clock"),
            "row 2, column received_at_from",
            "'clock' is not known; write one of: last_modified, path",
            id="received-at-from-a-clock",
        ),
        pytest.param(
            Edit("customers.csv", ",USD,", ",usd,"),
            "row 2, column currency",
            "'usd' is not an active ISO 4217 currency",
            id="currency-in-lower-case",
        ),
        pytest.param(
            Edit("customers.csv", "America/New_York", "EST5EDT4"),
            "row 2, column time_zone",
            "'EST5EDT4' is no IANA time zone",
            id="unknown-zone",
        ),
        pytest.param(
            Edit("customers.csv", ",3,reject", ",-3,reject"),
            "row 2, column grace_period_days",
            "'-3' is no whole number from 0 to 36500",
            id="negative-grace",
        ),
        pytest.param(
            Edit("customers.csv", ",3,reject", ",,reject"),
            "row 2, column grace_period_days",
            "'' is no whole number",
            id="no-grace-written",
        ),
        pytest.param(
            Edit("customers.csv", ",0,adjust", ",0,ignore"),
            "row 3, column late_usage_policy",
            "'ignore' is not known",
            id="unknown-policy",
        ),
        pytest.param(
            Edit(
                "customer_aliases.csv", "web,zürich,2026-06-01T00:00:00Z", "web,zürich,2026-06-01"
            ),
            "row 3, column valid_from",
            "'2026-06-01' is not an RFC 3339 instant",
            id="date-for-an-instant",
        ),
        pytest.param(
            Edit("customer_aliases.csv", "2026-01-02T00:00:00.5Z", "2026-01-02T00:00:00"),
            "row 4, column valid_to",
            "'2026-01-02T00:00:00' is not an RFC 3339 instant with zone",
            id="instant-without-zone",
        ),
        pytest.param(
            Edit("plans.csv", "Basic,USD", "Basic,XAU"),
            "row 2, column currency",
            "'XAU' is not an active ISO 4217 currency",
            id="gold",
        ),
        pytest.param(
            Edit("charges.csv", "0.000000000000001", "0.0000000000000001"),
            "row 2, column unit_price",
            "'0.0000000000000001' has 1 digit before the point and 16",
            id="16-fraction-digits",
        ),
        pytest.param(
            Edit("charges.csv", "999999999999999.999999999999999", "1000000000000000"),
            "row 3, column unit_price",
            "'1000000000000000' has 16 digits before the point",
            id="16-integer-digits",
        ),
        *(
            pytest.param(
                Edit("charges.csv", "0.000000000000001", text),
                "row 2, column unit_price",
                f"'{text}' is no plain decimal of 0 or more",
                id=label,
            )
            for label, text in {
                "exponent": "1e-3",
                "negative": "-1",
                "plus-sign": "+1",
                "leading-zero": "01",
                "no-integer-part": ".5",
                "no-fraction-part": "1.",
                "arabic-digits": "١",
                "nan": "NaN",
                "underscore": "1_0",
            }.items()
        ),
        pytest.param(
            Edit("charges.csv", "region;status", "region;"),
            "row 2, column group_by",
            "'region;' has an empty name",
            id="empty-group",
        ),
        pytest.param(
            Edit("charges.csv", "region;status", "region; status"),
            "row 2, column group_by",
            "'region; status' has an empty name or spaces",
            id="spaced-group",
        ),
        pytest.param(
            Edit("charges.csv", "region;status", "region;region"),
            "row 2, column group_by",
            "'region;region' has a name twice",
            id="group-twice",
        ),
        pytest.param(
            Edit("charges.csv", "standard,0.000000000000001", "fixed,0.000000000000001"),
            "row 2, column charge_model",
            "'fixed' is not known; write one of: flat, graduated, graduated_percentage, matrix",
            id="unknown-charge-model",
        ),
        pytest.param(
            Edit("charges.csv", ",2026-02-01", ",2026-02-30"),
            "row 3, column valid_from",
            "'2026-02-30' is no date; there is no such day",
            id="no-day-of-the-calendar",
        ),
        pytest.param(
            Edit("charges.csv", ",2026-02-01", ",20260201"),
            "row 3, column valid_from",
            "'20260201' is no date",
            id="date-without-dashes",
        ),
        pytest.param(
            Edit("charges.csv", ",2026-02-01", ",0226-02-01"),
            "row 3, column valid_from",
            "0226-02-01 lies outside the years 1970 to 2999",
            id="mistyped-year",
        ),
        pytest.param(
            Edit("charge_tiers.csv", ",0.01,", ",,"),
            "row 2, column unit_price",
            "is empty; a tier of a graduated charge needs it",
            id="tier-without-price",
        ),
        pytest.param(
            Edit("subscriptions.csv", "basic,month,1", "basic,hour,1"),
            "row 2, column interval",
            "'hour' is not known; write one of: day, week, month",
            id="unknown-interval",
        ),
        pytest.param(
            Edit("subscriptions.csv", "basic,month,1", "basic,month,0"),
            "row 2, column interval_count",
            "'0' is no whole number from 1 to 999",
            id="no-interval",
        ),
        pytest.param(
            Edit("subscriptions.csv", "week,2,anniversary", "week,2,start"),
            "row 3, column anchor",
            "'start' is not known",
            id="unknown-anchor",
        ),
    ],
)
def test_an_ill_formed_cell_is_named_with_its_value(
    tmp_path: Path, edit: Edit, place: str, reason: str
) -> None:
    (found,) = problems_of(tmp_path, edit.of(RIGHT))

    assert found.startswith(f"{edit.file}, {place}: {reason}")


SOURCES_HEADER = RIGHT["sources.csv"].splitlines()[0]


@pytest.mark.parametrize(
    ("cells", "makes_customers"),
    [("yes", True), ("no", False), ("", False)],
)
def test_a_source_may_make_customers(cells: str, makes_customers: bool, tmp_path: Path) -> None:
    text = f"{SOURCES_HEADER},auto_customers\nraw,lago,,unlimited,,0,last_modified,{cells}\n"

    catalog = read(tmp_path, RIGHT | {"sources.csv": text})

    assert catalog.auto_customer_sources == (frozenset({"raw"} if makes_customers else ()))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            f"{SOURCES_HEADER},auto_customers\nraw,lago,,unlimited,,0,last_modified,YES\n",
            "sources.csv, row 2, column auto_customers: 'YES' is not known; write one of: yes, no",
            id="another word",
        ),
        pytest.param(
            f"{SOURCES_HEADER},auto_customers\nraw,lago,,unlimited,,0,last_modified\n",
            "sources.csv, row 2: has 7 cells and the header 8; write one per column, empty or not",
            id="a column without a cell",
        ),
        pytest.param(
            f"{SOURCES_HEADER.replace(',dialect', '')}\n",
            f"sources.csv, row 1: the header lacks dialect; write {SOURCES_HEADER} in any order, "
            "and of the columns that may be left out what you need",
            id="a column that must be there",
        ),
    ],
)
def test_a_column_that_may_be_left_out_is_read_as_strictly(
    text: str, problem: str, tmp_path: Path
) -> None:
    assert problem in problems_of(tmp_path, RIGHT | {"sources.csv": text})
