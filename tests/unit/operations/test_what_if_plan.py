"""What a plan would have cost over the history of a home, from marts that are written by hand."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.operations.what_if_plan import (
    LeftOut,
    PlanTotal,
    PlanWhatIf,
    PricedPeriod,
    read_first_day,
    what_if_plan,
)
from pipelines.settings import Settings
from pipelines.vocabulary.errors import CatalogError, MeterlineError
from tests.worlds.homes import copied_catalog
from tests.worlds.marts import publish_marts

MARTS = (
    "CREATE TABLE dim_customers AS FROM (VALUES ('blog', 'EUR'), ('labs', 'EUR'), ('www', 'KWD')) "
    "AS customers(customer_id, currency)",
    "CREATE TABLE dim_billable_metrics AS FROM (VALUES ('requests', true), ('egress_bytes', true)) "
    "AS metrics(metric_code, is_additive)",
    # A label's day begins earlier in UTC: www is in Kuwait.
    """
    CREATE TABLE dim_billing_periods AS FROM (VALUES
        ('labs', 'sub-labs', 1, 'l1', DATE '2015-05-17', TIMESTAMPTZ '2015-05-17 00:00:00+00'),
        ('labs', 'sub-labs', 2, 'l2', DATE '2015-05-18', TIMESTAMPTZ '2015-05-18 00:00:00+00'),
        ('labs', 'sub-labs', 3, 'l3', DATE '2015-05-19', TIMESTAMPTZ '2015-05-19 00:00:00+00'),
        ('blog', 'sub-blog', 1, 'b1', DATE '2015-05-18', TIMESTAMPTZ '2015-05-17 22:00:00+00'),
        ('www', 'sub-www', 1, 'w1', DATE '2015-05-19', TIMESTAMPTZ '2015-05-18 21:00:00+00'),
        ('www', 'sub-www', 2, 'w2', DATE '2015-05-26', TIMESTAMPTZ '2015-05-25 21:00:00+00')
    ) AS periods(
        customer_id, subscription_id, period_index, invoice_id, period_start_date, period_start_at
    ), (SELECT 7::INTEGER AS service_days, 7::INTEGER AS full_days)
    """,
    # Before discounts, taxes and credits: 9.99 is what is due in the end.
    """
    CREATE TABLE fct_invoices AS SELECT * REPLACE (subtotal_amount::DECIMAL(38, 15) AS
        subtotal_amount), 9.99 AS amount_due FROM (VALUES
        ('l1', 'finalized', 'EUR', 2.5, NULL), ('l2', 'void', 'EUR', 7, NULL),
        ('l3', 'draft', 'EUR', 0.1, NULL), ('b1', 'unnumbered', 'EUR', 0, NULL),
        ('w1', 'finalized', 'KWD', 12.345, NULL), ('w2', 'draft', 'KWD', NULL, 'w2: too much')
    ) AS invoices(invoice_id, status, currency, subtotal_amount, fault)
    """,
    """
    CREATE TABLE fct_metered_usage AS SELECT * REPLACE (quantity::DECIMAL(38, 18) AS quantity)
    FROM (VALUES
        ('l1', 'requests', '{"method":"GET","status":"200"}', 3, 3::BIGINT, 0::BIGINT),
        ('l1', 'requests', '{"method":"PUT","status":"200"}', 1, 1, 0),
        ('l2', 'requests', '{"method":"GET","status":"200"}', 1000, 1000, 0),
        ('l3', 'requests', '{"method":"GET","status":"404"}', 1, 1, 9),
        ('w1', 'requests', '{"method":null,"status":"200"}', 100, 100, 0),
        ('w1', 'egress_bytes', '{"section":"a","status":"200"}', 5000000, 7, 0)
    ) AS used(invoice_id, metric_code, group_key, quantity, event_count, late_count)
    """,
    "CREATE TABLE fct_invoice_lines AS SELECT '' AS invoice_id, '' AS metric_code, '' AS "
    "charge_code, '{}' AS group_key, 0::DECIMAL(38, 18) AS quantity, 0::BIGINT AS event_count, "
    "'usage' AS kind WHERE false",
)

CHARGES = """\
plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from,flat_at_zero
new,calls,requests,standard,0.125,,2015-05-18,
new,calls,requests,standard,0.5,,2015-05-01,
grouped,calls,requests,standard,0.5,method,2015-05-01,
late,calls,requests,standard,0.5,,2015-05-19,
euro,calls,requests,standard,0.5,,2015-05-01,
both,calls,requests,standard,0.5,,2015-05-01,
both,bytes,egress_bytes,standard,0.000001,,2015-05-01,
"""
PLANS = "new,New,\ngrouped,Grouped,\nlate,Late,\neuro,Euro,EUR\nboth,Both,\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with these marts, and a catalog with plans that nobody is on."""
    catalog = copied_catalog(tmp_path / "catalog")
    with (catalog / "plans.csv").open("a") as plans:
        plans.write(PLANS)
    header = (catalog / "charges.csv").read_text().partition("\n")[0]
    known = CHARGES.partition("\n")[0]
    assert header.startswith(known)
    lacking = "," * (header.count(",") - known.count(","))
    with (catalog / "charges.csv").open("a") as charges:
        charges.writelines(f"{row}{lacking}\n" for row in CHARGES.splitlines()[1:])
    publish_marts(tmp_path / "home", *MARTS)
    return Settings(home=tmp_path / "home", catalog=catalog, landing=str(tmp_path))


