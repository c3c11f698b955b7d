{#- The type of what each discount of an invoice took off its lines, in their order. -#}
{% macro parts_of_discounts_type() -%}
    struct(discount_number bigint, of_lines {{ wide_integer() }}[])[]
{%- endmacro %}


{#- The state of an invoice after one more discount. -#}
{% macro invoice_after_discount() -%}
    {{ with_value(
        'lefts',
        lefts_of_lines("state['lefts']", "discount['line_numbers']"),
        with_value('total', 'list_sum(lefts)', with_value('taken', _taken_off(),
            with_value('of_lines', allocated('taken', 'lefts', 'total'), _state_less_taken())
        ))
    ) }}
{%- endmacro %}


{#- What a discount takes off the lines that it covers: no more than they come to. -#}
{% macro _taken_off() -%}
    case
        when total <= 0 or discount['periods'] <= state['times'][discount['discount_number']]
            then 0
        else least(total, case
            when discount['is_percent']
                then {{ rounded_product("discount['worth']", 'total', "discount['whole']") }}
            when discount['is_once']
                then greatest(
                    discount['worth'] - discount['used']
                    - state['given'][discount['discount_number']],
                    0
                )
            else discount['worth']
        end)
    end
{%- endmacro %}


{% macro _state_less_taken() -%}
    struct_pack(
        lefts := list_transform(state['lefts'], lambda each, place: each - of_lines[place]),
        given := list_transform(state['given'], lambda each, place: each
            + case when place = discount['discount_number'] then taken else 0 end),
        times := list_transform(state['times'], lambda each, place: each
            + case when place = discount['discount_number'] and taken > 0 then 1 else 0 end),
        parts := list_append(state['parts'], struct_pack(
            discount_number := discount['discount_number'], of_lines := of_lines
        ))
    )
{%- endmacro %}
