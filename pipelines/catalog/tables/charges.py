"""charges.csv: what a plan charges for, and at which price from when on."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Final

import polars as pl

from pipelines.catalog import charge_models
from pipelines.catalog.cells import one_of, shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.catalog.filters import are_disjoint
from pipelines.catalog.rows import Column, Problem, columns_of
from pipelines.catalog.table import BILLABLE_METRICS, CatalogTable, Reference, Rows, Tables
from pipelines.catalog.tables.charge_tiers import tiers_by_price
from pipelines.catalog.tables.taxes import unknown_taxes
from pipelines.vocabulary.members import members

MODELS: Final[dict[str, type[Charge]]] = members(charge_models, "MODEL")
"""Charge model by its word in `charge_model`: the name of its module."""


def terms_of(model: type[Charge]) -> dict[str, Column]:
    """The columns that a model declares, or a class it shares with some models."""
    declared = {
        name
        for each in model.__mro__
        if issubclass(each, Charge) and each is not Charge
        for name in each.__annotations__
    }
    return {name: each for name, each in columns_of(model).items() if name in declared}


TERMS = {name: each for model in MODELS.values() for name, each in terms_of(model).items()}
"""Columns that only charges of some models have."""

_USAGE_MODELS = [name for name, model in MODELS.items() if issubclass(model, UsageCharge)]


def _in_the_file(term: Column) -> Column:
    """The column of a term: charges of other models leave it empty, so it says whose it is."""
    having = [name for name, model in MODELS.items() if term.name in terms_of(model)]
    owners = "" if having == _USAGE_MODELS else f"Of {', '.join(having)}: "
    meaning = term.meaning if not owners else owners + term.meaning[0].lower() + term.meaning[1:]
    return replace(term, meaning=meaning, empty=None, is_optional=True)


def unknown_models(tables: Tables) -> Iterator[Problem]:
    """A charge has a model that there is."""
    for charge in tables[Charge].where(~pl.col("charge_model").is_in(list(MODELS))):
        try:
            one_of(*MODELS).read(charge.charge_model)
        except ValueError as error:
            yield charge.problem("charge_model", str(error))


def contradicting_terms(tables: Tables) -> Iterator[Problem]:
    """A charge has what its model needs, and nothing that only other models have."""
    for rows in charges_by_model(tables):
        problems = list(_wrong_terms(rows))
        yield from problems
        wrong = [problem.row for problem in problems]
        for charge in rows.where(~pl.col("line").is_in(wrong)):
            yield from charge.problems()


def contradicting_tiers(tables: Tables) -> Iterator[Problem]:
    """A charge has tiers if its model has them."""
    tiers = tiers_by_price(tables)
    for rows in charges_by_model(tables):
        for charge in rows:
            yield from charge.tier_problems(tiers.get(charge.price, ()))


def charges_by_model(tables: Tables) -> Iterator[Rows[Charge]]:
    """The charges of each model, as rows of its class: with its columns and its defaults."""
    charges = tables.whole(Charge)
    for name, model in MODELS.items():
        yield Rows(model, charges.where(pl.col("charge_model") == name).frame)


def _wrong_terms(rows: Rows[Charge]) -> Iterator[Problem]:
    terms = terms_of(rows.row)
    for name in TERMS:
        is_empty = pl.col(name).is_null()
        if isinstance(rows.frame.schema[name], pl.List):
            is_empty |= pl.col(name).list.len() == 0
        if name not in terms:
            for row in rows.where(~is_empty):
                yield row.problem(name, term_of_other_models(name, row.charge_model))
        elif terms[name].is_required:
            for row in rows.where(is_empty):
                yield row.problem(
                    name,
                    f"is empty; a {row.charge_model} charge needs it: {terms[name].meaning}",
                    "missing",
                )


def term_of_other_models(name: str, charge_model: str) -> str:
    """Why a charge leaves a column empty that only charges of other models have."""
    having = ", ".join(each for each, model in MODELS.items() if name in terms_of(model))
    return (
        f"is set, but a {charge_model} charge has no {name}; empty it, or write a charge_model "
        f"that has one: {having}"
    )


def changed_metrics(tables: Tables) -> Iterator[Problem]:
    """One charge counts one metric for ever."""
    metric_by_charge = dict[tuple[str, str], Charge]()
    for charge in tables.whole(Charge):
        first = metric_by_charge.setdefault((charge.plan_code, charge.charge_code), charge)
        if first.metric_code != charge.metric_code:
            yield charge.problem(
                "metric_code",
                f"{shown(charge.metric_code or '')} differs from {shown(first.metric_code or '')} "
                f"of the same charge in row {first.line}; a price version keeps the metric, so use "
                "another charge_code",
            )


def metrics_charged_twice(tables: Tables) -> Iterator[Problem]:
    """Within a plan, charges of one metric have filters of which no event satisfies two.

    A charge of another metric than its first row has is a problem already. Prices that two
    subscriptions negotiated never meet.
    """
    charges = defaultdict[tuple[str, str], list[UsageCharge]](list)
    first_metrics = dict[tuple[str, str], str]()
    charging = tables.whole(Charge).where(pl.col("metric_code").is_not_null())
    for charge in Rows(UsageCharge, charging.frame):
        key = charge.plan_code, charge.charge_code
        if first_metrics.setdefault(key, charge.metric_code) == charge.metric_code:
            charges[charge.plan_code, charge.metric_code].append(charge)
    for (_, metric_code), rows in charges.items():
        found = set[int]()
        parsed = [(charge, charge.conditions) for charge in rows]
        for (charge, conditions), (other, others) in combinations(parsed, 2):
            owners = {charge.subscription_id, other.subscription_id} - {None}
            if charge.charge_code == other.charge_code or other.line in found or len(owners) > 1:
                continue
            if not are_disjoint(conditions, others):
                found.add(other.line)
                yield other.problem(
                    "metric_code",
                    f"{shown(metric_code)} is charged by {shown(charge.charge_code)} of the same "
                    f"plan already (row {charge.line}); no event is billed twice for one metric, "
                    "so remove one, or write filters that exclude each other, like region=eu and "
                    "region!=eu",
                )


TABLE = CatalogTable(
    Charge,
    key=("plan_code", "charge_code", "subscription_id", "valid_from"),
    references=(
        Reference(("plan_code",), "plans.csv"),
        Reference(("subscription_id",), "subscriptions.csv"),
        Reference(("metric_code",), BILLABLE_METRICS),
    ),
    rules=(
        unknown_models,
        contradicting_terms,
        contradicting_tiers,
        changed_metrics,
        metrics_charged_twice,
        unknown_taxes(Charge),
    ),
    more_columns=tuple(
        _in_the_file(each) for name, each in TERMS.items() if name not in columns_of(Charge)
    ),
)
