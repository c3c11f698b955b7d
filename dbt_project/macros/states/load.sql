{#- The events of some batches, read once for all metrics, as narrow tables: whom a name
    means and which period it has is looked up name by name, and an event knows the
    numbers.

    run_names         one row per name as sent: source, customer_ref, subscription_ref
    run_sender_spans  whom it means, by time
    run_senders       one row per name and customer that it means
    run_offer_spans   the periods that these have, by time, for any metric
    run_offers        one row per sender and period
    run_events        one row per event

    names     those of `properties_of`, of all metrics: they are columns
    has_days  whether any metric needs the local day -#}
{% macro loaded_events(names, has_days, models, statements) -%}
    {%- set events = '(select * from ' ~ models.stg_lake__accepted_events ~ ' where '
        ~ is_standing() ~ " and batch_id > getvariable('load_after')"
        ~ " and batch_id <= getvariable('load_to'))" -%}
    {%- set sent = ['source', 'customer_ref', 'subscription_ref'] -%}
    {%- do statements.append(
'create or replace temp table run_names as
select
    row_number() over () as name_number,
    ' ~ sent | join(', ') ~ ',
    min(occurred_at) as first_occurred_at,
    max(occurred_at) as last_occurred_at
from ' ~ events ~ ' as events_loaded
group by ' ~ sent | join(', ')) -%}
    {%- do sender_statements(sent, models, statements) -%}
    {%- do offer_statements(models, statements) -%}
    {%- do statements.append('create or replace temp table run_events as '
        ~ _events_with_numbers(names, has_days, events, sent, models)) -%}
{%- endmacro %}


{% macro _events_with_numbers(names, has_days, events, sent, models) -%}
    {%- set resolved -%}
    (
        select
            events_loaded.batch_id,
            events_loaded.file_id,
            events_loaded.line,
            events_loaded.event_name,
            events_loaded.occurred_at,
            events_loaded.received_at,
            events_loaded.received_at as known_at,
            events_loaded.batch_id as known_batch_id,
            senders.sender_number,
            offers.offer_number,
            offers.subscription_id,
            offers.subscription_id is not null as has_period,
            offers.cut_at,
            offers.finalized_batch_id,
            offers.time_zone
            {%- for name in names %},
            events_loaded.properties[{{ sql_text(name) }}] as property_{{ loop.index }}
            {%- endfor %}
        from {{ events }} as events_loaded
        inner join run_names
            on {{ same_columns(sent, 'events_loaded', 'run_names') }}
        inner join run_sender_spans as senders
            on
                run_names.name_number = senders.name_number
                and events_loaded.occurred_at >= senders.from_at
                and events_loaded.occurred_at < senders.to_at
        left join ({{ offers_by_part('run_offer_spans') }}) as offers
            on
                senders.sender_number = offers.sender_number
                and {{ part_of_time('events_loaded.occurred_at') }} = offers.part_of_time
                and events_loaded.occurred_at >= offers.from_at
                and events_loaded.occurred_at < offers.to_at
    )
    {%- endset -%}
    {%- set cut = '(' ~ with_due_cut(resolved, models) ~ ')' -%}
    {%- set dated = '(' ~ with_local_day(cut, 'occurred_at', models.stg_calendar__local_days,
        'local_days.day_number as local_day') ~ ')' if has_days else cut -%}
select * exclude (known_at, known_batch_id, subscription_id, time_zone)
from {{ dated }} as events_resolved
{%- endmacro %}
