"""Settings: every `METERLINE_*` variable, read and validated in one place.

It holds names, types, defaults, and the paths that follow from them. It opens no file and no
connection. Pure stages never import it: they get values as arguments.
"""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.limits import HELD_PERCENT, HELD_REJECTIONS_MIN
from pipelines.vocabulary.visible import visible

REPOSITORY = Path(__file__).resolve().parent.parent
"""The checkout with `dbt_project/`, `landing/` and `workspace.yaml`."""

DBT_PROJECT = REPOSITORY / "dbt_project"
"""The folder of the dbt project and its profile."""


_READ_OTHERWISE = frozenset("?%*[\\:")
"""Signs of a path that a store reads in its own way, and so may write outside the home.

`?` begins the options of a SQLite address, and `%` an escape in it. DuckDB takes `*`, `?` and `[`
for patterns, and turns a backslash into a slash. `:` separates the folders that dbt may read.
"""

MEMORY_MIB_MIN = 64
"""MiB of memory below which DuckDB fails on work of any size."""


class Settings(BaseSettings):
    """The configuration of one home. Two homes share nothing."""

    # An empty variable counts as not set: it must not make a home of the current folder.
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
        description="Endpoint of an S3-compatible server; leave it empty for AWS.",
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
        description="Landed bytes a batch takes at most; other files wait for the next batch.",
    )
    lock_wait_seconds: float = Field(
        default=0.0, ge=0, description="How long a run waits for another one before it gives up."
    )

    hold_percent: int = Field(
        default=HELD_PERCENT,
        ge=0,
        le=100,
        description="A file is held if more than this percentage of its lines is rejected.",
    )
    hold_rejections_min: int = Field(
        default=HELD_REJECTIONS_MIN,
        ge=1,
        description="A file with fewer rejected lines than this is never held.",
    )

    past_allowance_days: int = Field(
        default=3,
        ge=0,
        le=3660,
        description="A period that a catalog edit adds to the past is billed without being "
        "accepted if its grace ended at most so many days before the last closing.",
    )

    number_zero_invoices: bool = Field(
        default=True,
        description="Whether an invoice of 0 gets a number. If not, its period is closed without "
        "an invoice.",
    )

    owner: str = Field(
        default="team:billing",
        pattern=r"^(team:\w[\w.-]*|[\w.+-]+@[\w-]+(\.[\w-]+)+)$",
        description="Who owns the assets in Dagster: `team:name`, or a person's e-mail address.",
    )

    alarm_url: SecretStr | None = Field(
        default=None,
        description="Alarms are posted to this address (http or https); see docs/alarms.md.",
    )
    alarm_notify: SecretStr | None = Field(
        default=None,
        description="Alarms are sent to these addresses of `apprise`, such as slack://…, with "
        "blanks between them; see docs/alarms.md.",
    )
    alarm_refused_percent: int = Field(
        default=5,
        ge=0,
        le=100,
        description="Alarm if more than this percentage of a run's lines is refused.",
    )
    alarm_conflicts: int = Field(
        default=10, ge=0, description="Alarm if a run finds more conflicts than this."
    )
    alarm_waiting_files: int = Field(
        default=0, ge=0, description="Alarm if more files than this are held or unreadable."
    )
    alarm_undecided_hours: int = Field(
        default=24, ge=0, description="Alarm if a file waits for more hours than this."
    )

    @field_validator("alarm_url")
    @classmethod
    def _http_only(cls, url: SecretStr | None) -> SecretStr | None:
        # The address may contain a secret, so no message repeats it.
        if url is not None:
            parts = urlsplit(url.get_secret_value())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("expected http://… or https://… with a host")
        return url

    @field_validator("alarm_notify")
    @classmethod
    def _addresses_only(cls, addresses: SecretStr | None) -> SecretStr | None:
        if addresses is not None:
            found = addresses.get_secret_value().split()
            if not found or not all(re.match(r"[A-Za-z][\w+-]*://.", each) for each in found):
                raise ValueError(
                    "expected addresses such as slack://… or mailto://… with blanks between them; "
                    "in an address, write a blank as %20"
                )
        return addresses

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
        # dbt names the file of a seed between quotes in a statement, without escaping it.
        if "'" in str(path):
            raise ValueError(f"the path must not contain a quote ('): {path}")
        return path

    @field_validator("home")
    @classmethod
    def _one_path_for_all(cls, path: Path) -> Path:
        found = {sign for sign in str(path) if sign in _READ_OTHERWISE or visible(sign) != sign}
        if found:
            raise ValueError(
                f"expected a path without {' '.join(map(visible, sorted(found)))}, found "
                f"{visible(str(path))}; DuckDB, SQLite or dbt would take it for another path, so "
                "name another folder"
            )
        return path

    @field_validator("landing")
    @classmethod
    def _absolute_landing(cls, landing: str) -> str:
        if landing[:5].lower() == "s3://":
            if not landing[5:].strip("/"):
                raise ValueError("expected s3://bucket or s3://bucket/prefix, found no bucket")
            return "s3://" + landing[5:].rstrip("/")
        return str(Path(landing).expanduser().resolve())

    @property
    def lake_catalog(self) -> Path:
        """SQLite file of the DuckLake catalog."""
        return self.home / "lake" / "catalog.sqlite"

    @property
    def lake_data(self) -> Path:
        """DATA_PATH of the lake: the folder of all its Parquet files."""
        return self.home / "lake" / "data"

    @property
    def staging(self) -> Path:
        """Folder of files that are not committed yet; a run empties it under the writer lock."""
        return self.home / "staging"

    @property
    def window_index(self) -> Path:
        """Folder of the index of accepted keys; it may be deleted, and is made from the lake."""
        return self.home / "lake" / "window"

    @property
    def warehouse(self) -> Path:
        """DuckDB file that dbt builds; it can be built again from the lake."""
        return self.home / "warehouse" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Folder of the immutable generations for readers, and of the link `current`."""
        return self.home / "published"

    @property
    def frozen_catalogs(self) -> Path:
        """One folder per catalog digest, with the bytes that Python validated and dbt loads."""
        return self.home / "catalog"

    @property
    def dbt_target(self) -> Path:
        """Folder of dbt's artifacts: the parsed project, compiled SQL, logs."""
        return self.home / "dbt"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME: the folder of Dagster's runs, events and schedules."""
        return self.home / "dagster"

    @property
    def logs(self) -> Path:
        """Folder of the traces of errors that nobody foresaw."""
        return self.home / "logs"

    @property
    def writer_lock(self) -> Path:
        """The file that the only writer has locked."""
        return self.home / "writer.lock"


