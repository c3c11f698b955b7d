{#- Sums and products of many terms; see `plan_expression`. -#}

{% macro _plan_long_sum(program, place, of) -%}
    {%- set terms, reads = [], [] -%}
    {%- for sign, part in of -%}
        {%- set is_text = part not in program.numbers -%}
        {%- set step = program.texts[part] if is_text else program.numbers[part] -%}
        {%- do terms.append({'sign': sign, 'step': step, 'is_text': is_text}) -%}
        {%- do reads.append(step) -%}
    {%- endfor -%}
    {%- do _add_step(
        program, place, reads, long_sum_columns(place, terms), has_parts=true
    ) -%}
    {%- do program.numbers.update({place: place}) -%}
{%- endmacro %}


{#- A sum or a product of many, in pairs, pairs of pairs and so on. -#}
{% macro _plan_pairs(program, place, kind, places, signs) -%}
    {%- set now = namespace(steps=[], signs=signs or [1] * (places | length)) -%}
    {%- for part in places -%}
        {%- do now.steps.append(program.numbers[part]) -%}
    {%- endfor -%}
    {%- for _ in range(40) if now.steps | length > 1 or now.signs[0] == -1 -%}
        {%- set next = [] -%}
        {%- for first in range(0, now.steps | length, 2) -%}
            {%- set pair = now.steps[first:first + 2] -%}
            {%- if pair | length == 1 and now.signs[first] == 1 -%}
                {%- do next.append(pair[0]) -%}
            {%- else -%}
                {%- set step = program.steps -%}
                {%- do program.update({'steps': step + 1}) -%}
                {%- do _add_step(program, step, pair,
                    _sum_columns(step, pair, now.signs[first:first + 2]) if kind == 'sum'
                    else _product_columns(step, pair[0], pair[1]),
                    has_parts=true) -%}
                {%- do next.append(step) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set now.steps, now.signs = next, [1] * (next | length) -%}
    {%- endfor -%}
    {%- do program.numbers.update({place: now.steps[0]}) -%}
{%- endmacro %}
