with

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

),

cells_listed as (

    select * from {{ ref('int_cells_listed') }}

),

charges_with_cells as (

    select
        charges_by_period.*,
        cells_listed.cells
    from charges_by_period
    left join cells_listed
        on
            charges_by_period.plan_code = cells_listed.plan_code
            and charges_by_period.charge_code = cells_listed.charge_code
            and coalesce(charges_by_period.price_subscription_id, '')
            = coalesce(cells_listed.subscription_id, '')
            and charges_by_period.price_valid_from
            = cells_listed.price_valid_from
    where charges_by_period.metric_code is not null

)

select
    subscription_id,
    period_index,
    metric_code,
    customer_id,
    period_start_at,
    period_end_at,
    cut_at,
    finalized_batch_id,
    void_invoice_id,
    {{ charges_as_list() }} as charges
from charges_with_cells
group by
    subscription_id,
    period_index,
    metric_code,
    customer_id,
    period_start_at,
    period_end_at,
    cut_at,
    finalized_batch_id,
    void_invoice_id
