"""Group keys: the text by which SQL knows a group, as the macro `group_key` writes it."""

import json
from collections.abc import Mapping


def group_key(group: Mapping[str, str]) -> str:
    """The canonical JSON of a group: its names in order, no spaces.

    Example: the group of `region` eu and `cloud` aws is `{"cloud":"aws","region":"eu"}`.
    """
    members = (f"{_json_text(name)}:{_json_text(group[name])}" for name in sorted(group))
    return "{" + ",".join(members) + "}"


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else _escaped(text)


def _escaped(text: str) -> str:
    escaped = (_CONTROLS.get(sign) or json.dumps(sign, ensure_ascii=False)[1:-1] for sign in text)
    return f'"{"".join(escaped)}"'


_CONTROLS = {
    chr(point): f"\\u{point:04X}" for point in range(0x20) if chr(point) not in "\b\t\n\f\r"
}
"""Escapes as DuckDB writes them: Python has small letters."""
