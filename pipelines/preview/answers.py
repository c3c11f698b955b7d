"""Answers: many cases of many kinds, worked out together, each as if it were alone."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipelines.preview import kinds
from pipelines.preview.faults import CaseError, Code, Fault, error_of
from pipelines.preview.fields import Fields, Members, Number
from pipelines.preview.kinds.kind import Key, Kind, Result
from pipelines.vocabulary.members import members

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in members(kinds, "KIND").values()}
"""The kinds of cases, by name."""

_CONTRACT = "1"
"""The meaning of the fields; a case may say which one it was written for."""


def answers(cases: Sequence[object]) -> list[dict[str, object]]:
    """The answer of each case, in their order.

    Cases are told apart by their place in the call, so their order and company change no answer.
    Only an id that two cases have is a fault of both.

    Args:
        cases: as the JSON parser gives them.
    """
    ids = Counter(_id(case) for case in cases if _id(case))
    found: dict[Key, Result | CaseError] = {}
    read: dict[str, dict[Key, object]] = {name: {} for name in KINDS}
    for key, case in enumerate(cases):
        try:
            name, asked = _read(case, ids)
            read[name][key] = asked
        except CaseError as error:
            found[key] = error
    warnings: dict[Key, Sequence[str]] = {}
    for name, asked_of_kind in read.items():
        kind = KINDS[name]
        if asked_of_kind:
            found |= kind.answer(asked_of_kind)
            warnings |= kind.warnings(asked_of_kind) if kind.warnings else {}
    return [_answer(case, found[key], warnings.get(key, ())) for key, case in enumerate(cases)]


def _read(case: object, ids: Mapping[str, int]) -> tuple[str, object]:
    """The kind of a case, and what its kind read of it; raises `CaseError`."""
    if not isinstance(case, Members):
        raise CaseError([Fault(Code.MALFORMED, "", "expected an object with id and kind")])
    identity, name = _id(case), case.get("kind")
    if not identity:
        reason = "expected a text that no other case has, found none; give the case an id"
        raise CaseError([Fault(Code.MALFORMED, "id", reason)])
    if not isinstance(name, str) or name not in KINDS:
        reason = f"expected one of {', '.join(KINDS)}; write it, or update Meterline"
        raise CaseError([Fault(Code.UNKNOWN_KIND, "kind", reason)])
    fields = Fields(case)
    fields.know("id", "kind", "contract")
    if ids[identity] > 1:
        fields.note(Code.BAD_VALUE, "id", "two cases have it; give each an id of its own")
    contract = case.get("contract")
    if contract is not None and contract != Number(_CONTRACT):
        fields.note(Code.NOT_SUPPORTED, "contract", f"expected {_CONTRACT}; update Meterline")
    asked = KINDS[name].read(fields)
    fields.close()
    fields.raise_faults()
    return name, asked


def _id(case: object) -> str:
    identity = case.get("id") if isinstance(case, Members) else None
    return identity if isinstance(identity, str) else ""


def _answer(case: object, found: Result | CaseError, warnings: Sequence[str]) -> dict[str, object]:
    kind = case.get("kind") if isinstance(case, Members) else None
    about = {"id": _id(case) or None, "kind": kind if isinstance(kind, str) else None}
    if isinstance(found, CaseError):
        return about | {"ok": False, "error": error_of(found.faults)}
    return about | {"ok": True, "result": found, "warnings": [*warnings]}
