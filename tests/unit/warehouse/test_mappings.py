"""Mappings that metrics join: what would count an event twice is refused, with its rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.mappings import mapping_problems, require_sound_mappings

HEADER = "centre,region,valid_from,valid_to\n"
JOINS = "joins={'seed': 'centres', 'key': 'centre', 'properties': ['region']}"


def metric(joins: str = JOINS) -> str:
    return (
        "{{ billable_metric(metric_code='m', description='d', event_name='e', unit='u', "
        f"aggregation='count', {joins}) }}}}"
    )


def manifest(
    raw_code: str, folder: str = "reference", types: dict[str, str] | None = None
) -> dict[str, Any]:
    seed = {
        "resource_type": "seed",
        "name": "centres",
        "original_file_path": f"{folder}/centres.csv",
        "config": {"column_types": types} if types else {},
    }
    model = {"resource_type": "model", "name": "metric_m", "raw_code": raw_code}
    return {"nodes": {"seed.meterline.centres": seed, "model.meterline.metric_m": model}}


def problems(project: Path, rows: str, header: str = HEADER, **given: Any) -> list[str]:
    (project / "reference").mkdir(exist_ok=True)
    (project / "reference" / "centres.csv").write_bytes((header + rows).encode())
    return [*map(str, mapping_problems(manifest(metric(), **given), project))]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("", id="none"),
        pytest.param("fra,eu,,\niad,us,,\n", id="for ever"),
        pytest.param(
            "fra,eu,,2026-02-01T00:00:00Z\nfra,de,2026-02-01T00:00:00Z,\n", id="one after another"
        ),
        pytest.param("fra,de,2026-02-01,\nfra,eu,,2026-02-01\n", id="the later one first"),
        pytest.param(
            "fra,eu,2026-01-01T02:00:00+02:00,2026-02-01\nfra,de,2025-01-01,2026-01-01\n",
            id="an offset",
        ),
        pytest.param("fra,eu,,\nfra,de,2026-02-01,2026-02-01\n", id="one that never holds"),
        pytest.param("fra,eu,,\n,a,,\n,b,,\n", id="no key"),
        pytest.param("fra,eu,,\nFra,de,,\n", id="case matters"),
        pytest.param('"f,\nra",eu,,\r\niad,us,,\r\n', id="quotes"),
    ],
)
def test_rows_that_never_hold_together_are_fine(tmp_path: Path, rows: str) -> None:
    assert problems(tmp_path, rows) == []


TWICE = (
    "each event of that time would count twice in metric_m.sql; let valid_to of one be valid_from "
    "of the other, or remove one"
)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param("fra,eu,,\nfra,de,,\n", [(3, 2, "from the beginning")], id="key twice"),
        pytest.param(
            "fra,eu,2026-01-01,2026-02-02\niad,us,,\nfra,de,2026-02-01T12:30:00Z,\n",
            [(4, 2, "from 2026-02-01 12:30:00 UTC")],
            id="a day and a half",
        ),
        pytest.param(
            "fra,eu,2026-02-01,\nfra,de,2026-01-01,\n",
            [(2, 3, "from 2026-02-01 00:00:00 UTC")],
            id="the later one first",
        ),
        pytest.param(
            "fra,a,2026-01-01,2027-01-01\nfra,b,2026-02-01,2026-03-01\n"
            "fra,c,2026-05-01,2026-06-01\nfra,d,2027-01-01,\n",
            [(3, 2, "from 2026-02-01 00:00:00 UTC"), (4, 2, "from 2026-05-01 00:00:00 UTC")],
            id="within a long one",
        ),
        pytest.param(
            '"a\nb",eu,,\n"a\nb",de,2026-01-01,\n',
            [(4, 2, "from 2026-01-01 00:00:00 UTC")],
            id="rows of two lines",
        ),
    ],
)
def test_rows_that_hold_together_are_named(
    tmp_path: Path, rows: str, found: list[tuple[int, int, str]]
) -> None:
    key = r"'a\nb'" if '"' in rows else "'fra'"
    assert problems(tmp_path, rows) == [
        f"reference/centres.csv, row {row}, column centre: {key} is in row {earlier} too, and "
        f"{since} both hold: {TWICE}"
        for row, earlier, since in found
    ]


def test_one_microsecond_is_enough(tmp_path: Path) -> None:
    rows = "fra,eu,,2026-02-01T00:00:00.000001Z\nfra,de,2026-02-01,\n"
    assert len(problems(tmp_path, rows)) == 1


def test_of_many_problems_some_are_listed(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "fra,eu,,\n" * 1000)) == 20


@pytest.mark.parametrize(
    ("rows", "header", "sentence"),
    [
        ("fra,eu,soon,\n", HEADER, "row 2, column valid_from: 'soon' is no instant"),
        ("fra,eu,,1 May\n", HEADER, "row 2, column valid_to: '1 May' is no instant"),
        ("fra,eu\n", "centre,region\n", "the column 'valid_from' is missing, which metric_m.sql"),
        ("fra,,\n", "centre,valid_from,valid_to\n", "the column 'region' is missing"),
        ("fra,eu\n", HEADER, "cannot be read as CSV in UTF-8"),
        ('"fra\n', HEADER, "cannot be read as CSV in UTF-8"),
        ("", "", "the column 'centre' is missing"),
        ("007,eu,,\n8,us,,\n", HEADER, "column centre: every cell could be taken for something"),
        ("2026-01-01,eu,,\n", HEADER, "and 007 for 7; give the seed `config: {column_types: "),
        ("true,eu,,\nFALSE,us,,\n", HEADER, "column centre: every cell could be taken for"),
    ],
)
def test_what_cannot_be_joined_is_named(
    tmp_path: Path, rows: str, header: str, sentence: str
) -> None:
    (problem,) = problems(tmp_path, rows, header)
    assert problem.startswith("reference/centres.csv")
    assert sentence in problem


def test_numbers_that_are_declared_as_texts_are_texts(tmp_path: Path) -> None:
    assert problems(tmp_path, "007,eu,,\n7,us,,\n", types={"centre": "varchar"}) == []


def test_a_mapping_whose_changes_nobody_sees_is_moved(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "centres.csv").write_text(HEADER)
    (problem,) = mapping_problems(manifest(metric(), "seeds"), tmp_path)
    assert str(problem) == (
        "seeds/centres.csv: metric_m.sql joins it, and no run would see a change of it here; move "
        "it to the folder reference of the dbt project"
    )


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    (problem,) = mapping_problems(manifest(metric()), tmp_path)
    assert "cannot be read as CSV in UTF-8: [Errno 2]" in str(problem)


def test_options_say_which_columns_are_joined(tmp_path: Path) -> None:
    joins = {"seed": "centres", "key": "dc", "column": "name", "valid_from": "since",
             "valid_to": "until", "properties": []}  # fmt: skip
    (tmp_path / "reference").mkdir()
    file = tmp_path / "reference" / "centres.csv"
    file.write_text("name,since,until\nfra,,2026-02-01\nfra,2026-01-01,\n")
    (problem,) = mapping_problems(manifest(metric(f"joins={json.dumps(joins)}")), tmp_path)
    assert str(problem).startswith("reference/centres.csv, row 3, column name: 'fra' is in row 2")
    assert "let until of one be since of the other" in str(problem)


@pytest.mark.parametrize(
    ("raw_code", "sentence"),
    [
        (metric("joins={'seed': 'cities', 'key': 'c', 'properties': []}"), "no seed 'cities'"),
        (metric("joins={'seed': 'centres'}"), "joins: expected a text as key, found None"),
        (metric("joins=7"), "joins: expected {'seed': …, 'key': …, 'properties': […]}, found 7"),
        (metric("joins=var('j')"), "a mapping can be checked only in a plain file: joins: expec"),
        ("{% if true %}" + metric() + "{% endif %}", "only in a plain file: expected one call"),
    ],
)
def test_a_metric_whose_mapping_is_not_known_is_refused(
    tmp_path: Path, raw_code: str, sentence: str
) -> None:
    (problem,) = mapping_problems(manifest(raw_code), tmp_path)
    assert str(problem).startswith("metric_m.sql: ")
    assert sentence in str(problem)


@pytest.mark.parametrize("joins", ["joins=none", "round_values=true"])
def test_a_metric_without_a_mapping_reads_none(tmp_path: Path, joins: str) -> None:
    assert list(mapping_problems(manifest(metric(joins)), tmp_path)) == []


def test_no_run_goes_on_with_such_a_mapping(tmp_path: Path) -> None:
    found = problems(tmp_path, "fra,eu,,\nfra,de,,\n")
    with pytest.raises(MeterlineError) as caught:
        require_sound_mappings(manifest(metric()), tmp_path)
    assert str(caught.value) == (
        f"the mappings that metrics join have 1 problem; nothing was billed:\n{found[0]}"
    )
    assert problems(tmp_path, "fra,eu,,\n") == []
    require_sound_mappings(manifest(metric()), tmp_path)
