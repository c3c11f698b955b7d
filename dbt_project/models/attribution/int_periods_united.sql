with

closed_periods as (

    select * from {{ ref('stg_lake__closed_periods') }}

),

reopened_periods as (

    select * from {{ ref('stg_calendar__reopened_periods') }}

),

acts as (

    select * from {{ ref('stg_lake__acts') }}

),

open_periods as (

    select * from {{ ref('stg_calendar__open_periods') }}

),

{# What the run reopens is open time. #}
periods_still_closed as (

    select
        closed_periods.*,
        acts.invoice_id as void_invoice_id
    from closed_periods
    left join acts
        on
            closed_periods.invoice_id = acts.invoice_id
            and acts.kind = 'void'
    left join reopened_periods
        on
            closed_periods.subscription_id = reopened_periods.subscription_id
            and closed_periods.period_start_label
            = reopened_periods.period_start_label
            and closed_periods.revision < reopened_periods.revision
    where reopened_periods.subscription_id is null

),

closed_and_open_periods as (

    select * exclude (revision) from periods_still_closed
    union all
    select
        *,
        cast(null as bigint) as event_batch_id,
        null as catalog_digest,
        null as is_numbered,
        null as definitions_digest,
        null as void_invoice_id
    from open_periods

)

select
    invoice_id,
    subscription_id,
    cast(
        row_number() over (
            partition by subscription_id
            order by period_start_at, invoice_id
        ) as integer
    ) as period_index,
    customer_id,
    plan_code,
    currency,
    time_zone,
    late_usage_policy,
    period_start_date,
    period_end_date,
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
    event_batch_id as finalized_batch_id,
    void_invoice_id
from closed_and_open_periods
