r"""Texts of others as a person sees them: nothing in them acts on a terminal, a log or a page.

File names, ids and values come from senders. An escape sequence in one could clear a screen, and a
sign that turns the direction of writing could show one name as another.

Example: `a`, ESC, `[2J.json` is seen as `a\x1b[2J.json`. A zero-width space is seen as `\u200b`.
"""

import shlex

_UNSEEN = frozenset(
    chr(point)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x2800, 0x2800),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for point in range(first, last + 1)
)
"""Signs that Python calls printable and that show nothing: fillers, joiners, variation selectors.

Source: Unicode's property Default_Ignorable_Code_Point, and the blank pattern of Braille.
"""


def visible(text: str) -> str:
    """The text in one line, with an escape in place of each sign that acts or cannot be seen.

    These are control characters, line ends, signs of writing direction, signs without width and
    every space but the common one. A text without such signs is as it was.
    """
    if text.isprintable() and _UNSEEN.isdisjoint(text):
        return text
    return "".join(sign if _is_seen(sign) else ascii(sign)[1:-1] for sign in text)


def beginning(text: str) -> str:
    r"""The first signs of a text in quotes and in ASCII, for a sentence about it.

    They are 64 signs, or as many as take 128 characters with their escapes. Example: of a thousand
    signs `é`, 32 are shown, as `'\xe9\xe9…'`.
    """
    signs, room = list[str](), 128
    for sign in text[:64]:
        room -= len(ascii(sign)) - len("''")
        if room < 0:
            break
        signs.append(sign)
    return ascii("".join(signs))


def visible_lines(text: str) -> str:
    """The same of each line of a text that has several."""
    return "\n".join(visible(line) for line in text.split("\n"))


def visible_json(text: str) -> str:
    """A JSON text that means the same, with JSON's own escapes in place of such signs.

    Args:
        text: JSON whose line ends stand between its members.
    """
    if text.isprintable() and _UNSEEN.isdisjoint(text):
        return text
    return "".join(sign if sign == "\n" or _is_seen(sign) else _json_escape(sign) for sign in text)


def shell_word(text: str) -> str:
    r"""The text as one word of a command that a person copies into bash or zsh.

    Example: `a b.json` gives `'a b.json'`. A name with ESC in it gives `$'a\x1b.json'`.
    """
    if visible(text) == text:
        return shlex.quote(text)
    return f"$'{''.join(_shell_escape(sign) for sign in text)}'"


def _is_seen(sign: str) -> bool:
    return sign.isprintable() and sign not in _UNSEEN


def _json_escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _shell_escape(sign: str) -> str:
    if sign in "'\\":
        return f"\\{sign}"
    if _is_seen(sign):
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))
