"""File checks: whether the files of a lake still are what was committed.

A file is read and hashed when its size or one of its times differs from those at its last check. A
few that were checked longest ago are hashed in each run too, because a disk may change a byte and
no time.

Example: somebody edits a file of batch 7 with 1,234 rows. The next run hashes it, names file, batch
and rows, and ends before it reads an event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.lake.checked_files import (
    Checked,
    CheckedFiles,
    Seen,
    read_checked,
    write_checked,
)
from pipelines.lake.file_digests import Digests, FileDigest, RegisteredFile, digest_of
from pipelines.lake.lake import Lake
from pipelines.vocabulary.counted import counted
from pipelines.vocabulary.errors import LakeError
from pipelines.vocabulary.tables import (
    ACCEPTED_EVENTS,
    FILE_DECISIONS,
    HELD_NAMES,
    REFUSED_EVENTS,
)

SAMPLE_FILES = 4
"""At most this many unchanged files are hashed again in a run."""

SAMPLE_BYTES = 32 * 1024**2
"""No further unchanged file is hashed in a run once those hashed have this many bytes."""

REBUILT = frozenset(
    table.name for table in (ACCEPTED_EVENTS, REFUSED_EVENTS, FILE_DECISIONS, HELD_NAMES)
)
"""Tables whose rows follow from the landing and from what the lake held before."""

_SENTENCES_MAX = 10


@dataclass(frozen=True)
class Checks:
    """What was hashed, and what was found.

    Attributes:
        files: number of files that were hashed or missed.
        size_bytes: their bytes.
        damages: one sentence for each that is not as it was committed, with what heals it.
        damaged: the files of these sentences, in the same order.
    """

    files: int
    size_bytes: int
    damages: tuple[str, ...]
    damaged: tuple[RegisteredFile, ...] = ()

    def require_whole(self) -> None:
        """Ends whatever wanted to read the files.

        Raises:
            LakeError: a file is not as it was committed.
        """
        if self.damages:
            more = len(self.damages) - _SENTENCES_MAX
            raise LakeError(
                "\n  - ".join(
                    [
                        f"{counted(len(self.damages), 'file')} of the lake not as committed; "
                        "nothing was made of them:",
                        *self.damages[:_SENTENCES_MAX],
                        *([f"and {more:,} more"] if more > 0 else []),
                    ]
                )
                + "\nPut each file back from a backup of the home, or make it again, as its "
                "sentence says. Then run `meterline verify --files`, which checks them all"
            )


def check_sizes(lake: Lake) -> Checks:
    """Looks for each file of the lake and its size; hashes none, for those who only read."""
    return check_these(lake, lake.registered_files(), is_hashed=False)


def check_these(lake: Lake, files: Sequence[RegisteredFile], *, is_hashed: bool) -> Checks:
    """Looks for some files of the lake and their sizes, and hashes them if asked to."""
    if is_hashed:
        return _hashed(lake, files)[0]
    found = ((_other_size(lake.data, file, Seen.at(file.below(lake.data))), file) for file in files)
    return _checks(len(files), 0, [(damage, file) for damage, file in found if damage is not None])


def check_all_files(lake: Lake) -> Checks:
    """Hashes every file of the lake; notes nothing, so it needs no lock."""
    return check_these(lake, lake.registered_files(), is_hashed=True)


def check_files(lake: Lake, *, with_sample: bool = False) -> Checks:
    """Hashes the files that changed since their last check, and notes what was seen of them.

    Call it only under the writer lock.

    Args:
        lake: the lake.
        with_sample: True to hash a few unchanged files too.
    """
    folder = lake.data.parent
    before, files = read_checked(folder), lake.registered_files()
    changed = [file for file in files if _is_changed(lake, file, before)]
    unchanged = set(files).difference(changed) if with_sample else ()
    checks, whole = _hashed(lake, [*changed, *_sample(unchanged, before)])
    if checks.files:
        # One that is damaged is hashed by every run until it is whole again.
        keys = {file.key for file in files}.difference(file.key for file in changed)
        stand = {key: each for key, each in before.items() if key in keys}
        write_checked(folder, {**stand, **whole})
    return checks


def is_any_unchecked(lake: Lake) -> bool:
    """True if a file is missing, or changed since its last check; hashes none."""
    before = read_checked(lake.data.parent)
    return any(_is_changed(lake, file, before) for file in lake.registered_files())


def _is_changed(lake: Lake, file: RegisteredFile, before: CheckedFiles) -> bool:
    checked = before.get(file.key)
    return checked is None or checked.seen != Seen.at(file.below(lake.data))


def _sample(unchanged: Iterable[RegisteredFile], before: CheckedFiles) -> list[RegisteredFile]:
    """The files that were checked longest ago, a few of them."""
    sample: list[RegisteredFile] = []
    for file in sorted(unchanged, key=lambda file: (before[file.key].checked_at, file.key)):
        if len(sample) == SAMPLE_FILES or sum(each.size_bytes for each in sample) >= SAMPLE_BYTES:
            break
        sample.append(file)
    return sample


def _hashed(lake: Lake, files: Sequence[RegisteredFile]) -> tuple[Checks, CheckedFiles]:
    """What was found, and the check of each file that is whole."""
    digests, unreadable = _digests(lake) if files else ({}, None)
    damages: list[tuple[str, RegisteredFile]] = []
    whole: dict[tuple[str, str], Checked] = {}
    for file in files:
        # Looked at before it is read: a change meanwhile is seen by the next check.
        seen = Seen.at(file.below(lake.data))
        damage = _damage(lake.data, file, digests.get(file.key))
        if damage is not None:
            damages.append((damage, file))
        elif seen is not None:
            whole[file.key] = Checked.now(seen)
    if unreadable is not None and not damages:
        raise unreadable
    size_bytes = sum(file.size_bytes for file in files)
    return _checks(len(files), size_bytes, damages), whole


def _checks(files: int, size_bytes: int, damages: Sequence[tuple[str, RegisteredFile]]) -> Checks:
    return Checks(
        files,
        size_bytes,
        damages=tuple(f"{damage}; {_what_heals(file)}" for damage, file in damages),
        damaged=tuple(file for _, file in damages),
    )


def _what_heals(file: RegisteredFile) -> str:
    if file.table_name in REBUILT and file.batch_id is not None:
        return f"`meterline lake rebuild --batch {file.batch_id}` makes it again from the landing"
    return "`meterline restore --files --from BACKUP` puts it back"


def _digests(lake: Lake) -> tuple[Digests, LakeError | None]:
    """The digests; or none, and why they cannot be read: sizes still name a damaged file."""
    try:
        return lake.digests(), None
    except LakeError as error:
        return {}, error


def _damage(data: Path, file: RegisteredFile, expected: FileDigest | None) -> str | None:
    """A sentence if the file is not as it was committed."""
    path = file.below(data)
    damage = _other_size(data, file, Seen.at(path))
    if damage is not None:
        return damage
    try:
        found = digest_of(path)
    except OSError as error:
        return f"{_named(path, file)} cannot be read: {error.strerror}"
    # A record of a migration has no digest until the next batch lists it.
    if expected is not None and found != expected:
        return f"{_named(path, file)}: expected SHA-256 {expected.sha256}, found {found.sha256}"
    return None


def _other_size(data: Path, file: RegisteredFile, seen: Seen | None) -> str | None:
    """A sentence if the file is missing or has another size."""
    path = file.below(data)
    if seen is None:
        return f"{_named(path, file)} is missing"
    if seen.size_bytes != file.size_bytes:
        expected = f"expected {file.size_bytes:,} bytes, found {seen.size_bytes:,}"
        return f"{_named(path, file)}: {expected}"
    return None


def _named(path: Path, file: RegisteredFile) -> str:
    whose = f"of batch {file.batch_id}" if file.batch_id is not None else "of a migration"
    return f"{path} ({whose}, {counted(file.rows, 'row')})"
