"""Many worlds: random landings are decided in random ways, and compared with the oracle.

    make worlds WORLDS_SECONDS=600 WORLD=1

If a world fails, its number is printed. `WORLD=<number> WORLDS_SECONDS=0` makes it again.

Worlds differ in dialects, time zones of instants and of the host, repeats, conflicts, lateness,
cuts and compressions. They are decided in different batches, with different numbers of processes,
streamed or strictly, and with different bounds of memory. Two ways to decide the same world must
give the same digest of the lake.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from unittest import mock

from pipelines.lake.lake_digest import lake_digest
from pipelines.landing.store import Landing
from pipelines.reading.dialects import DIALECTS
from pipelines.reading.formats.lines import split_chunks
from tests.worlds.deliveries import cut_rows, source_rows
from tests.worlds.lakes import decide_landing, open_lake, verdict_rows
from tests.worlds.landings import LandedWorld, drop_into_folder, make_landed_world

_ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Europe/Lisbon")


def check_world(number: int, folder: Path) -> None:
    """Fails unless two ways to decide the world give the oracle's verdicts and the same digest."""
    chance = random.Random(number)  # noqa: S311 — repeatable on purpose
    # A payload is the fields as sent. So senders that share a scope have the same dialect, or two
    # dialects with the same fields.
    shared = chance.choice([(name, name) for name in sorted(DIALECTS)] + [("lago", "orb")])
    spoken = {"alpha": shared[0], "beta": shared[1], "gamma": chance.choice(sorted(DIALECTS))}
    world = make_landed_world(number, chance.randint(2, 12), spoken)
    digests = set()
    for road in ("first", "second"):
        found = _decide(world, chance, folder / road)
        expected = world.expected_rows()
        differing = [pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]]
        assert found == expected, (
            f"{len(found)} verdicts for {len(expected)}; first difference {differing[:1]}"
        )
        with open_lake(folder / road / "home", read_only=True) as lake:
            digests.add(lake_digest(lake))
    assert len(digests) == 1, f"two roads gave {digests}"


def _decide(
    world: LandedWorld, chance: random.Random, folder: Path
) -> list[tuple[str, int, str, str | None, str | None, int | None]]:
    landing = Landing(str(folder / "landing"))
    sources = source_rows(world.senders, dialects=world.dialects)
    cuts = cut_rows(world.cuts)
    settings: dict[str, object] = {
        "pipelines.intake.batch.STREAMED_BYTES_MIN": chance.choice([0, 0, 2**30]),
        "pipelines.intake.verdict_rows.EVENTS_PER_GROUP": chance.choice([1, 7, 2_000_000]),
        "pipelines.intake.stream.FILE_BYTES_HELD": chance.choice([0, 2**30]),
        "pipelines.intake.stream.PART_ROWS": chance.choice([1, 5, 250_000]),
        "pipelines.intake.stream.BATCH_KEYS": chance.choice([1, 1_000]),
        "pipelines.intake.window_index.SEGMENT_KEYS": chance.choice([1, 3, 1_000_000]),
        "pipelines.intake.window_index.SPAN_KEYS": chance.choice([1, 3, 1_000_000]),
        "pipelines.reading.formats.lines.split_chunks": partial(
            split_chunks, chunk_bytes=chance.choice([64, 700, 2**20])
        ),
    }
    sizes = _sizes(chance) if chance.random() < 0.5 else None
    processes = 2 if chance.random() < 0.02 else 1
    with ExitStack() as patched:
        patched.enter_context(_zone(chance.choice(_ZONES)))
        for name, value in settings.items():
            patched.enter_context(mock.patch(name, value))
        for wave in world.waves():
            drop_into_folder(folder / "landing", wave)
            decide_landing(folder / "home", landing, sources, cuts, sizes, processes)
    return verdict_rows(folder / "home")


def _sizes(chance: random.Random) -> Iterator[int]:
    while True:
        yield chance.choice([1, 500, 3000])


class _zone:  # noqa: N801 — reads as a context
    """Sets the time zone of the host while the context is entered."""

    def __init__(self, name: str) -> None:
        self._patch = mock.patch.dict(os.environ, {"TZ": name})

    def __enter__(self) -> None:
        self._patch.start()
        time.tzset()

    def __exit__(self, *_: object) -> None:
        self._patch.stop()
        time.tzset()


def main() -> int:
    """1 if a world failed, else 0; worlds from `WORLD` on are tried for `WORLDS_SECONDS`."""
    seconds = int(os.environ.get("WORLDS_SECONDS") or "60")
    first = number = int(os.environ.get("WORLD") or random.SystemRandom().randint(1, 10**9))
    until = time.monotonic() + seconds
    failed = []
    while number == first or time.monotonic() < until:
        with tempfile.TemporaryDirectory(prefix=f"world-{number}-") as folder:
            try:
                check_world(number, Path(folder))
            except Exception as error:
                failed.append(number)
                text = f"{type(error).__name__}: {str(error)[:600]}"
                sys.stderr.write(f"world {number} failed: {text}\n")
        number += 1
    sys.stdout.write(
        f"{number - first} worlds from {first} on; {len(failed)} failed {failed[:20]}\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
