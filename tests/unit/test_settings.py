"""Every `METERLINE_` variable: where it is documented, what it may hold, what follows from it."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.settings import (
    DBT_PROJECT,
    REPOSITORY,
    Settings,
    load_settings,
    metric_codes,
    setting_problems,
    unknown_variables,
)
from pipelines.vocabulary.errors import MeterlineError

VARIABLES = {f"METERLINE_{name.upper()}" for name in Settings.model_fields}

GIVEN_TO_DBT = {
    "METERLINE_WAREHOUSE",
    "METERLINE_LAKE_CATALOG",
    "METERLINE_LAKE_DATA",
    "METERLINE_LAKE_SNAPSHOT",
    "METERLINE_READABLE_FOLDERS",
}
"""What a run sets for its own dbt; nobody else does, so docs/settings.md leaves them out."""

PATHS = (
    "lake_catalog",
    "lake_data",
    "window_index",
    "staging",
    "warehouse",
    "published",
    "frozen_catalogs",
    "dbt_target",
    "dagster_home",
    "logs",
    "writer_lock",
)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_every_variable_is_documented_and_no_other() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()
    table = re.findall(r"^\| `(METERLINE_\w+)` \| (\S.*) \| (\S.*) \|$", page, re.MULTILINE)

    assert sorted(name for name, _, _ in table) == sorted(VARIABLES)


def test_every_variable_has_a_description() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_code_names_no_variable_that_there_is_not() -> None:
    named = {
        name
        for path in (REPOSITORY / "pipelines").rglob("*.py")
        for name in re.findall(r"METERLINE_[A-Z0-9_]*[A-Z0-9]", path.read_text())
    }

    assert named - VARIABLES - GIVEN_TO_DBT == set()


def test_defaults_are_those_of_the_checkout() -> None:
    settings = load_settings()

    assert settings == Settings(
        home=REPOSITORY / ".meterline",
        landing=str(REPOSITORY / "landing"),
        catalog=DBT_PROJECT / "seeds",
        s3_endpoint_url=None,
        threads=2,
        memory_limit="2GiB",
        batch_bytes=4 * 1024**3,
        lock_wait_seconds=0.0,
    )


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_empty_variable_is_one_that_is_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unset = load_settings()
    monkeypatch.setenv(name, "")

    assert load_settings() == unset


def test_variables_are_read_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("METERLINE_HOME", str(tmp_path / "first"))
    first = load_settings()
    monkeypatch.setenv("METERLINE_HOME", str(tmp_path / "second"))

    assert (first.home, load_settings().home) == (tmp_path / "first", tmp_path / "second")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("threads", "1", 1, id="one thread"),
        pytest.param("threads", "256", 256, id="most threads"),
        pytest.param("memory_limit", "512MiB", "512MiB", id="MiB"),
        pytest.param("memory_limit", "1.5GiB", "1.5GiB", id="a fraction"),
        pytest.param("batch_bytes", "1", 1, id="one byte"),
        pytest.param("batch_bytes", "9007199254740993", 2**53 + 1, id="past 2^53"),
        pytest.param("lock_wait_seconds", "0", 0.0, id="no wait"),
        pytest.param("lock_wait_seconds", "2.5", 2.5, id="part of a second"),
        pytest.param("s3_endpoint_url", "http://localhost:9000", "http://localhost:9000", id="S3"),
        pytest.param("landing", "s3://bucket", "s3://bucket", id="bucket"),
        pytest.param("landing", "s3://bucket/a/b/", "s3://bucket/a/b", id="prefix with a slash"),
        pytest.param("landing", "s3://bucket//", "s3://bucket", id="bucket with slashes"),
    ],
)
def test_value_is_read(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"METERLINE_{name.upper()}", text)

    assert getattr(load_settings(), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("threads", "0", id="no thread"),
        pytest.param("threads", "257", id="one thread too many"),
        pytest.param("threads", "-1", id="negative threads"),
        pytest.param("threads", "1.5", id="a part of a thread"),
        pytest.param("threads", "two", id="a word"),
        pytest.param("memory_limit", "2GB", id="another unit"),
        pytest.param("memory_limit", "2", id="no unit"),
        pytest.param("memory_limit", "-2GiB", id="negative memory"),
        pytest.param("memory_limit", "2GiB\n", id="a line end"),
        pytest.param("memory_limit", "2GiB'; DROP", id="more than a number"),
        pytest.param("batch_bytes", "0", id="no byte"),
        pytest.param("batch_bytes", "4GiB", id="bytes with a unit"),
        pytest.param("lock_wait_seconds", "-0.1", id="negative wait"),
        pytest.param("lock_wait_seconds", "nan", id="no number"),
        pytest.param("landing", "s3://", id="no bucket"),
        pytest.param("landing", "s3:///", id="no bucket but a slash"),
        pytest.param("home", "it's/here", id="a quote"),
        pytest.param("home", "a?mode=ro", id="options of an address"),
        pytest.param("home", "a%41", id="an escape of an address"),
        pytest.param("home", "a*", id="a pattern"),
        pytest.param("home", "a[b]", id="a pattern of letters"),
        pytest.param("home", "a\\b", id="a backslash"),
        pytest.param("home", "a:b", id="two folders"),
        pytest.param("home", "a\x1b[2Jb", id="a control character"),
        pytest.param("home", "a\u202eb", id="a sign of direction"),
    ],
)
def test_value_of_the_wrong_form_is_refused_by_name(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"METERLINE_{name.upper()}", text)
    with pytest.raises(ValidationError) as refused:
        load_settings()

    assert [problem["loc"] for problem in refused.value.errors()] == [(name,)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("data/home", "{cwd}/data/home", id="relative"),
        pytest.param("../home", "{parent}/home", id="beside"),
        pytest.param("~/meterline", "{user}/meterline", id="of the user"),
        pytest.param("/srv/./a/../meterline/", "/srv/meterline", id="roundabout"),
        pytest.param("mit Leerzeichen/ü", "{cwd}/mit Leerzeichen/ü", id="spaces and letters"),
    ],
)
@pytest.mark.parametrize("name", ["home", "catalog", "landing"])
def test_folders_are_absolute_wherever_they_are_read(
    name: str, text: str, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here, user = tmp_path / "here", tmp_path / "user"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv(f"METERLINE_{name.upper()}", text)
    settings = load_settings()
    monkeypatch.chdir("/")

    assert str(getattr(settings, name)) == expected.format(cwd=here, parent=tmp_path, user=user)


def test_all_state_lies_in_the_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    paths = [getattr(settings, name) for name in PATHS]

    assert len(set(paths)) == len(PATHS)
    for path in paths:
        assert path.is_relative_to(tmp_path)


def test_every_path_is_one_of_those_above() -> None:
    properties = {name for name, member in vars(Settings).items() if isinstance(member, property)}

    assert properties == set(PATHS)


def test_path_that_a_store_would_read_otherwise_is_shown_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(home=tmp_path / "a?b\x1b*")

    assert refused.value.errors()[0]["msg"] == (
        f"Value error, expected a path without \\x1b * ?, found {tmp_path}/a?b\\x1b*; DuckDB, "
        "SQLite or dbt would take it for another path, so name another folder"
    )


@pytest.mark.parametrize("name", ["a b", "ü#1", "a,b;c", "{x}", "100$", "(a)&b", "a]", '"'])
def test_path_that_all_stores_read_alike_is_taken(name: str, tmp_path: Path) -> None:
    assert Settings(home=tmp_path / name).home == tmp_path / name


def test_settings_never_change(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.threads = 3  # type: ignore[misc]


def test_metrics_are_the_files_of_the_dbt_project() -> None:
    names = {path.name for path in (DBT_PROJECT / "models" / "metrics").iterdir()}

    assert metric_codes()
    assert {f"metric_{code}.sql" for code in metric_codes()} == {
        name for name in names if name.endswith(".sql")
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "METERLINE_THRAEDS",
            "METERLINE_THRAEDS is not a setting; did you mean METERLINE_THREADS?",
        ),
        ("METERLINE_Q", "METERLINE_Q is not a setting"),
        ("meterline_hom", "meterline_hom is not a setting; did you mean METERLINE_HOME?"),
    ],
)
def test_misspelt_variable_is_refused(
    name: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")

    with pytest.raises(MeterlineError) as refusal:
        load_settings()
    assert str(refusal.value) == sentence


def test_variables_that_exist_are_no_misspelling() -> None:
    environment = dict.fromkeys([*VARIABLES, *GIVEN_TO_DBT, "meterline_home", "METER", "HOME"], "")

    assert unknown_variables(environment) == []


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_no_wrong_value_is_said_in_the_words_of_a_library(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({name: ["no", "text"]})

    (sentence,) = setting_problems(refused.value)
    assert sentence.startswith(f"METERLINE_{name.upper()}: expected a")
    assert "nput should" not in sentence


def test_a_secret_is_in_no_sentence() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"alarm_url": "ftp://user:secret@host"})

    assert setting_problems(refused.value) == [
        "METERLINE_ALARM_URL: expected http://… or https://… with a host"
    ]
