with

charges_drafted as (

    select * from {{ ref('int_charges_drafted') }}

),

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

),

usage_bucketed as (

    select * from {{ ref('int_usage_bucketed') }}

),

buckets_of_lines as (

    select
        invoice_lines_metered.line_key,
        usage_bucketed.bucket_number,
        usage_bucketed.quantity,
        {{ repeated('usage_bucketed.weight') }} as repetition
    from charges_drafted
    inner join invoice_lines_metered
        on charges_drafted.charge_number = invoice_lines_metered.charge_number
    inner join usage_bucketed
        on
            charges_drafted.subscription_id = usage_bucketed.subscription_id
            and charges_drafted.period_index = usage_bucketed.period_index
            and charges_drafted.charge_code = usage_bucketed.charge_code
            and invoice_lines_metered.group_key = usage_bucketed.group_key

)

select
    line_key,
    row_number() over (
        partition by line_key
        order by bucket_number asc nulls last, repetition asc
    ) as bucket_number,
    quantity
from buckets_of_lines
