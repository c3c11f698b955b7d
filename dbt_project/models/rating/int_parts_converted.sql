{%- set lines = ref('int_invoice_lines_metered') -%}
{%- set charges = ref('int_charges_drafted') -%}
with

{# Without what nothing is worked out from: each part has these columns. #}
prices as (

    select
        * exclude (
            plan_code,
            charge_code,
            subscription_id,
            missing_dimension,
            conditions,
            name,
            price_valid_from,
            metric_code,
            group_by,
            billed,
            invoiced_in,
            prorated,
            unit
        )
    from {{ ref('int_prices_numbered') }}

),

price_tiers as (

    select * from {{ ref('int_tiers_numbered') }}

),

line_events as (

    select * from {{ ref('int_events_numbered') }}

),

line_buckets as (

    select * from {{ ref('int_buckets_numbered') }}

),

parts_counted as (

    {{ parts_counted(
        lines, charges, 'prices', 'line_buckets', 'line_events'
    ) }}

),

parts_converted as (

    {{ parts_converted('parts_counted', 'prices') }}

),

parts_to_price as (

    {{ parts_to_price('parts_converted', 'prices', lines) }}

)

{{ parts_by_road('parts_to_price', 'prices', 'price_tiers') }}
