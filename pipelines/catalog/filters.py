"""Filters and matches: the texts by which charges and cells choose a part of a metric's usage.

A filter is conditions joined by `;`, which must all hold:

- `region=eu|us`: the property has one of these texts.
- `region!=eu|us`: it has none of them, or is absent.
- `region?`: it is there. `region!?`: it is absent.
- `ms>5`, `ms>=5`, `ms<5`, `ms<=5`: its number compares so.

A match is `region=eu;cloud=aws`: one text for each property, or `*` for any.

In names and texts, `;`, `|`, `%`, `=` and `!` are percent-encoded: `%3B` is `;`. In names, `?`, `<`
and `>` are too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from pipelines.catalog.cells import Kind, read_text, shown

Operator = Literal["in", "not_in", "exists", "absent", "gt", "gte", "lt", "lte"]

ANY: Final = "*"
"""In a match, any text of a property, and its absence."""

_OPERATORS: Final[Mapping[str, Operator]] = {
    "=": "in",
    "!=": "not_in",
    "?": "exists",
    "!?": "absent",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
}
_NAME = r"(?:[^;|%=!?<>]|%[0-9A-Fa-f]{2})+"
_CONDITION = re.compile(rf"({_NAME})(!=|!\?|>=|<=|=|\?|>|<)(.*)", re.DOTALL)
_ENCODED = re.compile(r"(?:[^;|%=!]|%[0-9A-Fa-f]{2})*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_UNSEEN = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|^\s|\s\Z"
_SPECIAL = re.compile(rf"[;|%=!]|{_UNSEEN}")
_SPECIAL_IN_NAMES = re.compile(rf"[;|%=!?<>]|{_UNSEEN}")
_HEX = re.compile(r"((?:%[0-9A-Fa-f]{2})+)")


@dataclass(frozen=True)
class Condition:
    """One condition of a filter.

    Attributes:
        name: of the property.
        operator: how the property is judged.
        texts: what it is compared with: several for `in` and `not_in`, one plain decimal for the
            four comparisons, none for `exists` and `absent`.
    """

    name: str
    operator: Operator
    texts: tuple[str, ...]


def parse_filter(cell: str) -> tuple[Condition, ...]:
    """The conditions of a filter, in the order written.

    Raises:
        ValueError: it is ill-formed; the sentence shows it and says what to write.
    """
    return tuple(_condition(part, cell) for part in read_text(cell).split(";"))


def parse_match(cell: str) -> dict[str, str]:
    """The text that each named property must have, or `ANY`.

    Raises:
        ValueError: it is ill-formed; the sentence shows it and says what to write.
    """
    texts = dict[str, str]()
    for part in read_text(cell).split(";"):
        name, sign, text = part.partition("=")
        if not sign or not re.fullmatch(_NAME, name) or not _ENCODED.fullmatch(text):
            raise ValueError(
                f"{shown(cell)} has the part {shown(part)}; write a text for each property, like "
                "region=eu;cloud=aws, and percent-encode ';', '|', '%', '=' and '!' in them"
            )
        if _decoded(name) in texts:
            raise ValueError(f"{shown(cell)} names {shown(_decoded(name))} twice; write it once")
        texts[_decoded(name)] = text if text == ANY else _decoded(text)
    return texts


def match_text(texts: Mapping[str, str]) -> str:
    """The match of the text that each property must have, or `ANY`: what `parse_match` reads."""
    return ";".join(
        f"{_SPECIAL_IN_NAMES.sub(_encoded, name)}="
        + (text if text == ANY else _SPECIAL.sub(_encoded, text))
        for name, text in texts.items()
    )


def are_disjoint(one: Sequence[Condition], other: Sequence[Condition]) -> bool:
    """True if no event can satisfy both filters, by one property alone.

    Example: `region=eu` and `region!=eu|us` are disjoint. `ms>5` and `ms<5` are not found to be.
    """
    return any(
        _exclude_each_other(left, right) or _exclude_each_other(right, left)
        for left in one
        for right in other
        if left.name == right.name
    )


def _exclude_each_other(left: Condition, right: Condition) -> bool:
    texts = set(left.texts)
    match left.operator, right.operator:
        case "in", "in":
            return texts.isdisjoint(right.texts)
        case "in", "not_in":
            return texts <= set(right.texts)
        case "exists", "absent":
            return True
    return False


def _condition(part: str, cell: str) -> Condition:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise ValueError(
            f"{shown(cell)} has the condition {shown(part)}; write one like region=eu|us, "
            "region!=eu, region?, region!?, ms>5, ms>=5, ms<5 or ms<=5, and ';' between two"
        )
    name, operator, rest = _decoded(found[1]), _OPERATORS[found[2]], found[3]
    if operator in {"exists", "absent"}:
        if rest:
            raise ValueError(f"{shown(cell)} has {shown(rest)} after {shown(found[2])}; remove it")
        return Condition(name, operator, ())
    texts = rest.split("|")
    if operator in {"in", "not_in"}:
        if not all(map(_ENCODED.fullmatch, texts)):
            raise ValueError(
                f"{shown(cell)} has the texts {shown(rest)}; percent-encode ';', '|', '%', '=' and "
                "'!' in them"
            )
        if len(set(map(_decoded, texts))) < len(texts):
            raise ValueError(f"{shown(cell)} has a text twice in {shown(part)}; write each once")
    elif not _NUMBER.fullmatch(rest):
        raise ValueError(
            f"{shown(cell)} compares with {shown(rest)}; write a plain decimal, like ms>=2.5"
        )
    return Condition(name, operator, tuple(map(_decoded, texts)))


def _encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def _decoded(text: str) -> str:
    """The text without percent-encoding; encoded bytes are UTF-8."""
    return _HEX.sub(_decoded_bytes, text)


def _decoded_bytes(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[1].replace("%", "")).decode()
    except UnicodeDecodeError:
        raise ValueError(
            f"{shown(found[1])} is not UTF-8 once decoded; encode the bytes of UTF-8"
        ) from None


def _read_filter(cell: str) -> str:
    parse_filter(cell)
    return cell


def _read_match(cell: str) -> str:
    parse_match(cell)
    return cell


FILTER = Kind(_read_filter, pl.String(), "filter, like `region=eu;ms>5`")
MATCH = Kind(_read_match, pl.String(), "match, like `region=eu;cloud=aws`")
