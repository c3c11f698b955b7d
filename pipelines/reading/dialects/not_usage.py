"""Lines that are no usage: well-formed lines of a kind that their source does not bill.

They stand among the events in an export, such as page views among Segment's tracks. They are
counted apart from rejections, so that they do not hold the file.
"""

from dataclasses import dataclass

from pipelines.reading.dialects.event import (
    Field,
    Members,
    RefusedLineError,
    parse_path,
    quoted,
    value_of,
)
from pipelines.vocabulary.visible import beginning


class NotUsageError(ValueError):
    """The line is no usage, and its source says so. The message says which member shows it."""


@dataclass(frozen=True)
class NotUsage:
    """A field whose value tells lines that are no usage from events.

    Attributes:
        field: the field.
        values: its texts in lines that are no usage. A number or boolean counts by its text.
    """

    field: Field
    values: tuple[str, ...]

    def check(self, members: Members) -> None:
        """Raises `NotUsageError` if the field of these members has one of the values."""
        try:
            value = value_of(members, self.field)
        except RefusedLineError:
            return
        text = ("true" if value else "false") if isinstance(value, bool) else value
        if isinstance(text, str) and text in self.values:
            raise NotUsageError(
                f"field {quoted(self.field)} is {beginning(text)}, which is no usage of this source"
            )


def parse_not_usage(text: str) -> NotUsage:
    """The field and its values, as a catalog declares them: `context.kind=ping|probe`.

    Raises:
        ValueError: the text does not name a path and its values, each once.
    """
    field, equals, joined = text.partition("=")
    values = tuple(joined.split("|"))
    if not equals or "" in values or len(set(values)) < len(values):
        raise ValueError(
            f"{text[:64]!r} does not say what is no usage; write a field and its values, each "
            "once, like type=page|identify"
        )
    return NotUsage(parse_path(field), values)
