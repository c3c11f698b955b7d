{#- What a name means changes where one of its spans begins or ends, and nowhere else. -#}
{% macro sender_statements(sent, models, statements) -%}
    {%- set columns = (['name_number'] + sent) | join(', ') -%}
    {%- set named = ' from run_names inner join ' ~ models.stg_calendar__customer_names
        ~ ' as customer_names on run_names.customer_ref = customer_names.name' -%}
    {%- set bounds = '(select ' ~ columns ~ ', ' ~ distant_past() ~ ' as occurred_at from run_names'
        ~ ' union select ' ~ columns ~ ', valid_from_at' ~ named ~ ' where valid_from_at is not null'
        ~ ' union select ' ~ columns ~ ', valid_to_at' ~ named ~ ' where valid_to_at is not null)' -%}
    {%- do statements.append(
'create or replace temp table run_sender_spans as
select
    dense_rank() over (order by name_number, customer_id) as sender_number,
    ' ~ columns ~ ',
    customer_id,
    occurred_at as from_at,
    coalesce(
        lead(occurred_at) over (partition by name_number order by occurred_at),
        ' ~ distant_future() ~ '
    ) as to_at
from (' ~ with_customer(
    bounds, models.stg_calendar__customer_names, models.stg_catalog__subscriptions,
    models.stg_calendar__auto_customer_sources
) ~ ') as bounds_with_customer') -%}
    {%- do statements.append(
'create or replace temp table run_senders as
select distinct sender_number, ' ~ sent | join(', ') ~ ', customer_id from run_sender_spans') -%}
{%- endmacro %}


{#- The periods of senders that loaded events can be in. -#}
{% macro offer_statements(models, statements) -%}
    {%- do statements.append(
"create or replace temp table run_offer_spans as
select
    dense_rank() over (
        order by run_senders.sender_number, offers.subscription_id, offers.invoice_id
    ) as offer_number,
    run_senders.sender_number,
    offers.* exclude (customer_id, subscription_ref, metric_code)
from run_senders
inner join " ~ models.int_periods_offered ~ " as offers
    on
        run_senders.customer_id = offers.customer_id
        and coalesce(run_senders.subscription_ref, '') = offers.subscription_ref
where
    offers.metric_code is null
    and offers.to_at > (select min(first_occurred_at) from run_names)
    and offers.from_at <= (select max(last_occurred_at) from run_names)") -%}
    {%- do statements.append(
'create or replace temp table run_offers as
select distinct
    offer_number,
    subscription_id,
    invoice_id,
    period_start_at as span_start_at,
    time_zone
from run_offer_spans') -%}
{%- endmacro %}
