"""Values as answers write them."""

import polars as pl


def instant_text(column: str) -> pl.Expr:
    """The instants of a column, like `2026-03-01T00:00:00Z`; a fraction only where there is one."""
    at = pl.col(column)
    whole = at.dt.to_string("%Y-%m-%dT%H:%M:%S")
    return (
        pl.when(at.dt.microsecond() == 0)
        .then(whole + "Z")
        .otherwise(at.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f") + "Z")
        .alias(column)
    )
