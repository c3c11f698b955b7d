{#- The definition of every billable metric: the metadata of its model, in the
    order of codes. Empty while dbt parses, when there is no graph yet. -#}
{% macro metric_definitions() -%}
    {%- set definitions = [] -%}
    {%- set nodes = graph.nodes.values() if execute else [] -%}
    {%- for node in nodes | sort(attribute='name')
        if node.resource_type == 'model' and node.name.startswith('metric_') -%}
        {%- if node.name != 'metric_' ~ node.config.meta.metric_code
            or node.config.meta.metric_code not in var('billable_metrics') -%}
            {{ exceptions.raise_compiler_error(
                'expected the variable billable_metrics to name the metric of '
                ~ node.original_file_path ~ ', found '
                ~ var('billable_metrics') ~ '; the metric calls itself '
                ~ node.config.meta.metric_code
            ) }}
        {%- endif -%}
        {%- do definitions.append(node.config.meta) -%}
    {%- endfor -%}
    {{ return(definitions) }}
{%- endmacro %}
