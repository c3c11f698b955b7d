{%- set divisors = 'divisor * small_divisor' %}
{%- set text = ratio_text('rated_lines.amount', divisors) -%}
with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

),

charges as (

    select * from {{ ref('int_charges_drafted') }}

),

prices as (

    select * from {{ ref('int_prices_numbered') }}

),

line_parts as (

    select * from {{ ref('int_parts_converted') }}

),

tiers_rated as (

    select * from {{ ref('int_tiers_rated') }}

),

narrow_lines as (

    select * from {{ ref('int_narrow_invoice_lines_rated') }}

),

parts_rated as (

    select * from {{ ref('int_parts_rated') }}

),

line_terms as (

    {{ lines_with_terms('invoice_lines_metered', 'charges', 'prices') }}

),

rated_lines as (

    {{ lines_rated(
        'line_terms', 'line_parts', 'tiers_rated', 'parts_rated',
        'narrow_lines'
    ) }}

),

tiers_per_line as (

    {{ tiers_as_json('tiers_rated') }}

)

select
    invoice_lines_metered.line_key,
    invoice_lines_metered.charge_number,
    invoice_lines_metered.invoice_id,
    invoice_lines_metered.group_key,
    case
        when rated_lines.charge_model = 'flat' then 'flat'
        else 'usage'
    end as kind,
    invoice_lines_metered.event_count,
    invoice_lines_metered.quantity,
    case
        when rated_lines.charge_model = 'flat' then rated_lines.fee_quantity
        else {{ billed_quantity_of_line() }}
    end as billed_quantity,
    rated_lines.unit_price,
    case when rated_lines.amount is not null then {{ text }} end
        as amount_unrounded,
    rated_lines.amount,
    case when rated_lines.is_shared then rated_lines.fee_days end as share_days,
    case
        when rated_lines.is_shared
            then cast(rated_lines.small_divisor as integer)
    end as share_of_days,
    coalesce(rated_lines.tiers, tiers_per_line.tiers, '[]') as tiers
from invoice_lines_metered
inner join rated_lines
    on invoice_lines_metered.line_key = rated_lines.line_key
left join tiers_per_line
    on invoice_lines_metered.line_key = tiers_per_line.line_key
