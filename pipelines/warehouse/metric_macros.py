"""The dbt project's macros of metrics as SQL text, without a run of dbt.

The files are those that dbt renders, and the text is the same: a test compares them. Rendering them
here takes milliseconds, where a run of dbt takes seconds to begin.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import jinja2
from jinja2 import pass_context
from jinja2.runtime import Context

from pipelines.settings import DBT_PROJECT

Definition = dict[str, Any]
"""A metric's options with their defaults, its `traits` and its `faults`."""


_PAIR = re.compile(r"\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
"""A character beyond 16 bits as JSON escapes it, or a backslash."""


def is_sql_text(text: str) -> bool:
    """False if a JSON text has a NUL, or half of a pair that stands for one character."""
    return not re.search(r"\\u0000|\\ud[89a-f]|[\0\ud800-\udfff]", _PAIR.sub("", text))


def metric_definition(options: Mapping[str, object]) -> Definition:
    """The definition of a metric; `faults` has what is wrong with the options.

    Args:
        options: of `billable_metric`, by their names; None is as good as left out.
    """
    definition: Definition = {}
    _macros()["metric_definition"](options, definition)
    return definition


def valued_events_sql(definition: Definition, events: str, columns: Sequence[str]) -> str:
    """A SELECT of the events that a metric matches, each with its value or why it has none.

    Args:
        definition: without faults.
        events: name of a relation with `event_name`, `properties` and the columns.
        columns: what is passed on.
    """
    return macro_sql("valued_events", definition, events, list(columns))


def usage_sql(
    definition: Definition, events: str, spans: str, keys: Sequence[str], days: str
) -> str:
    """A SELECT of quantities, one row per key, slot and group; see the macro `metric_usage`."""
    return macro_sql("metric_usage", definition, events, spans, list(keys), days)


def properties_sql(names: Sequence[str]) -> str:
    """The list of an event's values of properties, null where it lacks one."""
    return macro_sql("properties_listed", list(names))


def macro_sql(name: str, *arguments: object) -> str:
    """The text of any macro.

    Args:
        name: of the macro.
        arguments: as the macro takes them.
    """
    return str(_macros()[name](*arguments))


def model_sql(name: str, relations: Mapping[str, str]) -> str:
    """The SELECT of a model over other relations, by the file that dbt builds.

    Args:
        name: of the model.
        relations: name of a relation for each model that it refers to.

    Raises:
        KeyError: the model refers to another one.
    """
    (path,) = (DBT_PROJECT / "models").rglob(f"{name}.sql")
    template = _environment().from_string(path.read_text())
    given = {"ref": lambda model: relations[model], "config": lambda **_: ""}
    return template.render({**_macros(), **given})


@pass_context
def _dispatch(context: Context, name: str) -> Callable[..., str]:
    found = context.get(f"duckdb__{name}", context.get(f"default__{name}"))
    if found is None:
        raise KeyError(f"expected a macro duckdb__{name} or default__{name}, found neither")
    return found  # type: ignore[no-any-return]


def _from_json(text: str, default: object) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return default


def macro_source() -> str:
    """The text of all macros that Jinja can read by itself."""
    files = sorted((DBT_PROJECT / "macros").rglob("*.sql"))
    # A materialization is a tag of dbt's own, which Jinja does not know.
    return "".join(path.read_text() for path in files if path.stem != "materializations")


def given_by_dbt(source: str) -> dict[str, object]:
    """What macros of metrics need of dbt, by name.

    Args:
        source: the macros, whose names are the context.
    """
    return {
        "adapter": SimpleNamespace(dispatch=_dispatch),
        "context": frozenset(_NAMES.findall(source)),
        "fromjson": _from_json,
        "local_md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        "modules": SimpleNamespace(re=re),
        "tojson": json.dumps,
    }


_NAMES = re.compile(r"{%-? macro (\w+)\(")


@cache
def _environment() -> jinja2.Environment:
    # Renders SQL, never HTML.
    made = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"])  # noqa: S701
    made.globals |= given_by_dbt(macro_source())
    return made


@cache
def _macros() -> Mapping[str, Callable[..., str]]:
    """The macros by name."""
    source = macro_source()
    module = _environment().from_string(source).module
    names = _NAMES.findall(source)
    return {name: getattr(module, name) for name in names if not name.startswith("_")}
