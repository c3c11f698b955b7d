{#- The steps in which a program is worked out, by layers: a layer reads the columns
    of those before it. Long sums and products are worked out in pairs.

    A node is a number or a text. The number of step 7 is the columns `_7_m` and
    `_7_e`: m times ten to the power of -e; its text is `_7_t`. `_7_r` says why
    there is none. Nothing is rounded on the way: a number that 38 digits do not
    hold is too large or too precise.

    program   as `read_expression` leaves it; it gets `layers`, lists of columns,
              and `result`, the step of the whole
    kind      number or text: what the whole is wanted as -#}
{% macro plan_expression(program, kind) -%}
    {%- do program.update({'layers': {}, 'numbers': {}, 'texts': {}, 'depths': {},
                           'steps': program.nodes | length, 'work': 0}) -%}
    {%- set used = {program.root: true} -%}
    {%- for place in range(program.root, -1, -1) if place in used -%}
        {%- set node = program.nodes[place] -%}
        {%- for part in node.of -%}
            {%- do used.update({part[1] if node.kind == 'sum' else part: true}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for place in range(program.nodes | length) if place in used -%}
        {%- do _plan_node(program, place, program.nodes[place]) -%}
    {%- endfor -%}
    {%- do _want(program, kind, [program.root]) -%}
    {%- set steps = program.numbers if kind == 'number' else program.texts -%}
    {%- do program.update({'result': steps[program.root]}) -%}
{%- endmacro %}


{% macro _plan_node(program, place, node) -%}
    {%- if node.kind == 'property' -%}
        {%- do _add_step(program, place, [], _property_columns(place, node.text)) -%}
        {%- do program.texts.update({place: place}) -%}
    {%- elif node.kind == 'text' -%}
        {%- do _add_step(program, place, [], _text_columns(place, node.text)) -%}
        {%- do program.texts.update({place: place}) -%}
    {%- elif node.kind == 'number' -%}
        {%- do _add_step(program, place, [], _literal_columns(place, node.text)) -%}
        {%- do program.numbers.update({place: place}) -%}
    {%- elif node.kind in ('coalesce', 'concat') -%}
        {%- do _want(program, 'text', node.of) -%}
        {%- set parts = [] -%}
        {%- for part in node.of -%}
            {%- do parts.append(program.texts[part]) -%}
        {%- endfor -%}
        {%- do _add_step(program, place, parts,
            _coalesce_columns(place, parts) if node.kind == 'coalesce'
            else _concat_columns(place, parts)) -%}
        {%- do program.texts.update({place: place}) -%}
    {%- elif node.kind == 'sum' -%}
        {%- set signs, places = [], [] -%}
        {%- if node.of | length > 24 -%}
            {%- do _plan_long_sum(program, place, node.of) -%}
        {%- endif -%}
        {%- for sign, part in node.of if node.of | length <= 24 -%}
            {%- do signs.append(sign) -%}
            {%- do places.append(part) -%}
        {%- endfor -%}
        {%- do _want(program, 'number', places) -%}
        {%- do _plan_pairs(program, place, 'sum', places, signs) if places -%}
    {%- elif node.kind == 'product' -%}
        {%- do _want(program, 'number', node.of) -%}
        {%- do _plan_pairs(program, place, 'product', node.of, none) -%}
    {%- elif node.kind == 'quotient' -%}
        {%- do _want(program, 'number', node.of) -%}
        {%- set left, right = program.numbers[node.of[0]], program.numbers[node.of[1]] -%}
        {%- do _add_step(program, place, [left, right],
            _quotient_columns(place, left, right), has_parts=true) -%}
        {%- do program.numbers.update({place: place}) -%}
    {%- else -%}
        {%- do _want(program, 'number', node.of) -%}
        {%- set inner = program.numbers[node.of[0]] -%}
        {%- do _add_step(program, place, [inner],
            _rounded_columns(place, inner, node.kind, node.text)) -%}
        {%- do program.numbers.update({place: place}) -%}
    {%- endif -%}
{%- endmacro %}


{#- Columns of a step, in the first layer after those that it reads. Parts that ---
    stands between are in layers one after another. -#}
{% macro _add_step(program, step, reads, columns, has_parts=false) -%}
    {%- do program.update({'work': program.work + 1}) if reads -%}
    {%- set depths = [-1] -%}
    {%- for each in reads -%}
        {%- do depths.append(program.depths[each]) -%}
    {%- endfor -%}
    {%- for part in (columns.split('---') if has_parts else [columns]) -%}
        {%- set depth = (depths | max) + loop.index -%}
        {%- do program.depths.update({step: depth}) -%}
        {%- do program.layers.setdefault(depth, []).append(part) -%}
    {%- endfor -%}
{%- endmacro %}


{#- Nodes as numbers, or as texts, where they are the other. -#}
{% macro _want(program, kind, places) -%}
    {%- for place in places -%}
        {%- if kind == 'number' and place not in program.numbers -%}
            {%- set read, step = program.steps, program.steps + 1 -%}
            {%- do program.update({'steps': program.steps + 2}) -%}
            {%- do _add_step(program, read, [place], _digit_columns(read, place),
                has_parts=true) -%}
            {%- do _add_step(program, step, [read], _number_columns(step, read, place)) -%}
            {%- do program.numbers.update({place: step}) -%}
        {%- elif kind == 'text' and place not in program.texts -%}
            {%- set step = program.steps -%}
            {%- do program.update({'steps': program.steps + 1}) -%}
            {%- do _add_step(program, step, [place], _number_text_columns(step, place)) -%}
            {%- do program.texts.update({place: step}) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
