"""Event schemas: the properties that events of one name must have."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pipelines.reading.dialects.event import Members, RefusedLineError
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning


@dataclass(frozen=True)
class EventSchema:
    """The properties that events of one name must have.

    Attributes:
        event_name: the name of the events.
        attributes: names of the required attributes.
        dimensions: names of the required dimensions.
    """

    event_name: str
    attributes: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventSchemas:
    """The event schemas of a source, one per event name. An event of another name is refused."""

    declared: tuple[EventSchema, ...]

    @cached_property
    def by_name(self) -> dict[str, EventSchema]:
        """The schemas by event name."""
        return {schema.event_name: schema for schema in self.declared}

    def check(
        self,
        event_name: str,
        members: Members,
        properties: dict[str, str],
        names_of_kind: Callable[[Members, str], frozenset[str]] | None,
    ) -> None:
        """Refuses an event whose schema is not declared, or that lacks a part of its schema.

        Args:
            event_name: the name of the event.
            members: the members of the event.
            properties: its properties.
            names_of_kind: as in `EventForm`.

        Raises:
            RefusedLineError: `schema_violation`.
        """
        schema = self.by_name.get(event_name)
        if schema is None:
            raise RefusedLineError(
                Reason.SCHEMA_VIOLATION, f"no event schema is declared for {beginning(event_name)}"
            )
        for kind, names in (("attribute", schema.attributes), ("dimension", schema.dimensions)):
            found = properties if names_of_kind is None else names_of_kind(members, kind)
            for name in names:
                if name not in found:
                    raise RefusedLineError(
                        Reason.SCHEMA_VIOLATION,
                        f"the {kind} {beginning(name)} that event schema "
                        f"{beginning(event_name)} declares is missing",
                    )
