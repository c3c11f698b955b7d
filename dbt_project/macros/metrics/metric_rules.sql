{#- What options say of each other. `options` are those that are written. -#}
{% macro _check_together(definition, options) -%}
    {%- set traits, kind = definition.traits, definition.aggregation -%}
    {%- for name, goes_with in {
        'operation': 'unique_count', 'values': 'weighted_sum'
    }.items() if name in options and options[name] is not none
        and kind != goes_with -%}
        {%- do metric_fault(definition, name, 'contradiction',
            'goes with ' ~ goes_with ~ ', not with ' ~ kind ~ '; remove it') -%}
    {%- endfor -%}
    {%- for name, other in {
        'combine': 'bucket', 'empty_buckets': 'bucket', 'bucket_by': 'bucket',
        'round_digits': 'round'
    }.items() if name in options and options[name] is not none
        and definition[other] is none -%}
        {%- do metric_fault(definition, name, 'contradiction',
            'goes with ' ~ other ~ ', which is not there; add it, or remove this') -%}
    {%- endfor -%}
    {%- do _check_percentile(definition) -%}
    {%- if definition.recurring and not traits.recurring -%}
        {%- do metric_fault(definition, 'recurring', 'unsupported',
            'is refused with ' ~ kind ~ ', which begins anew in each period; remove it') -%}
    {%- endif -%}
    {%- if definition.by_days and kind not in ('sum', 'unique_count') -%}
        {%- do metric_fault(definition, 'by_days', 'unsupported',
            'goes with sum and unique_count, not with ' ~ kind ~ '; remove it') -%}
    {%- endif -%}
    {%- if definition.bucket is not none -%}
        {%- do _check_bucket(definition) -%}
    {%- endif -%}
{%- endmacro %}


{% macro _check_percentile(definition) -%}
    {%- set is_inner = definition.aggregation == 'percentile' -%}
    {%- set is_outer = definition.bucket is not none
        and definition.combine == 'percentile' -%}
    {%- set text = definition.percentile | string -%}
    {%- if is_inner and is_outer -%}
        {%- do metric_fault(definition, 'combine', 'unsupported',
            'percentile of percentiles is refused; combine them otherwise') -%}
    {%- elif definition.percentile is none and (is_inner or is_outer) -%}
        {%- do metric_fault(definition, 'percentile', 'missing',
            'is missing; write a number above 0 and at most 100') -%}
    {%- elif definition.percentile is not none and not is_inner and not is_outer -%}
        {%- do metric_fault(definition, 'percentile', 'contradiction',
            'goes with percentile as aggregation or combine; remove it') -%}
    {%- elif definition.percentile is not none and (
        not modules.re.fullmatch('(100([.]0{1,18})?|[0-9]{1,2}([.][0-9]{1,18})?)', text)
        or not modules.re.search('[1-9]', text)
    ) -%}
        {%- do metric_fault(definition, 'percentile', 'bad',
            'expected a number above 0 and at most 100, found ' ~ text) -%}
    {%- endif -%}
{%- endmacro %}


{% macro _check_bucket(definition) -%}
    {%- if bucket_minutes(definition.bucket | string) | trim == '' -%}
        {%- do metric_fault(definition, 'bucket', 'bad',
            'expected day, or minutes that divide 60, or hours that divide 24, such as '
            ~ '5 minutes, found ' ~ definition.bucket) -%}
    {%- endif -%}
    {%- for name in ('recurring', 'by_days') if definition[name] -%}
        {%- do metric_fault(definition, name, 'unsupported',
            'does not go with buckets; remove one of them') -%}
    {%- endfor -%}
{%- endmacro %}


{#- How many minutes a bucket has: `day` for local days, nothing for a width that
    there is none of. -#}
{% macro bucket_minutes(bucket) -%}
    {%- set found = modules.re.fullmatch('(?:([0-9]{1,2}) )?(minute|hour)s?', bucket) -%}
    {%- if bucket == 'day' -%}
        day
    {%- elif found -%}
        {%- set count = (found.group(1) or '1') | int -%}
        {%- set is_minutes = found.group(2) == 'minute' -%}
        {%- if count > 0 and (60 if is_minutes else 24) % count == 0 -%}
            {{ count if is_minutes else count * 60 }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
