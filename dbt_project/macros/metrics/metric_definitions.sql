{#- The definition of every billable metric: the metadata of its model, in the
    order of codes. Empty while dbt parses, when there is no graph yet. -#}
{% macro metric_definitions() -%}
    {%- set definitions = [] -%}
    {%- set nodes = graph.nodes.values() if execute else [] -%}
    {%- for node in nodes | sort(attribute='name')
        if node.resource_type == 'model' and node.name.startswith('metric_') -%}
        {%- if node.name != 'metric_' ~ node.config.meta.metric_code -%}
            {{ exceptions.raise_compiler_error(
                'expected the metric_code of ' ~ node.original_file_path
                ~ ' to be as the file is named, found '
                ~ node.config.meta.metric_code
            ) }}
        {%- endif -%}
        {%- do definitions.append(node.config.meta) -%}
    {%- endfor -%}
    {{ return(definitions) }}
{%- endmacro %}
