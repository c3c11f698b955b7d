"""The picture of the rooms: it is current, and drawn from the imports as the drawing says."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

REPOSITORY = Path(__file__).parents[2]
DRAWING = REPOSITORY / "docs" / "draw_architecture.py"

DIAMOND = {
    "top": frozenset({"left", "right", "base"}),
    "left": frozenset({"base"}),
    "right": frozenset({"base"}),
    "base": frozenset[str](),
}


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_architecture", DRAWING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_picture_is_current() -> None:
    drawn = subprocess.run(
        [sys.executable, str(DRAWING)], check=True, capture_output=True, text=True
    )
    committed = (REPOSITORY / "docs" / "architecture.svg").read_text()
    assert drawn.stdout == committed, "run `make docs` and commit"


def test_every_room_has_words_in_the_map_and_no_other(drawing: ModuleType) -> None:
    assert drawing.words_of(drawing.PACKAGE).keys() == drawing.rooms_of(drawing.PACKAGE).keys()


def test_room_imports_what_any_of_its_modules_does(drawing: ModuleType, tmp_path: Path) -> None:
    package = tmp_path / "house"
    for name, source in {
        "__init__.py": '"""The house."""',
        "attic/__init__.py": "import house.cellar.shelf",
        "attic/box.py": "def f():\n    from house import garden\n    import os",
        "cellar/shelf.py": "from house.cellar import jar",
        "garden.py": "",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source)

    assert drawing.rooms_of(package) == {
        "attic": {"cellar", "garden"},
        "cellar": frozenset(),
        "garden": frozenset(),
    }


def test_room_stands_one_floor_above_the_highest_that_it_imports(drawing: ModuleType) -> None:
    assert drawing.floors_of(DIAMOND) == {"base": 0, "left": 1, "right": 1, "top": 2}


def test_rooms_that_import_each_other_have_no_floor(drawing: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"import each other: \['a', 'b'\]"):
        drawing.floors_of({"a": frozenset({"b"}), "b": frozenset({"a"})})


def test_arrow_that_others_imply_is_left_out(drawing: ModuleType) -> None:
    assert drawing.without_implied(DIAMOND) == {
        "top": {"left", "right"},
        "left": {"base"},
        "right": {"base"},
        "base": set(),
    }


def test_boxes_do_not_overlap_and_hold_their_words(drawing: ModuleType) -> None:
    text = (REPOSITORY / "docs" / "architecture.svg").read_text()
    picture = ET.fromstring(text)  # noqa: S314 -- our own picture
    svg = "{http://www.w3.org/2000/svg}"
    boxes = [
        [float(box.attrib[name]) for name in ("x", "y", "width", "height")]
        for box in picture.findall(f"{svg}rect")
        if "x" in box.attrib
    ]
    assert len(boxes) == len(drawing.rooms_of(drawing.PACKAGE))
    for number, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:number]:
            is_beside = x >= other_x + other_width or other_x >= x + width
            assert is_beside or y >= other_y + other_height or other_y >= y + height
    for words in picture.findall(f"{svg}text"):
        x, y = float(words.attrib["x"]), float(words.attrib["y"])
        assert any(
            left < x < left + width and top < y < top + height for left, top, width, height in boxes
        )
