{# Only of lines whose price looks at each event. #}
with

prices as (

    select * from {{ ref('int_prices_numbered') }} as all_prices
    where {{ is_by_event('all_prices') }}

),

charges_drafted as (

    select * from {{ ref('int_charges_drafted') }}
    where price_number in (select prices.price_number from prices)

),

invoice_lines_metered as (

    select * from {{ ref('int_invoice_lines_metered') }}

),

events_assigned as (

    select * from {{ ref('int_events_assigned') }}
    where unbilled_reason is null

),

events_of_lines as (

    select
        invoice_lines_metered.line_key,
        events_assigned.file_id,
        events_assigned.line,
        events_assigned.value,
        events_assigned.occurred_at
    from charges_drafted
    inner join invoice_lines_metered
        on charges_drafted.charge_number = invoice_lines_metered.charge_number
    inner join events_assigned
        on
            charges_drafted.subscription_id = events_assigned.subscription_id
            and charges_drafted.period_index = events_assigned.period_index
            and charges_drafted.charge_code = events_assigned.charge_code
            and invoice_lines_metered.group_key = events_assigned.group_key

)

select
    line_key,
    row_number() over (
        partition by line_key
        order by occurred_at, file_id, line
    ) as position,
    value,
    file_id,
    line
from events_of_lines
