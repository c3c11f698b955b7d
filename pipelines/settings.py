"""Settings: every `METERLINE_*` variable, read and validated in this one place.

Belongs here: names, types, defaults and the paths that follow from them. Must not be put
here: anything that opens a file or a connection. Pure stages never import this module;
they are handed values.
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.limits import HELD_PERCENT, HELD_REJECTIONS_MIN

REPOSITORY = Path(__file__).resolve().parent.parent
"""The checkout that holds `dbt_project/`, `landing/` and `workspace.yaml`."""

DBT_PROJECT = REPOSITORY / "dbt_project"
"""The dbt project, its profile included."""


MEMORY_MIB_MIN = 64
"""Below this DuckDB fails on work of any size."""


class Settings(BaseSettings):
    """Configuration of one home; a second home is a second world."""

    # An empty variable is one that is not set: it must not make a home of the current folder.
    model_config = SettingsConfigDict(
        env_prefix="METERLINE_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    home: Path = Field(
        default=REPOSITORY / ".meterline",
        description="Folder of all state: lake, warehouse, published marts, Dagster's storage.",
    )
    landing: str = Field(
        default=str(REPOSITORY / "landing"),
        description="Where senders drop files: a folder or s3://bucket/prefix.",
    )
    catalog: Path = Field(
        default=DBT_PROJECT / "seeds",
        description="Folder of the catalog's CSV files (sources, customers, plans, prices, …).",
    )
    s3_endpoint_url: str | None = Field(
        default=None,
        description="Endpoint of an S3-compatible server; empty for AWS.",
    )
    threads: int = Field(
        default=2,
        ge=1,
        le=256,
        description="Worker processes that parse files, and DuckDB threads.",
    )
    memory_limit: str = Field(
        default="2GiB", pattern=r"^\d+(\.\d+)?(MiB|GiB)$", description="DuckDB's memory limit."
    )
    batch_bytes: int = Field(
        default=4 * 1024**3,
        ge=1,
        description="Landed bytes a batch takes at most; what is over waits for the next batch.",
    )
    lock_wait_seconds: float = Field(
        default=0.0, ge=0, description="How long a run waits for another one before it gives up."
    )

    hold_percent: int = Field(
        default=HELD_PERCENT,
        ge=0,
        le=100,
        description="A file with more than so many percent rejected lines is held.",
    )
    hold_rejections_min: int = Field(
        default=HELD_REJECTIONS_MIN,
        ge=1,
        description="Fewer rejected lines hold no file, whatever their share.",
    )

    alarm_url: SecretStr | None = Field(
        default=None,
        description="Where alarms are posted (http or https); empty for none. docs/alarms.md.",
    )
    alarm_refused_percent: int = Field(
        default=5, ge=0, le=100, description="Alarm beyond this share of a run's lines refused."
    )
    alarm_conflicts: int = Field(
        default=10, ge=0, description="Alarm beyond so many conflicts in a run."
    )
    alarm_waiting_files: int = Field(
        default=0, ge=0, description="Alarm beyond so many held and unreadable files."
    )
    alarm_undecided_hours: int = Field(
        default=24, ge=0, description="Alarm when a file waits longer than so many hours."
    )

    @field_validator("alarm_url")
    @classmethod
    def _http_only(cls, url: SecretStr | None) -> SecretStr | None:
        # The address may hold a secret, so no message repeats it.
        if url is not None:
            parts = urlsplit(url.get_secret_value())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("expected http://… or https://… with a host")
        return url

    @field_validator("home", "catalog")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    @field_validator("memory_limit")
    @classmethod
    def _enough_memory(cls, limit: str) -> str:
        size, unit = limit[:-3], limit[-3:]
        if Decimal(size) * (1024 if unit == "GiB" else 1) < MEMORY_MIB_MIN:
            raise ValueError(f"{limit} is less than the {MEMORY_MIB_MIN} MiB that DuckDB needs")
        return limit

    @field_validator("home", "catalog")
    @classmethod
    def _without_quote(cls, path: Path) -> Path:
        # The statement by which dbt loads a seed names its file between quotes, unescaped.
        if "'" in str(path):
            raise ValueError(f"the path must not hold a quote ('): {path}")
        return path

    @field_validator("landing")
    @classmethod
    def _absolute_landing(cls, landing: str) -> str:
        if landing[:5].lower() == "s3://":
            if not landing[5:].strip("/"):
                raise ValueError("names no bucket; write s3://bucket or s3://bucket/prefix")
            return "s3://" + landing[5:].rstrip("/")
        return str(Path(landing).expanduser().resolve())

    @property
    def lake_catalog(self) -> Path:
        """SQLite file of the DuckLake catalog."""
        return self.home / "lake" / "catalog.sqlite"

    @property
    def lake_data(self) -> Path:
        """DATA_PATH of the lake: every Parquet file of every lake table."""
        return self.home / "lake" / "data"

    @property
    def staging(self) -> Path:
        """What a batch writes before it is committed; swept under the writer lock."""
        return self.home / "staging"

    @property
    def window_index(self) -> Path:
        """Which keys are held, derived from the lake; it may be deleted."""
        return self.home / "lake" / "window"

    @property
    def warehouse(self) -> Path:
        """DuckDB file that dbt builds; rebuildable from the lake."""
        return self.home / "warehouse" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Immutable generations for readers, and the pointer `current`."""
        return self.home / "published"

    @property
    def frozen_catalogs(self) -> Path:
        """One folder per catalog digest: the very bytes Python validated and dbt loads."""
        return self.home / "catalog"

    @property
    def dbt_target(self) -> Path:
        """Artifacts of dbt: the prebuilt manifest, run results, logs."""
        return self.home / "dbt"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME: run storage, event logs, schedules."""
        return self.home / "dagster"

    @property
    def writer_lock(self) -> Path:
        """File whose lock the one writer holds."""
        return self.home / "writer.lock"


def load_settings() -> Settings:
    """Settings from the environment as it is now.

    Raises:
        MeterlineError: a variable that begins with METERLINE_ is no setting.
        pydantic.ValidationError: a variable has a value of the wrong form.
    """
    misspelt = unknown_variables(os.environ)
    if misspelt:
        raise MeterlineError("; ".join(misspelt))
    return Settings()


_OF_OTHER_PARTS = {
    "METERLINE_WAREHOUSE",
    "METERLINE_LAKE_CATALOG",
    "METERLINE_LAKE_DATA",
    "METERLINE_LAKE_SNAPSHOT",
    "METERLINE_READABLE_FOLDERS",
}
"""Not for people: a run tells dbt's connection by them where it works."""


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none."""
    known = {f"METERLINE_{name.upper()}" for name in Settings.model_fields}
    sentences = []
    for name in sorted(environment):
        is_ours = name.upper().startswith("METERLINE_")
        if is_ours and name.upper() not in known | _OF_OTHER_PARTS:
            # Without the prefix, which would make any two names alike.
            near = get_close_matches(
                name.upper().removeprefix("METERLINE_"),
                sorted(each.removeprefix("METERLINE_") for each in known),
                n=1,
            )
            hint = f"; did you mean METERLINE_{near[0]}?" if near else ""
            sentences.append(f"{name} is no setting{hint}")
    return sentences


def metric_codes() -> frozenset[str]:
    """The billable metrics there are: one file each in the dbt project."""
    files = (DBT_PROJECT / "models" / "metrics").glob("metric_*.sql")
    return frozenset(path.stem.removeprefix("metric_") for path in files)
