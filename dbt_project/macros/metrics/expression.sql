{#- An expression over properties, such as `coalesce(cpu, 1) * seconds / 60`, read
    into a program: a list of nodes, each after those that it is made of. No step
    calls itself, so that a thousand terms are as good as two.

    `program` gets:
      nodes   {kind, of, text}; kinds are property, number, text, sum, product,
              quotient, round, ceil, floor, coalesce and concat. `of` lists places
              in nodes; of a sum, pairs of 1 or -1 and a place
      root    the place of the whole
      faults  sentences that say what is wrong, and at which character -#}
{% macro read_expression(expression, program) -%}
    {%- do program.update({
        'nodes': [], 'faults': [], 'operands': [], 'operators': [], 'known': {},
        'literals': {}
    }) -%}
    {%- set pattern = '(?P<space>\\s+)|(?P<number>[0-9]+(?:[.][0-9]+)?)'
        ~ '|(?P<call>[A-Za-z_][A-Za-z0-9_]*\\s*[(])|(?P<name>[A-Za-z_][A-Za-z0-9_]*)'
        ~ '|"(?P<quoted>(?:[^"]|"")*)"' ~ "|'(?P<text>(?:[^']|'')*)'"
        ~ '|(?P<sign>[-+*/(),])|(?P<other>.)' -%}
    {%- set at = namespace(wants_operand=true) -%}
    {%- for found in modules.re.finditer(pattern, expression, modules.re.DOTALL)
        if found.lastgroup != 'space' and not program.faults -%}
        {%- set kind = found.lastgroup -%}
        {%- set text = found.group(kind) -%}
        {%- set place = found.start() + 1 -%}
        {%- if kind == 'other' -%}
            {%- do _expression_fault(program, place, text,
                'expected a number, a property, a text, a sign or a function') -%}
        {%- elif at.wants_operand -%}
            {%- if kind in ('number', 'name', 'quoted', 'text') -%}
                {%- do _push_leaf(program, kind, text, place) -%}
                {%- set at.wants_operand = false -%}
            {%- elif kind == 'call' or text in ('(', '-') -%}
                {%- do _push_operator(program, kind, text, place) -%}
            {%- else -%}
                {%- do _expression_fault(program, place, text,
                    'expected a value, such as a property or a number') -%}
            {%- endif -%}
        {%- elif text in ('+', '-', '*', '/') and kind == 'sign' -%}
            {%- do _reduce(program, 2 if text in ('*', '/') else 1) -%}
            {%- do program.operators.append(
                {'kind': text, 'place': place, 'rank': 2 if text in ('*', '/') else 1}
            ) -%}
            {%- set at.wants_operand = true -%}
        {%- elif text in (',', ')') and kind == 'sign' -%}
            {%- do _reduce(program, 1) -%}
            {%- do _end_argument(program, text, place) -%}
            {%- set at.wants_operand = text == ',' -%}
        {%- else -%}
            {%- do _expression_fault(program, place, text,
                'expected a sign such as + before it') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not program.faults and at.wants_operand -%}
        {%- do _expression_fault(program, expression | length + 1, 'the end',
            'expected a value, such as a property or a number') -%}
    {%- endif -%}
    {%- do _reduce(program, 1) if not program.faults -%}
    {%- if not program.faults and program.operators -%}
        {%- do _expression_fault(program, program.operators[-1].place, 'no end of it',
            'expected ) for the bracket') -%}
    {%- elif not program.faults -%}
        {%- do program.update({'root': program.operands[-1]}) -%}
    {%- endif -%}
{%- endmacro %}


{% macro _expression_fault(program, place, found, expected) -%}
    {%- do program.faults.append(
        expected ~ ' at character ' ~ place ~ ', found ' ~ found
    ) -%}
{%- endmacro %}


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


{#- Works off the operators at the top that bind at least so strongly. -#}
{% macro _reduce(program, rank) -%}
    {%- set is_over = namespace(value=false) -%}
    {%- for operator in program.operators[::-1] if not is_over.value -%}
        {%- if operator.rank < rank -%}
            {%- set is_over.value = true -%}
        {%- else -%}
            {%- do program.operators.pop() -%}
            {%- set right = program.operands.pop() -%}
            {%- if operator.rank == 3 -%}
                {%- do _push_sum(program, [], right, -1) -%}
            {%- else -%}
                {%- set left = program.operands.pop() -%}
                {%- if operator.kind == '/' -%}
                    {%- do _push_node(program, {'kind': 'quotient', 'of': [left, right]}) -%}
                {%- elif operator.kind == '*' -%}
                    {%- do _push_product(program, left, right) -%}
                {%- else -%}
                    {%- set is_sum = program.nodes[left].kind == 'sum' -%}
                    {%- do _push_sum(
                        program,
                        program.nodes[left].of if is_sum else [[1, left]],
                        right,
                        1 if operator.kind == '+' else -1
                    ) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
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


{#- After an argument: the next one follows, or the bracket ends. -#}
{% macro _end_argument(program, text, place) -%}
    {%- set opened = program.operators[-1] if program.operators else none -%}
    {%- if opened is none or (text == ',' and opened.first is none) -%}
        {%- do _expression_fault(program, place, text, 'expected a bracket before it') -%}
    {%- elif text == ')' -%}
        {%- do program.operators.pop() -%}
        {%- if opened.first is not none -%}
            {%- do _push_call(program, opened) -%}
        {%- endif -%}
    {%- endif -%}
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
