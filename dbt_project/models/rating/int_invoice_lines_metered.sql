with

charges_drafted as (

    select * from {{ ref('int_charges_drafted') }}

),

usage_metered as (

    select * from {{ ref('int_usage_metered') }}

),

billable_usage as (

    select * from usage_metered
    where unbilled_reason is null

),

{# What is charged as a whole gives a line without any usage too; what is
   charged by group gives the groups that occur. #}
lines_per_charge as (

    select
        charges_drafted.invoice_id,
        charges_drafted.charge_number,
        charges_drafted.charge_code,
        coalesce(billable_usage.group_key, '{}') as group_key,
        coalesce(billable_usage.event_count, 0) as event_count,
        case
            when charges_drafted.charge_model = 'flat'
                then charges_drafted.fee_quantity
            else coalesce(billable_usage.quantity, 0)
        end as quantity
    from charges_drafted
    left join billable_usage
        on
            charges_drafted.subscription_id = billable_usage.subscription_id
            and charges_drafted.period_index = billable_usage.period_index
            and charges_drafted.charge_code = billable_usage.charge_code
    where
        billable_usage.group_key is not null
        or len(charges_drafted.group_by) = 0

)

select
    row_number() over (order by charge_number, group_key) as line_key,
    *
from lines_per_charge
