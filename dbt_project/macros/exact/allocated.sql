{#- The parts of a whole by largest remainder, a list like that of the weights: shares in
    proportion to the weights, signed as they are, are cut down; then one unit each goes to the
    greatest remainders, the first of equals first. Weights that add up to 0 or less are given
    nothing.

    whole    integer
    weights  list of integers
    total    what these add up to -#}
{% macro allocated(whole, weights, total) -%}
    case
        when {{ total }} > 0 then {{ with_value(
            'shares',
            'list_transform(' ~ weights ~ ', lambda weight, place: ' ~ _share(whole, total) ~ ')',
            with_value(
                'last_raised',
                _last_raised(whole),
                'list_transform(shares, lambda share: ' ~ _raised() ~ ')'
            )
        ) }}
        else list_transform({{ weights }}, lambda weight: cast(0 as {{ wide_integer() }}))
    end
{%- endmacro %}


{#- The share of a weight, cut down; `behind` and `place` are the order of remainders. -#}
{% macro _share(whole, total) -%}
    {{ with_value(
        'over',
        product_over('weight', whole, total),
        "struct_pack("
            ~ "part := over['cut'] - case when over['rest'] < 0 then 1 else 0 end, "
            ~ "behind := - over['rest'] - case when over['rest'] < 0 then " ~ total
            ~ " else 0 end, "
            ~ "place := place)"
    ) }}
{%- endmacro %}


{#- The last of the shares that are given one more unit, in the order of remainders; null
    where no unit is left. -#}
{% macro _last_raised(whole) -%}
    list_sort(list_transform(shares, lambda share: struct_pack(
        behind := share['behind'], place := share['place']
    )))[nullif(cast(
        {{ whole }} - list_sum(list_transform(shares, lambda share: share['part'])) as bigint
    ), 0)]
{%- endmacro %}


{% macro _raised() -%}
    share['part'] + case
        when
            share['behind'] < last_raised['behind']
            or (
                share['behind'] = last_raised['behind']
                and share['place'] <= last_raised['place']
            )
            then 1
        else 0
    end
{%- endmacro %}