def ask(
    settings: Settings, plan: str, customer: str | None = None, first_day: str | None = None
) -> PlanWhatIf:
    return what_if_plan(settings, plan, customer, first_day)


def amounts(found: PlanWhatIf) -> dict[str, tuple[str | None, str | None, str | None]]:
    return {each.invoice_id: (each.billed, each.would_be, each.difference)
            for each in found.invoices}  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "2026-3-1", "2026-13-01", "20260301", "2026-02-30", "2026-03", "2026-W10-1"]
)
def test_a_first_day_is_a_day(text: str) -> None:
    assert read_first_day("2026-02-28") == date(2026, 2, 28)
    with pytest.raises(MeterlineError, match=r"expected a day like 2026-03-01.*correct --from"):
        read_first_day(text)


def test_each_period_is_priced_by_the_version_of_its_first_day(settings: Settings) -> None:
    found = ask(settings, "new")

    assert found.invoices[0] == PricedPeriod(
        customer_id="blog",
        invoice_id="b1",
        status="unnumbered",
        period_start_date="2015-05-18",
        currency="EUR",
        billed="0",
        would_be="0",
        would_be_currency="EUR",
        difference="0",
        note=None,
    )
    # 4 × 0.5; 1 × 0.125; 100 × 0.125; w2 cannot be compared.
    assert amounts(found) == {
        "b1": ("0", "0", "0"),
        "l1": ("2.5", "2", "-0.5"),
        "l3": ("0.1", "0.13", "0.03"),
        "w1": ("12.345", "12.5", "0.155"),
        "w2": (None, "0", None),
    }
    assert found.totals == [
        PlanTotal("EUR", 3, "2.6", "2.13", "-0.47"),
        PlanTotal("KWD", 1, "12.345", "12.5", "0.155"),
    ]
    assert [each.note for each in found.invoices if each.note] == ["w2: too much"]
    assert found.left_out == [LeftOut("not_charged", "egress_bytes", 7)]
    assert found.warnings == [
        "2 periods are drafts, and may still change",
        "1 period is left out: its invoice is void",
    ]
    assert (found.plan_code, found.as_of) == ("new", "2026-03-10T12:00:00Z")
    assert found.generation.startswith("000001-")


@pytest.mark.parametrize(
    ("customer", "first_day", "expected"),
    [
        (None, None, ["b1", "l1", "l3", "w1", "w2"]),
        ("labs", None, ["l1", "l3"]),
        ("labs", "2015-05-17", ["l1", "l3"]),
        ("labs", "2015-05-18", ["l3"]),
        # The local day counts: this period begins on the 18th in UTC.
        (None, "2015-05-19", ["l3", "w1", "w2"]),
        (None, "2015-05-20", ["w2"]),
        ("images", None, []),
        (None, "2015-05-27", []),
    ],
)
def test_customer_and_first_day_narrow_it(
    settings: Settings, customer: str | None, first_day: str | None, expected: list[str]
) -> None:
    found = ask(settings, "both", customer, first_day)

    assert [each.invoice_id for each in found.invoices] == expected
    # A period that was left out before is no longer the first, and is priced alike.
    whole = amounts(ask(settings, "both"))
    assert amounts(found) == {name: whole[name] for name in expected}


