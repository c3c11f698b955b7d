"""Texts of senders in Dagster's UI, which renders them as Markdown."""

import polars as pl
import pytest

from pipelines.defs.shown import markdown_table, verdict_sentence
from pipelines.vocabulary.verdicts import Verdict


def test_markdown_table_has_a_header_a_rule_and_a_line_per_row() -> None:
    rows = pl.DataFrame({"source": ["cdn", "app"], "lines": [10, 0]})

    assert markdown_table(rows).split("\n") == [
        "| source | lines |",
        "| --- | --- |",
        "| cdn | 10 |",
        "| app | 0 |",
    ]


def test_markdown_table_of_no_rows_is_its_header() -> None:
    rows = pl.DataFrame(schema={"path": pl.String, "reason": pl.String})

    assert markdown_table(rows) == "| path | reason |\n| --- | --- |"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        pytest.param("müller – 5 %", "müller – 5 %", id="ordinary text"),
        pytest.param("a|b", "a&#124;b", id="end of the cell"),
        pytest.param("a\nb", "a&#10;b", id="end of the line"),
        pytest.param("a\rb", "a&#13;b", id="carriage return, which ends a line as well"),
        pytest.param("<img src=x>", "&#60;img src=x&#62;", id="HTML"),
        pytest.param("&lt;", "&#38;lt;", id="entity"),
        pytest.param("`code`", "&#96;code&#96;", id="code"),
        pytest.param("*a* _b_", "&#42;a&#42; &#95;b&#95;", id="emphasis"),
        pytest.param("[a](http://b)", "&#91;a&#93;(http://b)", id="link"),
        # A backslash would make the entity after it plain text.
        pytest.param("\\|", "&#92;&#124;", id="backslash"),
        pytest.param("\x1b[2J", "&#92;x1b&#91;2J", id="escape sequence"),
        pytest.param("\u202egnp", "&#92;u202egnp", id="direction"),
        pytest.param("a\u200b", "a&#92;u200b", id="no width"),
        pytest.param("", "", id="empty"),
    ],
)
def test_senders_text_cannot_break_out_of_its_cell(text: str, cell: str) -> None:
    table = markdown_table(pl.DataFrame({"path": [text], "lines": [1]}))

    assert table.split("\n")[2:] == [f"| {cell} | 1 |"]


def verdicts(*sources: tuple[int, ...], held: int = 0) -> pl.DataFrame:
    names = ("lines", *Verdict, "blank", "held")
    sources = tuple((*source, held if at == 0 else 0) for at, source in enumerate(sources))
    return pl.DataFrame(sources, schema=dict.fromkeys(names, pl.Int64), orient="row")


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        pytest.param(
            verdicts(),
            "0 lines = 0 accepted, 0 duplicate, 0 conflict, 0 rejected, 0 not_usage, 0 blank",
            id="no source",
        ),
        pytest.param(
            verdicts((21, 5, 4, 3, 2, 6, 1)),
            "21 lines = 5 accepted, 4 duplicate, 3 conflict, 2 rejected, 6 not_usage, 1 blank",
            id="one source",
        ),
        pytest.param(
            # 1_000_007 = 1_000_001 + 1 + 1 + 1 + 1 + 2
            verdicts((999_999, 999_999, 0, 0, 0, 0, 0), (8, 2, 1, 1, 1, 1, 2)),
            "1,000,007 lines = 1,000,001 accepted, 1 duplicate, 1 conflict, 1 rejected, "
            "1 not_usage, 2 blank",
            id="sources are added",
        ),
        pytest.param(
            # 21 = 5 + 4 + 3 + 2 + 1 + 6
            verdicts((21, 5, 4, 3, 2, 0, 1), held=6),
            "21 lines = 5 accepted, 4 duplicate, 3 conflict, 2 rejected, 0 not_usage, 1 blank, "
            "6 held",
            id="lines of a held file",
        ),
        pytest.param(
            verdicts((1, 1, 0, 0, 0, 0, 0)),
            "1 line = 1 accepted, 0 duplicate, 0 conflict, 0 rejected, 0 not_usage, 0 blank",
            id="one line",
        ),
    ],
)
def test_verdict_sentence_adds_up(counts: pl.DataFrame, sentence: str) -> None:
    assert verdict_sentence(counts) == sentence
