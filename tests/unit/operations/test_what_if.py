"""What a new metric would have counted, from a small home: compared with counts by hand."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.home import Home
from pipelines.operations import what_if as module
from pipelines.operations.what_if import Period, Unmetered, read_period, what_if
from pipelines.vocabulary.errors import MeterlineError
from tests.worlds.file_lines import object_line
from tests.worlds.homes import copied_catalog
from tests.worlds.made_once import made_once
from tests.worlds.taken_in import drop, home_with_landing, take_in, usage

SUM = "aggregation='sum', value='bytes', group_by=['section']"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-03", date(2026, 3, 1), date(2026, 4, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 3, 1)),
        ("2026-03-31..2026-04-01", date(2026, 3, 31), date(2026, 4, 1)),
        ("1970-01", date(1970, 1, 1), date(1970, 2, 1)),
        ("2999-12", date(2999, 12, 1), date(3000, 1, 1)),
        ("2999-12-31..3000-01-01", date(2999, 12, 31), date(3000, 1, 1)),
    ],
)
def test_a_period_is_a_month_a_day_or_days(text: str, start: date, end: date) -> None:
    assert read_period(text) == Period(start, end)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-3", "2026-13", "2026-00", "2026-02-29", "20260301", "2026-W10-1", "..",
     "2026-03..2026-04", "2026-03-01..", "2026-03-01...2026-03-02", "٢٠٢٦-03", "2026-03-01T00:00Z",
     "1969-12", "3000-01", "2999-12-31..3000-01-02", "9999-12", "9999-12-31", " 2026-03"],
)  # fmt: skip
def test_any_other_period_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(MeterlineError, match=r"expected a month like 2026-03, .*correct --period"):
        read_period(text)


@pytest.mark.parametrize("text", ["2026-03-01..2026-03-01", "2026-03-02..2026-03-01"])
def test_an_empty_period_is_refused(text: str) -> None:
    with pytest.raises(MeterlineError, match=r"is not after its start.*correct --period"):
        read_period(text)


def sent(key: str, when: str, size: str | None = "1", **others: object) -> bytes:
    properties = {"section": "a"} | ({} if size is None else {"bytes": size})
    return usage(key, timestamp=f"2015-05-{when}Z", properties=properties, **others)


def _take_in(folder: Path) -> None:
    home = home_with_landing(folder / "home")
    drop(
        home,
        11,
        "a",
        # Kuwait is three hours ahead of UTC: its 16 May begins at 21:00 of the 15th.
        sent("before", "15T20:59:59.999999", "100")
        + sent("first", "15T21:00:00", "1")
        + sent("last", "16T20:59:59.999999", "2")
        + sent("after", "16T21:00:00", "400")
        + sent("by alias", "16T01:00:00", "4", customer_id="root")
        + sent("of another", "16T01:00:00", "800", customer_id="blog")
        + sent("of no name", "16T01:00:00", "800", event_type="other")
        + sent("wrong", "16T02:00:00", "x")
        + sent("without", "16T02:00:00", None)
        + sent("wrong again", "16T02:00:00", "y"),
    )
    drop(
        home,
        12,
        "b",
        sent("gone", "16T03:00:00", "1000")
        + sent("a void", "16T03:00:00", amendment="void", target_key="gone")
        + sent("old", "16T03:00:00", "2000")
        + sent("newer", "16T03:00:00", "4000", amendment="amend", target_key="old")
        + sent("newest", "16T03:00:00", "8", amendment="amend", target_key="old")
        + sent("moved away", "16T03:00:00", "8000")
        + sent("moved", "17T03:00:00", "8000", amendment="amend", target_key="moved away")
        + sent("came", "12T03:00:00", "8000")
        + sent("moved here", "16T03:00:00", "16", amendment="amend", target_key="came")
        + sent("waiting", "16T03:00:00", "16000", amendment="amend", target_key="nothing"),
    )
    take_in(home)


@pytest.fixture(scope="module")
def home() -> Home:
    return home_with_landing(made_once("what-if", _take_in) / "home")


def ask(home: Home, folder: Path, options: str, period: str = "2015-05-16") -> module.WhatIf:
    file = folder / "metric_new.sql"
    file.write_text(
        "{{ billable_metric(metric_code='new', description='d', event_name='http_request', "
        f"unit='byte', {options}) }}}}"
    )
    return what_if(home.settings, file, "www", period)


def test_the_latest_versions_of_a_local_day_are_counted_under_every_name(
    home: Home, tmp_path: Path
) -> None:
    found = ask(home, tmp_path, SUM)

    assert found.answer() == {
        "id": "new",
        "kind": "aggregate",
        "ok": True,
        "result": {
            "groups": [
                {
                    "group": {"section": "a"},
                    "quantity": "31",
                    "billed_quantity": "31",
                    "event_count": 5,
                    "first_occurred_at": "2015-05-15T21:00:00Z",
                    "last_occurred_at": "2015-05-16T20:59:59.999999Z",
                }
            ],
            "unmetered": [
                {
                    "index": index,
                    "reason": reason,
                    "path": "cdn_logs/2015/05/17/11/a.ndjson",
                    "line": line,
                }
                for index, reason, line in [
                    (3, "not_a_number", 8),
                    (4, "missing_property", 9),
                    (5, "not_a_number", 10),
                ]
            ],
            "windows": [],
        },
        "warnings": [],
        "metric_code": "new",
        "unit": "byte",
        "customer_id": "www",
        "period": {
            "start": "2015-05-15T21:00:00Z",
            "end": "2015-05-16T21:00:00Z",
            "time_zone": "Asia/Kuwait",
        },
        "batch_id": 1,
    }
    assert found.unmetered == [
        Unmetered("not_a_number", 2, "cdn_logs/2015/05/17/11/a.ndjson:8"),
        Unmetered("missing_property", 1, "cdn_logs/2015/05/17/11/a.ndjson:9"),
    ]


def quantity(found: module.WhatIf) -> Any:
    (group,) = found.result["groups"]
    return group["quantity"]


def test_a_recurring_metric_takes_the_time_before(home: Home, tmp_path: Path) -> None:
    latest = "aggregation='latest', value='bytes', recurring={}"

    assert quantity(ask(home, tmp_path, latest.format("true"), "2015-05-18")) == "8000"
    assert quantity(ask(home, tmp_path, latest.format("false"), "2015-05-18")) is None


def test_events_of_every_name_may_be_counted(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "metric_all.sql"
    file.write_text(
        "{{ billable_metric(metric_code='all', description='d', event_name=none, unit='event', "
        "aggregation='count') }}"
    )

    # The eight of `http_request`, of which three have no number, and one of `other`.
    assert quantity(what_if(home.settings, file, "www", "2015-05-16")) == "9"


def test_a_subscription_is_its_customers(tmp_path: Path) -> None:
    catalog = copied_catalog(tmp_path / "catalog")
    sources = catalog / "sources.csv"
    sources.write_text(sources.read_text().replace("metronome", "lago"))
    given = home_with_landing(tmp_path / "home")
    home = Home(given.settings.model_copy(update={"catalog": catalog}))
    lines = [
        {"transaction_id": str(place), "external_subscription_id": subscription,
         "code": "http_request", "timestamp": "2015-05-16T10:00:00Z",
         "properties": {"bytes": 2**place, "section": "a"}}
        for place, subscription in enumerate(["sub-www", "sub-blog", "sub-www-trial", "sub-none"])
    ]  # fmt: skip
    drop(home, 11, "a", b"".join(object_line(line) + b"\n" for line in lines))
    take_in(home)

    assert quantity(ask(home, tmp_path, SUM)) == "5"


def test_nothing_is_written(home: Home, tmp_path: Path) -> None:
    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in home.settings.home.rglob("*.parquet")}

    before, catalog = state(), home.settings.lake_catalog.read_bytes()
    ask(home, tmp_path, SUM)

    assert before
    assert state() == before
    assert home.settings.lake_catalog.read_bytes() == catalog
    assert not (home.settings.home / "published").exists()


def test_more_events_than_preview_takes_are_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVENTS_MAX", 8)
    assert quantity(ask(home, tmp_path, SUM)) == "31"

    monkeypatch.setattr(module, "EVENTS_MAX", 7)
    with pytest.raises(MeterlineError, match=r"the period has more than 7 events of www.*shorter"):
        ask(home, tmp_path, SUM)
    with pytest.raises(MeterlineError, match=r"as the metric is recurring, all time before it"):
        ask(home, tmp_path, "aggregation='latest', value='bytes', recurring=true")


def test_an_unknown_customer_and_a_home_without_a_lake_are_told(tmp_path: Path, home: Home) -> None:
    file = tmp_path / "metric_new.sql"
    ask(home, tmp_path, SUM)
    with pytest.raises(MeterlineError, match=r"no customer root in customers.csv; name one of its"):
        what_if(home.settings, file, "root", "2015-05")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MeterlineError, match=r"there is no lake at .*; run `meterline run` first"):
        what_if(home_with_landing(tmp_path / "empty" / "home").settings, file, "www", "2015-05")


def test_a_quantity_that_no_bill_can_hold_names_file_and_customer(
    home: Home, tmp_path: Path
) -> None:
    many = "aggregation='sum', value='0 * bytes + 99999999999999999999'"

    with pytest.raises(MeterlineError, match=r"metric_new.sql, customer www: .*larger units"):
        ask(home, tmp_path, many, "2015-05")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("select * from read_text('{target}')", "expected one call of billable_metric"),
        ("copy (select 1) to '{target}'", "expected one call of billable_metric"),
        ("{% set x = run_query(\"copy (select 1) to '{target}'\") %}{call}", "found assign"),
        ("{call} union all select * from read_text('{target}')", "other text: union all select"),
        ("{call}{call}", "found 2 calls"),
        ("{{ billable_metric(metric_code='m', value=open('{target}')) }}", "value: expected"),
    ],
)  # fmt: skip
def test_sql_and_calls_beside_the_metric_are_refused(
    home: Home, tmp_path: Path, text: str, sentence: str
) -> None:
    target = tmp_path / "target"
    about = "metric_code='new', description='d', event_name='e', unit='u'"
    call = f"{{{{ billable_metric({about}, {SUM}) }}}}"
    file = tmp_path / "metric_new.sql"
    file.write_text(text.replace("{target}", str(target)).replace("{call}", call))

    with pytest.raises(MeterlineError) as caught:
        what_if(home.settings, file, "www", "2015-05-16")

    assert str(caught.value).startswith(f"{file}: ")
    assert sentence in str(caught.value)
    assert not target.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("value=\"read_text('/etc/passwd')\"", "expected one of the functions round, ceil"),
        ("value='(select 1)'", "expected a sign such as + before it at character 9, found 1"),
        ("value='bytes; drop table x'", "a sign or a function at character 6, found ;"),
        (f"value='{'(' * 600}bytes{')' * 600}'", "at most 500 brackets and signs"),
    ],
)  # fmt: skip
def test_an_expression_is_no_sql(home: Home, tmp_path: Path, options: str, sentence: str) -> None:
    with pytest.raises(MeterlineError) as caught:
        ask(home, tmp_path, f"aggregation='sum', {options}")

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(f"value='{' + '.join(['bytes'] * 1000)}'", "31000", id="a thousand terms"),
        pytest.param(f"value='{'(' * 200}bytes{')' * 200}'", "31", id="brackets"),
        pytest.param("value='bytes', group_by=" + str([f"p{n}" for n in range(200)]), "31",
                     id="200 properties"),
        pytest.param("value='bytes', exclude=[{\"x') from read_text('/etc/passwd') --\": ['1']}]",
                     "31", id="name that is SQL"),
        pytest.param("value='bytes', filters={'{{ 1 }}{% raw %}\\n': {'exists': false}}", "31",
                     id="name that is a template"),
    ],
)  # fmt: skip
def test_what_is_long_or_odd_is_counted(
    home: Home, tmp_path: Path, options: str, expected: str
) -> None:
    assert quantity(ask(home, tmp_path, f"aggregation='sum', {options}")) == expected


def test_a_division_by_0_has_no_number(home: Home, tmp_path: Path) -> None:
    found = ask(home, tmp_path, "aggregation='sum', value='1 / (bytes - bytes)'")

    assert found.result["groups"][0]["event_count"] == 0
    assert {each.reason for each in found.unmetered} == {"not_a_number", "missing_property"}
