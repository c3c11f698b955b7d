{#- What is kept, brought up to the run: `statements` gets SQL statements that belong into
    one transaction. They say nothing of what is there already, so they are the same for
    the first run, for one batch more, and for an edited catalog.

    1. `begin_statements`: slots whose resolution the calendar says otherwise are gone,
       with their names' later ones.
    2. `load_statements`: events of batches that were not seen, and of these names, become
       parts, which are merged into the state. Some batches at a time, from the first on.
    3. `end_statements`: the quantities of periods that were touched are worked out again.
       The marks say what all of it was made from.

    keepers  those of `keepers_of` that are not up to the run
    models   relations by the names of models -#}
{% macro begin_statements(keepers, models, statements) -%}
    {%- for keeper in keepers -%}
        {%- do statements.append(_seen_batch(keeper, models)) -%}
        {%- do table_statements(keeper, models, statements) -%}
        {%- do recount_statements(keeper, models, statements) -%}
    {%- endfor -%}
    {%- set seen = [] -%}
    {%- for keeper in keepers -%}
        {%- do seen.append("getvariable('seen_" ~ keeper.number ~ "')") -%}
    {%- endfor -%}
    {%- do statements.append(
        'set variable first_unseen = (select least(' ~ seen | join(', ') ~ '))') -%}
{%- endmacro %}


{% macro load_statements(bounds, keepers, models, statements) -%}
    {%- do statements.append('set variable load_after = ' ~ bounds[0]) -%}
    {%- do statements.append('set variable load_to = ' ~ bounds[1]) -%}
    {%- do loaded_events(keepers[0].names, keepers[0].has_days, models, statements) -%}
    {%- for keeper in keepers -%}
        {%- do delta_statements(keeper, models, statements) -%}
        {#- What is counted again is counted once. -#}
        {%- do statements.append('set variable recounted_from_' ~ keeper.number
            ~ ' = cast(null as timestamptz)') -%}
    {%- endfor -%}
    {%- for name in ('events', 'offers', 'offer_spans', 'senders', 'sender_spans', 'names') -%}
        {%- do statements.append('drop table run_' ~ name) -%}
    {%- endfor -%}
{%- endmacro %}


{% macro end_statements(keepers, models, statements) -%}
    {%- for keeper in keepers -%}
        {%- if keeper.metric is not none -%}
            {%- do usage_statements(keeper, models, statements) -%}
            {%- do _recount_statement(keeper.metric, models, statements) -%}
        {%- endif -%}
        {%- do statements.append(
'insert or replace into ' ~ kept('marks') ~ '
select
    ' ~ sql_text(keeper.code) ~ ',
    ' ~ sql_text(keeper.digest) ~ ',
    last_batch.batch_id,
    ' ~ batch_digest('last_batch.batch_id', models) ~ ',
    calendar_digest.calendar_digest
from ' ~ models.int_calendar_digest ~ ' as calendar_digest
cross join (select ' ~ last_batch(models) ~ ' as batch_id) as last_batch') -%}
    {%- endfor -%}
    {#- A calendar is kept as long as a mark names it. -#}
    {%- do statements.append(
'insert into ' ~ kept('calendars') ~ '
select calendar_digest.calendar_digest, calendar.*
from ' ~ models.int_calendar ~ ' as calendar
cross join ' ~ models.int_calendar_digest ~ ' as calendar_digest
where not exists (
    select 1 from ' ~ kept('calendars') ~ ' as calendars
    where calendars.calendar_digest = calendar_digest.calendar_digest
)') -%}
    {%- do statements.append(
'delete from ' ~ kept('calendars') ~ '
where calendar_digest not in (select marks.calendar_digest from ' ~ kept('marks')
~ ' as marks)') -%}
{%- endmacro %}


{#- The text by which events were counted, so that whoever counts some of them anew counts
    by the same. `recount_events` stands for the events. -#}
{% macro _recount_statement(metric, models, statements) -%}
    {%- do statements.append(
'insert or replace into ' ~ kept('recounts') ~ '
select
    ' ~ sql_text(metric.metric_code) ~ ',
    ' ~ sql_text(events_of_view(metric, models) | trim) ~ ',
    ' ~ sql_text(delta_query(metric, 'recount_events', models) | trim)) -%}
{%- endmacro %}


{#- What was seen: the last batch that the tables of a mark include, -1 for nothing. A
    mark of another definition is of no use, and neither is that of a batch which the
    lake does not have: the lake is a restored one. -#}
{% macro _seen_batch(keeper, models) -%}
set variable seen_{{ keeper.number }} = coalesce((
    select marks.batch_id
    from {{ kept('marks') }} as marks
    inner join (
        select distinct calendar_digest from {{ kept('calendars') }}
    ) as calendars
        on marks.calendar_digest = calendars.calendar_digest
    where
        marks.metric_code = {{ sql_text(keeper.code) }}
        and marks.definition_digest = {{ sql_text(keeper.digest) }}
        and marks.batch_digest =
        {{ batch_digest('marks.batch_id', models) }}
), -1)
{%- endmacro %}
