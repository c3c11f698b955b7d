"""Random price cases as bills of a catalog: every line is what the witness says."""

import json
import random
from fractions import Fraction
from typing import Any

from tests.worlds.price_cases import Case
from tests.worlds.priced_bills import as_billed, billed, group_key
from tests.worlds.random_prices import is_beyond, random_price_case
from witness.amounts import exact_text
from witness.expressions import half_away
from witness.prices import price_answer

SEEDS = range(20_000, 20_700)


def test_a_bill_is_what_the_witness_says_to_the_last_digit() -> None:
    cases = [as_billed(random_price_case(random.Random(seed))) for seed in SEEDS]  # noqa: S311
    known = dict(zip(SEEDS, cases, strict=True))

    lines, faults = billed([*known.values()])

    beyond = set()
    for place, (seed, case) in enumerate(known.items()):
        expected = price_answer(case)
        if is_beyond(expected):
            beyond.add(place)
            continue
        assert [_line(line) for line in lines[place]] == [
            _expected(line) for line in _in_order(expected["lines"]) if _has_line(case, line)
        ], seed
    assert set(faults) == beyond
    assert 0 < len(beyond) < len(known) // 20
    kinds = {line["kind"] for found in lines.values() for line in found}
    assert kinds == {"usage", "flat", "maximum", "minimum", "overage", "true_up"}


def _has_line(case: Case, line: Case) -> bool:
    """A fee in advance that comes to nothing has none."""
    is_ahead = line["kind"] == "flat" and case["charge"].get("invoiced_in") == "advance"
    return not is_ahead or Fraction(line["amount"]) != 0


def _in_order(lines: list[Case]) -> list[Case]:
    """Groups of an invoice are in order of their JSON."""
    usage = [line for line in lines if line["kind"] == "usage"]
    others = [line for line in lines if line["kind"] != "usage"]
    return sorted(usage, key=lambda line: group_key(line["group"])) + others


def _expected(line: Case) -> dict[str, Any]:
    billed_quantity = line["billed_quantity"]
    return {
        "kind": line["kind"],
        "group_key": group_key(line["group"]),
        "event_count": line["event_count"],
        "quantity": line["quantity"],
        "billed_quantity": None
        if billed_quantity is None
        else exact_text(half_away(Fraction(billed_quantity), 18)),
        "unit_price": line["unit_price"],
        "amount_unrounded": line["amount_unrounded"],
        "amount": line["amount"],
        "tiers": [
            {name: tier[name] for name in sorted(tier) if name != "amount_unrounded"}
            | {"amount": tier["amount_unrounded"]}
            for tier in line["tiers"]
        ],
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": line["kind"],
        "group_key": line["group_key"],
        "event_count": line["event_count"],
        **{
            name: None if line[name] is None else exact_text(Fraction(line[name]))
            for name in ("quantity", "billed_quantity", "unit_price")
        },
        "amount_unrounded": line["amount_unrounded"],
        "amount": exact_text(Fraction(line["amount"])),
        "tiers": [
            {**tier, "packages": None if tier["packages"] is None else str(tier["packages"])}
            for tier in json.loads(line["tiers"])
        ],
    }
