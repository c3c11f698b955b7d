"""Macros of metrics that the preview does not call, over small tables."""

from decimal import Decimal

import duckdb
import pytest

from pipelines.warehouse.metric_macros import metric_definition, valued_events_sql
from tests.worlds.dbt_macros import macro_sql

JOINS = "{'seed': 'centres', 'key': 'centre', 'properties': ['region', 'tier']}"

TABLES = """
create table centres as
from (values
    ('fra', 'eu', null, null, '2026-02-01T00:00:00Z'),
    ('fra', 'de', '2', '2026-02-01T00:00:00Z', null),
    ('iad', 'us', '1', '2026-01-01', '2027-01-01')
) as t(centre, region, tier, valid_from, valid_to);
create table events as
select line, timestamptz '2026-01-31 23:59:59.999999Z' + to_seconds(later) as occurred_at,
    properties
from (values
    (1, 0, map {'centre': 'fra'}),
    (2, 1, map {'centre': 'fra', 'bytes': '5'}),
    (3, 1, map {'centre': 'iad', 'region': 'own'}),
    (4, 1, map {'centre': 'gru'}),
    (5, 1, cast(map {} as map(varchar, varchar)))
) as t(line, later, properties)
"""


def test_a_dated_mapping_adds_properties_by_key_and_time() -> None:
    sql = macro_sql(f"with_joined_properties('events', {JOINS}, 'centres')")
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(TABLES)
        rows = connection.execute(f"select line, properties from ({sql}) order by line").fetchall()

    assert dict(rows) == {
        1: {"centre": "fra", "region": "eu"},
        2: {"centre": "fra", "bytes": "5", "region": "de", "tier": "2"},
        3: {"centre": "iad", "region": "own", "tier": "1"},
        4: {"centre": "gru"},
        5: {},
    }


class _OfDbt:
    """What `billable_metric` needs of dbt, beside definitions."""

    @staticmethod
    def raise_compiler_error(sentence: str) -> None:
        raise ValueError(sentence)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("'count', property='v'", "metric m: property: is no option of a metric; write value"),
        ("'sum'", "metric m: value: is missing; write a property or an expression"),
        ("'sum', value='v +'", "metric m: value: expected a value, such as a property or a number "
         "at character 4, found the end"),
        ("'median', value='v'", "metric m: aggregation: expected one of average, count"),
        ("'count', filters={'tag': ['[1]']}", "metric m: filters.tag: expected texts, found the "
         "array or object"),
    ],
)  # fmt: skip
def test_a_metric_that_cannot_be_billed_stops_the_build(options: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence.replace("+", r"\+").replace(".", r"\.")):
        macro_sql(
            f"billable_metric('m', 'M', 'use', unit='use', aggregation={options})",
            exceptions=_OfDbt,
        )


@pytest.mark.parametrize("expression", ["v", "v * 1"])
@pytest.mark.parametrize(
    ("sent", "kept", "rounded_by"),
    [
        ("1.25", "1.3", "-0.05"),
        ("1.24", "1.2", "0.04"),
        ("-1.25", "-1.3", "0.05"),
        ("1.2", "1.2", None),
        ("1.20", "1.2", None),
        ("0.04", "0", "0.04"),
        ("0.00000000000000000000000001", "0", "0"),
        ("1.0000000000000000005", "1", "0.000000000000000001"),
        ("99999999999999999999.04", "99999999999999999999", "0.04"),
        ("1e-30", "0", "0"),
        ("odd", None, None),
    ],
)
def test_a_rounded_value_says_by_how_much(
    expression: str, sent: str, kept: str | None, rounded_by: str | None
) -> None:
    metric = metric_definition(
        {"aggregation": "sum", "value": expression, "fraction_digits": 1, "round_values": True}
    )
    events = f"(select 'use' as event_name, map {{'v': '{sent}'}} as properties)"
    sql = valued_events_sql(metric, events, ["event_name"])
    with duckdb.connect() as connection:
        found = connection.execute(f"select value, rounded_by from ({sql})").fetchall()

    expected = tuple(None if text is None else Decimal(text) for text in (kept, rounded_by))
    assert found == [expected]
