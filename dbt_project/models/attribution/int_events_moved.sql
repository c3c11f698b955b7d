{# What stands on a finalized invoice stays there, also when its name means
   somebody else by now. #}
with

metered_events as (

    {{ metered_events() }}

),

moved_names as (

    select * from {{ ref('stg_calendar__moved_names') }}

),

closings_per_event as (

    select
        metered_events.metric_code,
        metered_events.file_id,
        metered_events.line,
        list(
            struct_pack(
                closing := moved_names.closing_batch_id,
                ended := moved_names.ended_batch_id,
                is_moved := moved_names.is_moved
            )
            order by moved_names.closing_batch_id
        ) as closings
    from metered_events
    inner join moved_names
        on
            metered_events.customer_ref = moved_names.name
            and metered_events.metric_code = moved_names.metric_code
            and metered_events.occurred_at >= moved_names.moved_from_at
            and metered_events.occurred_at < moved_names.moved_to_at
            and metered_events.received_at < moved_names.cut_at
            and metered_events.batch_id <= moved_names.event_batch_id
    where metered_events.subscription_ref is null
    group by
        metered_events.metric_code,
        metered_events.file_id,
        metered_events.line

),

{# The first closing that counted it has it until it ends; then the next may. #}
events_held as (

    select
        * exclude (closings),
        list_reduce(
            closings,
            (holder, each) -> case
                when holder['ended'] <= each['closing'] then each
                else holder
            end
        ) as holder
    from closings_per_event

),

events_moved as (

    select
        metric_code,
        file_id,
        line
    from events_held
    where holder['is_moved'] and holder['ended'] is null

)

select * from events_moved
