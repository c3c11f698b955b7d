with

fees_in_advance as (

    select * from {{ source('calendar', 'fees_in_advance') }}

)

select
    subscription_id,
    service_start_label,
    currency,
    charge_code,
    line_id,
    price_valid_from,
    service_start_at,
    service_end_at,
    billed_amount,
    is_billed,
    is_on_own_document
from fees_in_advance
