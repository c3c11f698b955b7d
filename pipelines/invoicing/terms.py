"""Terms: all that the bill of a period needs, as a canonical JSON text that its digest names.

They are made when the period closes. So an edit of the catalog never changes those of a closed
period.

1. `PriceBook` holds the rows of the catalog and the definitions of its metrics, as JSON values.
2. `TermsOfPeriods` writes each row once. Charges in force are put together once for each plan and
   day, and for each subscription that has prices of its own.
3. `TermsOfPeriods.of` joins these texts to the terms of a period.
4. `Terms.with_ahead` adds the fees in advance of the period after it that its invoice has.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import polars as pl

from pipelines.invoicing.document_values import canonical_json, sha256_of
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.money import minor_unit_digits

RECIPE: Final = 1
"""The rules by which new invoices are rated. A recipe that has shipped is never changed."""

TERMS_FORMAT: Final = 1
"""The layout of new terms."""

SETTLING_KINDS = ("unused_advance", "adjustment")
"""Kinds of lines that settle what another document billed, by its terms."""

JsonRow = Mapping[str, Any]
"""A row of the catalog by column: texts, whole numbers, flags, nulls, and lists of texts."""

PeriodKey = tuple[str, datetime]
"""A period: its subscription, and its first instant."""


@dataclass(frozen=True)
class PriceBook:
    """What terms are made of.

    Attributes:
        customers: rows of customers.csv; at least those of the periods.
        plans: rows of plans.csv.
        charges: rows of charges.csv, with the columns of their model alone.
        tiers: rows of charge_tiers.csv.
        cells: rows of charge_cells.csv.
        discounts: rows of discounts.csv.
        taxes: rows of taxes.csv.
        commitments: rows of commitments.csv.
        metrics: definitions, by metric code.
    """

    customers: Sequence[JsonRow]
    plans: Sequence[JsonRow]
    charges: Sequence[JsonRow]
    tiers: Sequence[JsonRow] = ()
    cells: Sequence[JsonRow] = ()
    discounts: Sequence[JsonRow] = ()
    taxes: Sequence[JsonRow] = ()
    commitments: Sequence[JsonRow] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """The terms of a period.

    Attributes:
        members: the canonical text of each member. Periods share most of them, so that terms of
            many periods take little memory.
        digest: SHA-256 (hex) of the text.
        price_digests: SHA-256 (hex) of the charge's member of the text, by charge code and first
            day of the price version.
        rounding: how the plan rounds a line that lies half way.
        ahead_from: first instant of the period after it, if fees in advance of that are there.
        digests_ahead: the same as `price_digests`, of these fees.
        rounding_ahead: the same as `rounding`, of their plan.
    """

    members: Mapping[str, str]
    digest: str
    price_digests: Mapping[tuple[str, date], str]
    rounding: str
    ahead_from: datetime | None = None
    digests_ahead: Mapping[tuple[str, date], str] = field(default_factory=dict)
    rounding_ahead: str | None = None

    @property
    def text(self) -> str:
        """The terms as canonical JSON."""
        return _object(self.members)

    @property
    def roundings(self) -> tuple[str, ...]:
        """How lines of the invoice are rounded."""
        return tuple(filter(None, (self.rounding, self.rounding_ahead)))

    def with_ahead(self, after: "Terms", ahead_from: datetime, codes: Collection[str]) -> "Terms":
        """These terms with the fees in advance that the invoice of the period has.

        Args:
            after: the terms of the period after it.
            ahead_from: the first instant of that period.
            codes: the charges of these fees.
        """
        all_charges = json.loads(after.members["charges"])
        charges = [each for each in all_charges if each["charge_code"] in codes]
        ahead = {"charges": canonical_json(charges)}
        ahead |= {name: after.members[name] for name in ("plan", "share")}
        members = {**self.members, "ahead": _object(ahead)}
        digests = {key: digest for key, digest in after.price_digests.items() if key[0] in codes}
        return replace(
            self,
            members=members,
            digest=sha256_of(_object(members)),
            ahead_from=ahead_from,
            digests_ahead=digests,
            rounding_ahead=after.rounding,
        )

    def price_digest(self, line: Mapping[str, Any]) -> str | None:
        """The digest of the price of a line; None: what it settles has a price of other terms.

        Args:
            line: needs `line_id`, `kind`, `charge_code`, `price_valid_from` and
                `service_start_at`.

        Raises:
            InvariantError: the terms have no such price.
        """
        is_ahead = self.ahead_from is not None and line["service_start_at"] == self.ahead_from
        digests = self.digests_ahead if is_ahead else self.price_digests
        price = line["charge_code"], line["price_valid_from"]
        try:
            return digests[price]
        except KeyError:
            if line["kind"] in SETTLING_KINDS:
                return None
            found = ", ".join(f"{code} of {day}" for code, day in digests) or "none"
            raise InvariantError(
                f"{line['line_id']}: expected the terms to have charge {price[0]} with the price "
                f"of {price[1]}, found {found}"
            ) from None


def terms_of_periods(periods: pl.DataFrame, book: PriceBook) -> dict[PeriodKey, Terms]:
    """The terms of each period.

    Args:
        periods: needs subscription_id, customer_id, plan_code, currency, period_start_at,
            period_start_date, period_end_label, service_days and full_days.
        book: what the terms are made of.

    Raises:
        InvariantError: a customer, plan or metric of a period is not in the book.
    """
    terms = _TermsOfPeriods(book)
    return {
        (period["subscription_id"], period["period_start_at"]): terms.of(period)
        for period in periods.iter_rows(named=True)
    }


@dataclass(frozen=True)
class _Charge:
    """A price version: its place in time, its text in the terms, and what it refers to."""

    charge_code: str
    valid_from: date
    text: str
    digest: str
    metric_code: str | None
    tax_codes: Sequence[str]


@dataclass(frozen=True)
class _InForce:
    """The charges of a plan that price a period, and what they refer to."""

    text: str
    metrics: str
    price_digests: Mapping[tuple[str, date], str]
    tax_codes: frozenset[str]


_VERSION = ("plan_code", "charge_code", "subscription_id", "valid_from")
"""Columns that name a price version; tiers and cells need not repeat them."""

_OWNERS = ("customer_id", "subscription_id", "plan_code")


class _TermsOfPeriods:
    """Makes terms; what periods have in common is written once."""

    def __init__(self, book: PriceBook) -> None:
        self._metrics = book.metrics
        self._customers: Mapping[str, tuple[str, frozenset[str]]] = {
            row["customer_id"]: (canonical_json(row), frozenset(row["tax_codes"]))
            for row in book.customers
        }
        self._plans = {row["plan_code"]: canonical_json(row) for row in book.plans}
        self._roundings = {row["plan_code"]: row["rounding"] for row in book.plans}
        # The plan's own charges have no subscription.
        self._charges = defaultdict[tuple[str, str | None], list[_Charge]](list)
        for charge in _with_prices(book):
            owner = charge["plan_code"], charge["subscription_id"]
            self._charges[owner].append(_charge(charge))
        self._discounts = defaultdict[tuple[str, str], list[JsonRow]](list)
        for discount in book.discounts:
            for column in _OWNERS:
                if discount[column] is not None:
                    self._discounts[column, discount[column]].append(discount)
        self._taxes = sorted(book.taxes, key=lambda row: (row["tax_code"], row["valid_from"]))
        self._commitments = defaultdict[str, list[JsonRow]](list)
        for commitment in sorted(book.commitments, key=lambda row: row["commitment_id"]):
            self._commitments[commitment["subscription_id"]].append(commitment)
        self._in_force = lru_cache(maxsize=None)(self._uncached_in_force)
        self._taxes_text = lru_cache(maxsize=None)(self._uncached_taxes_text)

    def of(self, period: Mapping[str, Any]) -> Terms:
        """The terms of a period."""
        subscription_id, plan_code = period["subscription_id"], period["plan_code"]
        own = subscription_id if (plan_code, subscription_id) in self._charges else None
        charges = self._in_force(plan_code, own, period["period_start_date"])
        customer, tax_codes = self._known(self._customers, "customer", period["customer_id"])
        members = {
            "charges": charges.text,
            "commitments": self._commitments_text(period),
            "currency": canonical_json(period["currency"]),
            "customer": customer,
            "discounts": self._discounts_text(period),
            "format": str(TERMS_FORMAT),
            "metrics": charges.metrics,
            "minor_unit_digits": str(minor_unit_digits(period["currency"])),
            "plan": self._known(self._plans, "plan", plan_code),
            "recipe": str(RECIPE),
            "share": _object({name: str(period[name]) for name in ("service_days", "full_days")}),
            "taxes": self._taxes_text(charges.tax_codes | tax_codes),
        }
        digest = sha256_of(_object(members))
        return Terms(members, digest, charges.price_digests, self._roundings[plan_code])

    def _uncached_in_force(self, plan_code: str, own: str | None, day: date) -> _InForce:
        """The version of each charge that is in force on the day; an own one goes first."""
        owners = (None,) if own is None else (None, own)
        newest = {
            charge.charge_code: charge
            for owner in owners
            for charge in sorted(
                self._charges.get((plan_code, owner), ()), key=lambda each: each.valid_from
            )
            if charge.valid_from <= day
        }
        charges = [newest[code] for code in sorted(newest)]
        metric_codes = {each.metric_code for each in charges if each.metric_code is not None}
        return _InForce(
            _list(charge.text for charge in charges),
            canonical_json(
                {code: self._known(self._metrics, "metric", code) for code in metric_codes}
            ),
            {(each.charge_code, each.valid_from): each.digest for each in charges},
            frozenset(code for each in charges for code in each.tax_codes),
        )

    def _discounts_text(self, period: Mapping[str, Any]) -> str:
        """The discounts of its owners that hold on a day of the period or on that of its end.

        A fee in advance of the next period begins at the end, and stands on this period's invoice.
        """
        first = period["period_start_date"].isoformat()
        last = period["period_end_label"].date().isoformat()
        rows = [
            row
            for owner in _OWNERS
            for row in self._discounts.get((owner, period[owner]), ())
            if row["starts_on"] <= last and (row["ends_on"] is None or row["ends_on"] > first)
        ]
        return canonical_json(sorted(rows, key=lambda row: row["discount_id"]))

    def _commitments_text(self, period: Mapping[str, Any]) -> str:
        """The commitments over the periods that start on its first day."""
        first = period["period_start_date"].isoformat()
        rows = self._commitments.get(period["subscription_id"], ())
        return canonical_json([row for row in rows if row["starts_on"] <= first < row["ends_on"]])

    def _uncached_taxes_text(self, codes: frozenset[str]) -> str:
        """All rates of these taxes: the last day of a line's service says which is its own."""
        return canonical_json([row for row in self._taxes if row["tax_code"] in codes])

    def _known(self, rows: Mapping[str, Any], what: str, name: str) -> Any:
        if name not in rows:
            raise InvariantError(f"expected the {what} {name} of a period that closes, found none")
        return rows[name]


