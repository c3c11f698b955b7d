{#- A metric's options by their names, with defaults for what is left out, and
    `faults`, a list of what is wrong: {option, kind, reason}. The kinds are
    unknown, missing, bad, contradiction and unsupported. `definition` gets them. -#}
{% macro metric_definition(options, definition) -%}
    {%- do definition.update({
        'event_name': none, 'value': none, 'filters': {}, 'exclude': [], 'group_by': [],
        'recurring': false, 'operation': none, 'values': 'changes', 'percentile': none,
        'bucket': none, 'combine': 'sum', 'empty_buckets': 'skip', 'bucket_by': [],
        'by_days': false, 'fraction_digits': 18, 'round_values': false, 'round': none,
        'round_digits': 0, 'aggregation': none, 'faults': [], 'traits': {},
        'value_kind': 'number',
    }) -%}
    {%- for name, option in options.items() if option is not none -%}
        {%- if name in definition and name not in ('faults', 'traits', 'value_kind') -%}
            {%- do definition.update({name: option}) -%}
        {%- else -%}
            {%- do metric_fault(definition, name, 'unknown', 'is no option of a metric') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if definition.event_name is string -%}
        {%- do definition.update({'event_name': [definition.event_name]}) -%}
    {%- endif -%}
    {%- do _check_kinds(definition) -%}
    {%- if not definition.faults -%}
        {%- do traits_of(definition, definition.traits) -%}
        {%- do definition.update({'value_kind': definition.traits.value}) -%}
        {%- do _check_value(definition) -%}
        {%- do _check_filters(definition, 'filters', definition.filters) -%}
        {%- for entry in definition.exclude -%}
            {%- do _check_filters(definition, 'exclude[' ~ loop.index0 ~ ']', entry) -%}
        {%- endfor -%}
        {%- do _check_together(definition, options) -%}
    {%- endif -%}
{%- endmacro %}


{% macro metric_fault(definition, option, kind, reason) -%}
    {%- do definition.faults.append({'option': option, 'kind': kind, 'reason': reason}) -%}
{%- endmacro %}


{#- Each option by itself. -#}
{% macro _check_kinds(definition) -%}
    {%- set known_names = [] -%}
    {%- do aggregation_names(known_names) -%}
    {%- set choices = {
        'aggregation': known_names, 'values': ['changes', 'levels'],
        'combine': ['sum', 'max', 'min', 'average', 'percentile'],
        'empty_buckets': ['skip', 'zero'], 'round': ['round', 'ceil', 'floor'],
    } -%}
    {%- for name, known in choices.items() if definition[name] is not none -%}
        {%- if definition[name] not in known -%}
            {%- do metric_fault(definition, name, 'bad', 'expected one of '
                ~ known | join(', ')
                ~ ', found ' ~ definition[name]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if definition.aggregation is none -%}
        {%- do metric_fault(definition, 'aggregation', 'missing', 'is missing; write it') -%}
    {%- endif -%}
    {%- for name in ('value', 'operation', 'bucket', 'percentile')
        if definition[name] is not none and definition[name] is not string
        and (name != 'percentile' or definition[name] is not number) -%}
        {%- do metric_fault(definition, name, 'bad',
            'expected a text, found ' ~ definition[name]) -%}
    {%- endfor -%}
    {%- for name in ('recurring', 'by_days', 'round_values')
        if definition[name] is not boolean -%}
        {%- do metric_fault(definition, name, 'bad',
            'expected true or false, found ' ~ definition[name]) -%}
    {%- endfor -%}
    {%- for name, least in {'fraction_digits': 0, 'round_digits': -18}.items()
        if definition[name] is not integer
        or definition[name] < least or definition[name] > 18 -%}
        {%- do metric_fault(definition, name, 'bad', 'expected a whole number from '
            ~ least ~ ' to 18, found ' ~ definition[name]) -%}
    {%- endfor -%}
    {%- set entries = [definition.filters] -%}
    {%- do entries.extend(definition.exclude) if definition.exclude is not string -%}
    {%- for entry in entries if entry is not mapping -%}
        {%- do metric_fault(definition, 'filters' if loop.first else 'exclude', 'bad',
            'expected conditions by property, found ' ~ entry) -%}
    {%- endfor -%}
    {%- for name in ('event_name', 'group_by', 'bucket_by')
        if definition[name] is not none -%}
        {%- set seen = [] -%}
        {%- set is_list = definition[name] is sequence and definition[name] is not string
            and definition[name] is not mapping -%}
        {%- for text in (definition[name] if is_list else [none]) -%}
            {%- if text is not string or text in seen -%}
                {%- do metric_fault(definition, name, 'bad',
                    'expected a list of texts, each once, found '
                    ~ (definition[name] if text is none else text)) -%}
            {%- endif -%}
            {%- do seen.append(text) -%}
        {%- endfor -%}
        {%- if name == 'event_name' and not seen -%}
            {%- do metric_fault(definition, name, 'bad',
                'expected a name, found none; leave it out for every event') -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
