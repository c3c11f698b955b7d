"""A small catalog that is right, and ways to make it wrong by one edit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.catalog.catalog import Catalog, read_catalog
from pipelines.vocabulary.errors import CatalogError

METRICS = frozenset({"requests", "bytes", "storage"})

RIGHT = {
    "sources.csv": """\
source,dialect,dedupe_scope,dedupe_window_days,max_lateness_days,future_skew_hours,received_at_from
cdn,metronome,,,,,path
app,metronome,shared,40,30,48,last_modified
api,metronome,shared,40,38,,last_modified
raw,metronome,,unlimited,,0,last_modified
""",
    "customers.csv": """\
customer_id,name,currency,time_zone,grace_period_days,late_usage_policy
acme,"Acme, Inc.",USD,America/New_York,3,reject
zürich,Zürich AG,CHF,Europe/Zurich,0,adjust
""",
    "customer_aliases.csv": """\
alias,customer_id,valid_from,valid_to
web,acme,,2026-06-01T00:00:00Z
web,zürich,2026-06-01T00:00:00Z,
ops,acme,2026-01-01T02:00:00+02:00,2026-01-02T00:00:00.5Z
""",
    "plans.csv": """\
plan_code,name,currency
basic,Basic,USD
local,Local currency,
""",
    "charges.csv": """\
plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from,flat_at_zero
basic,calls,requests,standard,0.000000000000001,region;status,2025-01-01,
basic,calls,requests,standard,999999999999999.999999999999999,,2026-02-01,
local,traffic,bytes,graduated,,,2025-01-01,no
""",
    "charge_tiers.csv": """\
plan_code,charge_code,valid_from,from_units,up_to_units,unit_price,flat_amount
local,traffic,2025-01-01,100.5,,0.01,
local,traffic,2025-01-01,0,100.5,0.02,5
""",
    "subscriptions.csv": """\
subscription_id,customer_id,plan_code,interval,interval_count,anchor,start_date,end_date
s1,acme,basic,month,1,calendar,2026-01-01,2026-03-01
s2,acme,basic,week,2,anniversary,2026-03-01,
s3,acme,local,day,1,calendar,2026-01-01,
""",
}


def write(folder: Path, files: Mapping[str, str | bytes | None]) -> Path:
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(folder: Path, files: Mapping[str, str | bytes | None] = RIGHT) -> Catalog:
    return read_catalog(write(folder, files), METRICS)


def problems_of(folder: Path, files: Mapping[str, str | bytes | None]) -> list[str]:
    with pytest.raises(CatalogError) as refusal:
        read(folder, files)
    return refusal.value.problems


@dataclass(frozen=True)
class Edit:
    """A text that stands once in a file of a catalog, and what is written there instead."""

    file: str
    old: str
    new: str

    def of(self, files: Mapping[str, str]) -> dict[str, str]:
        """These files after the edit."""
        found = files[self.file].count(self.old)
        assert found == 1, f"{self.old!r} stands {found} times in {self.file}"
        return {**files, self.file: files[self.file].replace(self.old, self.new)}
