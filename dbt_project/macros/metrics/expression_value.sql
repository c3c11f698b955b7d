{#- The value of a metric from the result of its expression. -#}

{#- The result of a program in 10^-18, or null where it has no digits to spare. -#}
{% macro _unit_columns(metric, step) -%}
    {%- set m, e, digits = '_' ~ step ~ '_m', '_' ~ step ~ '_e', metric.fraction_digits -%}
    {%- set unit = power_of_ten('(' ~ e ~ ' - ' ~ digits ~ ')') -%}
    case
        when {{ m }} = 0 then 0
        when {{ _places(step) }} > 20 then null
        when {{ e }} <= {{ digits }}
            then {{ m }} * {{ power_of_ten('(18 - ' ~ e ~ ')') }}
        {%- if metric.round_values %}
        when {{ e }} - {{ digits }} > 38 then 0
        else {{ div_round(m, unit) }} * 1{{ '0' * (18 - digits) }}
        {%- else %}
        when {{ m }} % {{ unit }} = 0
            then {{ quotient(m, unit) }} * 1{{ '0' * (18 - digits) }}
        {%- endif %}
    end as _{{ step }}_u
    {%- if metric.round_values %},
    case
        when {{ m }} != 0
            and {{ _places(step) }} <= 20
            and {{ e }} > {{ digits }}
            and ({{ e }} - {{ digits }} > 38 or {{ m }} % {{ unit }} != 0)
            then case
                when {{ e }} <= 18 then {{ m }} * {{ power_of_ten('(18 - ' ~ e ~ ')') }}
                when {{ e }} - 18 > 38 then 0
                else {{ div_round(m, power_of_ten('(' ~ e ~ ' - 18)')) }}
            end
    end as _{{ step }}_sent
    {%- endif %}
{%- endmacro %}


{#- By how much a result was rounded: what came out, at 18 digits, less what is kept. -#}
{% macro _program_rounded_by(metric, step) -%}
    case
        when _{{ step }}_sent is not null and {{ _program_reason(metric, step) }} is null
            then {{ quantity_of('(_' ~ step ~ '_sent - _' ~ step ~ '_u)') }}
    end
{%- endmacro %}


{% macro _program_value(step) -%}
    case
        when
            _{{ step }}_r is null
            and abs(_{{ step }}_u) < cast('1{{ '0' * 38 }}' as {{ wide_integer() }})
            then {{ quantity_of('_' ~ step ~ '_u') }}
    end
{%- endmacro %}


{% macro _program_reason(metric, step) -%}
    coalesce(
        _{{ step }}_r,
        case
            when abs(_{{ step }}_u) < cast('1{{ '0' * 38 }}' as {{ wide_integer() }})
                then null
            {%- if not metric.round_values %}
            when {{ _places(step) }} <= 20 then 'too_precise'
            {%- endif %}
            else 'too_large'
        end
    )
{%- endmacro %}
