"""Settling: shows what steps 6 to 11 of bills cost, and a call of `meterline preview`.

`python -m bench.settling` settles 100,000 invoices of 20,000 customers, each with four discounts
and three blocks of credit, by the macros that bill, in a process of its own. A customer's invoices
share what discounts and blocks have left. It then asks 5,000 cases of the kind `settle` by the
command, start included. It prints CPU time, wall time and peak memory, and CPU time by step.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from bench.benchmark import describe_machine
from bench.child_usage import Usage, measure
from pipelines.warehouse.metric_macros import macro_sql
from pipelines.warehouse.settling import STAGES

INVOICES_OF_EACH = 5
"""Invoices of each customer."""

LINES_OF_EACH = 6
"""Lines of each invoice."""

_AMOUNT = "decimal(38, 18)"
_PRICE = "decimal(30, 15)"
_END = "timestamptz '2026-02-01 00:00:00+00'"

FILLED = {
    "invoices": f"""
        select
            payer * {INVOICES_OF_EACH} + place as invoice_key, payer as payer_key,
            place + 1 as invoice_place, 'USD' as currency, 2 as minor_unit_digits,
            if(payer % 4 = 0, 'half_even', 'half_away') as rounding,
            payer % 50 = 0 as is_tax_exempt,
            cast(if(payer % 5 = 0, 250, null) as {_PRICE}) as minimum_amount,
            cast(if(payer % 7 = 0, 300, null) as {_PRICE}) as maximum_amount,
            1 as days, 1 as of_days, {_END} + to_months(cast(place as integer)) as period_end_at
        from range($customers) as payers (payer), range({INVOICES_OF_EACH}) as places (place)
    """,
    "lines": f"""
        select
            invoice_key, line_number, if(line_number = 0, 'flat', 'usage') as kind,
            'charge-' || line_number as charge_code,
            cast(cast(hash(invoice_key, line_number) % 10000 as bigint) * 0.01 as {_AMOUNT})
                as amount,
            cast([] as varchar[]) as tax_codes
        from invoices, range({LINES_OF_EACH}) as numbers (line_number)
    """,
    "discounts": f"""
        select
            payer_key, discount_id, kind, cast(value as {_AMOUNT}) as value,
            if(codes is null, [], [codes]) as charge_codes, spread,
            cast(periods as bigint) as periods, 100 as priority, cast(0 as {_AMOUNT}) as used
        from (select distinct payer_key from invoices) as payers, (values
            ('a', 'percent', 12.5, 'charge-1', 'each', 3), ('b', 'amount', 150, 'charge-2', 'once',
            null), ('c', 'percent', 10, null, 'each', null), ('d', 'amount', 40, null, 'once', null)
        ) as given (discount_id, kind, value, codes, spread, periods)
    """,
    "taxes": f"""
        select
            invoice_key, tax_code, cast(rate as {_PRICE}) as rate_percent,
            tax_code = 'vat' and payer_key % 3 = 0 as inclusive, 'invoice' as rounding
        from invoices, (values ('vat', 19), ('city', 1.5)) as given (tax_code, rate)
    """,
    "credits": f"""
        select
            payer_key, credit_id,
            cast(if(payer_key % 3 = 0, 9 * amount, amount) as {_PRICE}) as amount,
            'USD' as currency, 2 as minor_unit_digits, null::timestamptz as effective_at,
            {_END} + to_months(months) as expires_at, null::timestamptz as voided_at,
            priority, cast(1 as {_PRICE}) as cost_basis,
            if(codes is null, [], [codes]) as charge_codes, cast([] as varchar[]) as kinds
        from (select distinct payer_key from invoices) as payers, (values
            ('gift', 100, 2, 1, null), ('bought', 500, 12, 50, null),
            ('of a charge', 80, 12, 50, 'charge-3')
        ) as given (credit_id, amount, months, priority, codes)
    """,
}
"""The tables that settling reads, by the SQL that fills them."""


@dataclass(frozen=True)
class Cost:
    """What a process cost.

    Attributes:
        part: `invoices` or `preview`.
        count: invoices, or cases.
        seconds: wall time.
        cpu_seconds: CPU time.
        peak_rss_bytes: peak memory.
        steps: CPU seconds by step; of preview there are none.
    """

    part: str
    count: int
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    steps: Mapping[str, float]


def fill(connection: duckdb.DuckDBPyConnection, customers: int) -> None:
    """Fills what settling reads."""
    for name, select in FILLED.items():
        connection.execute(f"create table {name} as {select.replace('$customers', str(customers))}")


def settle(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Settles everything, and gives the CPU seconds of each step."""
    spent = {}
    for name, (macro, *relations) in STAGES.items():
        began = time.process_time()
        connection.execute(f"create table {name} as {macro_sql(macro, *relations)}")
        spent[name] = round(time.process_time() - began, 2)
    return spent


