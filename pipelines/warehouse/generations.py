"""Generations: the published marts, as readers find them.

published/<number>-<digest>/marts.duckdb    every mart, each with the column generation_id
published/<number>-<digest>/manifest.json   the facts that the generation was made from
published/<number>-<digest>/attach.sql      the accepted events, as a view over the lake
published/current                           link to the newest generation
published/chain_head.json                   the end of the invoices' chain, outside the lake
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.vocabulary.errors import MeterlineError

MARTS_FILE = "marts.duckdb"
"""Name of the DuckDB file that holds a generation's marts."""


POINTER = "current"
"""Name of the link to the newest generation."""


_GENERATION_NAME = re.compile(r"(\d{6,})-[0-9a-f]{8}")
_SHA256 = r"^[0-9a-f]{64}$"


class ChainHead(BaseModel):
    """The end of the invoices' chain.

    Attributes:
        invoices: number of finalized invoices.
        links: number of links: invoices and voids. None: an earlier version published, which knew
            no voids.
        chain_sha256: the last link as hex text; 64 zeros if there is no invoice.
        verified_at: when the chain was last verified from its first link. None: an earlier
            version published, which did not say so.
    """

    model_config = ConfigDict(frozen=True)

    invoices: int = Field(ge=0)
    links: int | None = Field(default=None, ge=0)
    chain_sha256: str = Field(pattern=_SHA256)
    verified_at: datetime | None = None

    @property
    def position(self) -> int:
        """The place of the last link in the chain."""
        return self.invoices if self.links is None else self.links


class GenerationFacts(BaseModel):
    """The facts that a generation was made from.

    Attributes:
        as_of: the instant of the run: the marts show what was true then.
        batch_id: number of the last batch of the lake that the marts include.
        catalog_digest: digest of the catalog in use.
        code_revision: digest of the code.
        inputs_digest: see `gate.inputs_digest`; equal inputs need no new generation.
        chain_head: the end of the invoices' chain.
    """

    model_config = ConfigDict(frozen=True)

    as_of: datetime
    batch_id: int = Field(ge=0)
    catalog_digest: str
    code_revision: str
    inputs_digest: str = Field(pattern=_SHA256)
    chain_head: ChainHead


class PublishedFile(BaseModel):
    """A file of a generation, as it was published.

    Attributes:
        size_bytes: bytes of the file.
        modified_ns: when it was written, in nanoseconds since 1970.
        sha256: SHA-256 of its bytes, as hex text.
    """

    model_config = ConfigDict(frozen=True)

    size_bytes: int
    modified_ns: int
    sha256: str = Field(pattern=_SHA256)

    @classmethod
    def of(cls, path: Path) -> "PublishedFile":
        """The file as it is now."""
        found = path.stat()
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(size_bytes=found.st_size, modified_ns=found.st_mtime_ns, sha256=sha256)


class Generation(GenerationFacts):
    """A published generation, as its manifest describes it.

    Attributes:
        generation_id: its number and the first digits of `inputs_digest`; the name of its folder.
        number: its place in the order of publication, from 1; no number is given twice.
        tables: number of rows, by table.
        checks_passed: number of checks of the run; all of them passed.
        files: the files beside the manifest, by name; empty if an earlier version published.
    """

    generation_id: str
    number: int
    tables: Mapping[str, int]
    checks_passed: int
    files: Mapping[str, PublishedFile] = Field(default_factory=dict)


def digest_inputs(inputs: Mapping[str, str | int]) -> str:
    """SHA-256 (hex) over named inputs, in the order of their names."""
    lines = (f"{name}={value!r}\n" for name, value in sorted(inputs.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def current_generation(published: Path) -> Generation | None:
    """The generation that `current` points to; None before the first publication.

    Raises:
        MeterlineError: its manifest cannot be read.
    """
    manifest = published / POINTER / "manifest.json"
    try:
        return Generation.model_validate_json(manifest.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise MeterlineError(
            f"{manifest} cannot be read; delete {published / POINTER} and run "
            f"`meterline publish`: {error}"
        ) from error


def generation_names(published: Path) -> list[str]:
    """Names of the folders of all generations, the oldest first."""
    if not published.is_dir():
        return []
    names = (path.name for path in published.iterdir() if path.is_dir() and not path.is_symlink())
    return sorted((name for name in names if _GENERATION_NAME.fullmatch(name)), key=number_of)


def number_of(name: str) -> int:
    """The number of a generation, from the name of its folder."""
    return int(name.partition("-")[0])


def damage_of(published: Path, generation: Generation | None, *, is_hashed: bool) -> str | None:
    """A sentence if the published marts are not as they were published; None if they are.

    Args:
        published: folder of all generations.
        generation: the one that `current` points to. None: it points to none.
        is_hashed: True to hash each file. False: only those with another time than when they were
            published, as each file of a copied home has.
    """
    pointer = published / POINTER
    if generation is None:
        names = generation_names(published)
        return f"{pointer} is missing; the newest generation is {names[-1]}" if names else None
    for name, file in generation.files.items():
        path = published / generation.generation_id / name
        try:
            seen = path.stat()
            is_same = seen.st_size == file.size_bytes
            if is_same and (is_hashed or seen.st_mtime_ns != file.modified_ns):
                is_same = PublishedFile.of(path).sha256 == file.sha256
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
        if not is_same:
            return f"{path} was changed after it was published"
    return None
