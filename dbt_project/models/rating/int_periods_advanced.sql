{# Where the fees in advance of a draft's period stand, if not on its own
   invoice: on that of the period before, while it is open and in the same
   currency. At the start, and where the currency changes, they have a document
   of their own, which is made once, and not for a period that is closed anew.
   A period that waits for a person bears nothing for others. #}
with

periods_on_hold as (

    select * from {{ ref('stg_calendar__periods_on_hold') }}

),

periods_in_order as (

    select
        billing_periods.*,
        periods_on_hold.subscription_id is null as is_free
    from {{ ref('int_periods_united') }} as billing_periods
    left join periods_on_hold
        on
            billing_periods.subscription_id = periods_on_hold.subscription_id
            and billing_periods.period_start_at
            = periods_on_hold.period_start_at

),

periods_with_neighbours as (

    select
        *,
        coalesce(lag(period_end_at) over in_order = period_start_at, false)
            as is_later,
        lag(finalized_batch_id is null and is_free) over in_order
            as is_earlier_open,
        lag(invoice_id) over in_order as earlier_invoice_id,
        lag(currency) over in_order as earlier_currency,
        lag(cut_at) over in_order as earlier_cut_at,
        max(case when finalized_batch_id is not null then cut_at end) over (
            partition by subscription_id
        ) as last_cut_at
    from periods_in_order
    window
        in_order as (partition by subscription_id order by period_index)

),

periods_placed as (

    select
        invoice_id,
        not is_later or earlier_currency != currency as is_own_document,
        case
            when is_later then earlier_cut_at
            when last_cut_at > period_start_at then last_cut_at
            else period_start_at
        end as cut_at,
        earlier_invoice_id
    from periods_with_neighbours
    where not is_later or is_earlier_open

),

documents_made as (

    select distinct
        subscription_id,
        service_start_label
    from {{ ref('stg_calendar__fees_in_advance') }}
    where is_on_own_document

)

select
    periods_placed.invoice_id,
    case
        when periods_placed.is_own_document
            then periods_placed.invoice_id || '/advance'
        else periods_placed.earlier_invoice_id
    end as advance_invoice_id,
    periods_placed.is_own_document,
    periods_placed.cut_at
from periods_placed
inner join {{ ref('int_periods_drafted') }} as periods_drafted
    on periods_placed.invoice_id = periods_drafted.invoice_id
left join documents_made
    on
        periods_drafted.subscription_id = documents_made.subscription_id
        and periods_drafted.period_start_label
        = documents_made.service_start_label
where
    not periods_placed.is_own_document
    or (
        documents_made.subscription_id is null
        and not regexp_matches(periods_placed.invoice_id, '/r[0-9]+$')
    )
