"""Definitions: what each billable metric counts, kept so that old time can be counted again.

A closed period names its definitions by digest. A metric's file may change or go: what the period
was counted by stays.
"""

import hashlib
import json
from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines.invoicing.document_values import canonical_json
from pipelines.lake.lake import Lake
from pipelines.vocabulary.money import KNOWN_CURRENCIES, minor_unit_digits
from pipelines.vocabulary.tables import DEFINITIONS

_FOR_PEOPLE = frozenset({"description"})
"""Members of a definition that do not change what is counted."""


@dataclass(frozen=True)
class Definitions:
    """What all metrics of a run count.

    Attributes:
        content: a JSON object in canonical form. `metrics` has the definition of each metric by its
            code, `minor_units` the digits after the point of each currency.
    """

    content: str

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the content."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    def rows(self, lake: Lake, batch_id: int) -> pl.DataFrame:
        """The rows of the lake table `definitions`: none if the lake holds these already."""
        known = lake.query("SELECT definitions_digest FROM lake.definitions")["definitions_digest"]
        rows = [] if self.digest in known.to_list() else [(batch_id, self.digest, self.content)]
        return pl.DataFrame(rows, schema=DEFINITIONS.schema, orient="row")


def definitions_of(warehouse: duckdb.DuckDBPyConnection) -> Definitions:
    """The definitions by which dbt counted what stands in the working warehouse."""
    rows = warehouse.execute("SELECT metric_code, definition FROM metering.int_metrics_defined")
    metrics = {
        code: {name: value for name, value in json.loads(text).items() if name not in _FOR_PEOPLE}
        for code, text in rows.fetchall()
    }
    minor_units = {currency: minor_unit_digits(currency) for currency in KNOWN_CURRENCIES}
    return Definitions(canonical_json({"metrics": metrics, "minor_units": minor_units}))
