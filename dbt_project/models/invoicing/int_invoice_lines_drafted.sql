with

invoice_lines_rated as (

    select * from {{ ref('int_invoice_lines_rated') }}

),

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

lines_per_invoice as (

    select
        invoice_lines_rated.invoice_id,
        invoice_lines_rated.invoice_id || '/' || invoice_lines_rated.charge_code
        || '/' || invoice_lines_rated.group_key as line_id,
        cast(
            row_number() over (
                partition by invoice_lines_rated.invoice_id
                order by
                    invoice_lines_rated.charge_code,
                    invoice_lines_rated.group_key
            ) as integer
        ) as line_number,
        invoice_lines_rated.charge_code,
        invoice_lines_rated.metric_code,
        invoice_lines_rated.charge_model,
        invoice_lines_rated.group_key,
        invoice_lines_rated.price_valid_from,
        invoice_lines_rated.event_count,
        invoice_lines_rated.quantity,
        invoice_lines_rated.amount,
        invoice_lines_rated.tiers,
        'usage' as kind,
        periods_drafted.period_start_at as service_start_at,
        periods_drafted.period_end_at as service_end_at,
        cast(null as varchar) as price_digest,
        invoice_lines_rated.billed_quantity,
        metrics_defined.unit,
        cast(invoice_lines_rated.unit_price as decimal(38, 15)) as unit_price,
        invoice_lines_rated.amount_unrounded,
        {# Nothing takes anything off yet, and nothing adds to it. #}
        cast(0 as decimal(38, 15)) as discount_amount,
        invoice_lines_rated.amount as net_amount,
        cast(0 as decimal(38, 15)) as tax_amount,
        cast(0 as decimal(38, 15)) as credit_amount,
        invoice_lines_rated.currency,
        cast(null as integer) as share_days,
        cast(null as integer) as share_of_days,
        cast(null as varchar) as adjusts_line_id
    from invoice_lines_rated
    left join periods_drafted
        on invoice_lines_rated.invoice_id = periods_drafted.invoice_id
    left join metrics_defined
        on invoice_lines_rated.metric_code = metrics_defined.metric_code

)

select * from lines_per_invoice
