"""The picture `docs/architecture.svg`, drawn from the imports of the code.

    python docs/draw_architecture.py > docs/architecture.svg

A box is a room: a folder or a module directly below `pipelines/`. Its words are those of the map in
`pipelines/__init__.py`. A room stands one floor above the highest room that it imports. An arrow
that others imply is left out: with defs → audit and audit → home, defs → home is not drawn.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from textwrap import wrap

PACKAGE = Path(__file__).parents[1] / "pipelines"

Imports = Mapping[str, frozenset[str]]
"""A room, and the rooms that it imports."""

Floor = Sequence[str]
"""Rooms from left to right, and bends of arrows that pass them, written as `from>to`."""

BOX_WIDTH, BOX_HEIGHT = 236, 82
BEND_WIDTH = 24
GAP_X, GAP_Y = 36, 50
MARGIN = 24
WORDS_WIDTH = 32
SWEEPS = 8


def rooms_of(package: Path) -> dict[str, frozenset[str]]:
    """Every room below a package, with the rooms that any of its modules imports."""
    found: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).with_suffix("").parts[0]
        if room not in ("__init__", "__main__"):
            found.setdefault(room, set()).update(_imports(path.read_text(), package.name))
    return {room: frozenset(imported) - {room} for room, imported in found.items()}


def _imports(source: str, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{each.name}" for each in node.names]
        for name in names:
            first, _, rest = name.partition(".")
            if first == package and rest:
                yield rest.partition(".")[0]


def words_of(package: Path) -> dict[str, str]:
    """What the map in the package's docstring says of each room."""
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    lines = re.findall(r"^ {4}(\w+) {2,}(\S.*)$", text, re.MULTILINE)
    return {room: words.replace("`", "") for room, words in lines}


def floors_of(imports: Imports) -> dict[str, int]:
    """The floor of each room; 0 for one that imports none."""
    floors: dict[str, int] = {}
    while len(floors) < len(imports):
        ready = [room for room in imports if room not in floors and imports[room] <= floors.keys()]
        if not ready:
            raise ValueError(f"these rooms import each other: {sorted(imports.keys() - floors)}")
        for room in ready:
            floors[room] = 1 + max((floors[below] for below in imports[room]), default=-1)
    return floors


def without_implied(imports: Imports) -> dict[str, frozenset[str]]:
    """The imports but for those that others imply."""
    reached: dict[str, frozenset[str]] = {}
    for room in sorted(imports, key=floors_of(imports).__getitem__):
        reached[room] = imports[room].union(*(reached[below] for below in imports[room]))
    return {
        room: below - frozenset().union(*(reached[each] for each in below))
        for room, below in imports.items()
    }


def paths_of(imports: Imports, floors: Mapping[str, int]) -> list[list[str]]:
    """Each arrow as the boxes and bends that it meets, one a floor, from the top."""
    return [
        [room, *(f"{room}>{below}" for _ in range(floors[below] + 1, floors[room])), below]
        for room in sorted(imports)
        for below in sorted(imports[room])
    ]


def ordered(paths: Sequence[Sequence[str]], floors: Mapping[str, int]) -> list[list[str]]:
    """Boxes and bends of each floor, from the lowest floor up, ordered so that few arrows cross."""
    rows: list[list[str]] = [[] for _ in range(max(floors.values()) + 1)]
    for room in sorted(floors):
        rows[floors[room]].append(room)
    links: list[dict[str, list[str]]] = [{} for _ in rows]
    for path in paths:
        for depth, (upper, lower) in enumerate(pairwise(path)):
            floor = floors[path[0]] - depth - 1
            links[floor].setdefault(upper, []).append(lower)
            if lower not in rows[floor]:
                rows[floor].append(lower)
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 0
        for floor in range(1, len(rows)) if upwards else range(len(rows) - 2, -1, -1):
            _sort_row(rows, links, floor, upwards=upwards)
    return rows


def _sort_row(
    rows: list[list[str]], links: list[dict[str, list[str]]], floor: int, *, upwards: bool
) -> None:
    """Puts each box of a floor near the middle of its neighbours on the floor before."""
    before = rows[floor - 1 if upwards else floor + 1]
    place = {name: (number + 0.5) / len(before) for number, name in enumerate(before)}
    own = {name: (number + 0.5) / len(rows[floor]) for number, name in enumerate(rows[floor])}

    def middle(name: str) -> float:
        if upwards:
            near = links[floor - 1].get(name, [])
        else:
            near = [upper for upper, lowers in links[floor].items() if name in lowers]
        return sum(place[each] for each in near) / len(near) if near else own[name]

    rows[floor].sort(key=middle)


