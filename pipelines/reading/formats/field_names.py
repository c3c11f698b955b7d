"""Field names: the top-level names by which the events of a source are told from other objects."""

from functools import lru_cache
from typing import NamedTuple

from pipelines.reading.dialects import Dialect
from pipelines.reading.dialects.event import Field, FieldPath
from pipelines.reading.dialects.json_texts import JsonTexts


class FieldNames(NamedTuple):
    """The names of a source's events, and of the batches that hold them.

    Attributes:
        own: the names of the fields that identify an event. An object that has one of them is an
            event, or a wrong one, and no batch.
        required: those of them without which no object is an event.
        batch_member: the name of the array in a batch, if the catalog declares it.
    """

    own: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    batch_member: str | None = None


NO_NAMES = FieldNames()
"""The names of no source: every object is an event, and every CSV header is taken."""


@lru_cache(maxsize=256)
def field_names(dialect: Dialect) -> FieldNames:
    """The names of the events that a dialect reads.

    Example: `metronome` requires `transaction_id`, `event_type` and `timestamp`. `customer_id` is
    one of its own names, too.

    Args:
        dialect: the reader of the source's events.
    """
    form = dialect.form
    has_plain_key = form.prepared_for_key is None and not form.key_may_be_place
    key = form.key if has_plain_key else ()
    required: list[Field] = list(key)
    if isinstance(form.event_name, str | FieldPath):
        required.append(form.event_name)
    if not form.timestamp.is_optional:
        required.append(form.timestamp.field)
    own = [*form.key, *form.customer.fields, *required, form.timestamp.field]
    own += [fixed.field for fixed in form.fixed_fields]
    for step in form.prepared:
        own += step.fields if isinstance(step, JsonTexts) else ()
    own += [name for name in form.also_reads if not name.endswith("*")]
    if form.subscription is not None:
        own.append(form.subscription)
    return FieldNames(
        frozenset({*map(_top_name, own), "amendment", "target_key"}),
        frozenset(map(_top_name, required)),
        dialect.layout.batch_member,
    )


def _top_name(field: Field) -> str:
    return field if isinstance(field, str) else field.names[0]
