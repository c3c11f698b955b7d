{# A reconciliation without rows has no difference either. #}
{{ config(meta={'what_to_do': (
    'add these identities to the models of `reconciliation`;'
    ~ ' without them nothing shows that usage is lost'
)}) }}

with

metrics_defined as (

    select
        metrics_defined.*,
        metrics_totalled.has_overflow
    from {{ ref('int_metrics_defined') }} as metrics_defined
    left join {{ ref('int_metrics_totalled') }} as metrics_totalled
        on metrics_defined.metric_code = metrics_totalled.metric_code

),

reconciliation as (

    select * from {{ ref('rpt_reconciliation') }}

),

demanded_rows as (

    select
        'metric_quantity' as identity,
        metric_code as subject
    from metrics_defined
    where is_additive and has_overflow is not true
    union all
    select
        'metric_events' as identity,
        metric_code as subject
    from metrics_defined
    union all
    select
        'events_attributed' as identity,
        'all' as subject

)

select demanded_rows.*
from demanded_rows
left join reconciliation
    on
        demanded_rows.identity = reconciliation.identity
        and demanded_rows.subject = reconciliation.subject
where reconciliation.identity is null