def load_settings() -> Settings:
    """The settings of the environment as it is now.

    Raises:
        MeterlineError: a variable begins with METERLINE_ and is not a setting.
        pydantic.ValidationError: the value of a variable is not allowed.
    """
    misspelt = unknown_variables(os.environ)
    if misspelt:
        raise MeterlineError("; ".join(misspelt))
    return Settings()


def setting_problems(error: ValidationError) -> list[str]:
    """One sentence per variable whose value is not allowed: what was expected, and what was found.

    A validator's own sentence stays as it is: the value may be a secret.
    """
    sentences = []
    for problem in error.errors():
        name = "_".join(str(part) for part in problem["loc"])
        said = problem["msg"].removeprefix("Value error, ")
        if problem["type"] != "value_error":
            said = f"expected {_expected(name)}, found {visible(repr(problem['input']))}"
        sentences.append(f"METERLINE_{name.upper()}: {said}")
    return sentences


_PATTERNS_IN_WORDS = {
    "memory_limit": "a size such as 2GiB or 512MiB",
    "owner": "a team as team:name, or an e-mail address",
}
"""Setting with a pattern → what it may be."""


def _expected(name: str) -> str:
    """What the value of a number or a size may be, in words."""
    field = Settings.model_fields[name]
    if field.annotation is bool:
        return "an answer, true or false"
    kinds = {int: "a whole number", float: "a number"}
    kind = kinds.get(field.annotation)  # type: ignore[arg-type]
    if kind is None:
        return _PATTERNS_IN_WORDS.get(name, "a text")
    least = next(bound.ge for bound in field.metadata if hasattr(bound, "ge"))
    most = next((bound.le for bound in field.metadata if hasattr(bound, "le")), None)
    return f"{kind} from {least:g} to {most:g}" if most else f"{kind} of {least:g} or more"


_OF_OTHER_PARTS = {
    "METERLINE_WAREHOUSE",
    "METERLINE_LAKE_CATALOG",
    "METERLINE_LAKE_DATA",
    "METERLINE_LAKE_SNAPSHOT",
    "METERLINE_READABLE_FOLDERS",
}
"""Variables that a run sets for dbt's connection; people do not set them."""


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """One sentence per variable that looks like a setting and is not one."""
    known = {f"METERLINE_{name.upper()}" for name in Settings.model_fields}
    sentences = []
    for name in sorted(environment):
        is_ours = name.upper().startswith("METERLINE_")
        if is_ours and name.upper() not in known | _OF_OTHER_PARTS:
            # The prefix is left out: with it, any two names would be similar.
            near = get_close_matches(
                name.upper().removeprefix("METERLINE_"),
                sorted(each.removeprefix("METERLINE_") for each in known),
                n=1,
            )
            hint = f"; did you mean METERLINE_{near[0]}?" if near else ""
            sentences.append(f"{name} is not a setting{hint}")
    return sentences


def metric_codes() -> frozenset[str]:
    """The codes of all billable metrics; each has a file in the dbt project."""
    files = (DBT_PROJECT / "models" / "metrics").glob("metric_*.sql")
    return frozenset(path.stem.removeprefix("metric_") for path in files)
