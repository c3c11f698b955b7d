with

charges as (

    select * from {{ ref('stg_catalog__charges') }}

),

plans as (

    select * from {{ ref('dim_plans') }}

),

{# The plan's own name goes before one that was negotiated. #}
newest_versions as (

    select * from charges
    qualify
        row_number() over (
            partition by plan_code, charge_code
            order by
                subscription_id is not null asc,
                price_valid_from desc,
                subscription_id asc
        ) = 1

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
