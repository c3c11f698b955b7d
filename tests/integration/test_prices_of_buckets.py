"""A price of each bucket, by what the metric keeps of real events."""

import shutil
from pathlib import Path

from tests.worlds.dbt_world import DbtWorld, not_passed, parsed_again, parsed_world

METRIC = """{{{{ billable_metric(
    metric_code='{code}',
    description='Bytes by the day',
    event_name='http_request',
    aggregation='sum',
    value='bytes',
    unit='byte',
    bucket='day',
    fraction_digits=0,{more}
) }}}}
"""

CHARGE = "basic,daily,{code},standard,1,,2026-01-01,bucket,1\n"


def with_charge(folder: Path, code: str, more: str = "") -> DbtWorld:
    """acme also pays 1 USD for each byte of a day beyond the first."""
    world = parsed_world().copied_to(folder)
    for name in ("models", "seeds"):
        shared = world.project / name
        source = shared.resolve()
        shared.unlink()
        shutil.copytree(source, shared)
    text = METRIC.format(code=code, more=more)
    (world.project / "models" / "metrics" / f"metric_{code}.sql").write_text(text)
    charges = world.project / "seeds" / "charges.csv"
    header, *rows = charges.read_text().splitlines()
    lines = [f"{header},priced_each,free_units", *(f"{row},," for row in rows)]
    charges.write_text("\n".join(lines) + "\n" + CHARGE.format(code=code))
    return parsed_again(world)


def test_each_day_has_its_free_units(tmp_path: Path) -> None:
    world = with_charge(tmp_path, "daily_bytes")

    assert not_passed(world.run("build")) == {}

    # 100, 100 and 1 byte on three days of January, and 0 on a fourth; 0 bytes in February.
    assert world.query(
        "SELECT invoice_id, quantity, billed_quantity, amount FROM "
        "invoicing.int_invoice_lines_drafted WHERE charge_code = 'daily' ORDER BY invoice_id"
    ) == [("sub-acme/2026-01-01", 201, 198, 198), ("sub-acme/2026-02-01", 0, 0, 0)]
    assert world.query(
        "SELECT quantity FROM metering.int_usage_bucketed WHERE period_index = 2 "
        "ORDER BY bucket_number"
    ) == [(100,), (100,), (0,), (1,)]


def test_a_metric_without_buckets_of_its_own_has_no_such_price(tmp_path: Path) -> None:
    world = with_charge(tmp_path, "daily_bytes", more=" bucket_by=['status'],")

    failed = not_passed(world.run("build"))

    assert failed["assert_prices_of_buckets_have_buckets"] == "fail"
