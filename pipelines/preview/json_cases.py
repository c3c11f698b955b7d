"""Cases and answers as JSON text. Numbers keep their source text."""

import json
from collections.abc import Sequence

from pipelines.preview.fields import Members, Number, members_of
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.visible import visible_json


class CasesError(MeterlineError):
    """The text is no JSON of cases."""


def read_cases(text: str, *, by_line: bool) -> list[object]:
    """The cases of a text, in its order.

    Args:
        text: a JSON array, an object with a member `cases`, or one case a line.
        by_line: True if each line is a case. False: only where the whole is no JSON.

    Raises:
        CasesError: the text is no such JSON.
    """
    if by_line:
        return _cases_by_line(text)
    try:
        whole = _parsed(text)
    except CasesError as error:
        lines = text.strip().splitlines()
        if len(lines) < 2 or not all(line.strip()[:1] in ("{", "") for line in lines):
            raise
        try:
            return _cases_by_line(text)
        except CasesError:
            raise error from None
    if isinstance(whole, Members) and "cases" in whole:
        others = sorted(name for name in whole if name != "cases" and not name.startswith("_"))
        if others:
            raise CasesError(f"expected the member cases alone, found {', '.join(others)} beside")
        whole = whole["cases"]
    elif isinstance(whole, Members):
        return [whole]
    if not isinstance(whole, list):
        raise CasesError('expected a JSON array of cases, an object {"cases": […]} or lines')
    return whole


def answers_text(answers: Sequence[dict[str, object]], *, by_line: bool) -> str:
    """The answers as a JSON array with one answer a line, or as lines alone."""
    lines = [visible_json(json.dumps(answer, ensure_ascii=False)) for answer in answers]
    if by_line:
        return "".join(f"{line}\n" for line in lines)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _cases_by_line(text: str) -> list[object]:
    lines = text.split("\n")
    return [_parsed(line, number) for number, line in enumerate(lines, 1) if line.strip()]


def _parsed(text: str, line: int | None = None) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=members_of,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refused,
        )
    except (ValueError, RecursionError) as error:
        place = f"line {line}: " if line else ""
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise CasesError(f"{place}expected JSON, found none: {reason}") from None


def _refused(word: str) -> object:
    raise ValueError(f"{word} is no JSON number")
