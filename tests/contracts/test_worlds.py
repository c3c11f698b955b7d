"""Tests stand alone: what several of them need is a world, and worlds know of no test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SOURCES = {
    f"tests.{'.'.join(path.relative_to(TESTS).with_suffix('').parts)}": path.read_text()
    for path in sorted(TESTS.rglob("*.py"))
}
WORLDS = {
    name.split(".")[2]: source
    for name, source in SOURCES.items()
    if name.startswith("tests.worlds.") and not name.endswith(".__init__")
}


def imports_of_tests(module: str, source: str) -> Iterator[str]:
    """Scripts that a test starts are texts within it, so the lines are read and not the syntax."""
    for line in source.splitlines():
        found = re.match(r"\s*(?:from|import) (tests\.[\w.]+)(?: import (.*))?", line)
        if found is None:
            continue
        place, names = found.groups()
        is_test = re.search(r"\btest_|^tests\.unit\b", f"{place} {names or ''}")
        is_below = module.startswith("tests.worlds.") and not place.startswith("tests.worlds")
        if is_test or is_below:
            yield f"{module} imports {place}"


@pytest.mark.parametrize("module", [name for name in SOURCES if name != __name__])
def test_nothing_imports_a_test(module: str) -> None:
    assert list(imports_of_tests(module, SOURCES[module])) == []


@pytest.mark.parametrize(
    ("module", "snippet"),
    [
        ("tests.unit.lake.test_lake", "from tests.unit.lake.test_digest import commit"),
        ("tests.unit.lake.test_lake", "from tests.unit.lake import helpers"),
        ("tests.unit.lake.test_lake", "import tests.integration.test_sample_job"),
        ("tests.unit.lake.test_lake", "from tests.integration import test_sample_job"),
        ("tests.unit.lake.test_lake", 'SCRIPT = """\nfrom tests.unit.lake.test_lake import x\n"""'),
        ("tests.worlds.lakes", "from tests.hostile.lines import LINES"),
    ],
)
def test_rule_catches_a_bad_import(module: str, snippet: str) -> None:
    (offence,) = imports_of_tests(module, snippet)

    assert offence.startswith(f"{module} imports tests.")


@pytest.mark.parametrize(
    ("module", "snippet"),
    [
        ("tests.unit.lake.test_lake", "from tests.worlds.lakes import open_lake"),
        ("tests.integration.test_s3", "from tests.hostile.lines import LINES"),
        ("tests.worlds.lakes", "from tests.worlds import oracle\nfrom pipelines.lake import lake"),
    ],
)
def test_rule_lets_a_good_import_be(module: str, snippet: str) -> None:
    assert list(imports_of_tests(module, snippet)) == []


def test_the_list_of_worlds_names_each_of_them() -> None:
    listed = re.findall(r"^    (\w+) +\S", SOURCES["tests.worlds.__init__"], re.MULTILINE)

    assert sorted(listed) == sorted(WORLDS)


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_begins_with_a_sentence_about_it(world: str) -> None:
    first_paragraph = (ast.get_docstring(ast.parse(WORLDS[world])) or "").split("\n\n")[0]

    assert first_paragraph.endswith(".")