def centres_of(rows: Sequence[Floor]) -> tuple[dict[tuple[int, str], tuple[float, float]], float]:
    """The middle of each box and bend, by floor and name, and the width of the picture."""
    widths = [[BEND_WIDTH if ">" in name else BOX_WIDTH for name in row] for row in rows]
    whole = [sum(each) + GAP_X * (len(each) - 1) for each in widths]
    width = max(whole) + 2 * MARGIN
    centres = {}
    for floor, row in enumerate(rows):
        x = (width - whole[floor]) / 2
        y = MARGIN + (len(rows) - 1 - floor) * (BOX_HEIGHT + GAP_Y) + BOX_HEIGHT / 2
        for name, own in zip(row, widths[floor], strict=True):
            centres[floor, name] = (x + own / 2, y)
            x += own + GAP_X
    return centres, width


def svg_of(imports: Imports, words: Mapping[str, str]) -> str:
    """The picture as SVG text; the same imports and words give the same text."""
    floors, drawn = floors_of(imports), without_implied(imports)
    paths = paths_of(drawn, floors)
    rows = ordered(paths, floors)
    centres, width = centres_of(rows)
    height = 2 * MARGIN + len(rows) * BOX_HEIGHT + (len(rows) - 1) * GAP_Y
    boxes = [
        _box(room, words.get(room, ""), *centres[floor, room]) for room, floor in floors.items()
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" font-family="Helvetica, Arial, sans-serif">',
            "<title>The rooms of Meterline, and what each imports</title>",
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
            'markerHeight="8" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="#5b6675"/></marker>'
            "</defs>",
            f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
            *_arrows(paths, floors, centres),
            *boxes,
            "</svg>",
            "",
        ]
    )


def _box(room: str, words: str, x: float, y: float) -> str:
    left, top = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
    lines = [
        f'<text x="{x:g}" y="{top + 40 + 15 * number:g}" font-size="12" fill="#333d4a" '
        f'text-anchor="middle">{escape(line)}</text>'
        for number, line in enumerate(wrap(words, WORDS_WIDTH))
    ]
    return "\n".join(
        [
            f'<rect x="{left:g}" y="{top:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" '
            'fill="#eef3f8" stroke="#5b6675"/>',
            f'<text x="{x:g}" y="{top + 21:g}" font-size="15" font-weight="bold" fill="#111820" '
            f'text-anchor="middle">{escape(room)}</text>',
            *lines,
        ]
    )


def _arrows(
    paths: Sequence[Sequence[str]],
    floors: Mapping[str, int],
    centres: Mapping[tuple[int, str], tuple[float, float]],
) -> Iterator[str]:
    """Curves from the lower edge of a room to the upper edge of one that it imports."""
    steps = [
        (floors[path[0]] - depth, upper, lower)
        for path in paths
        for depth, (upper, lower) in enumerate(pairwise(path))
    ]

    def ends(floor: int, upper: str, lower: str) -> tuple[float, float, float, float]:
        """Where one step of an arrow leaves a box or bend, and where it meets the next."""
        below = [each[2] for each in steps if each[:2] == (floor, upper)]
        above = [each[1] for each in steps if (each[0], each[2]) == (floor, lower)]
        below.sort(key=lambda name: centres[floor - 1, name])
        above.sort(key=lambda name: centres[floor, name])
        (x, y), (to_x, to_y) = centres[floor, upper], centres[floor - 1, lower]
        return (
            x + _spread(below.index(lower), len(below)),
            y + BOX_HEIGHT / 2,
            to_x + _spread(above.index(upper), len(above)),
            to_y - BOX_HEIGHT / 2,
        )

    for path in paths:
        drawn = ""
        for depth, (upper, lower) in enumerate(pairwise(path)):
            x, y, to_x, to_y = ends(floors[path[0]] - depth, upper, lower)
            half = (y + to_y) / 2
            drawn += f"{'L' if drawn else 'M'}{x:g} {y:g} "
            drawn += f"C{x:g} {half:g} {to_x:g} {half:g} {to_x:g} {to_y:g} "
        yield (
            f'<path d="{drawn.rstrip()}" fill="none" stroke="#5b6675" stroke-width="1.5" '
            'marker-end="url(#head)"/>'
        )


def _spread(number: int, count: int) -> float:
    """How far from the middle of an edge one of several arrows meets it."""
    return (number - (count - 1) / 2) * min(48, BOX_WIDTH / (count + 1))


if __name__ == "__main__":
    sys.stdout.write(svg_of(rooms_of(PACKAGE), words_of(PACKAGE)))
