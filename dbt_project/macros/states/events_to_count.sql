{#- Events that a keeper does not include: of loaded batches that it has not seen, and of
    names that are counted again. -#}
{% macro events_to_count(keeper, loaded, all_events) -%}
    {%- set names_sent = ['customer_ref', 'subscription_ref'] -%}
    {%- set number = keeper.number -%}
    (
        select events_new.*
        from {{ loaded }} as events_new
        anti join state_recounted_{{ number }} as recounted
            on {{ same_columns(names_sent, 'events_new', 'recounted') }}
            and events_new.occurred_at >= recounted.from_at
        where events_new.batch_id > getvariable('seen_{{ number }}')
        union all
        select events_old.*
        from {{ all_events }} as events_old
        semi join state_recounted_{{ number }} as recounted
            on {{ same_columns(names_sent, 'events_old', 'recounted') }}
            and events_old.occurred_at >= recounted.from_at
        where events_old.occurred_at >= getvariable('recounted_from_{{ number }}')
    )
{%- endmacro %}
