"""Generations: the published marts, as readers find them.

published/<number>-<digest>/marts.duckdb    every mart, each with the column generation_id
published/<number>-<digest>/manifest.json   the facts that the generation was made from
published/<number>-<digest>/attach.sql      the accepted events, as a view over the lake
published/current                           link to the newest generation
published/chain_head.json                   the end of the invoices' chain, outside the lake
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.vocabulary.errors import MeterlineError

MARTS_FILE = "marts.duckdb"
"""Name of the DuckDB file that holds a generation's marts."""


POINTER = "current"
"""Name of the link to the newest generation."""


_SHA256 = r"^[0-9a-f]{64}$"


class ChainHead(BaseModel):
    """The end of the invoices' chain.

    Attributes:
        invoices: number of finalized invoices, which is the number of links.
        chain_sha256: the last link as hex text; 64 zeros if there is no invoice.
        verified_at: when the chain was last verified from its first link. None: an earlier
            version published, which did not say so.
    """

    model_config = ConfigDict(frozen=True)

    invoices: int = Field(ge=0)
    chain_sha256: str = Field(pattern=_SHA256)
    verified_at: datetime | None = None


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


class Generation(GenerationFacts):
    """A published generation, as its manifest describes it.

    Attributes:
        generation_id: its number and the first digits of `inputs_digest`; the name of its folder.
        number: its place in the order of publication, from 1; no number is given twice.
        tables: number of rows, by table.
        checks_passed: number of checks of the run; all of them passed.
    """

    generation_id: str
    number: int
    tables: Mapping[str, int]
    checks_passed: int


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
