with

invoice_lines_rated as (

    select * from {{ ref('int_invoice_lines_rated') }}

),

lines_per_invoice as (

    select
        invoice_id,
        invoice_id || '/' || charge_code || '/' || group_key as line_id,
        cast(
            row_number() over (
                partition by invoice_id
                order by charge_code, group_key
            ) as integer
        ) as line_number,
        charge_code,
        metric_code,
        charge_model,
        group_key,
        price_valid_from,
        event_count,
        quantity,
        amount,
        tiers
    from invoice_lines_rated

)

select * from lines_per_invoice
