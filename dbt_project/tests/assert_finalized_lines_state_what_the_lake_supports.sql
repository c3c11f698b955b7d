{# The difference in `rpt_reconciliation` is of a metric; these are the lines of
   invoices that it comes from, also where two of them cancel out. #}
{{ config(meta={'what_to_do': (
    'a finalized invoice no longer agrees with its events, so rows of the lake'
    ~ ' were changed; restore the home from a backup'
)}) }}

with

invoice_lines_recomputed as (

    select * from {{ ref('int_invoice_lines_recomputed') }}

),

reconciliation as (

    select * from {{ ref('rpt_reconciliation') }}
    where identity = 'finalized_quantity'

)

select
    invoice_lines_recomputed.invoice_id,
    invoice_lines_recomputed.customer_id,
    invoice_lines_recomputed.charge_code,
    invoice_lines_recomputed.group_key,
    invoice_lines_recomputed.recomputed_quantity,
    invoice_lines_recomputed.invoiced_quantity,
    invoice_lines_recomputed.recomputed_quantity
    - invoice_lines_recomputed.invoiced_quantity as difference,
    reconciliation.unit
from invoice_lines_recomputed
inner join reconciliation
    on invoice_lines_recomputed.metric_code = reconciliation.subject
where
    invoice_lines_recomputed.difference_cause is null
    and invoice_lines_recomputed.recomputed_quantity
    != invoice_lines_recomputed.invoiced_quantity
