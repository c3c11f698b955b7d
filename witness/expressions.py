"""The value of an event: an expression over its properties (billing.md §3)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

MISSING = "missing_property"
NOT_A_NUMBER = "not_a_number"

FRACTION_DIGITS = 18

_POWER_MAX = 10_000
"""Beyond it a number is too large all the same, and below its negative too precise."""

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_PARTS = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |"(?P<quoted>(?:[^"]|"")*)"
    |'(?P<text>(?:[^']|'')*)'
    |(?P<sign>[-+*/(),]))""",
    re.VERBOSE | re.ASCII,
)

Value = Fraction | str
"""A number, or a text."""


@dataclass(frozen=True)
class Nothing:
    """There is no value, and why."""

    reason: str


def half_away(number: Fraction, digits: int) -> Fraction:
    """The number with so many digits after the point; a half goes away from zero."""
    units = Fraction(10) ** digits
    size = int(abs(number) * units + Fraction(1, 2))
    return Fraction(size if number >= 0 else -size) / units


def number_of(text: str) -> Fraction | Nothing:
    """The number that a property's text is."""
    if not _NUMBER.fullmatch(text):
        return Nothing(NOT_A_NUMBER)
    mantissa, _, exponent = text.lower().partition("e")
    power = max(-_POWER_MAX, min(int(exponent or "0"), _POWER_MAX))
    return Fraction(mantissa) * Fraction(10) ** power


def value_of(expression: str, properties: Mapping[str, str]) -> Value | Nothing:
    """The value of an expression, or why there is none.

    Example: `coalesce(tokens, 0) / 1000` of an event without `tokens` is 0.
    """
    reader = _Reader(_parts(expression), properties)
    value = reader.sum()
    if reader.place != len(reader.parts):
        raise ValueError(f"{expression}: more than one expression")
    return value


def _parts(expression: str) -> list[tuple[str, str]]:
    parts, place = list[tuple[str, str]](), 0
    while expression[place:].strip():
        found = _PARTS.match(expression, place)
        if found is None or found.lastgroup is None:
            raise ValueError(f"{expression}: cannot be read from {expression[place:]!r} on")
        text = found[found.lastgroup]
        if found.lastgroup == "quoted":
            parts.append(("name of a property", text.replace('""', '"')))
        elif found.lastgroup == "text":
            parts.append(("text", text.replace("''", "'")))
        else:
            parts.append((found.lastgroup, text))
        place = found.end()
    return parts


class _Reader:
    """Reads an expression from left to right, and works it out as it goes."""

    def __init__(self, parts: Sequence[tuple[str, str]], properties: Mapping[str, str]) -> None:
        self.parts = parts
        self.properties = properties
        self.place = 0

    def sum(self) -> Value | Nothing:
        """Products joined by + and -."""
        left = self.product()
        while (sign := self.take("+", "-")) is not None:
            left = _joined(sign, left, self.product())
        return left

    def product(self) -> Value | Nothing:
        """Atoms joined by * and /."""
        left = self.atom()
        while (sign := self.take("*", "/")) is not None:
            left = _joined(sign, left, self.atom())
        return left

    def atom(self) -> Value | Nothing:
        """A number, a text, a property, a call, a sign before an atom, or something in brackets."""
        if self.take("-"):
            return _joined("-", Fraction(0), self.atom())
        if self.take("("):
            inner = self.sum()
            self.expect(")")
            return inner
        kind, text = self.parts[self.place]
        self.place += 1
        if kind == "number":
            return Fraction(text)
        if kind == "text":
            return text
        if kind == "name" and self.take("("):
            return _called(text, self.arguments())
        return self.properties.get(text, Nothing(MISSING))

    def arguments(self) -> list[Value | Nothing]:
        """What stands between the brackets of a call."""
        found = [self.sum()]
        while self.take(","):
            found.append(self.sum())
        self.expect(")")
        return found

    def take(self, *signs: str) -> str | None:
        """The next part, if it is one of these signs."""
        if self.place < len(self.parts):
            kind, text = self.parts[self.place]
            if kind == "sign" and text in signs:
                self.place += 1
                return text
        return None

    def expect(self, sign: str) -> None:
        """Takes a sign that must be there."""
        if self.take(sign) is None:
            raise ValueError(f"expected {sign}")


def _number(value: Value | Nothing) -> Fraction | Nothing:
    return number_of(value) if isinstance(value, str) else value


def _first_fault(*values: Value | Nothing) -> Nothing | None:
    """Of several faults an absent property is told first."""
    faults = [value for value in values if isinstance(value, Nothing)]
    absent = [fault for fault in faults if fault.reason == MISSING]
    return next(iter(absent or faults), None)


def _joined(sign: str, left: Value | Nothing, right: Value | Nothing) -> Fraction | Nothing:
    first, second = _number(left), _number(right)
    if isinstance(first, Nothing) or isinstance(second, Nothing):
        fault = _first_fault(first, second)
        assert fault is not None
        return fault
    if sign == "+":
        return first + second
    if sign == "-":
        return first - second
    if sign == "*":
        return first * second
    if second == 0:
        return Nothing(NOT_A_NUMBER)
    return half_away(first / second, FRACTION_DIGITS)


def _called(name: str, arguments: list[Value | Nothing]) -> Value | Nothing:
    if name == "coalesce":
        there = [
            value
            for value in arguments
            if not (isinstance(value, Nothing) and value.reason == MISSING)
        ]
        return there[0] if there else Nothing(MISSING)
    if name == "concat":
        fault = _first_fault(*arguments)
        return fault or "".join(map(_text, arguments))
    number = _number(arguments[0])
    if isinstance(number, Nothing):
        return number
    if name == "round":
        digits = arguments[1] if len(arguments) > 1 else Fraction(0)
        assert isinstance(digits, Fraction)
        return half_away(number, int(digits))
    if name == "ceil":
        return Fraction(-((-number.numerator) // number.denominator))
    if name == "floor":
        return Fraction(number.numerator // number.denominator)
    raise ValueError(f"no function is called {name}")


def _text(value: Value | Nothing) -> str:
    """A text as it is, a number without exponent and trailing zeros."""
    if isinstance(value, Fraction):
        return decimal_text(value)
    assert isinstance(value, str)
    return value


def decimal_text(number: Fraction) -> str:
    """A number of at most 18 digits after the point, without exponent and trailing zeros."""
    units = number * 10**FRACTION_DIGITS
    assert units.denominator == 1
    digits = str(abs(units.numerator)).rjust(FRACTION_DIGITS + 1, "0")
    text = f"{digits[:-FRACTION_DIGITS]}.{digits[-FRACTION_DIGITS:]}".rstrip("0").rstrip(".")
    return f"-{text}" if number < 0 else text
