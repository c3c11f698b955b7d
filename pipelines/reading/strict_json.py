"""Strict JSON: reads one object from one text, and keeps numbers as their source text.

Python's own decoder does the work, and hooks make it strict. A repeated key, NaN, Infinity, a lone
surrogate, a NUL, deep nesting and trailing text are refused. A number is never converted, so
`0.1234567890123456789` stays as it was sent.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NoReturn

from pipelines.vocabulary.limits import NESTING_DEPTH_MAX
from pipelines.vocabulary.visible import beginning


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
"""The name of a parsed value's type, for a sentence."""

JsonValue = str | bool | None | dict[str, "JsonValue"] | list["JsonValue"]
"""A parsed value. A `Number` is a `str` too, so test for it first."""


class JsonText:
    """One parsed text, which knows the exact text of each array and object inside it.

    Args:
        text: the JSON text.
        value: the object that it was parsed to.
    """

    def __init__(self, text: str, value: dict[str, JsonValue]) -> None:
        self._text = text
        self.value = value

    def text_of(self, value: JsonValue) -> str | None:
        """The exact text of an array or object of this text. None: it is of another text."""
        return self._text_by_id.get(id(value))

    @cached_property
    def _text_by_id(self) -> dict[int, str]:
        # Brackets close in the order in which a walk leaves the arrays and objects.
        starts: list[int] = []
        texts: list[str] = []
        for token in _STRING_OR_BRACKET.finditer(self._text):
            if token.group() in ("[", "{"):
                starts.append(token.start())
            elif token.group() in ("]", "}"):
                texts.append(self._text[starts.pop() : token.end()])
        return {id(value): text for value, text in zip(_left(self.value), texts, strict=True)}


class JsonObject(dict[str, JsonValue]):
    """The members of an object, and the texts from which they were parsed."""

    __slots__ = ("texts",)

    def __init__(self, members: Mapping[str, JsonValue], texts: tuple[JsonText, ...]) -> None:
        super().__init__(members)
        self.texts = texts


def exact_text(members: Mapping[str, JsonValue], value: JsonValue) -> str | None:
    """The text of an array or object inside the members, byte for byte as it was sent.

    None: the value was not parsed from a text, as in CSV.
    """
    texts = members.texts if isinstance(members, JsonObject) else ()
    return next((found for text in texts if (found := text.text_of(value)) is not None), None)


def with_members(members: Mapping[str, JsonValue], others: Mapping[str, JsonValue]) -> JsonObject:
    """The members with `others` in place of those that have the same names."""
    texts = members.texts if isinstance(members, JsonObject) else ()
    return JsonObject({**members, **others}, texts)


def _left(value: JsonValue) -> Iterator[JsonValue]:
    """Every array and object in a value and itself, in the order in which they end."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in inner:
        if isinstance(member, dict | list):
            yield from _left(member)
    yield value


class StrictJsonError(ValueError):
    """The text is not strict JSON. The message says why and where."""


# Possessive quantifiers, and an unclosed string that runs to the end, need one pass over any text.
_NOT_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^\[\]{}"]+', re.DOTALL)
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_SURROGATE_OR_NUL = re.compile(r"[\ud800-\udfff\x00]")


def parse_object(line: bytes) -> JsonObject:
    """The members of the JSON object in a line.

    Args:
        line: the bytes of the line, without its line end.

    Raises:
        StrictJsonError: the line is not exactly one strict JSON object in UTF-8.
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
    return JsonObject(value, (JsonText(text, value),))


def _object_without_repeats(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise StrictJsonError(f"key {beginning(name)} stands twice in one object")
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
