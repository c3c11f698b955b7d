{#- The definition of every billable metric, from the metadata of its model. Empty
    while dbt parses, when there is no graph yet. -#}
{% macro metric_definitions() -%}
    {%- set definitions = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='name') -%}
            {%- if node.resource_type == 'model' and node.name.startswith('metric_') -%}
                {%- if metric_code_of(node.name) not in var('billable_metrics') -%}
                    {{ exceptions.raise_compiler_error(
                        node.original_file_path ~ ' is missing in the variable '
                        ~ 'billable_metrics of dbt_project.yml'
                    ) }}
                {%- endif -%}
                {%- do definitions.append(
                    dict(node.config.meta, metric_code=metric_code_of(node.name))
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(definitions) }}
{%- endmacro %}
