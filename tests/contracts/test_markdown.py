"""Markdown: its width, and that what it names is there.

Each rule is a function from text to offences. It is run over every page, and over a bad snippet,
which it must catch.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
COLUMNS_MAX = 100

FOLDERS = ("bench", "dbt_project", "docs", "landing", "pipelines", "tests")
"""A word in backticks that begins with one of these and a slash is a path of the repository."""

NOT_OURS = {"target", "dbt_packages"}
"""Folders that hold what was built or downloaded; hidden ones are left out as well."""

PAGES = [
    path
    for path in sorted(REPOSITORY.rglob("*.md"))
    if not any(
        part.startswith(".") or part in NOT_OURS for part in path.relative_to(REPOSITORY).parts
    )
]

BULLETS = ("Choice", "Why", "Example", "Refused", "Who is affected")
"""What a decision may say, in this order; `Why by column` and such are a second `Why`."""

Rule = Callable[[str, Path], Iterator[str]]
"""(text of a page, its folder) → offences."""

_ITEM = re.compile(r"\s*([-*]|\d+\.) ")
_CODE_WORD = re.compile(r"`([^`\s]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def written_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line that is not code, with its number."""
    in_fence = in_code = in_list = False
    after_blank = True
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("```"):
            in_fence = not in_fence
        elif not line.strip():
            after_blank = True
        elif not in_fence:
            in_list = bool(_ITEM.match(line)) or (in_list and line.startswith(" "))
            in_code = line.startswith("    ") and not in_list and (in_code or after_blank)
            after_blank = False
            if not in_code:
                yield number, line


def long_lines(text: str, _folder: Path) -> Iterator[str]:
    for number, line in written_lines(text):
        shown = _LINK.sub("]", line)
        if len(shown) > COLUMNS_MAX and not line.lstrip().startswith("|"):
            yield f"line {number} has {len(shown)} columns: {line}"


def missing_paths(text: str, _folder: Path) -> Iterator[str]:
    for number, line in written_lines(text):
        for word in _CODE_WORD.findall(line):
            if not _is_there(word):
                yield f"line {number} names {word}, which is not there"


def _is_there(word: str) -> bool:
    """True for a path or module that exists, and for a word that is neither."""
    # An angle bracket or an ellipsis stands for many names; the folder before it must exist.
    known = re.split(r"[^/]*[<…]", word, maxsplit=1)[0]
    if word.partition("/")[0] in FOLDERS and "/" in word:
        return any(REPOSITORY.glob(known.rstrip("/")))
    if re.fullmatch(r"pipelines(\.\w+)+", word):
        path = REPOSITORY.joinpath(*word.split("."))
        return path.is_dir() or path.with_suffix(".py").is_file()
    if re.fullmatch(r"[A-Z]+\.md", word):
        return (REPOSITORY / word).is_file()
    return True


def broken_links(text: str, folder: Path) -> Iterator[str]:
    for number, line in written_lines(text):
        for target in _LINK.findall(line):
            if "://" not in target and not (folder / target.partition("#")[0]).exists():
                yield f"line {number} links to {target}, which is not there"


def unclear_decisions(text: str, _folder: Path) -> Iterator[str]:
    for decision in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        title, _, body = decision.partition("\n")
        labels = re.findall(r"^- \*([^*]+):\*", body, re.MULTILINE)
        if labels[:1] != ["Choice"]:
            yield f"{title}: does not begin with its choice"
        places = [BULLETS.index(re.sub(r"^Why .*", "Why", label)) for label in labels]
        if places != sorted(places):
            yield f"{title}: has its bullets in another order"
        if not set(labels) - {"Choice"}:
            yield f"{title}: gives no reason, example or refusal"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
@pytest.mark.parametrize("rule", [long_lines, missing_paths, broken_links])
def test_page_keeps_the_rule(rule: Rule, path: Path) -> None:
    assert list(rule(path.read_text(), path.parent)) == []


def test_every_decision_says_what_was_chosen_and_why() -> None:
    assert list(unclear_decisions((REPOSITORY / "DECISIONS.md").read_text(), REPOSITORY)) == []


@pytest.mark.parametrize(
    ("rule", "snippet", "offence"),
    [
        (long_lines, "word " * 21, "line 1 has 105 columns"),
        (long_lines, "- item\n\n      " + "word " * 20, "line 3 has 106 columns"),
        (missing_paths, "see `pipelines/gone.py`", "pipelines/gone.py"),
        (missing_paths, "| `docs/gone.md` |", "docs/gone.md"),
        (missing_paths, "see `pipelines/gone/<name>.py`", "gone/<name>"),
        (missing_paths, "see `pipelines/reading/gone_*.py`", "gone_*"),
        (missing_paths, "see `pipelines.catalog.gone`", "pipelines.catalog.gone"),
        (missing_paths, "see `GONE.md`", "GONE.md"),
        (broken_links, "see [it](docs/gone.md#part)", "docs/gone.md"),
        (unclear_decisions, "### A\n\n- *Why:* b\n", "begin with its choice"),
        (unclear_decisions, "### A\n\n- *Choice:* b\n", "no reason"),
        (unclear_decisions, "### A\n\n- *Choice:* b\n- *Example:* c\n- *Why:* d\n", "order"),
    ],
)
def test_rule_catches_a_bad_snippet(rule: Rule, snippet: str, offence: str) -> None:
    (found,) = rule(snippet, REPOSITORY)

    assert offence in found


@pytest.mark.parametrize(
    ("rule", "snippet"),
    [
        (long_lines, "w" * 100),
        (long_lines, "| " + "word " * 30 + "|"),
        (long_lines, "text\n\n    " + "code " * 30 + "\n\n    " + "code " * 30),
        (long_lines, "```\n" + "code " * 30 + "\n```"),
        (long_lines, f"see [it](https://example.org/{'a' * 100})"),
        (missing_paths, "`pipelines/reading/formats/lines.py`, `pipelines/catalog/tables`"),
        (
            missing_paths,
            "`pipelines/catalog/charge_models/<model>.py`, `pipelines.catalog.periods`",
        ),
        (missing_paths, "`s3://bucket/prefix`, `lake/data`, `a.b`, `docs`, `README.md`"),
        (missing_paths, "    see `pipelines/gone.py`"),
        (broken_links, "[it](https://example.org), [that](docs/alarms.md#payload)"),
        (
            unclear_decisions,
            "### A\n\n- *Choice:* b\n- *Why:* c\n- *Why by d:* e\n- *Refused:* f",
        ),
    ],
)
def test_rule_lets_good_text_be(rule: Rule, snippet: str) -> None:
    assert list(rule(snippet, REPOSITORY)) == []
