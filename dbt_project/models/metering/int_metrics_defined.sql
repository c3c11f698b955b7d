{# dbt's own graph is the list: a metric's file is its only definition. #}
{% set definitions = metric_definitions() %}

{% for code in var('billable_metrics') %}
-- depends_on: {{ ref('metric_' ~ code) }}
{% endfor %}

with

metrics as (

    {% for definition in definitions %}
    select
        {{ sql_text(definition.metric_code) }} as metric_code,
        {{ sql_text(definition.description) }} as description,
        {{ sql_text(definition.event_name | join(', ')) }} as event_name,
        {{ sql_text(definition.aggregation) }} as aggregation,
        {{ sql_text(definition.value) }} as value,
        {{ sql_text(definition.unit) }} as unit,
        {{ sql_text_list(definition.group_by) }} as group_by,
        {{ grouping_key(sql_text_list(definition.group_by | sort)) }}
            as finest_grouping_key,
        {{ sql_text(tojson(definition.filters)) }} as filters,
        {{ definition.fraction_digits }} as fraction_digits,
        {{ sql_text(tojson(definition, sort_keys=true)) }} as definition,
        {{ 'true' if definition.bucket and not definition.bucket_by
            else 'false' }} as is_bucketed,
        {{ is_additive(definition) }} as is_additive
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from metrics
