"""The examples of `docs/marts.md` run on the marts of the sample."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import REPOSITORY
from tests.worlds.sample_runs import sample_run

PAGE = (REPOSITORY / "docs" / "marts.md").read_text()


def blocks(language: str) -> list[str]:
    """The code of each block of the page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def rows(table: str) -> list[tuple[Any, ...]]:
    """What the page's query of a mart gives."""
    (query,) = (block for block in blocks("sql") if f"\nfrom {table}\n" in block)
    return sample_run().home.rows(query)


def total(query: str) -> Any:
    ((found,),) = sample_run().home.rows(query)
    return found


@pytest.mark.parametrize("block", blocks("python"), ids=["Polars", "pandas"])
def test_an_exact_reading_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".meterline").symlink_to(sample_run().home.folder)
    monkeypatch.chdir(tmp_path)

    names: dict[str, Any] = {}
    exec(compile(block, "docs/marts.md", "exec"), names)  # noqa: S102 -- our own page

    read = names["lines"]["amount"] if "lines" in names else names["table"]["amount"].to_pylist()
    exact = total("SELECT sum(amount) FROM fct_invoice_lines")
    assert sum(read, Decimal(0)) == exact > 0


def test_a_float_would_not_be_exact() -> None:
    amount = Decimal("0.100000000000001")

    assert Decimal(float(amount)) != amount


def test_lines_of_finalized_invoices_have_names_and_local_dates() -> None:
    found = rows("fct_invoice_lines")

    assert len(found) == total(
        "SELECT sum(line_count) FROM fct_invoices WHERE status = 'finalized'"
    )
    # A fee has no unit.
    assert [row[3] for row in found if None in row] == ["support"]
    assert found[0][:7] == (
        "INV-000001", "Script Labs", "Edge Labs", "egress", date(2015, 5, 17), date(2015, 5, 18),
        1,
    )  # fmt: skip


def answers() -> list[list[str]]:
    """The rows of the table that the page has as an answer."""
    table = PAGE.partition("| charge | first day")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.split("\n")[2:]]


def test_a_line_says_what_was_counted_at_which_price_for_which_days() -> None:
    found = rows("fct_invoice_lines as lines")

    assert {(group, currency) for _, group, *_, currency in found} == {("{}", "JPY")}
    assert [share_days for _, _, _, _, share_days, *_ in found] == [None, None, 30]
    shown = [
        [charge, str(first), str(last), str(events), f"{quantity:f}", price, exactly, f"{amount:f}"]
        for charge, _, first, last, _, events, quantity, _, price, exactly, amount, _ in found
    ]
    assert [[each.rstrip("0").rstrip(".") if "." in each else each for each in row]
            for row in shown] == answers()  # fmt: skip


def test_days_earn_what_lines_come_to() -> None:
    found = rows("fct_revenue_by_day")

    for currency in {row[2] for row in found}:
        earned = sum(revenue for _, revenue, each in found if each == currency)
        assert earned == total(
            "SELECT sum(net_amount) FROM fct_invoice_lines "
            f"WHERE status = 'finalized' AND currency = '{currency}'"
        )
    fee = [
        revenue
        for (revenue,) in sample_run().home.rows(
            "SELECT revenue_amount FROM fct_revenue_by_day "
            "WHERE invoice_number = 'INV-000006' AND kind = 'flat' ORDER BY local_date"
        )
    ]
    assert fee == [*[104] * 10, *[103] * 20]


def test_what_did_not_earn_is_all_in_one_query() -> None:
    found = rows("rpt_unbilled_usage")

    assert sum(row[4] for row in found) == total("SELECT sum(event_count) FROM rpt_unbilled_usage")
    assert {row[0] for row in found} >= {"not_charged", "missing_property", "unattributed"}
    assert all(None not in (row[2], row[3], row[4], row[7], row[8], row[9]) for row in found)


def test_what_was_refused_or_waits_is_all_in_one_query() -> None:
    found = rows("fct_event_states")

    assert sum(row[3] or 0 for row in found) == total(
        "SELECT sum(event_count) FROM fct_event_states WHERE state <> 'processed'"
    )
    assert {row[0] for row in found} == {"unprocessed"}
    assert all(row[1] and row[2] and row[5] for row in found)


def test_published_marts_say_what_their_columns_mean() -> None:
    comments = (
        "SELECT count(*) FROM duckdb_columns() WHERE database_name = current_database() "
        "AND NOT internal AND comment IS NULL"
    )
    assert total(comments) == 0
    assert sample_run().home.rows(
        "SELECT comment FROM duckdb_columns() "
        "WHERE table_name = 'fct_invoice_lines' AND column_name = 'quantity'"
    ) == [("Exact, in the metric's `unit`.",)]
    assert total("SELECT comment FROM duckdb_tables() WHERE table_name = 'dim_plans'") == (
        "One row per plan of the catalog; key `plan_code`."
    )
