{#- Events of periods with whether they came too late for theirs, and the cut that they
    are due at.

    events  relation with subscription_id, cut_at and finalized_batch_id of the period,
            known_at and known_batch_id -#}
{% macro with_due_cut(events, models) -%}
    {{ adapter.dispatch('with_due_cut')(events, models) }}
{%- endmacro %}


{% macro duckdb__with_due_cut(events, models) -%}
select
    events_cut.* exclude (cut_at, finalized_batch_id),
    case
        when not is_late then cut_at
        else list_filter(
            cuts_by_subscription.cuts,
            lambda cut: cut.cut_at > known_at
            and cut.cut_at >= events_cut.cut_at
            and coalesce(known_batch_id <= cut.last_batch_id, true)
        )[1].cut_at
    end as due_cut_at
from (
    select
        *,
        coalesce(known_at >= cut_at or known_batch_id > finalized_batch_id, false) as is_late
    from {{ events }}
) as events_cut
left join (
    select
        subscription_id,
        list(
            struct_pack(cut_at := cut_at, last_batch_id := finalized_batch_id)
            order by cut_at
        ) as cuts
    from {{ models.int_periods_united }}
    group by subscription_id
) as cuts_by_subscription
    on
        case when is_late then events_cut.subscription_id end
        = cuts_by_subscription.subscription_id
{%- endmacro %}


{#- Which stretch of 30 days has an instant: offers are looked up by it, because a
    name has as many offers as it has periods. -#}
{% macro part_of_time(instant) -%}
    ({{ microseconds(instant) }} // 2592000000000)
{%- endmacro %}


{#- Rows of spans, one for each stretch that they reach into. -#}
{% macro offers_by_part(offers) -%}
    select
        *,
        unnest(range(
            {{ part_of_time('from_at') }}, {{ part_of_time('to_at') }} + 1
        )) as part_of_time
    from {{ offers }}
{%- endmacro %}
