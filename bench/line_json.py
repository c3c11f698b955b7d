"""Line JSON: writes the events of a generated stream as lines of JSON, and breaks the bad ones.

Two lines of the same event may differ in key order, spaces, escapes and additional fields. They
still have the same payload.
"""

import polars as pl

BAD_KINDS = {
    "cut_off": ("rejected", "malformed"),
    "repeated_key": ("rejected", "malformed"),
    "nan": ("rejected", "malformed"),
    "trailing_text": ("rejected", "malformed"),
    "invalid_utf8": ("rejected", "malformed"),
    "no_customer": ("rejected", "missing_field"),
    "null_key": ("rejected", "missing_field"),
    "date_alone": ("rejected", "invalid_timestamp"),
    "leap_second": ("rejected", "invalid_timestamp"),
    "properties_text": ("rejected", "invalid_property"),
    "long_key": ("rejected", "too_large"),
    "future": ("rejected", "future"),
    "too_late": ("rejected", "too_late"),
    "blank": ("blank", ""),
}
"""The true verdict and reason code of each kind of bad line."""

INVALID_UTF8_MARK = "\ufffd"
"""Replaced by a byte that is not UTF-8 when the file is written: a Polars text cannot hold one."""

PLAIN_STYLES = 70
"""This many of 100 lines are compact and in the documented order."""


def with_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with their JSON in the column `line`.

    Args:
        lines: kind, style (0 to 99), key, customer_ref, timestamp, event_name, first_half and
            second_half. The halves are the properties as JSON members without braces.
    """
    kind = pl.col("kind")
    resent = pl.when(kind == "conflict").then(pl.lit(',"attempt":2')).otherwise(pl.lit(""))
    written = (
        lines.with_columns(
            *_members(),
            first_half=pl.concat_str("first_half", resent),
        )
        .with_columns(
            p=_properties_object("first_half", "second_half"),
            q=_properties_object("second_half", "first_half"),
        )
        .with_columns(line=_object("k", "c", "t", "e", "p"))
    )
    return written.with_columns(line=_in_style()).with_columns(line=_broken())


def _members() -> list[pl.Expr]:
    kind = pl.col("kind")
    key = (
        pl.when(kind == "null_key")
        .then(pl.lit("null"))
        .when(kind == "long_key")
        .then(pl.concat_str(pl.lit('"'), "key", pl.lit("k" * 300 + '"')))
        .otherwise(pl.format('"{}"', "key"))
    )
    timestamp = (
        pl.when(kind == "date_alone")
        .then(pl.col("timestamp").str.slice(0, 10))
        .when(kind == "leap_second")
        .then(pl.concat_str(pl.col("timestamp").str.slice(0, 17), pl.lit("60Z")))
        .otherwise("timestamp")
    )
    return [
        pl.format('"transaction_id":{}', key).alias("k"),
        pl.format('"customer_id":"{}"', "customer_ref").alias("c"),
        pl.format('"timestamp":"{}"', timestamp).alias("t"),
        pl.format('"event_type":"{}"', "event_name").alias("e"),
    ]


def _properties_object(*halves: str) -> pl.Expr:
    return pl.concat_str(
        pl.lit('"properties":{'), pl.concat_str(*halves, separator=","), pl.lit("}")
    )


def _object(*members: str, separator: str = ",", last: str = "") -> pl.Expr:
    return pl.concat_str(
        pl.lit("{"), pl.concat_str(*members, separator=separator), pl.lit(last + "}")
    )


def _in_style() -> pl.Expr:
    # Seven lines in ten are as most libraries write them, three as JSON also allows. Bad lines are
    # all written plainly, so that `_broken` finds the text to replace.
    style, line = pl.col("style"), pl.col("line")
    return (
        pl.when((style < PLAIN_STYLES) | pl.col("kind").is_in(list(BAD_KINDS)))
        .then(line)
        .when(style < 78)
        .then(_object("p", "e", "k", "t", "c"))
        .when(style < 84)
        .then(_object("k", "c", "t", "e", "p", separator=" , "))
        .when(style < 90)
        .then(
            line.str.replace_all("/", "\\/", literal=True)
            .str.replace_all("region", "r\\u0065gion", literal=True)
            .str.replace("@", "\\u0040", literal=True)
        )
        .when(style < 95)
        .then(_object("k", "c", "t", "e", "p", last=',"sdk":"go\\/1.9","sent_at":1760000000.250'))
        .otherwise(_object("k", "c", "t", "e", "q"))
    )


def _broken() -> pl.Expr:
    """The line, broken as its kind asks for."""
    kind, line = pl.col("kind"), pl.col("line")
    properties = '"properties":{'

    def with_first_property(text: str) -> pl.Expr:
        return line.str.replace(properties, properties + text + ",", literal=True)

    return (
        pl.when(~kind.is_in(list(BAD_KINDS)))
        .then(line)
        .when(kind == "blank")
        .then(pl.lit(""))
        .when(kind == "cut_off")
        .then(line.str.head(-20))
        .when(kind == "repeated_key")
        .then(line.str.replace("{", '{"event_type":"http_request",', literal=True))
        .when(kind == "nan")
        .then(with_first_property('"ratio":NaN'))
        .when(kind == "trailing_text")
        .then(pl.concat_str(line, pl.lit("}")))
        .when(kind == "invalid_utf8")
        .then(with_first_property(f'"note":"{INVALID_UTF8_MARK}"'))
        .when(kind == "no_customer")
        .then(line.str.replace('"customer_id":', '"customer":', literal=True))
        .when(kind == "properties_text")
        .then(line.str.replace(properties, '"properties":"none","size":{', literal=True))
        .otherwise(line)
    )
