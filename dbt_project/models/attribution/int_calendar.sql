{# Whatever decides to which period, customer or reason an event belongs, as
   rows that can be compared with those of an earlier run. #}
with

{% set parts = {
    'name': ('stg_calendar__customer_names', {
        'name': 'name', 'from_at': 'valid_from_at', 'to_at': 'valid_to_at',
        'detail': 'customer_id'}),
    'subscription': ('stg_catalog__subscriptions', {
        'reference': 'subscription_id', 'detail': 'customer_id'}),
    'source': ('stg_calendar__auto_customer_sources', {'name': 'source'}),
    'offer': ('int_periods_offered', {
        'name': 'customer_id', 'reference': 'subscription_ref',
        'metric_code': 'metric_code', 'from_at': 'from_at', 'to_at': 'to_at',
        'detail': "concat_ws(' ', invoice_id, cut_at)"}),
    'closing': ('int_periods_offered', {
        'name': 'customer_id', 'reference': 'subscription_ref',
        'metric_code': 'metric_code', 'from_at': 'from_at', 'to_at': 'to_at',
        'detail': 'cast(finalized_batch_id as varchar)'}),
    'cut': ('int_periods_united', {
        'reference': 'subscription_id', 'from_at': 'cut_at',
        'detail': 'invoice_id'}),
    'period': ('int_periods_united', {
        'name': 'invoice_id', 'reference': 'subscription_id',
        'from_at': 'period_start_at', 'to_at': 'period_end_at',
        'detail': "concat_ws(' ', period_index, full_start_at, full_end_at,
            time_zone, late_usage_policy)"}),
    'grouping': ('int_groupings_asked', {
        'name': 'invoice_id', 'reference': 'subscription_id',
        'metric_code': 'metric_code', 'detail': 'grouping_key'}),
    'judged': ('int_events_judged', {
        'metric_code': 'metric_code', 'file_id': 'file_id', 'line': 'line',
        'detail': "concat_ws(' ', batch_id, received_at, unbilled_reason)"}),
} %}

calendar as (

    {% for kind, (relation, columns) in parts.items() %}
    select distinct
        {{ calendar_row(kind, columns) }}
    from {{ ref(relation) }}
    {%- if kind == 'closing' %}
    where finalized_batch_id is not null
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {% endfor %}

)

select * from calendar
