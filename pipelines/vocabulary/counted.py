"""Counted things as a sentence names them."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """The count, grouped by thousands, and the word that agrees with it: `1 file`, `1,234 files`.

    Args:
        count: how many there are.
        one: what a single one is called; a verb may follow.
        many: the same of any other number; None adds an `s`.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
