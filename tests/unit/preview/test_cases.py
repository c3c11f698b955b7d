"""Cases: their JSON, their ids, and that no case touches another."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.app import app
from pipelines.preview.answers import answers
from pipelines.preview.json_cases import CasesError, read_cases
from tests.worlds.previews import answers_to, error_of, part, periods_case

GOOD = {"id": "good", **periods_case({"start_date": "2026-01-01"}, count=1)}
BAD = {"id": "bad", **periods_case({"start_date": "2026-02-30"}, count=1)}
TEXT = json.dumps(GOOD)


def errors(*cases: object) -> list[str | None]:
    return [answer.get("error", {}).get("code") for answer in answers_to(*cases)]


def test_a_case_that_fails_touches_no_other() -> None:
    (alone,) = answers_to(GOOD)
    assert answers_to(BAD, GOOD, 3, GOOD | {"id": "again"})[1] == alone


def test_no_cases_have_no_answers() -> None:
    assert answers_to() == []


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (3, "malformed"),
        (None, "malformed"),
        ([], "malformed"),
        ({"id": None, "kind": "periods"}, "malformed"),
        ({"id": "", "kind": "periods"}, "malformed"),
        ({"id": 3, "kind": "periods"}, "malformed"),
        ({"id": "x"}, "unknown_kind"),
        ({"kind": "Periods"}, "unknown_kind"),
        ({"kind": 3}, "unknown_kind"),
        ({"kind": "prorate", "parts": [], "colour": 1}, "unknown_field"),
        ({"kind": "prorate", "parts": [], "contract": 2}, "not_supported"),
    ],
)
def test_case_that_is_none_says_so(case: object, code: str) -> None:
    assert error_of(case)["code"] == code


def test_first_code_of_the_list_is_told_where_several_apply() -> None:
    case = {"kind": "prorate", "parts": [part("x", "2026-01-01/2026-02-01", "2026-02-31/x")]}
    assert error_of(case)["code"] == "bad_value"
    assert error_of(case | {"colour": 1})["code"] == "unknown_field"
    del case["parts"][0]["service"]  # type: ignore[attr-defined]  # a list of parts
    assert error_of(case)["code"] == "missing_field"


def test_notes_and_nulls_are_as_if_absent() -> None:
    (plain,) = answers_to(GOOD)
    assert answers_to(GOOD | {"_why": [1], "at": None, "contract": 1}) == [plain]


def test_id_that_two_cases_have_is_a_fault_of_both() -> None:
    assert errors(GOOD, BAD, GOOD) == ["bad_value", "bad_value", "bad_value"]
    assert answers_to(GOOD, BAD, GOOD)[0]["error"]["path"] == "id"


def test_member_that_is_there_twice_is_refused() -> None:
    text = TEXT.replace('"count": 1', '"count": 1, "count": 2')
    (answer,) = answers(read_cases(f"[{text}]", by_line=False))
    assert answer["ok"] is False


def test_number_is_read_by_its_source_text() -> None:
    text = json.dumps(
        {"id": "x", "kind": "prorate", "parts": [part("A", "2026-01-01/2026-02-01",
                                                      "2026-01-01/2026-02-01")]}
    ).replace('"A"', "0.1000000000000000055")  # fmt: skip
    (answer,) = answers(read_cases(f"[{text}]", by_line=False))
    assert "0.1000000000000000055" in str(answer["error"])
    (answer,) = answers(read_cases(f"[{text.replace('55', '')}]", by_line=False))
    assert "'amount_unrounded': '0.1'" in str(answer["result"])


@pytest.mark.parametrize(
    ("text", "by_line"),
    [
        (f"[{TEXT}]", False),
        (f'{{"cases": [{TEXT}], "_note": 1}}', False),
        (TEXT, False),
        (f"{TEXT}\n\n{TEXT}\n", False),
        (f"{TEXT}\r\n{TEXT}\r\n", True),
    ],
)
def test_cases_are_an_array_an_object_or_lines(text: str, by_line: bool) -> None:
    assert read_cases(text, by_line=by_line)[0] == read_cases(f"[{TEXT}]", by_line=False)[0]


@pytest.mark.parametrize(
    ("text", "by_line"),
    [
        ("", False),
        ("3", False),
        ("[", False),
        ("[NaN]", False),
        ("[" * 100_000, False),
        (f'{{"cases": [{TEXT}], "colour": 1}}', False),
        ('{"cases": 3}', False),
        (f"{TEXT}\n[", True),
        (f"{TEXT}\n{{", False),
    ],
)
def test_other_text_is_no_cases(text: str, by_line: bool) -> None:
    with pytest.raises(CasesError):
        read_cases(text, by_line=by_line)


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["preview", *arguments], input=stdin)
    return result.exit_code, result.stdout, result.stderr


def test_command_prints_answers_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([GOOD, BAD]))

    code, printed, _ = run(str(file))

    assert code == 0
    assert json.loads(printed) == answers_to(GOOD, BAD)
    assert run("-", stdin=json.dumps([GOOD, BAD])) == (0, printed, "")


def test_command_answers_lines_with_lines(tmp_path: Path) -> None:
    file, out = tmp_path / "cases.ndjson", tmp_path / "answers.ndjson"
    file.write_text(f"{TEXT}\n{json.dumps(BAD)}\n")

    assert run(str(file), "--out", str(out)) == (0, "", "")
    assert [json.loads(line) for line in out.read_text().splitlines()] == answers_to(GOOD, BAD)
    assert run(str(file))[1] == out.read_text()


@pytest.mark.parametrize("text", ["", "[", "3", "\udcff"])
def test_command_ends_with_2_where_there_are_no_cases(tmp_path: Path, text: str) -> None:
    file = tmp_path / "cases.json"
    file.write_bytes(text.encode(errors="surrogateescape"))

    code, printed, error = run(str(file))

    assert (code, printed) == (2, "")
    assert str(file) in error


def test_command_ends_with_2_where_there_is_no_file(tmp_path: Path) -> None:
    assert run(str(tmp_path / "none.json"))[0] == 2


def test_signs_that_act_on_a_terminal_are_escaped_and_mean_the_same(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps([GOOD | {"id": "\x1b[2J"}, BAD | {"id": "\ud800"}]))

    _, printed, _ = run(str(file))

    assert "\x1b" not in printed
    assert [answer["id"] for answer in json.loads(printed)] == ["\x1b[2J", "\ud800"]
