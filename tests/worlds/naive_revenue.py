"""A naive second opinion about revenue by day: fractions, dates and events, one line at a time.

It is written from the rule in `docs/marts.md`, and imports nothing of `pipelines`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Line:
    """A line of a closed invoice, as the published table has it.

    Attributes:
        adds: whether quantities of its metric add up; False for what is no usage.
        start_date: the label of its first day.
        minor_unit: the smallest coin.
    """

    net_amount: Fraction
    minor_unit: Fraction
    quantity: Fraction | None
    adds: bool
    time_zone: str
    start_date: date
    start_at: datetime
    end_at: datetime


def service_days(line: Line) -> list[date]:
    """The labelled days: those from the first label on that begin before the end."""
    zone = ZoneInfo(line.time_zone)
    days = [line.start_date]
    while True:
        day = days[-1] + timedelta(days=1)
        if datetime.combine(day, time(), zone) >= line.end_at:
            return days
        days.append(day)


def revenue_by_day(
    line: Line, usage: Iterable[tuple[datetime, Fraction]]
) -> Mapping[date, Fraction]:
    """What each day earned of the line.

    Args:
        line: the line.
        usage: instant and quantity of each event that it bills.
    """
    days = service_days(line)
    used = dict.fromkeys(days, Fraction(0))
    for at, quantity in usage:
        day = at.astimezone(ZoneInfo(line.time_zone)).date()
        used[min(max(day, days[0]), days[-1])] += quantity
    total = sum(used.values())
    is_by_usage = line.adds and total == line.quantity and total > 0 and min(used.values()) >= 0
    weights = used if is_by_usage else dict.fromkeys(days, Fraction(1))
    whole = sum(weights.values())
    exact = {day: line.net_amount / line.minor_unit * weights[day] / whole for day in days}
    coins = {day: floor(exact[day]) for day in days}
    left = line.net_amount / line.minor_unit - sum(coins.values())
    for day in sorted(days, key=lambda each: (coins[each] - exact[each], each))[: int(left)]:
        coins[day] += 1
    return {day: coins[day] * line.minor_unit for day in days}
