{#- The nodes of an expression; see `read_expression`. -#}

{#- What is written twice is one node. -#}
{% macro _push_leaf(program, kind, text, place) -%}
    {%- if kind in ('name', 'quoted') -%}
        {%- set name = text if kind == 'name' else text | replace('""', '"') -%}
        {%- if name not in program.known -%}
            {%- do program.known.update({name: program.nodes | length}) -%}
            {%- do program.nodes.append({'kind': 'property', 'of': [], 'text': name}) -%}
        {%- endif -%}
        {%- do program.operands.append(program.known[name]) -%}
    {%- else -%}
        {%- if kind == 'number' and text | replace('.', '') | length > 38 -%}
            {%- do _expression_fault(program, place, text,
                'expected a number of at most 38 digits') -%}
        {%- endif -%}
        {%- set key = kind ~ ' ' ~ text -%}
        {%- if key not in program.literals -%}
            {%- do program.literals.update({key: program.nodes | length}) -%}
            {%- do program.nodes.append({
                'kind': kind, 'of': [], 'text': text | replace("''", "'")
            }) -%}
        {%- endif -%}
        {%- do program.operands.append(program.literals[key]) -%}
    {%- endif -%}
{%- endmacro %}


{% macro _push_node(program, node) -%}
    {%- do program.operands.append(program.nodes | length) -%}
    {%- do program.nodes.append(node) -%}
{%- endmacro %}


{% macro _push_operator(program, kind, text, place) -%}
    {%- set name = text[:-1] | trim -%}
    {%- if kind == 'call'
        and name not in ('round', 'ceil', 'floor', 'coalesce', 'concat') -%}
        {%- do _expression_fault(program, place, name,
            'expected one of the functions round, ceil, floor, coalesce and concat') -%}
    {%- elif program.operators | length > 500 -%}
        {%- do _expression_fault(program, place, 'more',
            'expected at most 500 brackets and signs within each other') -%}
    {%- endif -%}
    {%- do program.operators.append({
        'kind': name if kind == 'call' else text, 'place': place,
        'rank': 3 if text == '-' else 0,
        'first': program.operands | length if kind == 'call' else none
    }) -%}
{%- endmacro %}


{#- A sum of sums is one sum. A node is part of one other alone, so that its list
    may grow. -#}
{% macro _push_sum(program, terms, right, sign) -%}
    {%- set node = program.nodes[right] -%}
    {%- if node.kind == 'sum' -%}
        {%- for term in node.of -%}
            {%- do terms.append([term[0] * sign, term[1]]) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do terms.append([sign, right]) -%}
    {%- endif -%}
    {%- do _push_node(program, {'kind': 'sum', 'of': terms}) -%}
{%- endmacro %}


{% macro _push_product(program, left, right) -%}
    {%- set nodes = program.nodes -%}
    {%- set factors = nodes[left].of if nodes[left].kind == 'product' else [left] -%}
    {%- do factors.extend(nodes[right].of if nodes[right].kind == 'product' else [right]) -%}
    {%- do _push_node(program, {'kind': 'product', 'of': factors}) -%}
{%- endmacro %}


{% macro _push_call(program, opened) -%}
    {%- set arguments = program.operands[opened.first:] -%}
    {%- for _ in arguments -%}
        {%- do program.operands.pop() -%}
    {%- endfor -%}
    {%- set node = {'kind': opened.kind, 'of': arguments, 'text': '0'} -%}
    {%- if opened.kind == 'round' and arguments | length == 2 -%}
        {%- set digits = _whole_literal(program, arguments[1]) | trim -%}
        {%- do node.update({'of': arguments[:1], 'text': digits}) -%}
        {%- if digits == '' or digits | int > 18 or digits | int < -18 -%}
            {%- do _expression_fault(program, opened.place, 'other digits',
                'expected whole digits from -18 to 18 for round') -%}
        {%- endif -%}
    {%- elif opened.kind in ('round', 'ceil', 'floor') and arguments | length != 1 -%}
        {%- do _expression_fault(program, opened.place, arguments | length ~ ' values',
            'expected one value for ' ~ opened.kind) -%}
    {%- endif -%}
    {%- do _push_node(program, node) -%}
{%- endmacro %}


{#- The digits of a whole number that stands in the expression, such as -2. -#}
{% macro _whole_literal(program, place) -%}
    {%- set node = program.nodes[place] -%}
    {%- set is_signed = node.kind == 'sum' and node.of | length == 1 -%}
    {%- set inner = program.nodes[node.of[0][1]] if is_signed else node -%}
    {%- if inner.kind == 'number' and '.' not in inner.text and inner.text | length < 4 -%}
        {{ '-' if is_signed and node.of[0][0] == -1 }}{{ inner.text }}
    {%- endif -%}
{%- endmacro %}
