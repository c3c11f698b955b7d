"""Constants: texts that stand for a field in every event of a file, as the catalog says."""

import re
from dataclasses import dataclass

from pipelines.reading.dialects.event import RefusedLineError
from pipelines.vocabulary.limits import NAME_BYTES_MAX
from pipelines.vocabulary.verdicts import Reason

_NUMBER = re.compile(r"[1-9]\d?", re.ASCII)
_NAME = re.compile(r"[^/=\d-][^/=]*")


@dataclass(frozen=True)
class FixedName:
    """A text that stands for a field in every event."""

    text: str


@dataclass(frozen=True)
class MissingFolder:
    """A folder that the path of a file does not have: each of its lines is refused.

    Attributes:
        sentence: what the path lacks.
    """

    sentence: str


@dataclass(frozen=True)
class Folder:
    """A folder in the path of a file, whose name stands for a field in every event of the file.

    Example: in `gateway/acme/region=eu/usage.json`, folder 1 is `acme`, and `region` is `eu`.

    Attributes:
        which: its number below the source's folder, from 1. Or the name in a folder `name=value`,
            whose value then stands for the field.
    """

    which: int | str

    def of_file(self, path: str) -> FixedName | MissingFolder:
        """The text in the path of a file below the landing."""
        folders = path.split("/")[1:-1]
        if isinstance(self.which, int):
            found = folders[self.which - 1] if self.which <= len(folders) else ""
            what = f"folder {self.which} below its source's"
        else:
            start = f"{self.which}="
            values = (each.removeprefix(start) for each in folders if each.startswith(start))
            found, what = next(values, ""), f"folder {start}…"
        if not found:
            return MissingFolder(f"the path of the file has no {what}, as source_fields.csv says")
        if len(found.encode(errors="surrogatepass")) > NAME_BYTES_MAX:
            return MissingFolder(f"{what} in the path of the file is longer than 255 bytes")
        return FixedName(found)


Constant = FixedName | Folder | MissingFolder
"""What stands for a field that is no member of an event."""


def parse_folder(text: str) -> Folder:
    """The folder that a catalog names: its number, or the name of a folder `name=value`.

    Raises:
        ValueError: the text is neither.
    """
    if _NUMBER.fullmatch(text):
        return Folder(int(text))
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text[:64]!r} names no folder; write its number below the source's folder, from 1, "
            "or the name in folders like customer=acme"
        )
    return Folder(text)


def text_of(constant: Constant) -> str:
    """The text that stands for the field.

    Raises:
        RefusedLineError: `missing_field`: the path of the file does not have it.
    """
    if isinstance(constant, FixedName):
        return constant.text
    sentence = "" if isinstance(constant, Folder) else constant.sentence
    raise RefusedLineError(Reason.MISSING_FIELD, sentence or "the path of the file is not known")


def in_file(constant: Constant, path: str) -> Constant:
    """The constant as it is in one file.

    Args:
        constant: what stands for a field.
        path: the path of the file below the landing.
    """
    return constant.of_file(path) if isinstance(constant, Folder) else constant
