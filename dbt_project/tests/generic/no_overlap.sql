{% test no_overlap(model, within, from_column, to_column) %}

{#- Half-open spans: one may begin where another ends; a null bound is open. -#}
with

spans_with_next as (

    select
        {{ within | join(', ') }},
        {{ from_column }} as span_from,
        {{ to_column }} as span_to,
        row_number() over (
            partition by {{ within | join(', ') }}
            order by {{ from_column }} nulls first, {{ to_column }} nulls last
        ) as span_number,
        lead({{ from_column }}) over (
            partition by {{ within | join(', ') }}
            order by {{ from_column }} nulls first, {{ to_column }} nulls last
        ) as next_from,
        count(*) over (partition by {{ within | join(', ') }}) as span_count
    from {{ model }}

)

select *
from spans_with_next
where
    span_to <= span_from
    or (
        span_number < span_count
        and coalesce(span_to <= next_from, false) = false
    )

{% endtest %}
