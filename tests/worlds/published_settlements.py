"""Worked examples of discounts, taxes and credits that vendors publish, as settlements.

Only examples that these decide are here. Where our rule differs from the vendor's, or the page has
to be read in one way of several, `rule` says so, and what is expected is what ours comes to.
"""

from typing import Any

from tests.worlds.published_prices import Published
from tests.worlds.settle_cases import Row, block, line, off, percent, settle_case, tax

LAGO = "https://getlago.com/changelog/nvoice-calculation-method"
FLEXPRICE = "github:flexprice/flexprice-docs@d7a86376:docs/invoices/calculation.mdx"
METRONOME = (
    "github:Metronome-Industries/ai:skills/metronome-plg-billing/references/worked-examples.md"
)
UNIBEE = "https://docs.unibee.dev/documentation/invoices/invoice-computation"

CREDITS_AFTER_TAX = (
    "credits come after tax, against the total; the vendor's first recipe took them off the net, "
    "so it had a net of 30, a tax of 3 and a total of 33"
)
COUPONS_AS_DISCOUNTS = "what the vendor takes off before tax is a discount, also its credit of 30"
COUPONS_AS_CREDITS = "what the vendor takes off after tax is a block of credit, also its coupon"
TO_EVEN = "the page rounds 0.725 to 0.72: half_even; by half_away the tax is 0.73"


def _published(
    example: str, vendor: str, page: str, what: str, *lines: Row, rule: str = "", expected: Row,
    **fields: Any,
) -> Published:  # fmt: skip
    case = settle_case(*lines, **fields)
    return Published(example, vendor, page, what, case, expected, rule)


_LAGO = (line("50", "flat"), line("20"))

PUBLISHED_SETTLEMENTS = (
    _published(
        "ex010", "lago", LAGO, "70 with a coupon of 10 and credits of 30, tax 10 %", *_LAGO,
        rule=CREDITS_AFTER_TAX, discounts=[off("10")], taxes=[tax("10")], credits=[block("30")],
        expected={"subtotal": "70", "net": "60", "tax": "6", "total": "66", "amount_due": "36"},
    ),
    _published(
        "ex010, as discounts", "lago", LAGO, "the same, both before tax", *_LAGO,
        rule=COUPONS_AS_DISCOUNTS, discounts=[off("10"), off("30")], taxes=[tax("10")],
        expected={"net": "30", "tax": "3", "total": "33"},
    ),
    _published(
        "ex011", "lago", LAGO, "the same, both after tax", *_LAGO, rule=COUPONS_AS_CREDITS,
        taxes=[tax("10")], credits=[block("10", "coupon"), block("30", "credits")],
        expected={"subtotal": "70", "tax": "7", "total": "77", "amount_due": "37"},
    ),
    _published(
        "ex070", "metronome", METRONOME, "a subscription of 20, two models, and a credit of 20",
        line("20", "flat"), line("150", charge_code="gpt4"), line("200", charge_code="gpt35"),
        credits=[block("20")], expected={"total": "370", "amount_due": "350"},
    ),
    _published(
        "ex093", "flexprice", FLEXPRICE,
        "25 % off usage, 10 off the invoice, tax 8.25 %, 5 from the wallet",
        line("80", charge_code="usage"), line("20", "flat"), taxes=[tax("8.25")],
        discounts=[percent("25", "usage"), off("10")], credits=[block("5", "wallet")],
        expected={"net": "70", "tax": "5.78", "amount_due": "70.78"},
    ),
    _published(
        "ex094", "flexprice", FLEXPRICE, "100 less 10 % twice", line("100"),
        discounts=[percent("10"), percent("10")], expected={"net": "81"},
    ),
    _published(
        "ex096", "flexprice", FLEXPRICE, "50 less 30 twice", line("50"), taxes=[tax("8.25")],
        discounts=[off("30"), off("30")],
        expected={"net": "0", "tax": "0", "amount_due": "0", "credit_note": "0"},
    ),
    _published(
        "ex119", "unibee", UNIBEE, "29 less 14.50, tax 5 %", line("29"), rule=TO_EVEN,
        rounding="half_even", discounts=[off("14.50")], taxes=[tax("5")],
        expected={"tax": "0.72", "total": "15.22"},
    ),
)  # fmt: skip
