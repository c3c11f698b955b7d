with

billing_periods as (

    select * from {{ ref('int_periods_united') }}

),

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

clock as (

    select * from {{ ref('stg_calendar__clock') }}

),

{# Two rows instead of an `or` in the join to prices. #}
periods_by_owner as (

    select
        *,
        '' as price_owner
    from billing_periods
    union all
    select
        *,
        subscription_id as price_owner
    from billing_periods

),

{# A negotiated price goes before all of the plan. #}
prices_ranked as (

    select
        periods_by_owner.*,
        charges.charge_code,
        charges.metric_code,
        charges.charge_model,
        charges.group_by,
        charges.missing_dimension,
        charges.conditions,
        charges.subscription_id as price_subscription_id,
        charges.price_valid_from,
        row_number() over (
            partition by
                periods_by_owner.subscription_id,
                periods_by_owner.period_index,
                charges.charge_code
            order by
                charges.subscription_id asc nulls last,
                charges.price_valid_from desc
        ) as price_rank
    from periods_by_owner
    inner join charges
        on
            periods_by_owner.plan_code = charges.plan_code
            and periods_by_owner.price_owner
            = coalesce(charges.subscription_id, '')
            and periods_by_owner.period_start_date >= charges.price_valid_from

)

select
    prices_ranked.subscription_id,
    prices_ranked.period_index,
    prices_ranked.charge_code,
    prices_ranked.customer_id,
    prices_ranked.plan_code,
    prices_ranked.metric_code,
    prices_ranked.charge_model,
    prices_ranked.group_by,
    prices_ranked.missing_dimension,
    prices_ranked.conditions,
    prices_ranked.price_subscription_id,
    prices_ranked.price_valid_from,
    prices_ranked.period_start_at,
    prices_ranked.period_end_at,
    prices_ranked.cut_at,
    prices_ranked.finalized_batch_id,
    prices_ranked.void_invoice_id,
    prices_ranked.period_start_at <= clock.as_of as has_started
from prices_ranked
cross join clock
where prices_ranked.price_rank = 1
