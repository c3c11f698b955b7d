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
