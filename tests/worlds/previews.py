"""Cases of preview, asked as a person asks: JSON in, answers out."""

import json
from datetime import UTC, datetime
from typing import Any

from pipelines.preview.answers import answers
from pipelines.preview.json_cases import answers_text, read_cases
from witness.periods import Life, When

Case = dict[str, Any]


def answers_to(*cases: object) -> list[Case]:
    """The answers to cases, through the JSON text of both."""
    read = read_cases(json.dumps(cases), by_line=False)
    answered: list[Case] = json.loads(answers_text(answers(read), by_line=False))
    return answered


def previewed(cases: list[Case]) -> list[Case]:
    """The answers to cases without ids, as Python has them."""
    text = json.dumps([{**case, "id": str(place)} for place, case in enumerate(cases)])
    return answers(read_cases(text, by_line=False))


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


def written(when: When) -> str:
    """A date or an instant as texts have it."""
    if isinstance(when, datetime):
        return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return when.isoformat()


def case_of(life: Life, **asked: object) -> Case:
    """A case of the kind `periods` about a life of the witness; pauses are left out."""
    given_values = {
        "start_date": life.start,
        "end_date": life.end,
        "anchor_at": life.anchor_at,
        "trial_until": life.trial_until,
    }
    return {
        "kind": "periods",
        "time_zone": life.time_zone,
        "grace_period_days": life.grace_period_days,
        "subscription": {
            **{name: written(when) for name, when in given_values.items() if when is not None},
            "interval": life.interval,
            "interval_count": life.interval_count,
            "anchor": life.anchor,
            "anchor_day": life.anchor_day,
            "phases": [
                {"from": written(each.start), "plan_code": each.plan_code, "realign": each.realign}
                for each in life.phases
            ],
        },
        **asked,
    }


def part(amount: str, service: str, full: str, **more: object) -> Case:
    """A part of `prorate`; spans are written `start/end`."""
    spans = {
        name: dict(zip(("start", "end"), text.split("/"), strict=True))
        for name, text in (("service", service), ("full", full))
    }
    return {"amount": amount, **spans, **more}
