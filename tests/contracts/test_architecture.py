"""The house holds: who may import whom, what a pure stage may touch, how long code may be.

Each rule is a function from source text to offences. It is run over every module, and over a
bad snippet, which it must catch: a rule that cannot fail proves nothing.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

ALLOWED_IMPORTS = """
vocabulary
periods      vocabulary
settings     vocabulary
durable      vocabulary
landing      vocabulary
invoicing    vocabulary
reading      vocabulary landing
lake         vocabulary settings durable
catalog      vocabulary periods durable reading
intake       vocabulary durable landing reading lake
warehouse    vocabulary settings durable invoicing lake catalog
home         vocabulary settings landing reading lake catalog intake warehouse
recovery     vocabulary durable landing reading lake intake warehouse home
audit        vocabulary landing reading lake catalog intake home
preview      vocabulary periods catalog warehouse
operations   vocabulary settings landing invoicing periods lake catalog warehouse
             home preview
defs         vocabulary settings invoicing reading lake catalog intake warehouse
             home audit operations
definitions  settings warehouse defs
cli          vocabulary settings intake lake home preview recovery operations defs
             definitions
__main__     cli
"""
"""A room and the rooms it may import: only rooms that stand above it in this table."""

ROOMS = {
    row.split()[0]: frozenset(row.split()[1:])
    for row in re.split(r"\n(?=\S)", ALLOWED_IMPORTS.strip())
}

STAGES = ("landing.discovery", "reading.parse", "intake.decide", "invoicing.finalize")
"""Pure functions on frames; none imports another."""

PURE = (
    "vocabulary",
    "periods",
    "invoicing",
    "landing.discovery",
    "reading.dialects",
    "reading.formats",
    "reading.held_names",
    "reading.hold_rule",
    "reading.parse",
    "reading.scanner",
    "reading.strict_json",
    "catalog.calendar",
    "catalog.cells",
    "catalog.charge_models",
    "catalog.csv_files",
    "catalog.periods",
    "catalog.refusal_cuts",
    "catalog.rows",
    "catalog.rules",
    "catalog.senders",
    "catalog.table",
    "catalog.tables",
    "intake.decide",
    "intake.key_filter",
    "intake.sieve",
    "preview",
)
"""Rooms and modules that open no file, read no clock and no environment."""

IMPURE_WITHIN_PURE = ("reading.scanner.cache",)
"""Compiled functions are kept on disk; nothing that computes is in this module."""

MONEY_BEARING = (
    "invoicing",
    "vocabulary.money",
    "catalog.periods",
    "periods",
    "preview",
    "intake.decide",
    "reading.parse",
)
"""Rooms and modules in which no float may stand."""

IMPURE_IMPORTS = {
    "duckdb",
    "filelock",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "time",
    "uuid",
}
CLOCK_CALLS = {"now", "today", "utcnow"}

Rule = Callable[[str, str], Iterator[str]]
"""(module, source text) → offences."""


def _modules(folder: str) -> dict[str, str]:
    """Source text of every module below a folder, by dotted name."""
    root = REPOSITORY / folder
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): (
            path.read_text()
        )
        for path in sorted(root.rglob("*.py"))
        if path != root / "__init__.py"
    }


PIPELINES = _modules("pipelines")
WITNESS = _modules("witness")


def imports_beyond_the_table(module: str, source: str) -> Iterator[str]:
    room = module.split(".", maxsplit=1)[0]
    for imported in sorted(_pipelines_imports(source)):
        below = imported.split(".")[0]
        if below != room and below not in ROOMS[room]:
            yield f"{module} imports {imported}"
        elif module in STAGES and imported in STAGES:
            yield f"{module} imports the stage {imported}"


def _pipelines_imports(source: str) -> set[str]:
    """The modules of `pipelines` that a source imports, by dotted name below the package."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.add("pipelines.a_relative_import")
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{name.name}" for name in node.names}
            modules = {name for name in inner if name.removeprefix("pipelines.") in PIPELINES}
            found |= modules or {node.module or ""}
    return {name.removeprefix("pipelines.") for name in found if name.split(".")[0] == "pipelines"}


