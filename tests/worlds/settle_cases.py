"""Cases of the kind `settle`, written short."""

from typing import Any

Case = dict[str, Any]
Row = dict[str, Any]


def settle_case(*lines: Row | str, **more: Any) -> Case:
    """A case of these lines; a text is a usage line of that amount. `more` are other fields."""
    rows = [{"amount": line} if isinstance(line, str) else line for line in lines]
    return {"id": "case", "kind": "settle", "lines": rows} | more


def line(amount: str, kind: str = "usage", charge_code: str | None = None, **more: Any) -> Row:
    """A line of any kind."""
    return {"amount": amount, "kind": kind, "charge_code": charge_code} | more


def percent(value: str, *charge_codes: str, **more: Any) -> Row:
    """A discount of hundredths; of the whole invoice, or of charges."""
    return {"kind": "percent", "value": value, "charge_codes": list(charge_codes)} | more


def off(value: str, *charge_codes: str, **more: Any) -> Row:
    """A discount of an amount; of the whole invoice, or of charges."""
    return {"kind": "amount", "value": value, "charge_codes": list(charge_codes)} | more


def tax(rate_percent: str, tax_code: str = "vat", **more: Any) -> Row:
    """A tax on top of prices."""
    return {"tax_code": tax_code, "rate_percent": rate_percent} | more


def inside(rate_percent: str, tax_code: str = "vat", **more: Any) -> Row:
    """A tax that prices include."""
    return tax(rate_percent, tax_code, inclusive=True, **more)


def block(amount: str, credit_id: str = "c", **more: Any) -> Row:
    """A block of credit."""
    return {"credit_id": credit_id, "amount": amount} | more


def each(result: Case, name: str) -> list[str]:
    """A column of the lines of a result."""
    return [row[name] for row in result["lines"]]
