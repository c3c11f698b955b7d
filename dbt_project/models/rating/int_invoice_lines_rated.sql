{%- set divisors = 'divisor * small_divisor' -%}
{%- set unrounded = ratio_text('rated_lines.amount', divisors) -%}

with

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

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

lines_to_rate as (

    select
        line_key,
        line_key as charge_number,
        price_number,
        group_key,
        quantity,
        event_count,
        minor_unit_digits,
        'half_away' as rounding,
        1 as days,
        1 as of_days
    from invoice_lines_metered

),

line_terms as (

    {{ lines_with_terms('lines_to_rate', 'lines_to_rate', 'prices') }}

),

amounts as (

    {{ amounts_of_all_models('line_parts', 'line_terms', 'tiers_rated') }}

),

part_amounts as (

    {{ amounts_by_part('line_terms', 'line_parts', 'amounts') }}

),

rated_lines as (

    {{ lines_rated('line_terms', 'line_parts', 'tiers_rated', 'part_amounts') }}

),

tiers_per_line as (

    {{ tiers_as_json('tiers_rated') }}

)

select
    invoice_lines_metered.invoice_id,
    invoice_lines_metered.charge_code,
    invoice_lines_metered.group_key,
    invoice_lines_metered.metric_code,
    invoice_lines_metered.charge_model,
    invoice_lines_metered.price_valid_from,
    invoice_lines_metered.currency,
    invoice_lines_metered.event_count,
    invoice_lines_metered.quantity,
    {{ billed_quantity_of_line() }} as billed_quantity,
    rated_lines.unit_price,
    case
        when rated_lines.amount is not null
            then {{ unrounded }}
    end as amount_unrounded,
    rated_lines.amount,
    coalesce(tiers_per_line.tiers, '[]') as tiers
from invoice_lines_metered
inner join rated_lines
    on invoice_lines_metered.line_key = rated_lines.line_key
left join tiers_per_line
    on invoice_lines_metered.line_key = tiers_per_line.line_key
