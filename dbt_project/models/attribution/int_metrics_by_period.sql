with

charges_by_period as (

    select * from {{ ref('int_charges_by_period') }}

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
from charges_by_period
where metric_code is not null
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
