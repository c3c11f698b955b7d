"""No sign of a sender's text acts where the text is shown, and none of it is lost."""

import json
import subprocess
import unicodedata

import pytest

from pipelines.vocabulary.visible import beginning, shell_word, visible, visible_json, visible_lines


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("cdn/2026/a b.json", "cdn/2026/a b.json", id="an-ordinary-name"),
        pytest.param("straße 東京 😀 cafe\u0301", "straße 東京 😀 cafe\u0301", id="letters"),
        pytest.param("a\\b", "a\\b", id="a-backslash"),
        pytest.param("\x1b[2J\x1b]0;t\x07", "\\x1b[2J\\x1b]0;t\\x07", id="escape-sequences"),
        pytest.param("\x9b2J", "\\x9b2J", id="a-control-of-eight-bits"),
        pytest.param("a\tb\r\nc\x00\x7f", "a\\tb\\r\\nc\\x00\\x7f", id="tab-line-end-nul-delete"),
        pytest.param("\u2028\u2029\x85", "\\u2028\\u2029\\x85", id="line-ends-of-unicode"),
        pytest.param("\u202egnp\u2066\u200f", "\\u202egnp\\u2066\\u200f", id="direction"),
        pytest.param(
            "a\u200b\u200d\u2060\ufeff\u00ad", "a\\u200b\\u200d\\u2060\\ufeff\\xad", id="no-width"
        ),
        pytest.param("a\u00a0b\u3000", "a\\xa0b\\u3000", id="other-spaces"),
        pytest.param("a\u3164\u034f\ufe0f", "a\\u3164\\u034f\\ufe0f", id="fillers"),
        pytest.param("\U000e0041\U000e0100", "\\U000e0041\\U000e0100", id="tags-and-variations"),
        pytest.param("\ud800", "\\ud800", id="half-a-sign"),
    ],
)
def test_what_acts_or_is_unseen_is_shown_as_an_escape(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_no_control_or_format_sign_of_unicode_is_left() -> None:
    acting = [chr(p) for p in range(0x110000) if unicodedata.category(chr(p)) in ("Cc", "Cf")]

    assert len(acting) > 200
    assert [sign for sign in acting if sign in visible(sign)] == []


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("a" * 64, 64, id="exactly-as-long"),
        pytest.param("a" * 65, 64, id="one-longer"),
        pytest.param("\xe9" * 64, 32, id="of-four-characters-each"),
        pytest.param("\u6f22" * 64, 21, id="of-six-characters-each"),
        pytest.param("a\U0001f600" * 64, 23, id="of-ten-characters-every-second"),
    ],
)
def test_the_beginning_of_a_text_takes_bounded_room(text: str, signs: int) -> None:
    assert beginning(text) == ascii(text[:signs])


def test_the_lines_of_a_text_stay_and_each_is_visible() -> None:
    assert visible_lines("two problems:\n  - a\x1b[2J\r\n") == "two problems:\n  - a\\x1b[2J\\r\n"


@pytest.mark.parametrize("text", ["a\x9b2J", "\u202egnp", "\U000e0041", "ü😀\n\t", "\ud800"])
def test_json_means_the_same_and_has_nothing_to_obey(text: str) -> None:
    shown = visible_json(json.dumps({text: [text]}, ensure_ascii=False, indent=2))

    assert json.loads(shown) == {text: [text]}
    assert visible_lines(shown) == shown


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("cdn/a.json", "cdn/a.json"),
        ("a b'c.json", "'a b'\"'\"'c.json'"),
        ("a\x1b[2J'\\.json", "$'a\\x1b[2J\\'\\\\.json'"),
        ("\u202egnp.json", "$'\\xe2\\x80\\xaegnp.json'"),
    ],
)
def test_a_copied_word_is_the_text_in_the_shell(text: str, word: str) -> None:
    assert shell_word(text) == word
    told = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert told.stdout.decode() == text
