"""The house holds: who may import whom, what a pure stage may touch, how long code may be.

Each rule is a function from source text to offences. It is run over every module, and over a
bad snippet, which it must catch: a rule that cannot fail proves nothing.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

VOCABULARY = {
    "errors": set[str](),
    "schemas": set[str](),
    "rules": {"schemas"},
    "compiled": set[str](),
    "xxh64": {"compiled"},
    "digests": set[str](),
    "key_filter": set[str](),
    "money": set[str](),
    "timestamps": set[str](),
    "periods": {"rules", "schemas"},
    "strict_json": {"schemas"},
    "dialects": {
        "dialects.amendment",
        "dialects.cloudevents",
        "dialects.custom",
        "dialects.event",
        "dialects.form",
        "dialects.lago",
        "dialects.metronome",
        "dialects.orb",
        "dialects.segment",
        "dialects.stripe",
        "dialects.togai",
    },
    "dialects.amendment": {"dialects.event", "dialects.form", "schemas", "strict_json"},
    "dialects.event": {"schemas", "strict_json"},
    "dialects.form": {"dialects.event", "schemas", "strict_json", "timestamps"},
    "dialects.cloudevents": {"dialects.form", "timestamps"},
    "dialects.custom": {"dialects.event", "dialects.form", "schemas", "strict_json", "timestamps"},
    "dialects.lago": {"dialects.form", "timestamps"},
    "dialects.metronome": {"dialects.form", "timestamps"},
    "dialects.orb": {"dialects.form", "timestamps"},
    "dialects.segment": {"dialects.form", "timestamps"},
    "dialects.stripe": {"dialects.event", "dialects.form", "timestamps"},
    "dialects.togai": {"dialects.event", "dialects.form", "schemas", "strict_json", "timestamps"},
    "records": {"dialects", "dialects.event", "schemas"},
    "held": set[str](),
    "invoice_documents": {"errors", "money"},
    "catalog_cells": {"money", "periods", "schemas", "timestamps"},
    "catalog_files": {"catalog_cells", "periods"},
    "catalog_prices": {"catalog_cells", "catalog_files", "money"},
    "catalog_readers": {
        "catalog_cells",
        "catalog_files",
        "dialects",
        "dialects.custom",
        "dialects.event",
    },
    "catalog_rules": {"catalog_cells", "catalog_files", "catalog_prices", "periods"},
}
"""What stages are written in: values, forms and terms. Pure."""

STAGES = {
    "compression": {"records", "schemas"},
    "discovery": {"schemas"},
    "csv_rows": {"dialects", "dialects.event", "records", "schemas", "strict_json"},
    "json_arrays": {"records"},
    "parquet_rows": {"dialects", "records", "schemas"},
    "parse": {"dialects", "dialects.event", "digests", "records", "schemas", "strict_json"},
    "sieve": {"compiled", "key_filter"},
    "decide": {"rules", "schemas"},
    "close": {"errors", "invoice_documents", "schemas"},
}
"""Pure functions on frames and bytes; each is written in vocabulary alone."""

SCANNER = {
    "scan_json": {"compiled", "schemas"},
    "scan_times": {"compiled"},
    "scan": {"compiled", "digests", "scan_json", "scan_times", "schemas", "xxh64"},
    "scan_forms": {"compiled", "dialects", "dialects.form", "scan", "timestamps"},
    "scanned": {"compiled", "dialects", "parse", "records", "scan", "scan_json", "schemas"},
}
"""`parse` once more, compiled: a stage in several files. It knows that one stage, to which it
leaves what is unusual, and whose rows it must give."""

STORES = {
    "config": {"errors"},
    "compiled_cache": set[str](),
    "landing": {"compression", "errors", "schemas"},
    "ducklake": {"errors"},
    "lake": {"ducklake", "errors", "schemas"},
    "lock": {"errors"},
    "catalog": {
        "catalog_files",
        "catalog_readers",
        "catalog_rules",
        "dialects",
        "errors",
        "rules",
        "schemas",
    },
    "billing_calendar": {"catalog", "periods", "rules", "schemas"},
    "formats": {
        "compression",
        "csv_rows",
        "dialects",
        "json_arrays",
        "parquet_rows",
        "parse",
        "records",
        "schemas",
    },
    "workers": {"compression", "dialects", "formats", "held", "landing", "parse"},
    "conservation": {"lake", "schemas"},
    "window_index": {"conservation", "key_filter", "lake", "schemas"},
    "provenance": {
        "conservation",
        "dialects",
        "formats",
        "lake",
        "landing",
        "parse",
        "records",
        "schemas",
    },
    "digest": {"lake"},
    "publish": {"ducklake", "errors"},
    "dbt_runner": {"errors"},
    "dbt_duckdb_plugin": {"ducklake"},
    "in_progress": {"schemas"},
    "file_states": {"close", "lake"},
    "run_facts": {"config", "errors", "lake", "schemas", "timestamps"},
    "gate": {"lake", "publish", "run_facts", "schemas"},
}
"""What opens files and connections; none knows what comes before or after it."""

ASSEMBLY = {
    "alarm_assets",
    "alarms",
    "assets",
    "attention",
    "batch",
    "checks",
    "cli",
    "correction",
    "dagster_home",
    "dbt_assets",
    "definitions",
    "event_log",
    "idle",
    "invoice_assets",
    "job",
    "replay",
    "replay_selection",
    "report",
    "run_options",
    "resources",
    "sensors",
    "sql_prompt",
    "stream",
}
"""Dagster and the command line: they know the order of things, and nothing else imports them."""

IMPORTS = VOCABULARY | STAGES | SCANNER | STORES
PURE = VOCABULARY | STAGES | SCANNER
MONEY_BEARING = {"close", "money", "decide", "parse", "periods", "invoice_documents"}

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


def imports_beyond_the_table(module: str, source: str) -> Iterator[str]:
    if module in ASSEMBLY:
        return
    for imported in sorted(_pipelines_imports(source) - IMPORTS[module]):
        yield f"{module} imports {imported}"


def _pipelines_imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.add("pipelines.a_relative_import")
        elif isinstance(node, ast.ImportFrom) and node.module in (
            "pipelines",
            "pipelines.dialects",
        ):
            inner = {f"{node.module}.{name.name}" for name in node.names}
            modules = {name for name in inner if name.removeprefix("pipelines.") in PIPELINES}
            found |= modules or {node.module}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {name.removeprefix("pipelines.") for name in found if name.split(".")[0] == "pipelines"}


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


def test_every_module_has_its_place_in_the_table() -> None:
    places = [VOCABULARY.keys(), STAGES.keys(), SCANNER.keys(), STORES.keys(), ASSEMBLY]

    named = sorted(name for place in places for name in place)
    assert len(named) == len(set(named))
    assert set(PIPELINES) - set(named) == set(), "say in the table above where it belongs"
    assert set(named) - set(PIPELINES) == set(), "the table names what is gone"


def test_no_stage_is_written_in_terms_of_another() -> None:
    for module, imported in (VOCABULARY | STAGES).items():
        assert imported <= VOCABULARY.keys(), module
    for module, imported in SCANNER.items():
        assert imported <= VOCABULARY.keys() | SCANNER.keys() | {"parse"}, module


def test_only_the_assembly_knows_the_assembly() -> None:
    for module, imported in IMPORTS.items():
        assert not imported & ASSEMBLY, module


def test_imports_have_one_direction() -> None:
    """Nothing imports what imports it, however indirectly."""
    above: dict[str, set[str]] = {}
    waiting = dict(IMPORTS)
    while waiting:
        ready = [module for module, imported in waiting.items() if imported <= above.keys()]
        assert ready, f"these import each other: {sorted(waiting)}"
        above |= {module: waiting.pop(module) for module in ready}


@pytest.mark.parametrize("module", PIPELINES)
@pytest.mark.parametrize(
    "rule",
    [
        imports_beyond_the_table,
        long_code,
        undocumented,
        unexplained_type_ignores,
        changes_to_lake_tables,
    ],
)
def test_module_keeps_the_rule(rule: Rule, module: str) -> None:
    assert list(rule(module, PIPELINES[module])) == []


@pytest.mark.parametrize("module", sorted(PURE))
def test_stage_and_vocabulary_are_pure(module: str) -> None:
    assert list(impurities(module, PIPELINES[module])) == []


@pytest.mark.parametrize("module", sorted(MONEY_BEARING))
def test_money_meets_no_float(module: str) -> None:
    assert list(floats(module, PIPELINES[module])) == []


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
        (imports_beyond_the_table, "decide", "from pipelines.parse import parse_chunk", "parse"),
        (imports_beyond_the_table, "decide", "import pipelines.parse", "parse"),
        (imports_beyond_the_table, "decide", "from pipelines import lake, schemas", "lake"),
        (imports_beyond_the_table, "decide", "from . import parse", "relative"),
        (imports_beyond_the_table, "money", "def f():\n    import pipelines.schemas", "schemas"),
        (imports_beyond_the_table, "lake", "from pipelines.assets import x", "assets"),
        (imports_beyond_the_table, "decide", "from pipelines.dialects import metronome", "metro"),
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
    ],
)
def test_rule_catches_a_bad_snippet(rule: Rule, module: str, snippet: str, offence: str) -> None:
    (found,) = rule(module, snippet)

    assert offence in found


@pytest.mark.parametrize(
    ("rule", "module", "snippet"),
    [
        (imports_beyond_the_table, "decide", "import polars\nfrom pipelines.schemas import Reason"),
        (imports_beyond_the_table, "decide", "from pipelines import schemas"),
        (imports_beyond_the_table, "assets", "from pipelines import lake, parse"),
        (impurities, "decide", "x = pl.col('opened').open\nfrom datetime import datetime"),
        (floats, "money", "x = 1\ny = '0.5'\nz = Decimal('0.5')"),
        (long_code, "money", "x = 1\n" * 400),
        (long_code, "money", "def f():\n" + "    x = 1\n" * 69),
        (undocumented, "money", '"""M."""\ndef _f(): ...\ndef g():\n  """G."""'),
        (unexplained_type_ignores, "money", "x = 1  # type: ignore[arg-type]"),
        (changes_to_lake_tables, "lake", 'x = "INSERT INTO lake.batches"\ny = "update me"'),
    ],
)
def test_rule_lets_good_code_be(rule: Rule, module: str, snippet: str) -> None:
    assert list(rule(module, snippet)) == []
