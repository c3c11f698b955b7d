"""Metric files: the options of a metric, read from its file without running anything of it.

The file is parsed, and never rendered: only values as they are written are taken. So whatever a
file says, it reads no other file, runs no SQL and calls no macro.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import jinja2
from jinja2 import nodes

from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.metric_macros import Definition, is_sql_text, metric_definition

_MACRO = "billable_metric"
_ABOUT = ("metric_code", "description", "unit")
_REQUIRED = ("metric_code", "description", "event_name", "aggregation", "unit")
_BYTES_MAX = 1_000_000
_ONE_CALL = (
    f"expected one call of {_MACRO}(…) and nothing else, found {{found}}; "
    "write the metric as in docs/metrics.md"
)


@dataclass(frozen=True)
class MetricFile:
    """A metric as its file has it.

    Attributes:
        code: its metric_code.
        unit: what one unit of its quantity is called.
        definition: without faults.
    """

    code: str
    unit: str
    definition: Definition


def read_metric_file(path: Path) -> MetricFile:
    """The metric of a file that may stand anywhere.

    Raises:
        MeterlineError: the file cannot be read, holds anything but one call of the macro with
            values as they are, or its options are wrong. The sentence names the file.
    """
    try:
        options = _options(_text_of(path))
        for name in _REQUIRED:
            if name not in options:
                raise _FileError(f"{name} is missing; write it")
        for name in _ABOUT:
            if not isinstance(options[name], str) or not options[name]:
                raise _FileError(f"{name}: expected a text, found {options[name]}; write one")
        if not is_sql_text(json.dumps(options)):
            raise _FileError("a text has a sign that is no part of a text; remove it")
        if options.pop("joins", None) is not None:
            raise _FileError(
                "joins reads a seed of the project, which what-if does not; leave it out to try "
                "the rest"
            )
        about = {name: str(options.pop(name)) for name in _ABOUT}
        definition = metric_definition(options)
        for fault in definition["faults"]:
            raise _FileError(f"{fault['option']}: {fault['reason']}")
    except _FileError as error:
        raise MeterlineError(f"{path}: {error}") from None
    return MetricFile(about["metric_code"], about["unit"], definition)


def joins_of(text: str) -> Mapping[str, object] | None:
    """The mapping that a metric joins; None where it joins none.

    Args:
        text: of a metric file.

    Raises:
        ValueError: the text holds anything but one call of the macro with values as they are.
    """
    try:
        joins = _options(text).get("joins")
    except _FileError as error:
        raise ValueError(f"a mapping can be checked only in a plain file: {error}") from None
    if joins is None or isinstance(joins, Mapping):
        return joins
    raise ValueError(f"joins: expected {{'seed': …, 'key': …, 'properties': […]}}, found {joins}")


def calls_in(text: str) -> int:
    """How often a file calls the macro; 1 where Jinja alone cannot tell.

    Args:
        text: of a file that dbt can parse.
    """
    try:
        tree = _parsed(text)
    except (jinja2.TemplateError, RecursionError):
        return 1
    return sum(_is_call(call) for call in tree.find_all(nodes.Call))


class _FileError(Exception):
    """What is wrong with a file; its sentence does not name it."""


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES_MAX + 1)
        if len(data) > _BYTES_MAX:
            raise _FileError(f"has more than {_BYTES_MAX} bytes; a metric is one short call")
        return data.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise _FileError(f"cannot be read: {reason}; name the file of a metric") from None
    except UnicodeDecodeError:
        raise _FileError("is no text in UTF-8; name the file of a metric") from None


def _options(text: str) -> dict[str, object]:
    """The arguments of the one call in a file, by their names."""
    try:
        call = _one_call(_parsed(text).body)
        if call.args or call.dyn_args or call.dyn_kwargs:
            raise _FileError(f"expected every option of {_MACRO} by its name, as in unit='GB'")
        options: dict[str, object] = {}
        for argument in call.kwargs:
            if argument.key in options:
                raise _FileError(f"{argument.key} stands twice; remove one")
            options[argument.key] = _value(argument.key, argument.value)
        json.dumps(options)
    except jinja2.TemplateError as error:
        raise _FileError(f"is no template: {error}; write it as in docs/metrics.md") from None
    except (RecursionError, ValueError):
        raise _FileError("is nested too deep or has too long a number; simplify it") from None
    return options


def _parsed(text: str) -> nodes.Template:
    # It is only parsed, and renders nothing.
    return jinja2.Environment(extensions=["jinja2.ext.do"]).parse(text)  # noqa: S701


def _is_call(node: nodes.Node) -> TypeGuard[nodes.Call]:
    return (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name == _MACRO
    )


def _one_call(body: list[nodes.Node]) -> nodes.Call:
    calls: list[nodes.Call] = []
    for node in _parts(body):
        if isinstance(node, nodes.TemplateData):
            text = node.data.strip()
            if text:
                raise _FileError(_ONE_CALL.format(found=f"other text: {text[:60]}"))
        elif _is_call(node):
            calls.append(node)
        else:
            raise _FileError(_ONE_CALL.format(found=_described(node)))
    if len(calls) != 1:
        raise _FileError(_ONE_CALL.format(found=f"{len(calls)} calls" if calls else "none"))
    return calls[0]


def _parts(body: list[nodes.Node]) -> Iterator[nodes.Node]:
    for node in body:
        if isinstance(node, nodes.Output):
            yield from node.nodes
        else:
            yield node


def _described(node: nodes.Node) -> str:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        return f"a call of {node.node.name}"
    return f"{type(node).__name__.lower()} in line {node.lineno}"


def _value(name: str, node: nodes.Node) -> object:
    """A value as it is written: texts, numbers, true, false, none, lists and mappings."""
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.List | nodes.Tuple):
        return [_value(name, item) for item in node.items]
    if isinstance(node, nodes.Dict):
        return {_key(name, pair.key): _value(name, pair.value) for pair in node.items}
    if isinstance(node, nodes.Concat):
        return "".join(str(_value(name, each)) for each in node.nodes)
    if isinstance(node, nodes.Neg):
        value = _value(name, node.node)
        if isinstance(value, int):
            return -value
    raise _FileError(
        f"{name}: expected a value as it is, such as a text, a number or a list, found "
        f"{_described(node)}; write the value itself"
    )


def _key(name: str, node: nodes.Node) -> str:
    key = _value(name, node)
    if not isinstance(key, str):
        raise _FileError(f"{name}: expected texts as keys, found {key}; write it in quotes")
    return key