def _within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def impurities(module: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        imported: set[str] = set()
        if isinstance(node, ast.Import):
            imported = {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported = {(node.module or "").split(".")[0]}
        for name in sorted(imported & IMPURE_IMPORTS):
            yield f"{module} imports {name}"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.split(".")[-1] in CLOCK_CALLS and "." in called:
                yield f"{module}:{node.lineno} asks the clock: {called}()"
            if called in ("open", "input", "print"):
                yield f"{module}:{node.lineno} does input or output: {called}()"


def floats(module: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"{module}:{node.lineno} has the float {node.value}"
        elif isinstance(node, ast.Name) and node.id == "float":
            yield f"{module}:{node.lineno} names float"
        elif isinstance(node, ast.Attribute) and node.attr in ("Float32", "Float64"):
            yield f"{module}:{node.lineno} names {node.attr}"


def long_code(module: str, source: str) -> Iterator[str]:
    lines = len(source.splitlines())
    if lines > MODULE_LINES_MAX:
        yield f"{module} has {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{module}.{node.name} has {lines} lines"


def undocumented(module: str, source: str) -> Iterator[str]:
    tree = ast.parse(source)
    if not ast.get_docstring(tree):
        yield f"{module} has no docstring"
    yield from _undocumented_in(module, tree)


def _undocumented_in(place: str, parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield f"{place}.{node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented_in(f"{place}.{node.name}", node)


def unexplained_type_ignores(module: str, source: str) -> Iterator[str]:
    for number, line in enumerate(source.splitlines(), start=1):
        if re.search(r"#\s*type:\s*ignore(?!\[[a-z])", line):
            yield f"{module}:{number} ignores types without an error code"


def changes_to_lake_tables(module: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for change in LAKE_CHANGE.findall(node.value):
                yield f"{module}:{node.lineno} changes what was written: {change}"


LAKE_CHANGE = re.compile(
    r"\b(?:update|delete\s+from|truncate(?:\s+table)?|drop\s+table(?:\s+if\s+exists)?|merge\s+into)"
    r"\s+lake\.",
    re.IGNORECASE,
)


def syncs_of_its_own(module: str, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if module == "durable" or not isinstance(node, ast.Attribute):
            continue
        if node.attr in ("fsync", "fdatasync"):
            yield f"{module}:{node.lineno} syncs by itself: {ast.unparse(node)}"


def test_every_room_has_its_row_in_the_table() -> None:
    rooms = {module.split(".")[0] for module in PIPELINES}

    assert rooms - ROOMS.keys() == set(), "say in the table above what the room may import"
    assert ROOMS.keys() - rooms == set(), "the table names what is gone"
    for name in (*STAGES, *PURE, *IMPURE_WITHIN_PURE, *MONEY_BEARING):
        assert any(_within(module, (name,)) for module in PIPELINES), name


def test_a_room_imports_only_rooms_above_its_row() -> None:
    rows = list(ROOMS)
    for place, room in enumerate(rows):
        assert ROOMS[room] <= set(rows[:place]), room


def test_the_table_allows_no_more_than_is_needed() -> None:
    used: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module, source in PIPELINES.items():
        room = module.split(".")[0]
        used[room] |= {name.split(".")[0] for name in _pipelines_imports(source)} - {room}
    assert {room: ROOMS[room] - below for room, below in used.items() if ROOMS[room] - below} == {}


def test_modules_import_in_one_direction() -> None:
    """Nothing imports what imports it, however indirectly, also within a room."""
    above: set[str] = set()
    waiting = {
        module: (_pipelines_imports(source) & PIPELINES.keys()) - {module}
        for module, source in PIPELINES.items()
    }
    while waiting:
        ready = [module for module, imported in waiting.items() if imported <= above]
        assert ready, f"these import each other: {sorted(waiting)}"
        above |= set(ready)
        for module in ready:
            del waiting[module]


@pytest.mark.parametrize("module", PIPELINES)
@pytest.mark.parametrize(
    "rule",
    [
        imports_beyond_the_table,
        long_code,
        undocumented,
        unexplained_type_ignores,
        changes_to_lake_tables,
        syncs_of_its_own,
    ],
)
def test_module_keeps_the_rule(rule: Rule, module: str) -> None:
    assert list(rule(module, PIPELINES[module])) == []


@pytest.mark.parametrize(
    "module",
    [module for module in PIPELINES if _within(module, PURE) and module not in IMPURE_WITHIN_PURE],
)
def test_stage_and_vocabulary_are_pure(module: str) -> None:
    assert list(impurities(module, PIPELINES[module])) == []


@pytest.mark.parametrize(
    "module", [module for module in PIPELINES if _within(module, MONEY_BEARING)]
)
def test_money_meets_no_float(module: str) -> None:
    assert list(floats(module, PIPELINES[module])) == []


def imports_of_a_witness(module: str, source: str) -> Iterator[str]:
    """A witness is of the standard library alone, so that no fault of the product is its own."""
    for node in ast.walk(ast.parse(source)):
        imported: set[str] = set()
        if isinstance(node, ast.Import):
            imported = {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported = {"" if node.level else (node.module or "").split(".")[0]}
        for name in sorted(imported - sys.stdlib_module_names - {"witness"}):
            yield f"{module} imports {name or 'by a relative name'}"


@pytest.mark.parametrize("module", WITNESS)
@pytest.mark.parametrize(
    "rule",
    [imports_of_a_witness, floats, long_code, undocumented, unexplained_type_ignores],
)
def test_witness_keeps_the_rule(rule: Rule, module: str) -> None:
    assert list(rule(module, WITNESS[module])) == []


@pytest.mark.parametrize("rule", [long_code, undocumented, unexplained_type_ignores])
def test_benchmarks_keep_the_rule(rule: Rule) -> None:
    assert [offence for item in _modules("bench").items() for offence in rule(*item)] == []


def test_tests_ignore_types_only_by_error_code() -> None:
    offences = [
        offence
        for item in _modules("tests").items()
        if item[0] != "contracts.test_architecture"
        for offence in unexplained_type_ignores(*item)
    ]
    assert offences == []


@pytest.mark.parametrize(
    ("rule", "module", "snippet", "offence"),
    [
        (imports_beyond_the_table, "intake.decide", "import pipelines.defs.dbt", "defs.dbt"),
        (imports_beyond_the_table, "intake.decide", "import pipelines.reading.parse", "the stage"),
        (
            imports_beyond_the_table,
            "reading.parse",
            "from pipelines import lake, vocabulary",
            "lake",
        ),
        (imports_beyond_the_table, "intake.decide", "from . import batch", "relative"),
        (imports_beyond_the_table, "settings", "def f():\n    import pipelines.lake", "lake"),
        (imports_beyond_the_table, "lake.lake", "from pipelines.defs.assets import x", "assets"),
        (imports_beyond_the_table, "lake.lake", "from pipelines.intake import batch", "intake"),
        (impurities, "decide", "import os.path", "imports os"),
        (impurities, "decide", "from pathlib import Path", "imports pathlib"),
        (impurities, "decide", "import time", "imports time"),
        (impurities, "decide", "def f():\n    import duckdb", "imports duckdb"),
        (impurities, "decide", "from datetime import datetime\nx = datetime.now()", "clock"),
        (impurities, "decide", "x = date.today()", "clock"),
        (impurities, "decide", "x = datetime.datetime.now(datetime.UTC)", "clock"),
        (impurities, "decide", "x = open('f')", "input or output"),
        (floats, "money", "x = 0.5", "the float 0.5"),
        (floats, "money", "x = -1e3", "the float 1000.0"),
        (floats, "money", "x = float('1')", "names float"),
        (floats, "money", "x: float", "names float"),
        (floats, "money", "x = values.cast(pl.Float64)", "names Float64"),
        (long_code, "money", "x = 1\n" * 401, "has 401 lines"),
        (long_code, "money", "def f():\n" + "    x = 1\n" * 70, "money.f has 71 lines"),
        (long_code, "money", "class A:\n  async def f():\n" + "    1\n" * 70, "f has 71 lines"),
        (undocumented, "money", "x = 1", "money has no docstring"),
        (undocumented, "money", '"""M."""\ndef f(): ...', "money.f has no docstring"),
        (undocumented, "money", '"""M."""\nclass A: ...', "money.A has no docstring"),
        (
            undocumented,
            "money",
            '"""M."""\nclass A:\n  """A."""\n  @property\n  def f(self): ...',
            "money.A.f has no docstring",
        ),
        (unexplained_type_ignores, "money", "x = 1  # type: ignore", "without an error code"),
        (unexplained_type_ignores, "money", "x = 1  #type:ignore []", "without an error code"),
        (changes_to_lake_tables, "lake", 'x = "DELETE FROM lake.batches"', "DELETE FROM lake."),
        (changes_to_lake_tables, "lake", 'x = f"update lake.{table} set"', "update lake."),
        (changes_to_lake_tables, "lake", 'x = "drop table if exists lake.batches"', "drop"),
        (syncs_of_its_own, "lake.lake", "os.fsync(file)", "by itself: os.fsync"),
        (imports_of_a_witness, "periods", "from pipelines.periods import days", "pipelines"),
        (imports_of_a_witness, "periods", "def f():\n    import polars as pl", "polars"),
        (imports_of_a_witness, "periods", "from . import clocks", "relative"),
    ],
)
def test_rule_catches_a_bad_snippet(rule: Rule, module: str, snippet: str, offence: str) -> None:
    (found,) = rule(module, snippet)

    assert offence in found


@pytest.mark.parametrize(
    ("rule", "module", "snippet"),
    [
        (
            imports_beyond_the_table,
            "intake.decide",
            "import polars\nfrom pipelines.vocabulary.tables import x",
        ),
        (imports_beyond_the_table, "intake.decide", "from pipelines import vocabulary"),
        (imports_beyond_the_table, "intake.batch", "from pipelines.intake import decide"),
        (imports_beyond_the_table, "defs.assets", "from pipelines import lake, reading"),
        (impurities, "decide", "x = pl.col('opened').open\nfrom datetime import datetime"),
        (floats, "money", "x = 1\ny = '0.5'\nz = Decimal('0.5')"),
        (long_code, "money", "x = 1\n" * 400),
        (long_code, "money", "def f():\n" + "    x = 1\n" * 69),
        (undocumented, "money", '"""M."""\ndef _f(): ...\ndef g():\n  """G."""'),
        (unexplained_type_ignores, "money", "x = 1  # type: ignore[arg-type]"),
        (changes_to_lake_tables, "lake", 'x = "INSERT INTO lake.batches"\ny = "update me"'),
        (syncs_of_its_own, "durable", "os.fsync(file)"),
        (imports_of_a_witness, "periods", "import zoneinfo\nfrom witness.clocks import zone"),
    ],
)
def test_rule_lets_good_code_be(rule: Rule, module: str, snippet: str) -> None:
    assert list(rule(module, snippet)) == []
