"""A metric file from anywhere: its options are read, and nothing of it is run."""

from pathlib import Path

import pytest

from pipelines.settings import DBT_PROJECT
from pipelines.vocabulary.errors import MeterlineError
from pipelines.warehouse.metric_files import MetricFile, read_metric_file

ABOUT = "metric_code='m', description='d', event_name='e', unit='u'"
COUNT = f"{ABOUT}, aggregation='count'"


def read(folder: Path, text: str | bytes) -> MetricFile:
    path = folder / "metric_m.sql"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_metric_file(path)


def test_the_metrics_of_the_product_are_read() -> None:
    found = read_metric_file(DBT_PROJECT / "models" / "metrics" / "metric_egress_bytes.sql")

    assert (found.code, found.unit) == ("egress_bytes", "byte")
    assert found.definition["event_name"] == ["http_request"]
    assert found.definition["value"] == "bytes"
    assert found.definition["group_by"] == ["section", "status"]
    assert found.definition["fraction_digits"] == 0


def test_values_are_taken_as_they_are_written(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "\ufeff{# Why it is. #}\n"
        "{{ billable_metric(metric_code='m', description='a ' ~ 'b', unit='u', event_name=none, "
        "aggregation='sum', value='a '\n'+ b', round='ceil', round_digits=-2, recurring=false, "
        "filters={'q\"{{ x }}': ['1', '2']}, group_by=('a',)) }}\n",
    ).definition

    assert found["event_name"] is None
    assert found["value"] == "a + b"
    assert found["round_digits"] == -2
    assert found["filters"] == {'q"{{ x }}': ["1", "2"]}
    assert found["group_by"] == ["a"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "found none"),
        ("select * from read_csv('/etc/passwd')", "other text: select * from read_csv"),
        (f"{{{{ billable_metric({COUNT}) }}}} union all select 1", "other text: union all"),
        (f"{{{{ billable_metric({COUNT}) }}}}{{{{ billable_metric({COUNT}) }}}}", "found 2 calls"),
        ("{{ ref('customers') }}", "found a call of ref"),
        ("{{ config(materialized='table') }}", "found a call of config"),
        ("{% include '/etc/passwd' %}", "found include in line 1"),
        ("{% do run_query('drop table x') %}", "found exprstmt in line 1"),
        ("{% for i in range(10 ** 12) %}{% endfor %}", "found for in line 1"),
        (f"{{{{ billable_metric({COUNT}) | upper }}}}", "found filter in line 1"),
        (f"{{{{ x.billable_metric({COUNT}) }}}}", "found call in line 1"),
        ("{{ billable_metric('m') }}", "every option of billable_metric by its name"),
        ("{{ billable_metric(**options) }}", "every option of billable_metric by its name"),
        (f"{{{{ billable_metric({ABOUT}, aggregation=var('a')) }}}}", "aggregation: expected a va"),
        (f"{{{{ billable_metric({COUNT}, value='a' * 10 ** 9) }}}}", "value: expected a value as"),
        (f"{{{{ billable_metric({COUNT}, group_by=[env_var('HOME')]) }}}}", "a call of env_var"),
        (f"{{{{ billable_metric({COUNT}, filters={{1: ['a']}}) }}}}", "expected texts as keys"),
        (f"{{{{ billable_metric({COUNT}, unit='v') }}}}", "unit stands twice; remove one"),
        (f"{{{{ billable_metric({ABOUT}) }}}}", "aggregation is missing; write it"),
        (f"{{{{ billable_metric({COUNT}, values='nothing') }}}}", "values: expected one of chang"),
        (f"{{{{ billable_metric({COUNT}, propperty='a') }}}}", "propperty: is no option of a m"),
        (f"{{{{ billable_metric({COUNT}, joins={{'seed': 's'}}) }}}}", "joins reads a seed"),
        (f"{{{{ billable_metric({COUNT}, group_by=['a\\x00']) }}}}", "no part of a text"),
        (f"{{{{ billable_metric({COUNT}, fraction_digits={'9' * 5000}) }}}}", "too long a number"),
        (f"{{{{ billable_metric({COUNT}, value={'(' * 5000}1{')' * 5000}) }}}}", "nested too deep"),
        (COUNT.replace("unit='u'", "unit=''").join(("{{ billable_metric(", ") }}")), "unit: expec"),
        ("{{ billable_metric( }}", "is no template"),
        (b"\xff\xfe", "is no text in UTF-8"),
        (" " * 1_000_001, "has more than 1000000 bytes"),
    ],
)
def test_anything_else_is_refused_with_the_file(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    with pytest.raises(MeterlineError) as caught:
        read(tmp_path, text)

    assert str(caught.value).startswith(f"{tmp_path / 'metric_m.sql'}: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["missing.sql", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(MeterlineError, match=r"cannot be read: .*; name the file of a metric"):
        read_metric_file(tmp_path / name)
