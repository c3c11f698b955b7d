{#- `keepers` gets who keeps something: the counts of events, whose code is empty, and
    each metric.

      number   tells its temporary tables and variables apart
      code     of its mark
      metric   its definition; none for the counts
      metrics  the definitions of all metrics
      names    the properties that any metric looks at, which loaded events have as columns
      has_days whether any metric counts by local days, which loaded events then have
      digest   of everything that its tables depend on beside events and calendar: also
               of the statements, so that another version of them begins anew
      tables   what is kept, by kind -#}
{% macro keepers_of(metrics, models, view_texts, keepers) -%}
    {%- set all, names, own_names = [none], {}, {} -%}
    {%- do all.extend(metrics) -%}
    {%- for metric in metrics -%}
        {%- set own = [] -%}
        {%- do properties_of(metric, own) -%}
        {%- do own_names.update({metric.metric_code: own}) -%}
        {%- for name in own -%} {%- do names.update({name: true}) -%} {%- endfor -%}
    {%- endfor -%}
    {%- set loaded = [] -%}
    {%- do loaded_events([], true, models, loaded) -%}
    {%- for metric in all -%}
        {%- set code = metric.metric_code if metric is not none else '' -%}
        {%- set text = view_texts['metric_' ~ code if code else 'int_events_attributed']
            ~ loaded | join(';') -%}
        {%- set keeper = {
            'number': loop.index0, 'code': code, 'metric': metric, 'metrics': metrics,
            'names': names | sort,
            'has_days': metrics | selectattr('traits.daily') | list | length > 0
        } -%}
        {%- do _digest(keeper, own_names.get(code, keeper.names), models, text) -%}
        {%- do keepers.append(keeper) -%}
    {%- endfor -%}
{%- endmacro %}


{#- Worked out as if a metric were the only one: what others look at numbers the columns
    of loaded events, and would begin it anew. -#}
{% macro _digest(keeper, own_names, models, events_text) -%}
    {%- set of_number, names = keeper.number, keeper.names -%}
    {%- do keeper.update({'number': 0, 'names': own_names, 'digest': '-' * 32}) -%}
    {%- do _name_tables(keeper) -%}
    {%- set statements = [events_text] -%}
    {%- do begin_statements([keeper], models, statements) -%}
    {%- do delta_statements(keeper, models, statements) -%}
    {%- do end_statements([keeper], models, statements) -%}
    {%- do keeper.update({'number': of_number, 'names': names}) -%}
    {%- do keeper.update({'digest': local_md5(statements | join(';'))}) -%}
    {%- do _name_tables(keeper) -%}
{%- endmacro %}


{% macro _name_tables(keeper) -%}
    {%- set suffix = keeper.code ~ '_' ~ keeper.digest[:8] -%}
    {%- if keeper.metric is none -%}
        {%- do keeper.update({'tables': {'slots': kept('counts_' ~ suffix)}}) -%}
    {%- else -%}
        {%- do keeper.update({'tables': {
            'slots': kept('slots_' ~ suffix),
            'state': kept('state_' ~ suffix),
            'unmetered': kept('unmetered_' ~ suffix),
            'usage': kept('usage_' ~ suffix),
        }}) -%}
        {%- do keeper.tables.update({'days': kept('days_' ~ suffix)})
            if keeper.metric.traits.daily -%}
    {%- endif -%}
{%- endmacro %}


{#- A row if the tables of a keeper are as this run makes them. -#}
{% macro current_mark(keeper, models) -%}
select 1
from {{ kept('marks') }} as marks
inner join {{ models.int_calendar_digest }} as calendar_digest
    on marks.calendar_digest = calendar_digest.calendar_digest
where
    marks.metric_code = {{ sql_text(keeper.code) }}
    and marks.definition_digest = {{ sql_text(keeper.digest) }}
    and marks.batch_id = {{ last_batch(models) }}
    and marks.batch_digest = {{ batch_digest('marks.batch_id', models) }}
{%- endmacro %}


{#- The last batch of events. -#}
{% macro last_batch(models) -%}
    (
        select coalesce(max(batch_id), 0)
        from {{ models.batches }}
        where kind = 'decide'
    )
{%- endmacro %}


{#- A batch as the lake has it, so that another one of the same number is noticed. -#}
{% macro batch_digest(batch_id, models) -%}
    (
        select md5(cast(batches as varchar))
        from {{ models.batches }} as batches
        where batches.batch_id = {{ batch_id }}
    )
{%- endmacro %}
