"""Path dates: when a file was received, by the date in its path.

Pure: one expression on paths. Every shape is folders of the path, so a date in a file's own name
counts for nothing. The first shape that a path has is its date, even if that date does not exist:
no other reading of the path is then tried.
"""

import polars as pl

_NAMED_HOUR = r"(?:hour|hr|h)=(\d{1,2})/"
_HOUR_BESIDE = r"(?:[-T_/](?:(?:hour|hr|h)=)?(\d{2})/|/(?:hour|hr|h)=(\d)/|/)"
_DAY_IN_A_ROW = r"/(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"

_SHAPES = (
    r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/",
    r"/year=(\d{4})/month=(\d{1,2})/day=(\d{1,2})/(?:" + _NAMED_HOUR + ")?",
    r"/(?:dt|ds|day|date|event_date)=(\d{4})-(\d{2})-(\d{2})" + _HOUR_BESIDE,
    r"/(?:dt|ds|day|date|event_date)=(\d{4})(\d{2})(\d{2})" + _HOUR_BESIDE,
    r"/(\d{4})-(\d{2})-(\d{2})" + _HOUR_BESIDE,
    r"/(\d{4})/(\d{2})/(\d{2})/(?:" + _NAMED_HOUR + ")?",
    _DAY_IN_A_ROW + _HOUR_BESIDE,
)
"""Year, month, day and, if the path names one, hour (UTC). A day without an hour means its start.

Examples: `2026/01/10/10/`, `2026/01/10/`, `year=2026/month=01/day=10/hour=10/`, `dt=2026-01-10/`,
`dt=20260110/hr=10/`, `event_date=2026-01-10/`, `2026-01-10/`, `2026-01-10-10/`, `20260110/10/`.
"""

_DAYS_IN_A_ROW = _DAY_IN_A_ROW + "[-T_/]"
"""A folder like `20260110/`. Two of them are no date, as either may be the number of a customer."""

_UNIX_MILLISECONDS = r"/(1\d{12})/"
"""Unix milliseconds as a folder, as in Segment's logs: `1768003200000/` is 2026-01-10 (UTC)."""


def dated_by_path(path: pl.Expr) -> pl.Expr:
    """The instant that the folders of a path name, in UTC. Null: they name none.

    Example: `cdn/2015/05/17/10/a.ndjson` was received at 2015-05-17T10:00:00Z, and
    `cdn/dt=2015-05-17/a.ndjson` at 2015-05-17T00:00:00Z.

    Args:
        path: paths below the landing.
    """
    shaped = [pl.when(path.str.contains(shape)).then(pl.lit(shape)) for shape in _SHAPES]
    found = pl.coalesce(*shaped)
    # Slashes are doubled, as a pattern may not count one of them twice.
    days = path.str.replace_all("/", "//", literal=True).str.count_matches(_DAYS_IN_A_ROW)
    dated = pl.coalesce(pl.when(found == shape).then(_instant(path, shape)) for shape in _SHAPES)
    milliseconds = path.str.extract(_UNIX_MILLISECONDS).cast(pl.Int64)
    of_folder = pl.from_epoch(milliseconds, "ms").dt.cast_time_unit("us")
    is_in_a_row = found == _SHAPES[-1]
    return (
        pl.when(found.is_null() | (is_in_a_row & milliseconds.is_not_null()))
        .then(of_folder.dt.replace_time_zone("UTC"))
        .when(~(is_in_a_row & (days > 1)))
        .then(dated)
    )


def _instant(path: pl.Expr, shape: str) -> pl.Expr:
    year, month, day, *hours = (path.str.extract(shape, group) for group in range(1, 6))
    hour = pl.coalesce(hours)
    digits = pl.concat_str(
        [year, month.str.zfill(2), day.str.zfill(2), hour.fill_null("").str.zfill(2), pl.lit("00")]
    )
    return digits.str.to_datetime("%Y%m%d%H%M", time_unit="us", time_zone="UTC", strict=False)
