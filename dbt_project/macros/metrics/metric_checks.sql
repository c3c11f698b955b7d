{#- What is wrong with the value and the filters of a metric. -#}

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
