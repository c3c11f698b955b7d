"""Reach: which members of a row a dialect reads, so that the others cost nothing.

A column that nothing reads may have any type and any value. It is neither decoded nor checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.reading.dialects.amendment import AMENDMENT_FIELD, TARGET_FIELD
from pipelines.reading.dialects.custom import NamedFields
from pipelines.reading.dialects.event import Field, FieldPath
from pipelines.reading.dialects.form import EventForm
from pipelines.reading.dialects.json_texts import JsonTexts
from pipelines.reading.dialects.properties import FlatObject, NestedObject

Path = tuple[str, ...]
"""The names on the way to a member, the top-level one first."""


@dataclass(frozen=True)
class Reach:
    """The members that are read: those at some paths, and all that is inside these.

    Attributes:
        paths: the paths of members. The empty path means everything.
        beginnings: every top-level member whose name begins like one of these is read too.
    """

    paths: frozenset[Path]
    beginnings: tuple[str, ...] = ()

    def reads(self, path: Path) -> bool:
        """True if the member at a path, or something inside it, is read."""
        return any(own[: len(path)] == path[: len(own)] for own in self.paths) or path[
            0
        ].startswith(self.beginnings)

    def inside(self, path: Path) -> "Reach":
        """What is read of the member at a path, as paths inside it."""
        if path[0].startswith(self.beginnings):
            return EVERYTHING
        return Reach(
            frozenset(
                own[len(path) :] for own in self.paths if own[: len(path)] == path[: len(own)]
            )
        )


EVERYTHING = Reach(frozenset({()}))
"""The reach of a reader that reads all members."""


def reach_of_form(form: EventForm) -> Reach:
    """The members that events of a form are read from.

    Example: a source whose key is `meta.id` reads `meta.id`, and no other member of `meta`.
    """
    fields: list[Field] = [
        *form.key,
        *(field for field in form.customer.fields),
        *(fixed.field for fixed in form.fixed_fields),
        *(unread.field for unread in form.unread),
        *(kind.field for kind in form.not_usage),
        *_fields_of(form.properties),
        form.timestamp.field,
        AMENDMENT_FIELD,
        TARGET_FIELD,
    ]
    for step in form.prepared:
        fields += step.fields if isinstance(step, JsonTexts) else ()
    if isinstance(form.event_name, str | FieldPath):
        fields.append(form.event_name)
    if form.subscription is not None:
        fields.append(form.subscription)
    names = [field for field in form.also_reads if not field.endswith("*")]
    return Reach(
        frozenset(_path(field) for field in (*fields, *names)),
        tuple(name.removesuffix("*") for name in form.also_reads if name.endswith("*")),
    )


def _fields_of(properties: object) -> Iterable[Field]:
    if isinstance(properties, FlatObject | NestedObject):
        return [properties.field]
    if isinstance(properties, NamedFields):
        return [*(field for _, field in properties.fields), *_fields_of(properties.beside)]
    return []


def _path(field: Field) -> Path:
    return (field,) if isinstance(field, str) else field.names
