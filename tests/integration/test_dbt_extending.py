"""A charge model and an aggregation are a file of SQL each: toys of both on a small world."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.warehouse.mappings import mapping_problems
from pipelines.warehouse.metric_macros import metric_definition, usage_sql, valued_events_sql
from tests.worlds.compiled_dbt import kept_statements
from tests.worlds.dbt_macros import metric_macros
from tests.worlds.dbt_world import DbtWorld, not_passed, parsed_again, parsed_world

TOY_CHARGE_MODEL = """
{#- Seven for anything. -#}
{% macro default__seven_price_tiers(parts, tiers, cells) -%}
    select * replace (
        0 as units_whole, 0 as units_fraction, cast(7 as decimal(30, 15)) as flat_amount
    )
    from ({{ one_tier(parts, 'unit_price', 'quantity', 'remainder') }}) as tiers_of_one
{%- endmacro %}
"""

TOY_AGGREGATION = """
{% macro default__twice_traits(metric, traits) -%}
    {%- do traits.update({'needs_value': false, 'empty': 0}) -%}
{%- endmacro %}


{% macro default__twice_partial(metric) -%} {%- endmacro %}


{% macro default__twice_merge(metric) -%} {%- endmacro %}


{% macro default__twice_final(metric) -%}
    cast(2 * event_count as decimal(38, 18))
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


PEAK_METRIC = """
{{ billable_metric(
    metric_code='peak',
    description='The largest answer of each hour, added up',
    event_name='http_request',
    aggregation='max',
    value='bytes * 2',
    unit='byte',
    bucket='hour',
    group_by=['status'],
) }}
"""
"""A metric whose quantities do not add up."""

KINDS_METRIC = """
{{ billable_metric(
    metric_code='kinds',
    description='How many different statuses were answered',
    event_name='http_request',
    aggregation='unique_count',
    value='status',
    unit='status',
) }}
"""
"""Another one, which is charged by tiers."""

JOINED_METRIC = """
{{ billable_metric(
    metric_code='joined',
    description='Requests by what a mapping says of their status',
    event_name='http_request',
    aggregation='count',
    unit='request',
    joins={'seed': 'answers', 'key': 'status', 'properties': ['meaning']},
    group_by=['meaning'],
) }}
"""

ANSWERS = """status,meaning,valid_from,valid_to
200,early,,2026-01-03T00:00:00Z
200,late,2026-01-03T00:00:00Z,
"4""04",odd,,
"""

ANSWERS_TYPES = """
version: 2
seeds:
  - name: answers
    config: {column_types: {status: varchar}}
"""

JOINED_BY_HAND = """
select
    case
        when properties['status'] = '4"04' then 'odd'
        when properties['status'] <> '200' then null
        when occurred_at < timestamptz '2026-01-03T00:00:00Z' then 'early'
        when properties['status'] = '200' then 'late'
    end as meaning,
    count(*)
from attribution.int_events_attributed
where event_name = 'http_request'
group by all
order by all
"""

ODD_NAMES = ["{{ 1 }}", "{% raw %}", "{# a", "#}", "a'b\"c\\", "x -- y", "two\nlines", "ß €"]
"""Names that some language between a file and a query could read as its own."""

ODD_METRIC = f"""
{{{{ billable_metric(
    metric_code='oddly_named',
    description='Requests by odd names, as in {{{{ 1 }}}}',
    event_name='http_request',
    aggregation='count',
    unit='request',
    filters={json.dumps({name: {"exists": False} for name in ODD_NAMES})},
    group_by={json.dumps(ODD_NAMES)},
) }}}}
"""

LEVEL_METRIC = """
{{ billable_metric(
    metric_code='level',
    description='The last size that was answered, as long as no other is',
    event_name='http_request',
    aggregation='latest',
    value='bytes',
    unit='byte',
    recurring=true,
) }}
"""
"""A state that goes on from period to period."""

LEVEL_BY_HAND = """
with periods as (
    select * from attribution.int_periods_united
    where void_invoice_id is null
)

select
    periods.subscription_id,
    periods.period_index,
    max_by(events.value, (events.occurred_at, events.file_id, events.line)) as level,
    count(*) filter (where events.occurred_at >= periods.period_start_at) as event_count
from periods
inner join attribution.int_events_assigned as events
    on
        periods.subscription_id = events.subscription_id
        and events.occurred_at < periods.period_end_at
where events.metric_code = 'level' and events.unbilled_reason is null
group by all
order by all
"""

LEVEL_METERED = """
select subscription_id, period_index, quantity, event_count
from metering.int_usage_metered
where metric_code = 'level' and unbilled_reason is null
order by all
"""

CHARGES = """grouped,twice,twice,standard,3,,2025-12-01
grouped,peak,peak,standard,2,status,2025-12-01
grouped,kinds,kinds,graduated,,,2025-12-01
grouped,joined,joined,standard,1,meaning,2025-12-01
grouped,level,level,standard,1,,2025-12-01
"""

TIERS = """grouped,kinds,2025-12-01,0,1,10,
grouped,kinds,2025-12-01,1,,1,
"""

KINDS_BY_HAND = """
select
    subscription_id,
    period_index,
    count(distinct dimensions['status']) as kinds
from attribution.int_events_assigned
where metric_code = 'kinds' and unbilled_reason is null
group by all
order by all
"""

PEAK_BY_HAND = """
with largest as (
    select
        subscription_id,
        period_index,
        group_key,
        date_trunc('hour', occurred_at) as hour,
        max(cast(dimensions['bytes'] as decimal(38, 18))) * 2 as peak
    from attribution.int_events_assigned
    where metric_code = 'peak' and unbilled_reason is null
    group by all
)

select subscription_id, period_index, group_key, cast(sum(peak) as decimal(38, 18))
from largest
group by all
order by all
"""

PEAK_METERED = """
select subscription_id, period_index, group_key, quantity
from metering.int_usage_metered
where metric_code = 'peak' and unbilled_reason is null
order by all
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
    (macros / "rating/charge_models/seven.sql").write_text(TOY_CHARGE_MODEL)
    (models / "metrics/metric_twice.sql").write_text(TOY_METRIC)
    (models / "metrics/metric_peak.sql").write_text(PEAK_METRIC)
    (models / "metrics/metric_kinds.sql").write_text(KINDS_METRIC)
    (models / "metrics/metric_level.sql").write_text(LEVEL_METRIC)
    (models / "metrics/metric_joined.sql").write_text(JOINED_METRIC)
    (models / "metrics/metric_oddly_named.sql").write_text(ODD_METRIC)
    (toys.project / "reference/answers.csv").write_text(ANSWERS)
    (toys.project / "reference/answers.yml").write_text(ANSWERS_TYPES)
    (macros / "aggregations/twice.sql").write_text(TOY_AGGREGATION)
    seeds = next(toys.project.glob("**/charges.csv"))
    _edit(seeds, "grouped,requests,requests,standard,", "grouped,requests,requests,seven,")
    seeds.write_text(f"{seeds.read_text().rstrip()}\n{CHARGES}")
    tiers = seeds.with_name("charge_tiers.csv")
    text = f"{tiers.read_text().rstrip()}\n{TIERS}"
    tiers.unlink()
    tiers.write_text(text)
    return parsed_again(toys)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, path
    path.unlink()
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def built(world: DbtWorld) -> DbtWorld:
    assert not_passed(world.run("build", "--exclude", "test_type:unit")) == {}
    return world


def test_charge_model_and_aggregation_are_a_file_of_sql_each(built: DbtWorld) -> None:
    world = built
    amounts = world.query(
        "select distinct amount from invoicing.int_invoice_lines_drafted "
        "where charge_model = 'seven' and quantity > 0"
    )
    assert amounts == [(Decimal(7),)]
    assert world.query("select distinct value from metrics.metric_twice") == [(Decimal(1),)]
    usage = world.query(
        "select event_count, quantity from metering.int_usage_metered "
        "where metric_code = 'twice' and unbilled_reason is null"
    )
    assert usage
    assert [quantity for _, quantity in usage] == [2 * count for count, _ in usage]


def test_a_metric_whose_quantities_do_not_add_up_is_billed(built: DbtWorld) -> None:
    metered = built.query(PEAK_METERED)

    assert metered
    assert metered == built.query(PEAK_BY_HAND)
    amounts = built.query(
        "select quantity, amount from invoicing.int_invoice_lines_drafted "
        "where metric_code = 'peak' and quantity > 0"
    )
    assert amounts
    assert [amount for _, amount in amounts] == [2 * quantity for quantity, _ in amounts]
    identities = built.query(
        "select identity, difference from marts.rpt_reconciliation where subject = 'peak'"
    )
    assert dict(identities) == {"metric_events": 0, "finalized_quantity": 0}


def test_a_state_goes_on_into_periods_without_events(built: DbtWorld) -> None:
    metered = built.query(LEVEL_METERED)

    assert metered == built.query(LEVEL_BY_HAND)
    assert any(event_count == 0 and quantity for _, _, quantity, event_count in metered)


def test_distinct_texts_are_priced_by_tiers(built: DbtWorld) -> None:
    counted = {(row[0], row[1]): row[2] for row in built.query(KINDS_BY_HAND)}
    lines = built.query(
        "select subscription_id, period_index, quantity, amount "
        "from invoicing.int_invoice_lines_drafted "
        "join rating.int_periods_drafted using (invoice_id) "
        "where metric_code = 'kinds' order by all"
    )

    assert max(quantity for _, _, quantity, _ in lines) > 1
    for subscription_id, period_index, quantity, amount in lines:
        assert quantity == counted.get((subscription_id, period_index), 0)
        assert amount == (10 + (quantity - 1) if quantity else 0)


def test_a_mapping_with_dates_says_by_what_a_metric_groups(built: DbtWorld) -> None:
    meanings = built.query(
        "select dimensions['meaning'], count(*) from metrics.metric_joined group by all "
        "order by all"
    )
    assert meanings == built.query(JOINED_BY_HAND)
    assert {"early", "late", "odd"} <= {meaning for meaning, _ in meanings}
    lines = built.query(
        "select distinct group_key from metering.int_usage_metered where metric_code = 'joined' "
        "and unbilled_reason is null"
    )
    assert {group for (group,) in lines} >= {'{"meaning":"late"}', '{"meaning":"odd"}'}
    manifest = json.loads((built.parsed / "manifest.json").read_text())
    assert list(mapping_problems(manifest, built.project)) == []
    mapping = built.project / "reference/answers.csv"
    mapping.write_text(ANSWERS.replace("200,late,2026-01-03", "200,late,2026-01-02"))
    (problem,) = mapping_problems(manifest, built.project)
    mapping.write_text(ANSWERS)
    assert str(problem).startswith("reference/answers.csv, row 3, column status: '200' is in row 2")


def test_names_that_look_like_templates_or_sql_are_names(built: DbtWorld) -> None:
    found = built.query(
        "select count(*) from metrics.metric_oddly_named union all "
        "select count(*) from metrics.metric_requests"
    )
    assert found[0] == found[1] != (0,)
    (definition,) = built.query(
        "select definition from metering.int_metrics_defined where metric_code = 'oddly_named'"
    )
    assert json.loads(definition[0])["group_by"] == ODD_NAMES


def _in_one_line(sql: str) -> str:
    return " ".join(sql.split())


def _compiled(world: DbtWorld, name: str) -> str:
    (file,) = (world.folder / "target" / "compiled").rglob(f"{name}.sql")
    return _in_one_line(file.read_text())


def test_preview_renders_the_text_that_dbt_runs(built: DbtWorld) -> None:
    options = {"event_name": "http_request", "aggregation": "max", "value": "bytes * 2",
               "bucket": "hour", "group_by": ["status"]}  # fmt: skip
    metric = metric_definition(options)
    columns = [
        "'peak' as metric_code", "'max' as aggregation", "batch_id", "file_id", "line", "source",
        "customer_id", "customer_ref", "subscription_ref", "occurred_at", "received_at",
        "properties as dimensions",
    ]  # fmt: skip
    values = valued_events_sql(metric, "events_with_properties", columns)

    assert _in_one_line(values) in _compiled(built, "metric_peak")


EVENTS, PARTS, SPANS, DAYS = "EVENTS", "PARTS", "SPANS", "local_days"
"""Stand for relations in SQL that is rendered to be compared."""


def test_preview_counts_by_the_text_that_is_run_for_what_a_metric_keeps() -> None:
    """Both make parts of events, and quantities of parts, by `metric_parts` and `usage_of_parts`.

    They differ in the names of their relations and keys, and in what is kept beside.
    """
    metric = metric_definition({"event_name": "n", "aggregation": "max", "value": "bytes * 2",
                                "bucket": "hour", "group_by": ["status"]})  # fmt: skip
    metric |= {"metric_code": "peak", "is_joined": False}
    names = ("int_calendar", "int_calendar_digest", "int_calendar_changes", "int_events_judged",
             "int_events_attributed", "int_groupings_asked", "int_periods_offered",
             "int_periods_united", "batches", "metric_peak", "stg_calendar__auto_customer_sources",
             "stg_calendar__customer_names", "stg_catalog__subscriptions",
             "stg_lake__accepted_events")  # fmt: skip
    models = {name: name for name in names} | {"stg_calendar__local_days": DAYS}
    texts = {"metric_peak": "", "int_events_attributed": ""}
    run = _in_one_line(";".join(kept_statements([metric], models, texts)))

    macros, keys = metric_macros(), ["subscription_id", "grouping_key"]
    preview = _in_one_line(usage_sql(metric, EVENTS, SPANS, keys, DAYS))
    parts = _in_one_line(macros.metric_parts(metric, EVENTS, [*keys, "slot", "group_key"], DAYS))
    quantities = _in_one_line(macros.usage_of_parts(metric, "parts", SPANS, keys, DAYS))
    assert preview == f"with parts as ( {parts} ) {quantities}"
    assert quantities.replace(SPANS, "state_spans") in run
    before_events, after_events = parts.split(f" {EVENTS} ")
    assert after_events.split(" group by ")[0] in run
    columns, placing = before_events.split(" from ( ", 1)
    assert placing in run
    aggregates = columns.split("bucket_parts,")[1].split(", ")
    assert aggregates[0] == "max(value) as value_max"
    assert all(aggregate in run for aggregate in aggregates)
