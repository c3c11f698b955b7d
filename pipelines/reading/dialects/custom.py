"""Custom: events of one's own systems, whose fields the catalog declares.

A field that the catalog does not declare has Meterline's own name, such as `customer`. A declared
field is found at its declared path instead. The catalog may declare fields of a vendor's dialect in
the same way: a field that it does not declare is then where the vendor says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pipelines.reading.dialects.constants import Constant, FixedName, parse_folder
from pipelines.reading.dialects.event import (
    Field,
    Members,
    RefusedLineError,
    parse_path,
    quoted,
    value_of,
)
from pipelines.reading.dialects.form import (
    Customer,
    Dialect,
    EventForm,
    Timestamp,
)
from pipelines.reading.dialects.json_texts import JsonTexts
from pipelines.reading.dialects.properties import (
    FlatObject,
    NestedObject,
    Properties,
    flat_properties,
)
from pipelines.reading.strict_json import TYPE_NAMES, JsonValue, exact_text
from pipelines.vocabulary.instants import (
    LocalIso8601,
    TimestampError,
    parse_iso8601,
    parse_iso8601_utc,
    parse_offset,
    parse_rfc3339,
    parse_unix_microseconds,
    parse_unix_milliseconds,
    parse_unix_seconds,
)
from pipelines.vocabulary.verdicts import Reason
from pipelines.vocabulary.visible import beginning

DIALECT = Dialect(
    EventForm(
        key=("idempotency_key",),
        customer=Customer(("customer",)),
        event_name="event_name",
        timestamp=Timestamp(parse_rfc3339, expected="an RFC 3339 string"),
        properties=NestedObject("properties"),
        takes_numbers=True,
        key_takes_numbers=True,
    ),
    dedupe_window=None,
)
"""The reader of events for which the catalog declares nothing."""

TIMESTAMPS: Mapping[str, Timestamp] = MappingProxyType(
    {
        "rfc3339": Timestamp(parse_rfc3339, expected="an RFC 3339 string"),
        "iso8601": Timestamp(parse_iso8601, expected="an ISO 8601 string"),
        "iso8601_utc": Timestamp(parse_iso8601_utc, expected="an ISO 8601 string"),
        "unix_seconds": Timestamp(parse_unix_seconds, expected="Unix seconds", takes_numbers=True),
        "unix_milliseconds": Timestamp(
            parse_unix_milliseconds, expected="Unix milliseconds", takes_numbers=True
        ),
        "unix_microseconds": Timestamp(
            parse_unix_microseconds, expected="Unix microseconds", takes_numbers=True
        ),
    }
)
"""The forms of a timestamp that may be declared, by their names in the catalog."""

_LOCAL = "iso8601"
"""The beginning of a form whose rest is the offset of instants without a zone."""


def timestamp_of(form: str) -> Timestamp | None:
    """The timestamp of a declared form. None: there is no such form.

    Examples: `rfc3339`, `iso8601+05:30` for local times of India.
    """
    if form in TIMESTAMPS:
        return TIMESTAMPS[form]
    try:
        offset = parse_offset(form.removeprefix(_LOCAL))
    except TimestampError:
        return None
    if not form.startswith(_LOCAL):
        return None
    return Timestamp(LocalIso8601(offset), expected="an ISO 8601 string")


_ONE_PROPERTY = "properties."


class MappingError(ValueError):
    """A declared field is wrong. The message says what to write instead.

    Attributes:
        number: the position of the field among those declared, from 0.
        column: the wrong column: `field`, `path` or `form`.
    """

    def __init__(self, number: int, column: str, sentence: str) -> None:
        self.number = number
        self.column = column
        super().__init__(sentence)


@dataclass(frozen=True)
class DeclaredField:
    """One field of a source's events, as the catalog declares it.

    Attributes:
        field: `customer`, `subscription`, `event_name`, `timestamp`, `optional_timestamp`,
            `properties`, or `properties.` and the name of one property. Or `json_text`, a member
            that holds an object as a text.
        path: the path of the field. With the form `constant`: the text itself. With the form
            `folder`: which folder of the file's path it is.
        form: for a timestamp, one that `timestamp_of` knows. For properties, `flat` or `nested`.
            For a customer or an event name, `constant` or `folder`. None: the field has no form.
    """

    field: str
    path: str
    form: str | None


@dataclass(frozen=True)
class NamedFields:
    """Reads properties at their own paths, and those of one object beside them.

    Attributes:
        fields: the name and the field of each property. An absent field is not a property.
        beside: the object whose members are properties too. None: there is none.
    """

    fields: tuple[tuple[str, Field], ...]
    beside: FlatObject | NestedObject | None = None

    def __call__(self, members: Members) -> Properties:
        """The properties of an event. Raises `RefusedLineError`."""
        beside = {} if self.beside is None else self.beside.values(members)
        found: dict[str, JsonValue] = {
            name: member for name, member in beside.items() if member is not None
        }
        for name, field in self.fields:
            value = value_of(members, field)
            if value is None:
                continue
            if name in found:
                raise RefusedLineError(
                    Reason.INVALID_PROPERTY,
                    f"field {quoted(field)} and a member of {self.beside_name} are both the "
                    f"property {beginning(name)}",
                )
            if isinstance(value, dict | list) and exact_text(members, value) is None:
                raise RefusedLineError(
                    Reason.INVALID_PROPERTY,
                    f"field {quoted(field)} must be a string, number or boolean, "
                    f"found {TYPE_NAMES[type(value)]}",
                )
            found[name] = value
        return flat_properties(found, members)

    @property
    def beside_name(self) -> str:
        """The object in quotes, for a sentence."""
        return "nothing" if self.beside is None else quoted(self.beside.field)


def declared_form(form: EventForm, fields: Iterable[DeclaredField]) -> EventForm:
    """The form with the declared fields in place of its own.

    Args:
        form: the form of the source's dialect.
        fields: the declared fields, in the order of the catalog. Customer fields are in order of
            preference.

    Raises:
        MappingError: a field is wrong, or is declared twice.
    """
    collected = _Collected()
    seen: set[str] = set()
    for number, declared in enumerate(fields):
        role = "timestamp" if declared.field == "optional_timestamp" else declared.field
        if role in seen and role not in _REPEATED:
            raise MappingError(number, "field", f"{role!r} is declared twice; keep one")
        seen.add(role)
        _check_form(number, declared)
        if declared.form in _CONSTANTS:
            collected.add_constant(number, declared)
        else:
            collected.add_field(role, _path(number, declared), declared)
    return collected.form(form, names_owner="subscription" in seen)


_REPEATED = ("customer", "json_text")
"""The fields that may be declared several times."""

_CONSTANTS = ("constant", "folder")
"""The forms of a field that is no member of an event."""


class _Collected:
    """The declared fields of one source, by what they are."""

    def __init__(self) -> None:
        self._changes: dict[str, Any] = {}
        self._customers: list[Field] = []
        self._constant: Constant | None = None
        self._texts: list[Field] = []
        self._objects: list[FlatObject | NestedObject] = []
        self._properties: list[tuple[str, Field]] = []

    def add_constant(self, number: int, declared: DeclaredField) -> None:
        """Adds a text that stands for a field of every event."""
        constant = _constant(number, declared)
        if declared.field == "event_name":
            self._changes["event_name"] = constant
        elif self._constant is not None:
            raise MappingError(number, "form", "two customers stand for every event; keep one")
        else:
            self._constant = constant

    def add_field(self, role: str, path: Field, declared: DeclaredField) -> None:
        """Adds a field that is at a path of the event."""
        match role:
            case "customer":
                self._customers.append(path)
            case "json_text":
                self._texts.append(path)
            case "subscription" | "event_name":
                self._changes[role] = path
            case "timestamp":
                timestamp = timestamp_of(declared.form or "")
                assert timestamp is not None  # noqa: S101 -- see `_check_form`
                is_optional = declared.field == "optional_timestamp"
                self._changes[role] = replace(timestamp, field=path, is_optional=is_optional)
            case "properties":
                is_flat = declared.form == "flat"
                self._objects.append(FlatObject(path) if is_flat else NestedObject(path))
            case _:
                self._properties.append((role.removeprefix(_ONE_PROPERTY), path))

    def form(self, form: EventForm, *, names_owner: bool) -> EventForm:
        """The form with these fields in place of its own.

        Args:
            form: the form of the source's dialect.
            names_owner: True: a subscription is declared, so the form's own customer is not read.
        """
        form = replace(form, **self._changes)
        if self._customers or self._constant is not None or names_owner:
            customer = Customer(tuple(self._customers), False, self._constant)
            form = replace(form, customer=customer)
        if self._texts:
            form = replace(form, prepared=(JsonTexts(tuple(self._texts)), *form.prepared))
        if self._properties:
            return replace(form, properties=NamedFields(tuple(self._properties), *self._objects))
        return replace(form, properties=self._objects[0]) if self._objects else form


FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customer": ("", "constant", "folder"),
        "subscription": ("",),
        "event_name": ("", "constant", "folder"),
        "timestamp": (*TIMESTAMPS, f"{_LOCAL}+01:00"),
        "optional_timestamp": (*TIMESTAMPS, f"{_LOCAL}+01:00"),
        "properties": ("", "nested", "flat"),
        "json_text": ("",),
    }
)
"""The fields that may be declared, and the forms of each. A single property has no form.

