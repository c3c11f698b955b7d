with

customers as (

    select * from {{ ref('stg_catalog__customers') }}

),

customer_aliases as (

    select * from {{ ref('stg_catalog__customer_aliases') }}

),

events_counted as (

    select * from {{ ref('int_events_counted') }}

),

aliases_per_customer as (

    select
        customer_id,
        string_agg(distinct alias, ', ' order by alias) as aliases
    from customer_aliases
    group by customer_id

),

customers_with_aliases as (

    select
        customers.customer_id,
        customers.name,
        coalesce(aliases_per_customer.aliases, '') as aliases,
        customers.currency,
        customers.time_zone,
        customers.grace_period_days,
        customers.late_usage_policy,
        false as is_provisional
    from customers
    left join aliases_per_customer
        on customers.customer_id = aliases_per_customer.customer_id

),

{# Only a source that makes customers attributes events to one the catalog has
   not; a row of the catalog takes its place. #}
provisional_customers as (

    select distinct
        events_counted.customer_id,
        events_counted.customer_id as name,  -- noqa: RF04
        '' as aliases,
        cast(null as varchar) as currency,
        cast(null as varchar) as time_zone,
        cast(null as integer) as grace_period_days,
        cast(null as varchar) as late_usage_policy,
        true as is_provisional
    from events_counted
    left join customers
        on events_counted.customer_id = customers.customer_id
    where
        events_counted.customer_id is not null
        and customers.customer_id is null

),

all_customers as (

    select * from customers_with_aliases
    union all
    select * from provisional_customers

)

select
    customer_id,
    name,
    aliases,
    currency,
    time_zone,
    grace_period_days,
    late_usage_policy,
    is_provisional
from all_customers
