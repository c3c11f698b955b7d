"""Strict JSON: one text, one object, numbers kept as their source text.

Belongs here: JSON itself. Must not be put here: what a field means (see `dialects`).
Python's own scanner does the work; the hooks make it strict: a repeated key, NaN or
Infinity, a lone surrogate, a NUL, too deep nesting and trailing text are refused, and a
number is never converted, so `0.1234567890123456789` stays what was sent.
"""

import json
import re
from typing import NoReturn

from pipelines.vocabulary.limits import NESTING_DEPTH_MAX


class Number(str):
    """The exact source text of a JSON number."""

    __slots__ = ()


TYPE_NAMES = {
    Number: "a number",
    str: "a string",
    bool: "a boolean",
    type(None): "null",
    dict: "an object",
    list: "an array",
}
"""How a person calls the type of a parsed value."""

JsonValue = str | bool | None | dict[str, "JsonValue"] | list["JsonValue"]
"""A parsed value; a `Number` is a `str`, so test for it first."""


class StrictJsonError(ValueError):
    """The text is not strict JSON; its message says why and where."""


# Possessive, and an unclosed string runs to the end: one pass whatever the sender wrote.
_NOT_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^\[\]{}"]+', re.DOTALL)
_SURROGATE_OR_NUL = re.compile(r"[\ud800-\udfff\x00]")


def parse_object(line: bytes) -> dict[str, JsonValue]:
    """The one JSON object that `line` holds.

    Raises:
        StrictJsonError: anything but exactly one strict JSON object in UTF-8.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJsonError(f"invalid UTF-8 at byte {error.start} of the line") from None
    if text.count("{") + text.count("[") > NESTING_DEPTH_MAX:
        _refuse_deep_nesting(text)
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        raise StrictJsonError(f"not JSON: {what} at character {error.pos + 1}") from None
    if not isinstance(value, dict):
        raise StrictJsonError(f"expected a JSON object, found {TYPE_NAMES[type(value)]}")
    if "\\u" in text or "\x00" in text:
        _refuse_unstorable_text(value)
    return value


def _object_without_repeats(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise StrictJsonError(f"key {name[:64]!a} stands twice in one object")
            seen.add(name)
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise StrictJsonError(f"{name} is not JSON; send a number")


def _refuse_deep_nesting(text: str) -> None:
    depth = 0
    for bracket in _NOT_STRUCTURE.sub("", text):
        if bracket in "[{":
            depth += 1
            if depth > NESTING_DEPTH_MAX:
                raise StrictJsonError(f"nested deeper than {NESTING_DEPTH_MAX} levels")
        elif bracket in "]}":
            depth -= 1


def _refuse_unstorable_text(value: JsonValue) -> None:
    if isinstance(value, str):
        found = _SURROGATE_OR_NUL.search(value)
        if found:
            raise StrictJsonError(
                f"U+{ord(found.group()):04X} (a lone surrogate or NUL) stands in a text"
            )
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_unstorable_text(name)
            _refuse_unstorable_text(member)
    elif isinstance(value, list):
        for element in value:
            _refuse_unstorable_text(element)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_repeats,
    parse_int=Number,
    parse_float=Number,
    parse_constant=_refuse_constant,
)
