"""Counts with their words, for a sentence."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """The count, grouped by thousands, and the word that agrees with it: `1 file`, `1,234 files`.

    Args:
        count: the number of things.
        one: the word for one thing. A verb may follow it.
        many: the words for any other number. None: `one` and an `s`.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
