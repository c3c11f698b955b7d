"""Priced usage: the quantities, groups, buckets or events of a case, and the lines they make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.catalog.cells import COUNT, shown
from pipelines.catalog.charge_models.charge import Charge
from pipelines.catalog.charge_models.matrix import Matrix
from pipelines.catalog.charge_models.percentage import Percentage
from pipelines.catalog.charge_models.usage_charge import UsageCharge
from pipelines.preview.faults import Code
from pipelines.preview.fields import Fields, is_unicode, property_text
from pipelines.preview.usage_cases import EVENTS_MAX
from pipelines.vocabulary.money import exact_sum

QUANTITY, GROUPS, BUCKETS, EVENTS = SOURCES = ("quantity", "groups", "buckets", "events")
"""Members of a case of which one says what was used."""

FLAT = "charge"
"""The place of a line that is due whatever was used."""

TOO_GREAT = Decimal(10) ** 20
"""The least quantity that has more digits before its point than a quantity may have."""


@dataclass(frozen=True)
class Part:
    """An entry of `groups`, or an event.

    Attributes:
        fields: of its object.
        group: the text of each property; null is absent.
        quantity: of the group, or the value of the event.
    """

    fields: Fields
    group: dict[str, str | None]
    quantity: Decimal
    event_count: int


@dataclass(frozen=True)
class GivenUsage:
    """What a case says was used, before its charge is known.

    Attributes:
        parts: the entries of `groups` and of `events`.
    """

    parts: list[Part]
    buckets: list[Decimal]
    quantity: Decimal | None
    event_count: int

    @property
    def names(self) -> list[str]:
        """The properties that groups have, in order."""
        return sorted({name for part in self.parts for name in part.group if not is_note(name)})


@dataclass(frozen=True)
class UsageLine:
    """The usage of one group of a charge.

    Attributes:
        place: where the case says it, for errors.
        group: the text of each property of group_by, in order.
        quantity: as counted.
        priced: the quantity that rating is given.
        buckets: the quantities that are priced one by one, in order of time.
        events: the values that are priced one by one, by place in the case's list.
    """

    place: str
    group: dict[str, str]
    quantity: Decimal
    event_count: int
    priced: Decimal
    buckets: Sequence[Decimal] = ()
    events: Sequence[tuple[int, Decimal]] = ()


def read_usage(fields: Fields) -> GivenUsage:
    """The members of a case that say what was used; what is wrong with them is noted."""
    quantity = fields.decimal(QUANTITY)
    event_count = fields.text("event_count", COUNT, 0) or 0
    parts = []
    for group in fields.rows(GROUPS):
        group.require("group")
        parts.append(_read_part(group, "quantity", group.text("event_count", COUNT, 0) or 0))
    parts += [_read_part(event, "value", 1) for event in fields.rows(EVENTS, most=EVENTS_MAX)]
    return GivenUsage(parts, fields.decimals(BUCKETS, EVENTS_MAX), quantity, event_count)


def _read_part(fields: Fields, name: str, event_count: int) -> Part:
    fields.require(name)
    value = fields.decimal(name)
    part = Part(fields, dict(read_group(fields.inner("group"))), value or Decimal(0), event_count)
    fields.close()
    return part


def read_group(group: Fields) -> Iterator[tuple[str, str | None]]:
    """The properties of a group and the text of each; what is ill-formed is noted."""
    group.know(*group.members)
    for name, value in group.members.items():
        if not is_unicode(name) or (isinstance(value, str) and not is_unicode(value)):
            group.note(Code.BAD_VALUE, name, "has half of a character; write the whole one")
        elif value is None or property_text(value) is not None:
            yield name, property_text(value)
        elif not is_note(name):
            reason = "expected a text, a number, true, false or null; write one"
            group.note(Code.BAD_VALUE, name, reason)
    group.close()


def is_note(name: str) -> bool:
    """True for a name that is for people, unless a charge has it in group_by."""
    return name.startswith("_")


def lines_of(fields: Fields, charge: Charge, given: GivenUsage) -> list[UsageLine]:
    """The lines of a charge in order of their groups; what does not go with it is noted.

    Args:
        fields: of the case.
        charge: without contradiction of its own.
        given: what was used.
    """
    if not isinstance(charge, UsageCharge):
        for name in (*SOURCES, "event_count"):
            if fields.has(name) and (name != "event_count" or given.event_count):
                reason = f"is usage, and a {charge.charge_model} charge has none; leave it out"
                fields.note(Code.CONTRADICTION, name, reason)
        return [UsageLine(FLAT, {}, Decimal(1), 0, Decimal(1))]
    source = fields.one_of(*SOURCES)
    if given.event_count and source not in (None, QUANTITY):
        reason = f"goes with quantity, and the case has {source}; leave it out"
        fields.note(Code.CONTRADICTION, "event_count", reason)
    noted = len(fields.faults)
    if source is not None:
        _check_source(fields, charge, source)
    if source is None or len(fields.faults) > noted:
        return []
    if source == QUANTITY:
        quantity = given.quantity or Decimal(0)
        lines = [UsageLine(QUANTITY, {}, quantity, given.event_count, quantity)]
    elif source == BUCKETS:
        quantity = exact_sum(given.buckets)
        lines = [UsageLine(BUCKETS, {}, quantity, 0, quantity, given.buckets)]
    else:
        lines = _grouped(charge, given.parts, source)
    for line in lines:
        note_too_great(fields, line.place, line.quantity, line.priced)
    return lines


def note_too_great(fields: Fields, name: str, *quantities: Decimal) -> None:
    """Notes that one of these sums is no quantity any more."""
    # `abs` would round to the digits of the thread's context.
    if any(quantity.copy_abs() >= TOO_GREAT for quantity in quantities):
        reason = "the quantity has more than 20 digits before its point; count larger units"
        fields.note(Code.OVERFLOW, name, reason)


def _check_source(fields: Fields, charge: UsageCharge, source: str) -> None:
    is_single = source in (QUANTITY, BUCKETS)
    if is_single and isinstance(charge, Matrix):
        reason = "is missing, and a matrix charge has a price for each; write them"
        fields.note(Code.MISSING_FIELD, GROUPS, reason)
    elif is_single and charge.group_by:
        reason = f"is of no group, and the charge has group_by {';'.join(charge.group_by)}"
        fields.note(Code.CONTRADICTION, source, f"{reason}; write groups or events")
    is_each = charge.priced_each == "bucket"
    if is_each != (source == BUCKETS):
        reason = (
            f"are priced each, and the case has {source}; write buckets, or empty priced_each"
            if is_each
            else "go with priced_each bucket only; write it, or the quantity of the period"
        )
        fields.note(Code.CONTRADICTION, BUCKETS, reason)
    if isinstance(charge, Percentage) and charge.per_event and source != EVENTS:
        reason = f"is a total, and {' and '.join(charge.per_event)} need single events; write them"
        fields.note(Code.EVENTS_NEEDED, source, reason)


def _grouped(charge: UsageCharge, parts: Sequence[Part], source: str) -> list[UsageLine]:
    """A line a group; groups that are one with `missing_dimension` are added up."""
    names = sorted(charge.group_by)
    strangers = set[str]()
    merged: dict[tuple[str | None, ...], list[Part]] = {} if names else {(): []}
    for part in parts:
        for name in part.group:
            if name not in names and not is_note(name) and name not in strangers:
                strangers.add(name)
                reason = (
                    f"is not in group_by of the charge, which has: {', '.join(names) or 'none'}"
                )
                part.fields.note(Code.CONTRADICTION, f"group.{name}", f"{reason}; correct one")
        texts = (part.group.get(name) for name in names)
        group = tuple(charge.missing_dimension if text is None else text for text in texts)
        merged.setdefault(group, []).append(part)
    found = dict[tuple[str, ...], UsageLine]()
    for group, members in merged.items():
        lacking = [name for name, text in zip(names, group, strict=True) if text is None]
        for name in lacking:
            members[0].fields.note(
                Code.CONTRADICTION,
                f"group.{name}",
                "is null, and the charge has no missing_dimension, so a bill would only list such "
                "usage; write a text here, or missing_dimension in the charge",
            )
        if not lacking:
            key = tuple(text for text in group if text is not None)
            found[key] = _line(dict(zip(names, key, strict=True)), charge, members, source)
    return [found[key] for key in sorted(found)]


def _line(
    group: dict[str, str], charge: UsageCharge, parts: Sequence[Part], source: str
) -> UsageLine:
    quantity = priced = exact_sum(part.quantity for part in parts)
    events: list[tuple[int, Decimal]] = []
    if isinstance(charge, Percentage) and source == EVENTS:
        if charge.per_event:
            events = [(part.fields.row, part.quantity) for part in parts]
        else:
            # An event below 0 is priced as 0, which the total does not tell.
            priced = exact_sum(max(part.quantity, Decimal(0)) for part in parts)
    return UsageLine(
        f"{source}[{parts[0].fields.row}]" if parts else source,
        group,
        quantity,
        sum(part.event_count for part in parts),
        priced,
        events=events,
    )


def shown_group(line: UsageLine) -> str:
    """The group of a line for an error; empty if the charge has no groups."""
    return ", ".join(f"{name} {shown(text)}" for name, text in line.group.items())