def _with_prices(book: PriceBook) -> Iterable[dict[str, Any]]:
    """The charges, each with its tiers from the lowest on and its cells by match."""
    tiers = _by_version(sorted(book.tiers, key=lambda row: Decimal(row["from_units"])))
    cells = _by_version(sorted(book.cells, key=lambda row: row["match"]))
    for row in book.charges:
        version = tuple(row[name] for name in _VERSION)
        yield {**row, "tiers": tiers.get(version, []), "cells": cells.get(version, [])}


def _by_version(rows: Iterable[JsonRow]) -> dict[tuple[Any, ...], list[JsonRow]]:
    found = defaultdict[tuple[Any, ...], list[JsonRow]](list)
    for row in rows:
        own = {name: value for name, value in row.items() if name not in _VERSION}
        found[tuple(row[name] for name in _VERSION)].append(own)
    return found


def _charge(row: JsonRow) -> _Charge:
    text = canonical_json(row)
    return _Charge(
        row["charge_code"],
        date.fromisoformat(row["valid_from"]),
        text,
        sha256_of(text),
        row["metric_code"],
        row["tax_codes"],
    )


def _object(members: Mapping[str, str]) -> str:
    """The canonical text of an object whose values are canonical texts."""
    return "{" + ",".join(f'"{name}":{members[name]}' for name in sorted(members)) + "}"


def _list(values: Iterable[str]) -> str:
    return f"[{','.join(values)}]"
