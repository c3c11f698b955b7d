"""Field names: the top-level names by which the events of a source are told from other objects."""

from functools import lru_cache
from typing import NamedTuple

from pipelines.reading.dialects import Dialect, NotUsageError, RefusedLineError, unwrapped
from pipelines.reading.dialects.amendment import AMENDMENT_FIELD, TARGET_FIELD
from pipelines.reading.dialects.event import Field, FieldPath
from pipelines.reading.dialects.json_texts import JsonTexts
from pipelines.reading.dialects.not_usage import NotUsage
from pipelines.reading.strict_json import StrictJsonError, parse_object


class FieldNames(NamedTuple):
    """The names of a source's events, and of the batches that hold them.

    Attributes:
        own: the names of the fields that identify an event. An object that has one of them is an
            event, or a wrong one, and no batch.
        required: those of them without which no object is an event.
        batch_member: the name of the array in a batch, if the catalog declares it.
        beside: names of fields that are read, but that an event may do without.
        not_usage: what tells lines that are no usage.
    """

    own: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    batch_member: str | None = None
    beside: frozenset[str] = frozenset()
    not_usage: tuple[NotUsage, ...] = ()

    @property
    def all(self) -> frozenset[str]:
        """The names of all fields that are read, other than those of properties."""
        return self.own | self.beside

    def is_no_usage(self, text: bytes) -> bool:
        """True if a text is an object that its source calls no usage. It is then no batch either.

        Example: with `not_usage` = `kind=ping`, `{"kind": "ping", "hops": [{…}]}` is one line.
        """
        if not self.not_usage:
            return False
        try:
            members = unwrapped(parse_object(text))
            for kind in self.not_usage:
                kind.check(members)
        except NotUsageError:
            return True
        except (StrictJsonError, RefusedLineError):
            pass
        return False


NO_NAMES = FieldNames()
"""The names of no source: every object is an event, and every CSV header is taken."""


@lru_cache(maxsize=256)
def field_names(dialect: Dialect) -> FieldNames:
    """The names of the events that a dialect reads.

    Example: `metronome` requires `transaction_id`, `event_type` and `timestamp`. `customer_id` is
    one of its own names, too. An event of `lago` may lack `timestamp`, so a batch may have one.

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
    own: list[Field] = [*form.key, *form.customer.fields, *required, AMENDMENT_FIELD, TARGET_FIELD]
    own += [fixed.field for fixed in form.fixed_fields if fixed.is_required]
    for step in form.prepared:
        own += step.fields if isinstance(step, JsonTexts) else ()
    own += [name for name in form.also_reads if not name.endswith("*")]
    if form.subscription is not None:
        own.append(form.subscription)
    beside = [form.timestamp.field, *(fixed.field for fixed in form.fixed_fields)]
    beside += [kind.field for kind in form.not_usage]
    return FieldNames(
        frozenset(map(_top_name, own)),
        frozenset(map(_top_name, required)),
        dialect.layout.batch_member,
        frozenset(map(_top_name, beside)),
        form.not_usage,
    )


def _top_name(field: Field) -> str:
    return field if isinstance(field, str) else field.names[0]
