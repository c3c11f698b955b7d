with

customers as (

    select * from {{ ref('stg_catalog__customers') }}

),

customer_aliases as (

    select * from {{ ref('stg_catalog__customer_aliases') }}

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
        customers.late_usage_policy
    from customers
    left join aliases_per_customer
        on customers.customer_id = aliases_per_customer.customer_id

)

select
    customer_id,
    name,
    aliases,
    currency,
    time_zone,
    grace_period_days,
    late_usage_policy
from customers_with_aliases
