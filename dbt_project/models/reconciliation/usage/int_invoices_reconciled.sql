with

invoices_united as (

    select * from {{ ref('int_invoices_united') }}

),

invoice_lines_united as (

    select * from {{ ref('int_invoice_lines_united') }}

),

{# A draft without a total is held back by its fault. What falls below 0 is no
   total, and is given back. #}
invoices_totalled as (

    select * from invoices_united
    where total_amount is not null

),

lines_per_status as (

    select
        invoices_totalled.status,
        invoices_totalled.currency,
        {{ wide_sum('invoice_lines_united.amount') }}
    from invoices_totalled
    inner join invoice_lines_united
        on invoices_totalled.invoice_id = invoice_lines_united.invoice_id
    group by invoices_totalled.status, invoices_totalled.currency

),

totals_per_status as (

    select
        status,
        currency,
        {{ wide_sum('(total_amount + least(net_amount + tax_amount, 0))') }}
    from invoices_totalled
    group by status, currency

),

expected_sums as (

    select
        status,
        currency,
        {{ sum_in_parts('expected') }}
    from lines_per_status

),

actual_sums as (

    select
        status,
        currency,
        {{ sum_in_parts('actual') }}
    from totals_per_status

),

sums_compared as (

    select
        actual_sums.*,
        coalesce(expected_sums.expected_whole, 0) as expected_whole,
        coalesce(expected_sums.expected_units, 0) as expected_units
    from actual_sums
    left join expected_sums using (status, currency)

)

select
    'invoice_totals' as identity,
    status as subject,
    currency as unit,
    {{ quantity_of_parts('expected') }} as expected,
    {{ quantity_of_parts('actual') }} as actual,
    {{ difference_of_parts('expected', 'actual') }} as difference
from sums_compared
union all
select
    'invoice_numbers' as identity,
    series as subject,
    'invoice' as unit,
    cast(count(*) as decimal(38, 18)) as expected,
    cast(max(series_number) as decimal(38, 18)) as actual,
    cast(count(*) - max(series_number) as decimal(38, 18)) as difference
from invoices_united
where series is not null
group by series
