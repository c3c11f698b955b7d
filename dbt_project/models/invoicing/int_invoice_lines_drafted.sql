with

lines_due as (

    select
        *,
        {{ line_order('kind') }} as kind_number
    from {{ ref('int_invoice_lines_owed') }}

),

metrics_defined as (

    select * from {{ ref('int_metrics_defined') }}

),

lines_per_invoice as (

    select
        lines_due.invoice_id,
        lines_due.invoice_id || '/' || case
            when lines_due.kind != 'usage' then lines_due.kind || '/'
            else ''
        end || case
            when lines_due.is_of_period then ''
            else {{ label_text('lines_due.service_start_label') }} || '/'
        end || lines_due.charge_code || '/' || lines_due.group_key as line_id,
        cast(
            row_number() over (
                partition by lines_due.invoice_id
                order by
                    lines_due.kind_number,
                    lines_due.charge_code,
                    lines_due.service_start_label,
                    lines_due.group_key
            ) as integer
        ) as line_number,
        lines_due.charge_code,
        lines_due.metric_code,
        lines_due.charge_model,
        lines_due.group_key,
        lines_due.price_valid_from,
        lines_due.event_count,
        lines_due.quantity,
        lines_due.amount,
        lines_due.tiers,
        lines_due.kind,
        lines_due.service_start_at,
        lines_due.service_end_at,
        cast(null as varchar) as price_digest,
        lines_due.billed_quantity,
        coalesce(lines_due.unit, metrics_defined.unit) as unit,
        cast(lines_due.unit_price as decimal(38, 15)) as unit_price,
        lines_due.amount_unrounded,
        {# Nothing takes anything off yet, and nothing adds to it. #}
        cast(0 as decimal(38, 15)) as discount_amount,
        lines_due.amount as net_amount,
        cast(0 as decimal(38, 15)) as tax_amount,
        cast(0 as decimal(38, 15)) as credit_amount,
        lines_due.currency,
        lines_due.share_days,
        lines_due.share_of_days,
        lines_due.adjusts_line_id
    from lines_due
    left join metrics_defined
        on lines_due.metric_code = metrics_defined.metric_code

)

select * from lines_per_invoice
