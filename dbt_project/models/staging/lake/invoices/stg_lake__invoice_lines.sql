with

invoice_lines as (

    select * from {{ lake_table('invoice_lines') }}

)

select
    invoice_id,
    line_id,
    line_number,
    charge_code,
    metric_code,
    charge_model,
    group_key,
    price_valid_from,
    event_count,
    quantity,
    amount,
    tiers
from invoice_lines
