{#- What lines of a metric count by local day, in time for their bill. `lines` is a relation
    of lines with what their charge asks for. The whole of a line is rounded as the metric
    says, days are not. -#}
{% macro usage_of_lines_by_day(metric, lines) -%}
    {%- set merge = aggregation_part(metric, 'merge') -%}
    {%- set whole = 'sum(quantity) over (partition by line_key)' -%}
    {%- set asked = ['invoice_id', 'charge_code', 'grouping_key', 'group_by',
                     'missing_dimension', 'conditions'] -%}
    select
        line_key,
        local_day as day_number,
        quantity,
        {{ rounded_quantity(metric, 'line_quantity') }} as line_quantity
    from (
        select
            *,
            cast({{ whole }} as decimal(38, 18)) as line_quantity
        from (
            select
                lines_asking.line_key,
                parts_by_day.local_day,
                {{ aggregation_part(metric, 'final') }} as quantity
            from (
                select
                    invoice_id,
                    charge_code,
                    asked_key,
                    local_day,
                    {{- merge ~ ',' if merge | trim }}
                    cast(sum(event_count) as bigint) as event_count
                from (
                    select
                        charges_asking.invoice_id,
                        charges_asking.charge_code,
                        days.*,
                        {{ asked_group_key('days.group_key',
                            grouping_key(sql_text_list(metric.group_by | sort)),
                            'charges_asking.grouping_key', 'charges_asking.group_by',
                            'charges_asking.missing_dimension') }} as asked_key
                    from (
                        select distinct {{ asked | join(', ') }}
                        from {{ lines }}
                        where metric_code = {{ sql_text(metric.metric_code) }}
                    ) as charges_asking
                    inner join {{ kept('slots_' ~ metric.metric_code) }} as slots
                        on charges_asking.invoice_id = slots.invoice_id
                    inner join {{ kept('days_' ~ metric.metric_code) }} as days
                        on slots.slot_id = days.slot_id
                    where
                        not slots.is_late
                        and slots.version_reason is null
                        and slots.unmetered_reason is null
                        and {{ conditions_hold('charges_asking.conditions',
                            properties_of_group('days.group_key')) }}
                ) as days_asked
                group by invoice_id, charge_code, asked_key, local_day
            ) as parts_by_day
            inner join {{ lines }} as lines_asking
                on
                    parts_by_day.invoice_id = lines_asking.invoice_id
                    and parts_by_day.charge_code = lines_asking.charge_code
                    and parts_by_day.asked_key = lines_asking.group_key
        ) as quantities_by_day
    ) as quantities_of_lines
{%- endmacro %}
