"""What a plan comes to over metered history equals what the witness works out, group by group."""

import json
import random
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from pipelines.operations import plan_prices
from pipelines.operations.metered_history import MeteredHistory
from pipelines.operations.plan_prices import Version, bill_of
from pipelines.preview.fields import Fields, Members
from pipelines.preview.json_cases import read_cases
from pipelines.preview.price_cases import read_price_case
from pipelines.vocabulary.money import exact_decimal
from tests.worlds.histories import history, period, plan, used
from tests.worlds.price_cases import Case
from tests.worlds.random_prices import BILLED_MAX, is_beyond, random_price_case
from witness.prices import price_answer

SEEDS = range(700)
ZONES = (None, "", "z1", "z2")


def asked(seed: int) -> Case | None:
    """A random case that marts can hold: of totals, before discounts; None: it is of others."""
    case = random_price_case(random.Random(seed))  # noqa: S311
    for name in ("discounts", "already_billed", "is_final"):
        case.pop(name, None)
    is_once = case["charge"].get("billed") == "once"
    if is_once or {"events", "buckets"} & case.keys():
        return None
    if groups := case.get("groups"):
        case["charge"]["group_by"] = sorted(groups[0]["group"])
    return case


def billed_groups(case: Case) -> Case:
    """The case as the witness takes it: groups below 0 have no line."""
    if "groups" not in case:
        return case
    sums = defaultdict[tuple[str, ...], list[Any]](lambda: [Fraction(0), 0])
    names, missing = case["charge"]["group_by"], case["charge"].get("missing_dimension")
    for row in case["groups"]:
        group = tuple(row["group"][name] or missing for name in names)
        sums[group][0] += Fraction(row["quantity"])
        sums[group][1] += row.get("event_count", 0)
    groups = [
        {"group": dict(zip(names, group, strict=True)), "event_count": count}
        | {"quantity": str(exact_decimal(quantity, 18))}
        for group, (quantity, count) in sums.items()
        if quantity >= 0
    ]
    return case | {"groups": groups}


def usage_of(case: Case, invoice_id: str, dice: random.Random) -> list[dict[str, Any]]:
    """Usage by one more property than the charge has, which adds up to that of the case."""
    rows = []
    whole = {"group": {}, "quantity": case.get("quantity", "0")}
    whole |= {"event_count": case.get("event_count") or 0}
    for row in case.get("groups") or [whole]:
        left = Fraction(row["quantity"])
        zones = dice.sample(ZONES, dice.randint(1, len(ZONES)))
        for zone in zones[1:]:
            half = Fraction(int(left * 10**18) // 2, 10**18)
            part = dice.choice([half, left, Fraction(1, 10**18), -left, Fraction(0)])
            if abs(left - part) < BILLED_MAX:
                left -= part
                rows.append((row["group"], zone, part, 0))
        rows.append((row["group"], zones[0], left, row.get("event_count", 0)))
    return [
        used(str(exact_decimal(part, 18)), count, of=invoice_id, metric=invoice_id, zone=zone,
             **group)
        for group, zone, part, count in rows
    ]  # fmt: skip


@pytest.fixture(scope="module")
def world() -> tuple[dict[str, Case], list[Version], MeteredHistory]:
    """Cases by invoice; the price of each is negotiated for its subscription alone."""
    cases, versions = dict[str, Case](), list[Version]()
    periods, usage = list[dict[str, Any]](), list[dict[str, Any]]()
    for seed in SEEDS:
        if (case := asked(seed)) is None:
            continue
        invoice_id, share = f"m{seed}", case.get("share") or {"days": 1, "of": 1}
        (members,) = read_cases(json.dumps(case), by_line=True)
        assert isinstance(members, Members)
        read = read_price_case(Fields(members))
        assert read is not None
        own: dict[str, Any] = {"subscription_id": invoice_id, "charge_code": invoice_id}
        own |= {"metric_code": invoice_id} if case["charge"]["charge_model"] != "flat" else {}
        versions.append(Version(replace(read.charge, **own), read.tiers, read.cells))
        cases[invoice_id] = case
        currency = case.get("currency", "USD")
        periods.append(
            period(invoice_id, subscription_id=invoice_id, customer_currency=currency,
                   service_days=share["days"], full_days=share["of"])
        )  # fmt: skip
        if case["charge"]["charge_model"] != "flat":
            usage += usage_of(case, invoice_id, random.Random(seed))  # noqa: S311
    return cases, versions, history(*usage, periods=periods)


@pytest.mark.parametrize("rounding", ["half_away", "half_even"])
def test_amounts_are_those_of_the_witness(
    rounding: str, world: tuple[dict[str, Case], list[Version], MeteredHistory]
) -> None:
    cases, versions, metered = world

    bill = bill_of(versions, metered, plan(rounding=rounding))

    compared = set()
    for invoice_id, case in cases.items():
        result = price_answer(billed_groups(case) | {"rounding": rounding})
        if is_beyond(result):
            continue
        assert invoice_id not in bill.faults, case
        assert bill.amounts[invoice_id] == Fraction(result["amount"]), case
        compared.add(case["charge"]["charge_model"])
    assert len(compared) == 9
    assert len(bill.faults) < len(cases) / 10


def test_how_many_are_rated_at_once_changes_nothing(
    world: tuple[dict[str, Case], list[Version], MeteredHistory], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, versions, metered = world
    whole = bill_of(versions[:40], metered, plan())

    monkeypatch.setattr(plan_prices, "_LINES_AT_ONCE", 40)

    assert bill_of(versions[:40], metered, plan()) == whole
