from pipelines.lake.migrate import Migration
from pipelines.lake.reference import render_reference
from pipelines.vocabulary.tables.columns import BATCH_ID, LakeTable, decimal, text

CREDITS = LakeTable(
    "credits",
    "One row per credit.",
    (BATCH_ID, text("note", "A `|` stays in its cell."), decimal("amount", 15, "In its currency.")),
)


def test_table_is_a_chapter_with_a_row_for_each_column() -> None:
    page = render_reference([CREDITS], [])

    _, chapter = page.split("## credits\n")
    assert chapter.split("\n## Schemas")[0] == (
        """
One row per credit.

| column | type | meaning |
| --- | --- | --- |
| `batch_id` | `BIGINT` | The transaction that wrote the row; `batch_id <= n` is the past. |
| `note` | `VARCHAR` | A `\\|` stays in its cell. |
| `amount` | `DECIMAL(38,15)` | In its currency. |
"""
    )


def test_migrations_stand_at_the_end_in_their_order() -> None:
    migrations = [Migration(1, "the first tables", ""), Migration(2, "credits", "")]

    page = render_reference([CREDITS], migrations)

    assert page.endswith("| --- | --- |\n| 1 | the first tables |\n| 2 | credits |\n")
