with

invoice_lines as (

    select * from {{ lake_table('invoice_lines') }}

)

{# A row of an invoice of format 1 is null where nothing was said. #}
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
    tiers,
    coalesce(kind, 'usage') as kind,
    service_start_at,
    service_end_at,
    price_digest,
    coalesce(
        billed_quantity,
        case when quantity is not null then greatest(quantity, 0) end
    ) as billed_quantity,
    unit,
    unit_price,
    amount_unrounded,
    coalesce(discount_amount, 0) as discount_amount,
    coalesce(net_amount, amount) as net_amount,
    coalesce(tax_amount, 0) as tax_amount,
    coalesce(credit_amount, 0) as credit_amount,
    currency,
    share_days,
    share_of_days,
    adjusts_line_id
from invoice_lines
