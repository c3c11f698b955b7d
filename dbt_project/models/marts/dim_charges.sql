with

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

plans as (

    select * from {{ ref('dim_plans') }}

),

newest_versions as (

    select
        *,
        max(price_valid_from) over (partition by plan_code, charge_code)
            as newest_valid_from
    from charges

)

select
    newest_versions.plan_code,
    newest_versions.charge_code,
    coalesce(newest_versions.name, newest_versions.charge_code)
        as name,  -- noqa: RF04
    plans.name as plan_name,
    newest_versions.metric_code,
    newest_versions.charge_model
from newest_versions
left join plans
    on newest_versions.plan_code = plans.plan_code
where newest_versions.price_valid_from = newest_versions.newest_valid_from