def run(customers: int, threads: int, memory_limit: str) -> dict[str, float]:
    """The CPU seconds by step of a process that settles."""
    config: dict[str, str | bool | int | float | list[str]]
    config = {"threads": threads, "memory_limit": memory_limit}
    with duckdb.connect(config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, customers)
        return settle(connection)


def random_case(place: int) -> dict[str, object]:
    """A case of five lines, two discounts, two taxes and three blocks of credit."""
    dice = random.Random(place)
    return {
        "id": str(place),
        "kind": "settle",
        "lines": [
            {"amount": f"{dice.randint(0, 99999) / 100:.2f}", "charge_code": f"c{number}"}
            for number in range(5)
        ],
        "plan": {"minimum_amount": "500", "share": {"days": dice.randint(1, 31), "of": 31}},
        "discounts": [
            {"kind": "percent", "value": "12.5", "charge_codes": ["c1", "c2"]},
            {"kind": "amount", "value": "40", "spread": "once", "used": f"{dice.randint(0, 40)}"},
        ],
        "taxes": [
            {"tax_code": "vat", "rate_percent": "19", "inclusive": place % 3 == 0},
            {"tax_code": "city", "rate_percent": "1.5"},
        ],
        "credits": [
            {"amount": "100", "expires_at": "2026-03-01"},
            {"amount": "500"},
            {"amount": "80", "charge_codes": ["c3"]},
        ],
        "period_end": "2026-02-01",
    }


def measure_parts(
    folder: Path, customers: int, cases: int, threads: int = 2, memory_limit: str = "2GiB"
) -> list[Cost]:
    """The cost of settling invoices, and of a call of preview."""
    settled = measure(
        [sys.executable, "-m", "bench.settling", "--run", "--customers", str(customers),
         "--threads", str(threads), "--memory-limit", memory_limit]
    )  # fmt: skip
    asked, answered = folder / "cases.ndjson", folder / "answers.ndjson"
    asked.write_text("".join(json.dumps(random_case(place)) + "\n" for place in range(cases)))
    previewed = measure(
        [sys.executable, "-m", "pipelines", "preview", str(asked), "--out", str(answered)]
    )
    answers = [json.loads(line) for line in answered.read_text().splitlines()]
    assert [answer["ok"] for answer in answers] == [True] * cases
    return [
        _cost("invoices", customers * INVOICES_OF_EACH, settled, json.loads(settled.output)),
        _cost("preview", cases, previewed, {}),
    ]


def _cost(part: str, count: int, usage: Usage, steps: Mapping[str, float]) -> Cost:
    return Cost(part, count, usage.seconds, usage.cpu_seconds, usage.peak_rss_bytes, steps)


def show_table(costs: list[Cost]) -> str:
    """The costs as plain text: a column for each part."""
    rows: list[tuple[str, list[float]]] = [
        ("invoices, or cases", [cost.count for cost in costs]),
        ("CPU s", [cost.cpu_seconds for cost in costs]),
        ("wall s", [cost.seconds for cost in costs]),
        ("peak MiB", [cost.peak_rss_bytes / 2**20 for cost in costs]),
    ]
    lines = [f"{'':<44}" + "".join(f"{cost.part:>14}" for cost in costs)]
    lines += [f"{name:<44}" + "".join(f"{each:>14,.1f}" for each in row) for name, row in rows]
    steps = costs[0].steps
    for name in sorted(steps, key=lambda name: -steps[name]):
        lines.append(f"{f'  CPU s of {name}':<44}{steps[name]:>14,.1f}")
    return "\n".join(lines)


def main() -> None:
    """Measures both parts, and prints the table and JSON."""
    parser = argparse.ArgumentParser(description="What settling invoices costs.")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--cases", type=int, default=5_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="2GiB", help="DuckDB's, as in the settings")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run(arguments.customers, arguments.threads, arguments.memory_limit)))
        return
    with tempfile.TemporaryDirectory(prefix="meterline-bench-") as scratch:
        costs = measure_parts(
            Path(scratch), arguments.customers, arguments.cases, arguments.threads,
            arguments.memory_limit,
        )  # fmt: skip
    print(show_table(costs))
    print(json.dumps({"machine": describe_machine(), "costs": [asdict(cost) for cost in costs]}))


if __name__ == "__main__":
    main()
