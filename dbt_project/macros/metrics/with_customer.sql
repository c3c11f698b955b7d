{#- Events with the customer that they mean, in the column `customer_id`: of the
    subscription that they name, or of their name at their time. Each condition compares
    one side with the other: an `or` would make DuckDB try all pairs.

    events                relation with source, customer_ref, subscription_ref and
                          occurred_at
    customer_names        relation of names, each with its customer and time
    subscriptions         relation of subscriptions
    auto_customer_sources relation of sources whose names are customers by themselves -#}
{% macro with_customer(events, customer_names, subscriptions, auto_customer_sources) -%}
    select
        events_given.*,
        case
            when events_given.subscription_ref is null
                then
                    coalesce(
                        customer_names.customer_id,
                        case
                            when auto_customer_sources.source is not null
                                then events_given.customer_ref
                        end
                    )
            when
                coalesce(customer_names.customer_id, subscriptions.customer_id)
                = subscriptions.customer_id
                then subscriptions.customer_id
        end as customer_id
    from {{ events }} as events_given
    left join {{ customer_names }} as customer_names
        on
            events_given.customer_ref = customer_names.name
            and events_given.occurred_at
            >= coalesce(customer_names.valid_from_at, {{ distant_past() }})
            and events_given.occurred_at
            < coalesce(customer_names.valid_to_at, {{ distant_future() }})
    left join {{ subscriptions }} as subscriptions
        on events_given.subscription_ref = subscriptions.subscription_id
    left join {{ auto_customer_sources }} as auto_customer_sources
        on events_given.source = auto_customer_sources.source
{%- endmacro %}


{#- What a sender took back is no usage. -#}
{% macro is_standing() -%} amendment is distinct from 'void' {%- endmacro %}
