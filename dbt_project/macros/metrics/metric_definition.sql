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


{% macro _check_value(definition) -%}
    {%- set program = {} -%}
    {%- if definition.value is none -%}
        {%- if definition.traits.needs_value -%}
            {%- do metric_fault(definition, 'value', 'missing',
                'is missing; write a property or an expression for the aggregation '
                ~ definition.aggregation) -%}
        {%- endif -%}
    {%- else -%}
        {%- do read_expression(definition.value | string, program) -%}
        {%- for fault in program.faults -%}
            {%- do metric_fault(definition, 'value', 'bad', fault) -%}
        {%- endfor -%}
        {%- if not program.faults -%}
            {%- do plan_expression(program, definition.value_kind) -%}
            {%- if program.layers | length > 200 -%}
                {%- do metric_fault(definition, 'value', 'bad',
                    'expected at most 200 steps one after another, found '
                    ~ program.layers | length
                    ~ '; have the sender work out a part of it') -%}
            {%- elif program.work > 600 -%}
                {%- do metric_fault(definition, 'value', 'bad',
                    'expected at most 600 products, quotients and other steps beside '
                    ~ 'sums, found ' ~ program.work ~ '; have the sender work out a part of it') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro _check_filters(definition, path, filters) -%}
    {%- for name, rule in filters.items() -%}
        {%- set here = path ~ '.' ~ name -%}
        {%- if rule is mapping -%}
            {%- if not rule -%}
                {%- do metric_fault(definition, here, 'bad', 'expected a condition, found none') -%}
            {%- endif -%}
            {%- for operator, operand in rule.items() -%}
                {%- set inner = here ~ '.' ~ operator -%}
                {%- if operator == 'not_in' -%}
                    {%- do _check_texts(definition, inner, operand) -%}
                {%- elif operator == 'exists' and operand is not boolean -%}
                    {%- do metric_fault(definition, inner, 'bad',
                        'expected true or false, found ' ~ operand) -%}
                {%- elif operator in ('gt', 'gte', 'lt', 'lte') -%}
                    {%- if operand is boolean or not modules.re.fullmatch(
                        '[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?', operand | string) -%}
                        {%- do metric_fault(definition, inner, 'bad',
                            'expected a number, found ' ~ operand) -%}
                    {%- endif -%}
                {%- elif operator != 'exists' -%}
                    {%- do metric_fault(definition, inner, 'unknown',
                        'is no condition; there are not_in, exists, gt, gte, lt and lte') -%}
                {%- endif -%}
            {%- endfor -%}
        {%- else -%}
            {%- do _check_texts(definition, here, [rule] if rule is string else rule) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#- The lake keeps an array or an object as its JSON text, which is not compared. -#}
{% macro _check_texts(definition, path, texts) -%}
    {%- if texts is string or texts is mapping or texts is not sequence or not texts -%}
        {%- do metric_fault(definition, path, 'bad', 'expected a list of texts, found '
            ~ (texts if texts else 'none')) -%}
    {%- else -%}
        {%- for text in texts -%}
            {%- set parsed = fromjson(text | string, none) -%}
            {%- if (parsed is sequence or parsed is mapping) and parsed is not string
                or text is none
                or (text is not string and text is not number and text is not boolean) -%}
                {%- do metric_fault(definition, path, 'bad', 'expected texts, found the '
                    ~ 'array or object ' ~ text ~ '; name a part of it by SQL of its own') -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