An instant without a zone may have any offset, not only `+01:00`.
"""


def _check_form(number: int, declared: DeclaredField) -> None:
    is_property = len(declared.field) > len(_ONE_PROPERTY) and declared.field.startswith(
        _ONE_PROPERTY
    )
    if declared.field not in FORMS and not is_property:
        raise MappingError(
            number,
            "field",
            f"{declared.field!r} is not a field of an event; write one of: {', '.join(FORMS)}, "
            "properties.<name of one property>",
        )
    forms = FORMS.get(declared.field, ("",))
    form = declared.form or ""
    is_instant = declared.field.endswith("timestamp") and timestamp_of(form) is not None
    if form not in forms and not is_instant:
        words = ", ".join(form for form in forms if form)
        raise MappingError(
            number,
            "form",
            f"{declared.form or ''!r} is not a form of {declared.field!r}; "
            f"{f'write one of: {words}' if words else 'leave the cell empty'}",
        )


def _constant(number: int, declared: DeclaredField) -> Constant:
    if declared.form == "constant":
        return FixedName(declared.path)
    try:
        return parse_folder(declared.path)
    except ValueError as error:
        raise MappingError(number, "path", str(error)) from None


def _path(number: int, declared: DeclaredField) -> Field:
    try:
        return parse_path(declared.path)
    except ValueError as error:
        raise MappingError(number, "path", str(error)) from None
