"""Event lines: the lines of a generated stream of Metronome events, of any length.

Every value of a line is a pure function of (seed, position). So any part of the stream can be made
alone, and a second delivery is the same function at an earlier position. The true verdict of each
line is known without deciding it.

1. `_with_kinds` chooses the kind: original, duplicate, conflict or one of the bad kinds.
2. `_with_texts` makes the customer, time, event and properties, as texts.
3. `line_json.with_lines` writes the line as JSON.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import polars as pl

from bench.line_json import BAD_KINDS, with_lines

KINDS = {
    "original": ("accepted", ""),
    "duplicate": ("duplicate", ""),
    "conflict": ("conflict", ""),
} | BAD_KINDS
"""The true verdict and reason code of each kind of line."""

CUSTOMER_ID = "cust-{}"
"""The id of a customer, with its rank in five digits."""

ALIAS = "acct_{}@example.com"
"""The alias of a customer; one in ten events uses it."""

_LOTS = 10_000
_SPAN = 1 << 64


@dataclass(frozen=True)
class Stream:
    """The parameters of a stream of lines.

    Attributes:
        seed: the same parameters and seed give the same lines.
        lines: number of lines of the stream.
        lines_per_file: number of lines of each file; the last one may have fewer.
        start_at: first hour of the stream; the first files are received an hour later.
        hours: number of hours over which the files are spread evenly.
        customers: number of known customers; the k-th sends in proportion to 1/k.
        bad: bad lines per 10,000.
        duplicates: duplicates per 10,000 lines.
        conflicts: conflicts per 10,000 lines.
        unknown_customers: events of unknown customers per 10,000.
    """

    seed: int = 1
    lines: int = 1_000_000
    lines_per_file: int = 50_000
    start_at: datetime = datetime(2026, 10, 1, tzinfo=UTC)
    hours: int = 72
    customers: int = 1_000
    bad: int = 50
    duplicates: int = 140
    conflicts: int = 10
    unknown_customers: int = 20

    @property
    def files(self) -> int:
        """The number of files."""
        return -(-self.lines // self.lines_per_file)

    @property
    def end_at(self) -> datetime:
        """The end of the last hour, when all files have been received."""
        return self.start_at + timedelta(hours=self.hours)

    def received_at(self, file: int) -> datetime:
        """When a file (counted from 0) is received: the hour in its path."""
        return self.start_at + timedelta(hours=file * self.hours // self.files + 1)

    @cached_property
    def cumulative_weights(self) -> pl.Series:
        """The total weight of the first k customers, in a Zipf distribution of exact integers."""
        weights = pl.Series([(1 << 40) // rank for rank in range(1, self.customers + 1)])
        return weights.cast(pl.UInt64).cum_sum()


def make_lines(stream: Stream, first: int, count: int) -> pl.DataFrame:
    """The lines from position `first` (counted from 0), `count` of them, in order.

    Returns:
        One row per line: position, kind, event_name, customer_ref, is_known_customer,
        size_bytes (null except for `http_request`), line (without its line end).
    """
    positions = pl.DataFrame({"position": pl.int_range(first, first + count, eager=True)})
    lines = positions.select(pl.col("position").cast(pl.UInt64))
    return with_lines(_with_texts(stream, _with_kinds(stream, lines))).select(
        "position", "kind", "event_name", "customer_ref", "is_known_customer", "size_bytes", "line"
    )


def mixed(stream: Stream, index: str, purpose: int) -> pl.Expr:
    """A random-looking 64-bit number for (seed, purpose, index): the finalizer of SplitMix64.

    Unsigned products wrap in the same way on every machine. The hash of a library is not used,
    because its next release may differ.
    """
    offset = ((stream.seed * 1_000_003 + purpose) * 0x9E3779B97F4A7C15) % _SPAN
    mix = pl.col(index) * _u64(0xD1B54A32D192ED03) + _u64(offset)
    mix = (mix ^ (mix // _u64(1 << 30))) * _u64(0xBF58476D1CE4E5B9)
    mix = (mix ^ (mix // _u64(1 << 27))) * _u64(0x94D049BB133111EB)
    return mix ^ (mix // _u64(1 << 31))


def _u64(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)


def _picked(stream: Stream, index: str, purpose: int, choices: int) -> pl.Expr:
    return mixed(stream, index, purpose) % _u64(choices)


def _with_kinds(stream: Stream, lines: pl.DataFrame) -> pl.DataFrame:
    # Half of the second deliveries repeat a line at most 1,000 lines back, half any earlier line.
    is_near = _picked(stream, "position", 1, 2) == 0
    reach = pl.when(is_near).then(_u64(1_000)).otherwise(pl.max_horizontal("position", _u64(1)))
    back = mixed(stream, "position", 2) % reach + 1
    repeating = stream.bad + stream.duplicates + stream.conflicts
    drawn = lines.with_columns(
        lot=_picked(stream, "position", 0, _LOTS),
        bad_kind=_picked(stream, "position", 3, len(BAD_KINDS)),
        earlier=pl.when(back <= pl.col("position")).then(pl.col("position") - back),
    ).with_columns(
        # Only originals are repeated, so the line that is repeated is always accepted.
        is_repeatable=(_picked(stream, "earlier", 0, _LOTS) >= repeating).fill_null(value=False)
    )
    is_repeat = (pl.col("lot") < repeating) & pl.col("is_repeatable")
    bad_kinds = dict(enumerate(BAD_KINDS))
    return drawn.with_columns(
        kind=pl.when(pl.col("lot") < stream.bad)
        .then(pl.col("bad_kind").replace_strict(bad_kinds, return_dtype=pl.String))
        .when(is_repeat & (pl.col("lot") < stream.bad + stream.duplicates))
        .then(pl.lit("duplicate"))
        .when(is_repeat)
        .then(pl.lit("conflict"))
        .otherwise(pl.lit("original"))
    ).with_columns(
        identity=pl.when(pl.col("kind").is_in(["duplicate", "conflict"]))
        .then("earlier")
        .otherwise("position"),
        style=_picked(stream, "position", 50, 100),
    )


def _with_texts(stream: Stream, lines: pl.DataFrame) -> pl.DataFrame:
    ranks = stream.cumulative_weights.search_sorted(
        lines.select(_picked(stream, "identity", 10, stream.cumulative_weights[-1])).to_series(),
        side="right",
    )
    rank = pl.col("rank").cast(pl.String).str.zfill(5)
    is_known = _picked(stream, "identity", 11, _LOTS) >= stream.unknown_customers
    is_alias = _picked(stream, "identity", 12, 10) == 0
    event = _picked(stream, "identity", 13, 100)
    named = lines.with_columns((ranks.cast(pl.UInt64) + 1).alias("rank")).with_columns(
        is_known_customer=is_known,
        customer_ref=pl.when(~is_known)
        .then(pl.format("ghost-{}", _picked(stream, "identity", 14, 50)))
        .when(is_alias)
        .then(pl.format(ALIAS, rank))
        .otherwise(pl.format(CUSTOMER_ID, rank)),
        event_name=pl.when(event < 60)
        .then(pl.lit("http_request"))
        .when(event < 85)
        .then(pl.lit("api_call"))
        .when(event < 95)
        .then(pl.lit("storage_snapshot"))
        .otherwise(pl.lit("user_login")),
        size_bytes=pl.when(event < 60).then(
            _picked(stream, "identity", 15, 50_000_000)
            // (_picked(stream, "identity", 16, 5_000) + 1)
        ),
        timestamp=_occurred_at(stream).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
    )
    return _with_keys(stream, named).with_columns(*_properties(stream))


def _occurred_at(stream: Stream) -> pl.Expr:
    file = pl.col("identity") // stream.lines_per_file
    hour, day = 3_600_000_000, 86_400_000_000
    start = int(stream.start_at.timestamp()) * 1_000_000
    received = start + (file * stream.hours // stream.files + 1).cast(pl.Int64) * hour
    # One event in a hundred is up to a day late. The others are received within the hour.
    is_late = _picked(stream, "identity", 20, 100) == 0
    delay = _picked(stream, "identity", 21, hour) + 1
    late_delay = _picked(stream, "identity", 22, day) + 1
    before = (
        pl.when(pl.col("kind") == "future")
        .then(pl.lit(-25 * hour))
        .when(pl.col("kind") == "too_late")
        .then(pl.lit(34 * day))
        .otherwise(pl.when(is_late).then(late_delay).otherwise(delay).cast(pl.Int64))
    )
    return (received - before).cast(pl.Datetime("us", "UTC"))


def _with_keys(stream: Stream, lines: pl.DataFrame) -> pl.DataFrame:
    # Snapshots and logins have a composite key, such as a sender without ids makes.
    numbers = lines.select(pl.col("identity").alias("high")).with_columns(
        high=mixed(stream, "high", 31), low=mixed(stream, "high", 30)
    )
    quads = pl.Series([f"{number:04x}" for number in range(1 << 16)])
    version = pl.Series([f"4{number:03x}" for number in range(1 << 12)])
    variant = pl.Series([f"{number:04x}" for number in range(0x8000, 0xC000)])

    def part(half: str, shift: int, texts: pl.Series = quads) -> pl.Series:
        return texts.gather(
            numbers.select(pl.col(half) // _u64(1 << shift) % _u64(len(texts))).to_series()
        )

    uuid = pl.concat_str(
        pl.concat_str(part("high", 48), part("high", 32)),
        part("high", 16),
        part("high", 0, version),
        part("low", 48, variant),
        pl.concat_str(part("low", 32), part("low", 16), part("low", 0)),
        separator="-",
    )
    composite = pl.concat_str(
        pl.col("timestamp").str.slice(0, 16),
        pl.lit("|"),
        "customer_ref",
        pl.lit("|host-"),
        pl.col("identity").cast(pl.String),
    )
    return lines.with_columns(
        key=pl.when(pl.col("event_name").is_in(["storage_snapshot", "user_login"]))
        .then(composite)
        .otherwise(uuid)
    )


def _properties(stream: Stream) -> list[pl.Expr]:
    # The properties are in two halves, so that a line can have them in the other order.
    small, large = _picked(stream, "identity", 40, 1_000), _picked(stream, "identity", 41, 1 << 30)
    region = _named(stream, 42, ["eu-west-1", "eu-central-1", "us-east-1", "ap-south-1"])
    status = _named(stream, 43, ["200", "200", "200", "200", "206", "304", "404", "500"])
    halves = {
        "http_request": (
            pl.format('"method":"GET","status":{},"bytes":{}', status, "size_bytes"),
            pl.format('"region":"{}","path":"/v1/objects/{}"', region, large),
        ),
        "api_call": (
            pl.format('"endpoint":"/v2/search/{}","tokens":{}', small, large % 4_000),
            pl.format('"latency_ms":{}.{},"region":"{}"', small, large % 999 + 1, region),
        ),
        "storage_snapshot": (
            pl.format('"gigabyte_hours":{}.{},"class":"hot"', small, large),
            pl.format('"bucket":"bucket-{}","region":"{}"', large % 5_000, region),
        ),
        "user_login": (
            pl.format('"user":"user-{}","mfa":true', large % 100_000),
            pl.format('"region":"{}"', region),
        ),
    }
    texts = []
    for half, name in enumerate(("first_half", "second_half")):
        text: pl.Expr = pl.lit("")
        for event_name, pair in halves.items():
            text = pl.when(pl.col("event_name") == event_name).then(pair[half]).otherwise(text)
        texts.append(text.alias(name))
    return texts


def _named(stream: Stream, purpose: int, names: list[str]) -> pl.Expr:
    number = _picked(stream, "identity", purpose, len(names))
    return number.replace_strict(dict(enumerate(names)), return_dtype=pl.String)
