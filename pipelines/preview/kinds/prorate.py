"""`prorate`: amounts for shares of local days."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from pipelines.catalog.cells import one_of
from pipelines.periods.days import with_days
from pipelines.periods.lives import NOTHING_CLOSED, WHEN, resolved, when_cell
from pipelines.periods.proration import Share
from pipelines.preview.faults import CaseError, Code, Fault
from pipelines.preview.fields import Fields, When
from pipelines.preview.kinds.kind import Key, Kind, Result
from pipelines.vocabulary.money import (
    HALF_AWAY,
    ROUNDINGS,
    exact_decimal,
    minor_unit_digits,
    plain_decimal,
    round_fraction,
)

_SHARE_DIGITS = 18
"""Fraction digits of a quotient that does not end."""

_BOUNDS = ("service_start", "service_end", "full_start", "full_end")


Row = dict[str, Any]
"""A part with the labels and the instants of its bounds, service_days and full_days."""


@dataclass(frozen=True)
class _Part:
    """An amount, the span it is owed for, and the full span it is the price of.

    Attributes:
        is_changed: another phase takes over the day on which the service ends.
        credit_left: the most that a credit may come to; None: no bound.
    """

    amount: Decimal
    bounds: tuple[When | None, ...]
    is_changed: bool
    credit_left: Decimal | None


@dataclass(frozen=True)
class _Case:
    parts: list[_Part]
    digits: int
    time_zone: str
    rounding: str


def _read(fields: Fields) -> _Case:
    fields.require("parts")
    currency = fields.currency()
    rounding = str(fields.text("rounding", one_of(*ROUNDINGS), HALF_AWAY))
    zone = fields.time_zone()
    parts = [_read_part(part) for part in fields.rows("parts")]
    return _Case(parts, minor_unit_digits(currency), zone, rounding)


def _read_part(part: Fields) -> _Part:
    part.require("amount", "service", "full")
    amount = part.decimal("amount")
    service, full = part.inner("service"), part.inner("full")
    spans = [(span, span.when("start"), span.when("end")) for span in (service, full)]
    for span, _, _ in spans:
        if span.members:
            span.require("start", "end")
    ends = service.text("ends", one_of("change"))
    left = None
    if part.has("credited_from"):
        given = part.inner("credited_from")
        given.require("billed", "credited")
        billed, credited = given.decimal("billed"), given.decimal("credited")
        left = max(Decimal(0), (billed or Decimal(0)) - (credited or Decimal(0)))
        given.close()
        if amount is not None and amount > 0:
            part.note(
                Code.CONTRADICTION,
                "credited_from",
                f"expected a negative amount, found {amount}; leave it out, or write a credit",
            )
    for each in (service, full, part):
        each.close()
    bounds = tuple(bound for _, start, end in spans for bound in (start, end))
    return _Part(amount or Decimal(0), bounds, ends is not None, left)


def _answer(cases: Mapping[Key, _Case]) -> dict[Key, Result | CaseError]:
    rows = _days(cases)
    return {key: _result(case, rows.get(key, [])) for key, case in cases.items()}


def _days(cases: Mapping[Key, _Case]) -> dict[Key, list[Row]]:
    """The rows of the parts of each case, with labels, instants, service_days and full_days."""
    parts = [
        {
            "key": key,
            "subscription_id": f"{key}/{place}",
            "time_zone": case.time_zone,
            "ends_life": not part.is_changed,
            **{name: when_cell(bound) for name, bound in zip(_BOUNDS, part.bounds, strict=True)},
        }
        for key, case in cases.items()
        for place, part in enumerate(case.parts)
    ]
    schema = pl.Schema(
        {
            "key": pl.Int64(),
            "subscription_id": pl.String(),
            "time_zone": pl.String(),
            "ends_life": pl.Boolean(),
            **dict.fromkeys(_BOUNDS, WHEN),
        }
    )
    frame = resolved(pl.DataFrame(parts, schema), NOTHING_CLOSED, *_BOUNDS)
    off = pl.DataFrame(schema={"subscription_id": pl.String, "off_from": pl.Date,
                               "off_to": pl.Date})  # fmt: skip
    counted = with_days(
        frame.with_columns(
            period_start_label="service_start_label", period_end_label="service_end_label"
        ),
        off,
    )
    found: dict[Key, list[Row]] = {}
    for row in counted.iter_rows(named=True):
        found.setdefault(row["key"], []).append(row)
    return found


def _result(case: _Case, rows: list[Row]) -> Result | CaseError:
    faults = [fault for place, row in enumerate(rows) for fault in _faults(place, row)]
    if faults:
        return CaseError(faults)
    shares = [_share(row) for row in rows]
    amounts = [_amount(part, share, case) for part, share in zip(case.parts, shares, strict=True)]
    total = sum((share.fraction for share in shares), start=Fraction(0))
    return {
        "parts": [
            {
                "days": share.days,
                "of": share.of,
                "amount_unrounded": plain_decimal(
                    exact_decimal(share.amount_of(part.amount), _SHARE_DIGITS)
                ),
                "amount": plain_decimal(amount),
            }
            for part, share, amount in zip(case.parts, shares, amounts, strict=True)
        ],
        "net": plain_decimal(sum(amounts, start=Decimal(0))),
        "share": plain_decimal(round_fraction(total, _SHARE_DIGITS)),
    }


def _faults(place: int, row: Row) -> list[Fault]:
    found = []
    for name, least in (("service", "the start or later"), ("full", "later than the start")):
        start, end = row[f"{name}_start_at"], row[f"{name}_end_at"]
        is_wrong = end < start if name == "service" else end <= start
        if is_wrong:
            found.append(
                Fault(Code.CONTRADICTION, f"parts[{place}].{name}.end",
                      f"expected {least}, found an end before or at it; correct one of them",
                      "parts", place, f"{name}.end")
            )  # fmt: skip
        elif name == "full" and row["full_days"] == 0:
            found.append(
                Fault(Code.CONTRADICTION, f"parts[{place}].full",
                      "holds no local day, so nothing is a share of it; write whole periods",
                      "parts", place, "full")
            )  # fmt: skip
    return found


def _share(row: Row) -> Share:
    is_no_time = row["service_start_at"] == row["service_end_at"]
    return Share(0 if is_no_time else row["service_days"], row["full_days"])


def _amount(part: _Part, share: Share, case: _Case) -> Decimal:
    """The rounded amount; a credit is at most what is left, in whole minor units."""
    amount = round_fraction(share.amount_of(part.amount), case.digits, case.rounding)
    if part.credit_left is None:
        return amount
    left = part.credit_left.quantize(Decimal((0, (1,), -case.digits)), rounding=ROUND_DOWN)
    return max(amount, -left)


KIND = Kind("prorate", _read, _answer)
