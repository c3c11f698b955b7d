"""Export: a file of a generation that another tool reads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.warehouse.generations import Generation


@dataclass(frozen=True)
class Exported:
    """The facts and files from which an export is made.

    Attributes:
        generation: the generation that is being published.
        marts: its DuckDB file, complete and closed.
        attach_lake: SQL statements that attach the lake read-only as `lake`.
    """

    generation: Generation
    marts: Path
    attach_lake: tuple[str, ...]


@dataclass(frozen=True)
class Export:
    """A file that each generation has beside its marts.

    Attributes:
        file_name: name of the file in the generation's folder.
        text_of: makes the text of the file.
    """

    file_name: str
    text_of: Callable[[Exported], str]
