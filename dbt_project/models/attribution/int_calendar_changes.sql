{# What this run's calendar says otherwise than the one that a kept table was
   made by. A closing changes nothing for events that it saw, and neither does
   a cut after all others: only what is gone, or came in between, does. #}
{{ config(pre_hook=kept_tables()) }}

with

calendar as (

    select * from {{ ref('int_calendar') }}

),

calendar_digest as (

    select * from {{ ref('int_calendar_digest') }}

),

calendars_kept as (

    select calendars.*
    from {{ kept('calendars') }} as calendars
    cross join calendar_digest
    where calendars.calendar_digest != calendar_digest.calendar_digest

),

digests_kept as (

    select distinct calendar_digest
    from calendars_kept

),

last_cuts as (

    select
        calendar_digest,
        reference,
        max(from_at) as last_cut_at
    from calendars_kept
    where kind = 'cut'
    group by calendar_digest, reference

),

rows_compared as (

    select
        *,
        true as is_gone
    from calendars_kept
    union all
    select
        digests_kept.calendar_digest,
        calendar.*,
        false as is_gone
    from calendar
    cross join digests_kept

),

rows_that_differ as (

    select
        calendar_digest,
        {{ calendar_columns() }},
        bool_and(is_gone) as is_gone
    from rows_compared
    group by all
    having count(*) = 1

)

select rows_that_differ.*
from rows_that_differ
left join last_cuts
    on
        rows_that_differ.kind = 'cut'
        and rows_that_differ.calendar_digest = last_cuts.calendar_digest
        and rows_that_differ.reference = last_cuts.reference
where
    rows_that_differ.kind not in ('closing', 'cut')
    or rows_that_differ.is_gone
    or (
        rows_that_differ.kind = 'cut'
        and rows_that_differ.from_at < last_cuts.last_cut_at
    )
