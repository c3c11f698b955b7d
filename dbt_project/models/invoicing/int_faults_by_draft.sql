{{ config(materialized='view') }}

{%- set too_large -%}
' digits before the point, found more; void or amend the events that are too'
    || ' large, or correct the metric or its price, and run again'
{%- endset %}

with

periods_drafted as (

    select * from {{ ref('int_periods_drafted') }}

),

documents_drafted as (

    select * from {{ ref('int_documents_drafted') }}

),

usage_metered as (

    select * from {{ ref('int_usage_metered') }}

),

invoice_lines_drafted as (

    select * from {{ ref('int_invoice_lines_drafted') }}

),

wrong_lines as (

    select
        periods_drafted.invoice_id,
        periods_drafted.customer_id,
        usage_metered.metric_code,
        usage_metered.charge_code,
        usage_metered.group_key,
        'a quantity of at most 20' || {{ too_large }} as expected
    from periods_drafted
    inner join usage_metered
        on
            periods_drafted.subscription_id = usage_metered.subscription_id
            and periods_drafted.period_index = usage_metered.period_index
    where usage_metered.unbilled_reason = 'quantity_overflow'
    union all
    select
        documents_drafted.invoice_id,
        documents_drafted.customer_id,
        invoice_lines_drafted.metric_code,
        invoice_lines_drafted.charge_code,
        invoice_lines_drafted.group_key,
        case
            when invoice_lines_drafted.currency != documents_drafted.currency
                then
                    'the currency ' || documents_drafted.currency || ', found '
                    || invoice_lines_drafted.currency || ', in which it was'
                    || ' billed in advance by '
                    || invoice_lines_drafted.adjusts_line_id
                    || '; correct the plan, or void that invoice'
            else 'an amount of at most 23' || {{ too_large }}
        end as expected
    from invoice_lines_drafted
    inner join documents_drafted
        on invoice_lines_drafted.invoice_id = documents_drafted.invoice_id
    where
        invoice_lines_drafted.amount is null
        or invoice_lines_drafted.currency != documents_drafted.currency

),

first_lines as (

    select * from wrong_lines
    qualify
        row_number() over (
            partition by invoice_id
            order by charge_code, group_key, expected
        ) = 1

)

select
    invoice_id,
    invoice_id || ': ' || coalesce('metric ' || metric_code || ' of ', '')
    || 'customer ' || customer_id || ', charge ' || charge_code || ', group '
    || group_key || ': expected ' || expected as fault
from first_lines
