"""Terms of the periods that a closing may close, and the rows of the lake that keep them."""

import json
from collections.abc import Collection, Iterable, Mapping

import polars as pl

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.json_rows import json_row
from pipelines.catalog.rows import Row
from pipelines.catalog.tables.charge_cells import ChargeCell
from pipelines.catalog.tables.charge_tiers import Tier
from pipelines.catalog.tables.charges import charges_by_model
from pipelines.catalog.tables.commitments import Commitment
from pipelines.catalog.tables.customers import Customer
from pipelines.catalog.tables.discounts import Discount
from pipelines.catalog.tables.plans import Plan
from pipelines.catalog.tables.taxes import Tax
from pipelines.invoicing.terms import JsonRow, PriceBook, Terms, terms_of_periods
from pipelines.lake.lake import Lake
from pipelines.vocabulary.tables import TERMS
from pipelines.warehouse.definitions import Definitions


def terms_of_drafts(
    drafts: pl.DataFrame,
    lines: pl.DataFrame,
    periods: pl.DataFrame,
    catalog: Catalog,
    definitions: Definitions,
) -> dict[str, Terms]:
    """The terms of each draft, by `invoice_id`: those of its period.

    Where it has fees in advance of the period after, they have the prices of these.

    Args:
        drafts: schema `DRAFTS`.
        lines: schema `DRAFT_LINES`; at least those of the drafts.
        periods: schema `BILLING_PERIODS`; at least those that the drafts have lines of.
        catalog: the catalog that priced the drafts.
        definitions: what they were counted by.
    """
    ahead = _fees_ahead(drafts, lines)
    keys = ["subscription_id", "period_start_at"]
    asked = pl.concat([drafts.select(keys), ahead.select(keys)])
    closing = periods.join(asked, on=keys, how="semi")
    if closing.is_empty():
        return {}
    by_period = terms_of_periods(closing, price_book(catalog, definitions, closing))
    terms = {
        invoice_id: by_period[period]
        for invoice_id, *period_key in drafts.select("invoice_id", *keys).iter_rows()
        if (period := (period_key[0], period_key[1])) in by_period
    }
    for row in ahead.iter_rows(named=True):
        after = by_period[row["subscription_id"], row["period_start_at"]]
        own = terms[row["invoice_id"]]
        terms[row["invoice_id"]] = own.with_ahead(after, row["period_start_at"], row["codes"])
    return terms


def _fees_ahead(drafts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """One row per draft with fees of the period after its own: that period, and their codes."""
    of_drafts = drafts.select("invoice_id", "subscription_id", own_start_at="period_start_at")
    return (
        lines.filter(pl.col("kind") == "flat")
        .rename({"service_start_at": "period_start_at"})
        .join(of_drafts, on="invoice_id", maintain_order="left")
        .filter(pl.col("period_start_at") != pl.col("own_start_at"))
        .group_by("invoice_id", "subscription_id", "period_start_at", maintain_order=True)
        .agg(codes="charge_code")
    )


def price_book(catalog: Catalog, definitions: Definitions, periods: pl.DataFrame) -> PriceBook:
    """What the terms of these periods are made of.

    Of a hundred thousand customers, only those with such a period are looked at.
    """
    customers, subscriptions = (
        periods[name].unique().implode() for name in ("customer_id", "subscription_id")
    )
    tables = catalog.tables
    is_asked = pl.col("subscription_id").is_null() | pl.col("subscription_id").is_in(subscriptions)
    charges = (charge for rows in charges_by_model(tables) for charge in rows.where(is_asked))
    return PriceBook(
        customers=_json_rows(tables[Customer].where(pl.col("customer_id").is_in(customers))),
        plans=_json_rows(tables[Plan]),
        charges=_json_rows(charges),
        tiers=_json_rows(tables[Tier].where(is_asked)),
        cells=_json_rows(tables[ChargeCell].where(is_asked)),
        discounts=_json_rows(tables[Discount].where(is_asked)),
        taxes=_json_rows(tables[Tax]),
        commitments=_json_rows(tables[Commitment].where(is_asked)),
        metrics=json.loads(definitions.content)["metrics"],
    )


def _json_rows(rows: Iterable[Row]) -> list[JsonRow]:
    return [json_row(row) for row in rows]


def terms_rows(
    lake: Lake, terms: Mapping[str, Terms], used: Collection[str], batch_id: int
) -> pl.DataFrame:
    """The rows of the lake table `terms`: those that are used and that the lake does not hold.

    Args:
        lake: any connection.
        terms: of every draft that might close.
        used: digests of the terms of what is closed.
        batch_id: number of the transaction that writes the rows.
    """
    by_digest = {each.digest: each for each in terms.values()}
    new = pl.DataFrame({"terms_digest": list(dict.fromkeys(used))}, {"terms_digest": pl.String()})
    known = lake.query(
        "SELECT terms_digest FROM lake.terms SEMI JOIN new USING (terms_digest)", new=new
    )
    new = new.join(known, on="terms_digest", how="anti", maintain_order="left")
    # Some at a time: their texts are the largest thing that a closing writes.
    rows = [
        pl.DataFrame(
            [(batch_id, digest, by_digest[digest].text) for digest in some["terms_digest"]],
            schema=TERMS.schema,
            orient="row",
        )
        for some in new.iter_slices(1_000)
    ]
    return pl.concat([TERMS.schema.to_frame(), *rows])
