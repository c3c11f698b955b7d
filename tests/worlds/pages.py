"""Pages of `docs`: their sections, their examples and the blocks of code in these."""

import re
from textwrap import dedent
from typing import Any

from pipelines.settings import REPOSITORY


def page(name: str) -> str:
    """The text of a page of `docs`, by its name without `.md`."""
    return (REPOSITORY / "docs" / f"{name}.md").read_text()


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one that is not below it."""
    (found,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^##? |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def examples(text: str) -> dict[str, str]:
    """Each example of a section: what stands below a heading of the third level."""
    return dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))


def blocks(text: str, language: str) -> list[str]:
    """The code of each block in this language, also of one that stands in a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [dedent(code) for _, code in found]


def told(expected: Any, found: Any) -> Any:
    """Of what was found, the members that an example shows."""
    if isinstance(expected, dict):
        return {name: told(each, found[name]) for name, each in expected.items()}
    if isinstance(expected, list):
        assert len(expected) == len(found)
        return [told(*both) for both in zip(expected, found, strict=True)]
    return found
