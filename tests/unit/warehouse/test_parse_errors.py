"""What dbt says of a project that it cannot parse, as a person who edits it reads it."""

import pytest

from pipelines.settings import DBT_PROJECT
from pipelines.warehouse.parse_errors import explained

NO_NODE = """Compilation Error
  Model 'model.meterline.int_x' (models/int_x.sql) depends on a node named '{}' which was not found
"""

WRONG_METRIC = """Compilation Error in model metric_a (models/metrics/metric_a.sql)
  metric a: aggregation: expected one of average, count, found median

  > in macro billable_metric (macros/metrics/billable_metric.sql)
"""


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        pytest.param(
            NO_NODE.format("metric_storage"),
            "models/metrics/metric_storage.sql: expected a model, found none; write one or remove "
            "the file",
            id="a metric of nothing",
        ),
        pytest.param(
            WRONG_METRIC,
            "metric_a.sql: aggregation: expected one of average, count, found median",
            id="an option of a metric",
        ),
        pytest.param(
            NO_NODE.format("int_nowhere"),
            f"dbt cannot parse {DBT_PROJECT}: {NO_NODE.format('int_nowhere')}",
            id="anything else",
        ),
    ],
)
def test_known_mistakes_are_said_with_what_to_write(message: str, sentence: str) -> None:
    assert explained(message, DBT_PROJECT) == sentence
