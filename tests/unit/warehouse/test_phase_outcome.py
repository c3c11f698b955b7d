import json
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.vocabulary.errors import InvariantError, MeterlineError
from pipelines.warehouse.phase_outcome import Assertion, outcome_of

FOUND = [
    {"assertion": "unique_key(invoice_id)", "offences": 0, "first_rows": None},
    {"assertion": "totals_are_right", "offences": 2, "first_rows": ['{"id":"a"}', '{"id":"b"}']},
]


def result(kind: str, status: str, message: str | None, response: str = "OK") -> Any:
    node = SimpleNamespace(
        unique_id=f"{kind}.meterline.of_it",
        original_file_path="it.yml",
        resource_type=kind,
        config=SimpleNamespace(meta={"what_to_do": "mend\nit"}),
    )
    return SimpleNamespace(
        node=node, status=status, message=message, adapter_response={"_message": response}
    )


def invocation(*results: Any, exception: BaseException | None = None) -> Any:
    return SimpleNamespace(exception=exception, result=SimpleNamespace(results=list(results)))


@pytest.mark.parametrize(
    ("assertion", "sentence"),
    [
        (Assertion("a_is_b", 1, ('{"a":1}',)), 'a_is_b fails for 1 row, such as {"a":1}'),
        (
            Assertion("a_is_b", 1_234, ('{"a":1}', '{"a":2}')),
            'a_is_b fails for 1,234 rows, such as {"a":1}, {"a":2}',
        ),
        (Assertion("a_is_b", 1, ("{}",), "mend it"), "a_is_b fails for 1 row, such as {}; mend it"),
        (Assertion("x", 1, ("y" * 300,)), f"x fails for 1 row, such as {'y' * 300}"),
        (Assertion("x", 1, ("y" * 301,)), f"x fails for 1 row, such as {'y' * 300}…"),
    ],
    ids=["one row", "many rows", "what to do", "the longest row", "a longer row"],
)
def test_sentence_names_assertion_and_rows(assertion: Assertion, sentence: str) -> None:
    assert assertion.sentence() == sentence


def test_a_failed_test_says_which_assertion_fails_for_which_rows() -> None:
    failed = result("test", "fail", "Got 2 results", json.dumps(FOUND))
    outcome = outcome_of(invocation(failed, result("model", "skipped", None)), ())

    assert [assertion.offences for assertion in outcome.assertions["test.meterline.of_it"]] == [
        0,
        2,
    ]
    (failure,) = outcome.failures
    assert failure.message == (
        'totals_are_right fails for 2 rows, such as {"id":"a"}, {"id":"b"}; mend it'
    )
    with pytest.raises(
        InvariantError, match=r"1 failed and 1 skipped(.|\n)*totals_are_right fails"
    ):
        outcome.require_success("tag:marts")


@pytest.mark.parametrize(
    ("status", "message", "response"),
    [
        pytest.param("fail", "Got 1 result,\n  too many", "OK", id="a test of dbt's own"),
        pytest.param("error", "Binder Error:\n no such column", "", id="a query that fails"),
        pytest.param("fail", "Got 1 result", "1", id="a number"),
    ],
)
def test_another_failure_says_what_dbt_said(status: str, message: str, response: str) -> None:
    outcome = outcome_of(invocation(result("test", status, message, response)), ())

    assert [failure.message for failure in outcome.failures] == [" ".join(message.split())]
    assert outcome.assertions == {"test.meterline.of_it": ()}


def test_success_needs_no_words() -> None:
    passed = json.dumps([FOUND[0]])
    outcome = outcome_of(invocation(result("test", "pass", None, passed)), ())

    assert outcome.failures == ()
    outcome.require_success("tag:marts")


def test_dbt_that_breaks_off_is_an_error() -> None:
    with pytest.raises(MeterlineError, match="dbt broke off: no space left"):
        outcome_of(invocation(exception=OSError("no space left")), ())
    with pytest.raises(KeyboardInterrupt, match="its queries are cancelled"):
        outcome_of(invocation(exception=KeyboardInterrupt()), ())
