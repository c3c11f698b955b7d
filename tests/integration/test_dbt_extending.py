"""A charge model and an aggregation are a file of SQL each: toys of both on a small world."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.worlds.dbt_world import DbtWorld, not_passed, parsed_again, parsed_world

TOY_CHARGE_MODEL = """
with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}
    where charge_model = 'seven' and quantity > 0

),

tiers_reached as (

    select
        invoice_lines_metered.invoice_id,
        invoice_lines_metered.charge_code,
        invoice_lines_metered.group_key,
        cast(0 as decimal(38, 18)) as from_units,
        cast(null as decimal(38, 18)) as up_to_units,
        cast(0 as decimal(30, 15)) as unit_price,
        cast(7 as decimal(38, 15)) as flat_amount,
        invoice_lines_metered.quantity
    from invoice_lines_metered

)

{{ rate_tiers('tiers_reached') }}
"""

TOY_AGGREGATION = """
{% macro default__twice_quantity(property, fraction_digits) -%}
    cast(2 as decimal(38, 18))
{%- endmacro %}


{% macro default__twice_unmetered_reason(property) -%}
    cast(null as varchar)
{%- endmacro %}


{% macro default__twice_total(quantity, row_name) -%}
    {{ sum_exact(quantity, row_name) }}
{%- endmacro %}
"""

TOY_METRIC = """
{{ billable_metric(
    metric_code='twice',
    description='Each request counts twice',
    event_name='http_request',
    aggregation='twice',
    unit='request',
) }}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> DbtWorld:
    """A world whose project has the toys, and whose charge of bolt is one of them."""
    folder = tmp_path_factory.mktemp("toys")
    toys = parsed_world().copied_to(folder)
    shutil.copytree(toys.project, folder / "real")
    shutil.rmtree(toys.project)
    (folder / "real").rename(toys.project)
    models, macros = toys.project / "models", toys.project / "macros"
    (models / "rating/charge_models/int_tiers_rated_seven.sql").write_text(TOY_CHARGE_MODEL)
    (models / "metrics/metric_twice.sql").write_text(TOY_METRIC)
    (macros / "aggregations/twice.sql").write_text(TOY_AGGREGATION)
    _edit(toys.project / "dbt_project.yml", "    - standard\n", "    - standard\n    - seven\n")
    _edit(toys.project / "dbt_project.yml", "    - requests\n", "    - requests\n    - twice\n")
    seeds = next(toys.project.glob("**/charges.csv"))
    _edit(seeds, "grouped,requests,requests,standard,", "grouped,requests,requests,seven,")
    return parsed_again(toys)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, path
    path.unlink()
    path.write_text(text.replace(old, new))


def test_charge_model_and_aggregation_are_a_file_of_sql_each(world: DbtWorld) -> None:
    selection = ["--select", "+int_invoice_lines_rated", "metric_twice"]
    statuses = world.run("build", *selection, "--indirect-selection=cautious")

    assert not_passed(statuses) == {}
    assert world.query("select distinct amount from rating.int_tiers_rated_seven") == [
        (Decimal(7),)
    ]
    assert world.query("select distinct quantity from metrics.metric_twice") == [(Decimal(2),)]