def test_several_charges_add_up(settings: Settings) -> None:
    # 100 × 0.5 and 5,000,000 × 0.000001.
    assert amounts(ask(settings, "both"))["w1"] == ("12.345", "55", "42.655")


def test_a_period_without_a_price_is_told_and_not_0(settings: Settings) -> None:
    found = ask(settings, "late")

    assert amounts(found)["l1"] == ("2.5", None, None)
    assert amounts(found)["l3"] == ("0.1", "0.5", "0.4")
    notes = {each.invoice_id: each.note for each in found.invoices}
    assert notes["l1"] == "no price of late is in force on 2015-05-17"
    assert found.totals[0].periods == 1


def test_another_currency_is_told_and_not_compared(settings: Settings) -> None:
    found = ask(settings, "euro")

    assert amounts(found)["w1"] == ("12.345", "50", None)
    (priced,) = [each for each in found.invoices if each.invoice_id == "w1"]
    assert (priced.currency, priced.would_be_currency) == ("KWD", "EUR")
    assert priced.note == "billed in KWD, and euro bills in EUR"
    assert [total.currency for total in found.totals] == ["EUR"]


def test_what_lacks_a_property_is_on_no_line(settings: Settings) -> None:
    found = ask(settings, "grouped")

    assert amounts(found)["w1"] == ("12.345", "0", "-12.345")
    assert found.left_out == [
        LeftOut("not_charged", "egress_bytes", 7),
        LeftOut("missing_dimension", "requests", 100),
    ]


def test_a_metric_without_usage_is_told(settings: Settings) -> None:
    found = ask(settings, "both", "labs", "2015-05-19")

    assert found.warnings == [
        "1 period is a draft, and may still change",
        "no usage of egress_bytes is metered in these periods, so its charges cost what they cost "
        "without usage",
    ]


def test_an_unknown_plan_or_customer_is_refused_with_what_there_is(settings: Settings) -> None:
    with pytest.raises(MeterlineError, match=r"no plan other in plans.csv, which has: both, bulk-"):
        ask(settings, "other")
    with pytest.raises(MeterlineError, match=r"no customer web in customers.csv; name one of its"):
        ask(settings, "new", "web")


def test_without_marts_a_run_is_asked_for(settings: Settings, tmp_path: Path) -> None:
    empty = settings.model_copy(update={"home": tmp_path / "nothing"})

    with pytest.raises(MeterlineError, match="nothing is published yet: `meterline run`"):
        ask(empty, "new")
    assert not (tmp_path / "nothing").exists()


def test_marts_of_an_earlier_version_are_refused(settings: Settings, tmp_path: Path) -> None:
    older = "CREATE TABLE dim_billable_metrics AS SELECT 'requests' AS metric_code"
    publish_marts(tmp_path / "older", MARTS[0], older, *MARTS[2:])

    with pytest.raises(MeterlineError, match=r"an earlier version published .*publish` first"):
        ask(settings.model_copy(update={"home": tmp_path / "older"}), "new")


def test_a_plan_with_bounds_is_refused(settings: Settings) -> None:
    plans = settings.catalog / "plans.csv"
    header, *rows = plans.read_text().splitlines()
    bounded = [f"{row},{'100' if row.startswith('new') else ''}" for row in rows]
    plans.write_text("\n".join([f"{header},minimum_amount", *bounded, ""]))

    # Until bills know the column, the catalog itself refuses it.
    with pytest.raises((MeterlineError, CatalogError), match="minimum_amount"):
        ask(settings, "new")


def test_nothing_is_written(settings: Settings) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in settings.home.rglob("*") if path.is_file()}

    before = files()
    ask(settings, "new")

    assert files() == before
