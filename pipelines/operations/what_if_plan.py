"""What-if of a plan: what metered history would have come to under another plan.

Usage and bills are those of one published generation, amounts are worked out by the SQL that bills,
and nothing is written.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.tables.plans import Plan
from pipelines.home import Home
from pipelines.operations.metered_history import MeteredHistory, read_history
from pipelines.operations.plan_prices import PlanBill, bill_of, currencies, versions_of
from pipelines.operations.what_if import require_customer
from pipelines.settings import Settings
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.money import exact_sum, plain_decimal


@dataclass(frozen=True)
class PricedPeriod:
    """A billing period under both plans; amounts are before discounts, taxes and credits.

    Attributes:
        customer_id: whose it is.
        invoice_id: of its invoice or draft.
        status: of that: `finalized`, `draft`, or `unnumbered` where it came to 0.
        period_start_date: its first local day.
        currency: of what was billed.
        billed: what the invoice or draft has. None: it has a fault.
        would_be: what the plan comes to, in its currency. None: it cannot be said.
        would_be_currency: the plan's.
        difference: would_be less billed; None where either is, or in two currencies.
        note: a sentence on why there is no difference; None where there is one.
    """

    customer_id: str
    invoice_id: str
    status: str
    period_start_date: str
    currency: str
    billed: str | None
    would_be: str | None
    would_be_currency: str
    difference: str | None
    note: str | None


@dataclass(frozen=True)
class PlanTotal:
    """All periods of one currency that have a difference."""

    currency: str
    periods: int
    billed: str
    would_be: str
    difference: str


@dataclass(frozen=True)
class LeftOut:
    """Events of a metric that the plan would not bill, by reason as in `rpt_unbilled_usage`."""

    reason: str
    metric_code: str
    event_count: int


@dataclass(frozen=True)
class PlanWhatIf:
    """What metered history would have come to under a plan.

    Attributes:
        plan_code: of the plan.
        generation: id of the published generation that was read.
        as_of: the instant it speaks for, RFC 3339.
        invoices: by customer, start and subscription.
        totals: by currency.
        left_out: what the plan would not bill.
        warnings: what may surprise, a sentence each.
    """

    plan_code: str
    generation: str
    as_of: str
    invoices: list[PricedPeriod]
    totals: list[PlanTotal]
    left_out: list[LeftOut]
    warnings: list[str]


def read_first_day(text: str) -> date:
    """A local day such as 2026-03-01.

    Raises:
        MeterlineError: the text is none.
    """
    try:
        day = date.fromisoformat(text)
        if day.isoformat() != text:
            raise ValueError(text)
    except ValueError:
        raise MeterlineError(
            f"expected a day like 2026-03-01, found {text}; correct --from"
        ) from None
    return day


def what_if_plan(
    settings: Settings, plan_code: str, customer_id: str | None, from_text: str | None
) -> PlanWhatIf:
    """What the metered periods of a home would have come to under a plan of the catalog.

    Args:
        settings: of the home.
        plan_code: of the catalog as it is now, which may have plans that nobody is on.
        customer_id: whose periods. None: everybody's.
        from_text: only periods that begin on this local day or later. None: all.

    Raises:
        MeterlineError: nothing is published, there is no such plan or customer, or a charge of the
            plan prices what the published marts do not hold.
    """
    log = logging.getLogger("meterline")
    first_day = None if from_text is None else read_first_day(from_text)
    home = Home(settings)
    catalog = home.catalog()
    plan = _plan(catalog, plan_code)
    if customer_id is not None:
        require_customer(catalog, customer_id)
    generation = home.published_generation()
    log.info("reading the usage of generation %s", generation.generation_id)
    with home.marts() as marts:
        history = read_history(marts, customer_id, first_day)
    log.info("pricing %s", counted(history.periods.height, "period"))
    bill = bill_of(versions_of(catalog.tables, plan_code), history, plan)
    periods = list(_priced(history, bill, plan))
    return PlanWhatIf(
        plan_code=plan_code,
        generation=generation.generation_id,
        as_of=f"{generation.as_of:%Y-%m-%dT%H:%M:%SZ}",
        invoices=periods,
        totals=_totals(periods),
        left_out=[
            LeftOut(reason, metric_code, count)
            for (metric_code, reason), count in sorted(bill.left_out.items())
            if count
        ],
        warnings=list(_warnings(history, bill)),
    )


def _plan(catalog: Catalog, plan_code: str) -> Plan:
    plans = list(catalog.tables[Plan].where(pl.col("plan_code") == plan_code))
    if not plans:
        codes = ", ".join(sorted(catalog.frame(Plan)["plan_code"]))
        raise MeterlineError(f"there is no plan {plan_code} in plans.csv, which has: {codes}")
    if plans[0].minimum_amount is not None or plans[0].maximum_amount is not None:
        raise MeterlineError(
            f"plan {plan_code} has a minimum_amount or maximum_amount, which what-if does not "
            "price; leave them empty in a copy of the catalog, and name that in METERLINE_CATALOG"
        )
    return plans[0]


def _priced(history: MeteredHistory, bill: PlanBill, plan: Plan) -> Iterator[PricedPeriod]:
    periods = history.periods
    rows = periods.with_columns(plan_currency=currencies(periods, plan)).iter_rows(named=True)
    for row in rows:
        invoice_id, billed, currency = row["invoice_id"], row["billed"], row["plan_currency"]
        would_be = None if invoice_id in bill.faults else bill.amounts.get(invoice_id)
        difference = note = None
        if invoice_id in bill.faults:
            note = bill.faults[invoice_id]
        elif would_be is None:
            note = f"no price of {plan.plan_code} is in force on {row['period_start_date']}"
        elif billed is None:
            note = row["fault"]
        elif currency != row["currency"]:
            note = f"billed in {row['currency']}, and {plan.plan_code} bills in {currency}"
        else:
            difference = exact_sum((would_be, billed.copy_negate()))
        yield PricedPeriod(
            customer_id=row["customer_id"],
            invoice_id=invoice_id,
            status=row["status"],
            period_start_date=str(row["period_start_date"]),
            currency=row["currency"],
            billed=_text(billed),
            would_be=_text(would_be),
            would_be_currency=currency,
            difference=_text(difference),
            note=note,
        )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain_decimal(amount)


def _totals(periods: Sequence[PricedPeriod]) -> list[PlanTotal]:
    by_currency = defaultdict[str, list[PricedPeriod]](list)
    for period in periods:
        if period.difference is not None:
            by_currency[period.currency].append(period)
    return [
        PlanTotal(
            currency,
            len(found),
            *(
                plain_decimal(exact_sum(Decimal(getattr(each, name)) for each in found))
                for name in ("billed", "would_be", "difference")
            ),
        )
        for currency, found in sorted(by_currency.items())
    ]


def _warnings(history: MeteredHistory, bill: PlanBill) -> Iterator[str]:
    if drafts := history.periods.filter(pl.col("status") == "draft").height:
        yield f"{counted(drafts, 'period is a draft', 'periods are drafts')}, and may still change"
    if history.voided:
        one, many = "period is left out: its invoice is", "periods are left out: their invoices are"
        yield f"{counted(history.voided, one, many)} void"
    used = set(history.usage["metric_code"])
    for metric_code in sorted(bill.metric_codes - used):
        yield (
            f"no usage of {metric_code} is metered in these periods, so its charges cost what "
            "they cost without usage"
        )
    for charge_code in sorted(bill.totals_priced):
        yield (
            f"charge {charge_code} is a percentage, and is priced by totals of periods; a bill "
            "takes an event below 0 as 0"
        )
