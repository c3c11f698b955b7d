"""Cases of preview, asked as a person asks: JSON in, answers out."""

import json
from typing import Any

from pipelines.preview.answers import answers
from pipelines.preview.json_cases import answers_text, read_cases

Case = dict[str, Any]


def answers_to(*cases: object) -> list[Case]:
    """The answers to cases, through the JSON text of both."""
    read = read_cases(json.dumps(cases), by_line=False)
    answered: list[Case] = json.loads(answers_text(answers(read), by_line=False))
    return answered


def result_of(case: Case) -> Case:
    """The result of a case that has one."""
    (answer,) = answers_to({"id": "x"} | case)
    assert answer["ok"], answer
    result: Case = answer["result"]
    return result


def error_of(case: object) -> Case:
    """The error of a case that has one."""
    (answer,) = answers_to({"id": "x"} | case if isinstance(case, dict) else case)
    assert not answer["ok"], answer
    error: Case = answer["error"]
    return error


def periods_case(life: Case, zone: str = "Etc/UTC", grace: int = 0, **asked: object) -> Case:
    """A case of the kind `periods`."""
    return {
        "kind": "periods",
        "time_zone": zone,
        "grace_period_days": grace,
        "subscription": {"interval": "month"} | life,
        **asked,
    }


def part(amount: str, service: str, full: str, **more: object) -> Case:
    """A part of `prorate`; spans are written `start/end`."""
    spans = {
        name: dict(zip(("start", "end"), text.split("/"), strict=True))
        for name, text in (("service", service), ("full", full))
    }
    return {"amount": amount, **spans, **more}
