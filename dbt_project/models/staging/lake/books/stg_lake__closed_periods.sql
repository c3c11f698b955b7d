{# The newest revision of a closed period counts; one that was reopened is open
   time again. #}
with

closed_periods as (

    select * from {{ lake_table('closed_periods') }}

),

newest_revisions as (

    select *
    from closed_periods
    qualify
        revision = max(revision) over (
            partition by subscription_id, period_start_label
        )

)

select
    coalesce(
        invoice_id,
        subscription_id || '/' || {{ label_text('period_start_label') }}
    ) as invoice_id,
    subscription_id,
    revision,
    customer_id,
    plan_code,
    currency,
    time_zone,
    late_usage_policy,
    cast(period_start_label as date) as period_start_date,
    cast(period_end_label as date) as period_end_date,
    period_start_label,
    period_start_at,
    period_end_at,
    full_start_at,
    full_end_at,
    service_days,
    full_days,
    phase_index,
    is_trial,
    cut_at,
    event_batch_id,
    catalog_digest,
    invoice_id is not null as is_numbered,
    definitions_digest
from newest_revisions
where state = 'closed'
