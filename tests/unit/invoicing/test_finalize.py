"""Each rule of closing at its bounds, and the invoices that closing writes."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import polars as pl
import pytest

from pipelines.invoicing.chain import GENESIS, verify_chain
from pipelines.invoicing.document_values import canonical_json, read_json
from pipelines.invoicing.documents import verify_documents
from pipelines.invoicing.due import SETTLE_TIME, SETTLE_TIME_PATH_DATED, closable, settle_time
from pipelines.invoicing.finalize import ClosedInvoices
from pipelines.lake.file_states import unhealed
from pipelines.vocabulary.errors import InvariantError
from pipelines.vocabulary.frames import DRAFT_LINES, DRAFTS
from pipelines.vocabulary.tables import INVOICE_LINES, INVOICES
from tests.worlds.books import (
    Books,
    Draft,
    DraftLine,
    closing_facts,
    draft_line_rows,
    draft_rows,
    feed_rows,
    file_rows,
    finalized,
    owner_rows,
)
from tests.worlds.deliveries import NOON, TICK, source_rows
from tests.worlds.oracle import Sender

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = NOON + 9 * DAY
"""All drafts of these tests are due and settled by then."""

ACME = Draft("acme", NOON)


def reasons(
    drafts: list[Draft],
    files: pl.DataFrame | None = None,
    feeds: pl.DataFrame | None = None,
    as_of: datetime = LATER,
    listed: datetime = LATER,
    settle: timedelta = HOUR,
    owners: pl.DataFrame | None = None,
) -> dict[str, str | None]:
    """The reason code by customer and day of the cut; None for a draft that can be closed."""
    closing = closable(
        draft_rows(drafts),
        file_rows() if files is None else unhealed(files),
        feed_rows() if feeds is None else feeds,
        as_of,
        listed,
        settle,
        owners,
    )
    assert closing.closable.height + closing.held_back.height == len(drafts)
    assert closing.held_back["reason"].null_count() == 0
    both = pl.concat([closing.closable, closing.held_back], how="diagonal")
    if "reason_code" not in both.columns:
        both = both.with_columns(reason_code=pl.lit(None))
    rows = both.select("customer_id", "cut_at", "reason_code").iter_rows()
    return {
        customer if cut_at == NOON else f"{customer}+{(cut_at - NOON).days}": reason
        for customer, cut_at, reason in rows
    }


def closed_all(*drafts: Draft) -> ClosedInvoices:
    return finalized(drafts)


def closed(*drafts: Draft) -> Books:
    return Books().with_closing(closed_all(*drafts))


@pytest.mark.parametrize(
    ("as_of", "listed", "settle", "expected"),
    [
        pytest.param(NOON, NOON + HOUR, HOUR, None, id="exactly at the cut and settled"),
        pytest.param(NOON - TICK, LATER, HOUR, "not_due", id="one microsecond before the cut"),
        pytest.param(LATER, NOON + HOUR - TICK, HOUR, "not_settled", id="listed too early"),
        pytest.param(LATER, NOON + DAY - TICK, DAY, "not_settled", id="path-dated, too early"),
        pytest.param(LATER, NOON + DAY, DAY, None, id="path-dated, settled"),
    ],
)
def test_a_draft_closes_from_its_cut_on_when_the_listing_settled(
    as_of: datetime, listed: datetime, settle: timedelta, expected: str | None
) -> None:
    assert reasons([ACME], as_of=as_of, listed=listed, settle=settle) == {"acme": expected}


@pytest.mark.parametrize("status", ["pending", "held", "quarantined"])
@pytest.mark.parametrize(
    ("received_at", "is_blocking"),
    [
        pytest.param(NOON - TICK, True, id="received just before the cut"),
        pytest.param(NOON, False, id="received at the cut"),
    ],
)
def test_an_undecided_file_received_before_the_cut_holds_back(
    status: str, received_at: datetime, is_blocking: bool
) -> None:
    files = file_rows((7, "cdn", "cdn/a.json", received_at, status))
    feeds = feed_rows(("cdn", "acme", NOON - DAY))

    assert reasons([ACME], files, feeds) == {"acme": f"file_{status}" if is_blocking else None}


def test_a_decided_file_holds_back_nobody() -> None:
    assert reasons([ACME], file_rows((7, "cdn", "a", NOON - HOUR, "decided"))) == {"acme": None}


def test_an_unreadable_file_holds_back_the_customers_of_its_source_only() -> None:
    files = file_rows((7, "cdn", "cdn/a.json", NOON - HOUR, "quarantined"))
    feeds = feed_rows(("cdn", "acme", NOON - DAY), ("app", "globex", NOON - DAY))

    found = reasons([ACME, Draft("globex", NOON)], files, feeds)

    assert found == {"acme": "file_quarantined", "globex": None}


def test_a_pending_file_holds_back_everybody() -> None:
    files = file_rows((7, "cdn", "cdn/a.json", NOON - HOUR, "pending"))
    feeds = feed_rows(("cdn", "acme", NOON - DAY))

    found = reasons([ACME, Draft("globex", NOON), Draft("initech", NOON - HOUR)], files, feeds)

    assert found["globex"] == "file_pending"
    assert None in found.values(), "a cut before the file was received is not concerned"


def test_an_unreadable_file_of_a_source_that_fed_nobody_holds_back_everybody() -> None:
    files = file_rows((7, "new", "new/a.json", NOON - HOUR, "held"))

    assert reasons([ACME], files) == {"acme": "file_held"}


def test_whom_a_source_fed_only_after_the_cut_counts_as_not_fed() -> None:
    # A run at the cut could not know of later events, and a later run must give the same.
    files = file_rows((7, "cdn", "cdn/a.json", NOON - HOUR, "quarantined"))
    feeds = feed_rows(
        ("cdn", "acme", NOON), ("cdn", "globex", NOON - TICK), ("app", "acme", NOON - TICK)
    )

    found = reasons([ACME, Draft("globex", NOON)], files, feeds)

    assert found == {"acme": None, "globex": "file_quarantined"}


@pytest.mark.parametrize("status", ["quarantined", "held"])
@pytest.mark.parametrize(
    ("first_received_at", "is_new"),
    [
        pytest.param(NOON - TICK, False, id="fed just before the cut"),
        pytest.param(NOON, True, id="fed at the cut"),
        pytest.param(None, True, id="never fed"),
    ],
)
def test_customer_that_no_source_has_fed_waits_for_a_file_that_names_nobody(
    status: str, first_received_at: datetime | None, is_new: bool
) -> None:
    files = file_rows((7, "cdn", "cdn/a.json", NOON - HOUR, status))
    feeds = feed_rows(
        ("cdn", "globex", NOON - DAY),
        *([("app", "acme", first_received_at)] if first_received_at else []),
    )

    assert reasons([ACME], files, feeds) == {"acme": f"file_{status}" if is_new else None}


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        pytest.param(("customer", "acme"), ["acme-2", "sub-acme"], id="customer"),
        pytest.param(("subscription", "sub-acme"), ["sub-acme"], id="subscription"),
        pytest.param(("subscription", "acme"), [], id="subscription of a customer's name"),
        pytest.param(("customer", None), [], id="name that nobody knows"),
    ],
)
def test_held_file_holds_back_whom_its_lines_name(
    owner: tuple[str, str | None], expected: list[str]
) -> None:
    files = file_rows((7, "cdn", "cdn/a.json", NOON - HOUR, "held"))
    drafts = [ACME, Draft("acme", NOON, subscription="acme-2"), Draft("initech", NOON)]

    closing = closable(
        draft_rows(drafts),
        files,
        feed_rows(("cdn", "globex", NOON - DAY)),
        LATER,
        LATER,
        HOUR,
        owner_rows((7, *owner)),
    )

    waiting = closing.held_back["subscription_id"].to_list()
    assert sorted(waiting) == expected


@pytest.mark.parametrize(
    ("received_at", "expected"),
    [
        pytest.param(NOON - TICK, "file_held", id="received just before the cut"),
        pytest.param(NOON, None, id="received at the cut"),
    ],
)
def test_named_customer_waits_for_a_held_file_received_before_the_cut(
    received_at: datetime, expected: str | None
) -> None:
    files = file_rows((7, "cdn", "cdn/a.json", received_at, "held"))
    owners = owner_rows((7, "customer", "acme"))

    assert reasons([ACME], files, owners=owners) == {"acme": expected}


def test_held_file_of_a_new_source_holds_back_nobody_but_whom_it_names() -> None:
    files = file_rows((7, "new", "new/a.json", NOON - HOUR, "held"))
    owners = owner_rows((7, "customer", "acme"))

    found = reasons([ACME, Draft("globex", NOON)], files, owners=owners)

    assert found == {"acme": "file_held", "globex": None}


def test_held_file_holds_back_whom_its_source_fed_and_whom_it_names() -> None:
    files = file_rows((7, "cdn", "cdn/a.json", NOON - HOUR, "held"))
    feeds = feed_rows(("cdn", "globex", NOON - DAY))
    drafts = [ACME, Draft("globex", NOON), Draft("initech", NOON)]

    found = reasons(drafts, files, feeds, owners=owner_rows((7, "customer", "acme")))

    assert found == {"acme": "file_held", "globex": "file_held", "initech": None}


def test_names_in_a_file_that_does_not_wait_hold_back_nobody() -> None:
    """A file may be left out because it is healed, or because a person waives it."""
    owners = owner_rows((7, "customer", "acme"))

    assert reasons([ACME], file_rows(), owners=owners) == {"acme": None}


@pytest.mark.parametrize(
    ("status", "feeds", "owners", "why"),
    [
        pytest.param(
            "held",
            feed_rows(("cdn", "acme", NOON - DAY)),
            owner_rows((7, "customer", "acme")),
            "held, and it names this customer",
            id="named and fed",
        ),
        pytest.param(
            "held",
            feed_rows(("app", "acme", NOON - DAY)),
            owner_rows((7, "subscription", "sub-acme")),
            "held, and it names this subscription",
            id="subscription named",
        ),
        pytest.param(
            "quarantined",
            feed_rows(("cdn", "acme", NOON - DAY)),
            owner_rows(),
            "quarantined, and its source has sent usage of this customer",
            id="fed",
        ),
        pytest.param(
            "quarantined",
            feed_rows(("cdn", "globex", NOON - DAY)),
            owner_rows(),
            "quarantined, and nobody has sent usage of this customer yet",
            id="new customer",
        ),
        pytest.param(
            "quarantined",
            feed_rows(("app", "acme", NOON - DAY)),
            owner_rows(),
            "quarantined, and its source has sent no usage yet, so it may be anybody's",
            id="new source",
        ),
    ],
)
def test_reason_says_why_this_customer_waits_for_the_file(
    status: str, feeds: pl.DataFrame, owners: pl.DataFrame, why: str
) -> None:
    files = file_rows((7, "cdn", "cdn/a.json", NOON - DAY, status))

    held_back = closable(draft_rows([ACME]), files, feeds, LATER, LATER, HOUR, owners).held_back

    (reason,) = held_back["reason"]
    assert reason.startswith(f"cdn/a.json was received before its cut and is {why}; land a ")


@pytest.mark.parametrize(
    ("status_of_newer", "expected"),
    [
        pytest.param("decided", None, id="healed"),
        pytest.param("quarantined", "file_quarantined", id="unreadable again"),
        pytest.param("pending", "file_quarantined", id="not decided yet, received after the cut"),
    ],
)
def test_a_corrected_upload_heals_a_quarantined_file(
    status_of_newer: str, expected: str | None
) -> None:
    files = file_rows(
        (7, "cdn", "cdn/a.json", NOON - HOUR, "quarantined"),
        (9, "cdn", "cdn/a.json", NOON + HOUR, status_of_newer),
        (8, "cdn", "cdn/b.json", NOON - HOUR, "decided"),
    )

    assert reasons([ACME], files) == {"acme": expected}


def test_an_overwritten_file_that_is_unreadable_now_holds_back() -> None:
    files = file_rows(
        (7, "cdn", "cdn/a.json", NOON - DAY, "decided"),
        (9, "cdn", "cdn/a.json", NOON - HOUR, "quarantined"),
    )

    assert reasons([ACME], files) == {"acme": "file_quarantined"}


def test_what_an_earlier_cut_of_a_customer_waits_for_later_ones_wait_for_too() -> None:
    # At noon, `new` had sent no events. A day later it had sent some of globex, never of acme.
    files = file_rows((7, "new", "new/a.json", NOON - HOUR, "quarantined"))
    feeds = feed_rows(
        ("new", "globex", NOON + HOUR),
        *(("app", customer, NOON - DAY) for customer in ("acme", "initech")),
    )
    drafts = [ACME, Draft("acme", NOON + DAY), Draft("initech", NOON + DAY)]

    found = reasons(drafts, files, feeds)

    assert found == {"acme": "file_quarantined", "acme+1": "earlier_cut", "initech+1": None}


def test_the_reason_names_the_file_that_was_received_first() -> None:
    files = file_rows(
        (8, "cdn", "cdn/later.json", NOON - HOUR, "quarantined"),
        (9, "cdn", "cdn/{first}.json", NOON - DAY, "held"),
    )

    closing = closable(draft_rows([ACME]), unhealed(files), feed_rows(), LATER, LATER, HOUR)

    assert closing.held_back["reason"].to_list() == [
        "cdn/{first}.json was received before its cut and is held, and "
        "nobody has sent usage of this customer yet; "
        "land a corrected file under this name, let it in by `meterline replay --release`, "
        "or bill without it by `meterline close --waive`"
    ]


def test_closable_drafts_come_in_closing_order() -> None:
    drafts = [
        Draft("b", NOON, subscription="x"),
        Draft("a", NOON, subscription="z"),
        Draft("c", NOON - TICK),
        Draft("a", NOON, subscription="y"),
    ]

    closing = closable(draft_rows(drafts), file_rows(), feed_rows(), LATER, LATER, HOUR)

    assert closing.closable["subscription_id"].to_list() == ["sub-c", "y", "z", "x"]


def test_no_drafts_give_two_empty_doors() -> None:
    closing = closable(draft_rows([]), file_rows(), feed_rows(), LATER, LATER, HOUR)

    assert closing.closable.schema == DRAFTS
    assert closing.held_back.is_empty()
    assert {"reason_code", "reason"} < set(closing.held_back.columns)


@pytest.mark.parametrize(
    ("received_at_from", "expected"),
    [("last_modified", SETTLE_TIME), ("path", SETTLE_TIME_PATH_DATED)],
)
def test_one_path_dated_source_makes_all_customers_settle_longer(
    received_at_from: str, expected: timedelta
) -> None:
    sender = Sender("cdn", None, None, DAY)
    sources = pl.concat(
        [source_rows({"app": sender}), source_rows({"cdn": sender}, received_at_from)]
    )

    assert settle_time(sources) == expected
    assert settle_time(sources.clear()) == SETTLE_TIME


def test_a_file_state_nobody_knows_is_refused() -> None:
    files = file_rows((7, "cdn", "a", NOON, "released"))

    with pytest.raises(InvariantError, match="released"):
        closable(draft_rows([]), unhealed(files), feed_rows(), LATER, LATER, HOUR)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param(
            pl.col("total_amount").cast(pl.Float64), "total_amount as Decimal", id="float amount"
        ),
        pytest.param(
            pl.col("cut_at").dt.replace_time_zone(None), "cut_at as Datetime", id="no time zone"
        ),
        pytest.param(pl.lit(None, pl.String).alias("plan_code"), "found it null", id="null"),
    ],
)
def test_drafts_of_another_type_are_refused(changed: pl.Expr, message: str) -> None:
    drafts = draft_rows([ACME]).with_columns(changed)

    with pytest.raises(InvariantError, match=message):
        closable(drafts, file_rows(), feed_rows(), LATER, LATER, HOUR)


def test_the_canonical_document_is_this_text() -> None:
    line = DraftLine(
        "1.30", ["0.100000000000000000000000000000005", "1.195"], group_key='{"straße":"a\\"\\n"}'
    )
    invoice = closed(replace(ACME, lines=[line])).invoices.row(0, named=True)

    assert invoice["canonical_json"] == (
        '{"amount_due":"1.3","catalog_digest":"' + "c" * 64 + '","corrects_invoice_id":null,'
        '"credit_amount":"0","currency":"EUR","customer_id":"acme",'
        '"cut_at":"2026-03-10T12:00:00Z","discount_amount":"0","format":2,'
        '"invoice_id":"sub-acme/2026-03-09T12:00:00+00:00","invoice_number":"INV-000001",'
        '"kind":"arrears","lines":[{"adjusts_line_id":null,"amount":"1.3",'
        '"amount_unrounded":"1.295000000000000000000000000000005","billed_quantity":"1",'
        '"charge_code":"requests","charge_model":"graduated","credit_amount":"0",'
        '"currency":"EUR","discount_amount":"0","event_count":3,"group":{"straße":"a\\"\\n"},'
        '"kind":"usage",'
        '"line_id":"sub-acme/2026-03-09T12:00:00+00:00/requests/{\\"straße\\":\\"a\\\\\\"\\\\n\\"}",'
        '"line_number":1,"metric_code":"requests","net_amount":"1.3","price_digest":"'
        + "9"
        * 64
        + '","price_valid_from":"2026-01-01","quantity":"1",'
        '"service_end_at":"2026-03-10T12:00:00Z","service_start_at":"2026-03-09T12:00:00Z",'
        '"share_days":null,"share_of_days":null,"tax_amount":"0","tiers":[{"amount":"0.100000000000000000000000000000005","up_to_units":null},'
        '{"amount":"1.195","up_to_units":null}],"unit":"request","unit_price":null}],'
        '"net_amount":"1.3",'
        '"period_end_at":"2026-03-10T12:00:00Z","period_start_at":"2026-03-09T12:00:00Z",'
        '"plan_code":"edge","recipe_version":1,"series":"INV","series_number":1,'
        '"subscription_id":"sub-acme","subtotal_amount":"1.3","summary_rows":[],'
        '"tax_amount":"0","terms_digest":"' + "7" * 64 + '","total_amount":"1.3"}'
    )
    document_sha256 = sha256(invoice["canonical_json"].encode()).hexdigest()
    assert invoice["document_sha256"] == document_sha256
    assert invoice["previous_chain_sha256"] == GENESIS
    assert invoice["chain_sha256"] == sha256((GENESIS + document_sha256).encode()).hexdigest()


def test_the_document_says_nothing_about_the_run_that_wrote_it() -> None:
    one = finalized([ACME], facts=closing_facts(2, NOON))
    other = finalized([ACME], facts=replace(closing_facts(9, LATER), code_revision="e" * 64))

    assert one.invoices["canonical_json"].equals(other.invoices["canonical_json"])
    assert one.invoices["chain_sha256"].equals(other.invoices["chain_sha256"])


def test_rows_are_those_of_the_lake_tables() -> None:
    books = closed(ACME, Draft("globex", NOON, lines=()))

    assert books.invoices.schema == INVOICES.schema
    assert books.lines.schema == INVOICE_LINES.schema
    nulls = books.invoices.null_count().row(0, named=True)
    assert {name for name, count in nulls.items() if count} == {"corrects_invoice_id"}
    assert books.lines["batch_id"].to_list() == [2]
    assert books.invoices["line_count"].to_list() == [1, 0]
    assert json.loads(books.invoices["canonical_json"][1])["lines"] == []


def test_no_drafts_close_nothing() -> None:
    assert closed().invoices.schema == INVOICES.schema
    assert closed().invoices.is_empty()
    assert closed().lines.schema == INVOICE_LINES.schema
    assert verify_chain(closed().invoices) is None


def test_numbers_go_on_where_the_last_closing_ended() -> None:
    first = closed(ACME, Draft("globex", NOON))

    second = first.with_closing(
        finalized([Draft("acme", NOON + DAY)], first, closing_facts(4, LATER))
    )

    assert second.invoices["invoice_number"].to_list() == ["INV-000001", "INV-000002", "INV-000003"]
    assert second.invoices["previous_chain_sha256"][2] == first.invoices["chain_sha256"][1]
    assert verify_chain(second.invoices, first.invoices["chain_sha256"][1]) is None


def test_amounts_of_38_digits_are_added_exactly() -> None:
    # Two of them end in ...999, and their sum has more digits than Python's default of 28.
    huge = ["9999999999999999999999.99", "0.01"]
    draft = replace(
        ACME,
        lines=[DraftLine(amount, [amount], group_key=f'{{"n":"{amount}"}}') for amount in huge],
    )

    total = closed(draft).invoices["total_amount"][0]

    assert total == Decimal("10000000000000000000000.00")
    assert '"total_amount":"10000000000000000000000"' in closed(draft).invoices["canonical_json"][0]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        pytest.param("0", "0", id="zero"),
        pytest.param("-0.00", "0", id="negative zero"),
        pytest.param("-2.50", "-2.5", id="negative"),
        pytest.param("100.00", "100", id="whole"),
    ],
)
def test_an_amount_has_one_text(amount: str, text: str) -> None:
    books = closed(replace(ACME, lines=[DraftLine(amount, [amount])]))

    document = json.loads(books.invoices["canonical_json"][0])

    assert (document["subtotal_amount"], document["lines"][0]["amount"]) == (text, text)
    assert document["total_amount"] == ("0" if text.startswith("-") else text)
    assert verify_documents(books.invoices, books.lines) is None


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        pytest.param(
            replace(ACME, total_amount="1.26"),
            "sub-acme/2026-03-09T12:00:00.00:00, total_amount: expected 1.25, .* found 1.26; "
            "the difference is 0.01",
            id="total above its lines",
        ),
        pytest.param(
            replace(ACME, lines=[DraftLine("1.25", ["1.0", "0.244999999999999999"])]),
            "requests/{}: expected 1.24, .* found 1.25; the difference is 0.01",
            id="line above its tiers",
        ),
        pytest.param(
            replace(ACME, lines=[DraftLine("1.255", ["1.255"])]),
            "expected 1.26, .* found 1.255; the difference is -0.005",
            id="finer than the minor unit",
        ),
        pytest.param(
            replace(ACME, currency="JPY"), "expected 1, .* found 1.25", id="cents of a yen"
        ),
        pytest.param(
            replace(ACME, lines=[DraftLine("0.01", [])]), "expected 0, .* found 0.01", id="no tiers"
        ),
        pytest.param(
            replace(ACME, lines=[DraftLine("1", ["NaN"])]), "an amount in each tier", id="NaN"
        ),
    ],
)
def test_an_invoice_that_does_not_add_up_is_not_finalized(draft: Draft, message: str) -> None:
    later = Draft("acme", NOON + DAY)
    other = Draft("globex", NOON)
    drafts = [draft, later, other]

    found = finalized(drafts)

    assert found.invoices["customer_id"].to_list() == ["globex"]
    assert found.invoices["invoice_number"].to_list() == ["INV-000001"]
    assert found.invoice_lines["invoice_id"].unique().to_list() == [other.invoice_id]
    held = found.held_back.to_dicts()
    assert [row["invoice_id"] for row in held] == [draft.invoice_id, later.invoice_id]
    assert {row["reason_code"] for row in held} == {"fault"}
    assert all(re.search(message, row["reason"]) for row in held)


def test_a_fault_that_a_draft_has_holds_back_its_customer_alone() -> None:
    nothing = DraftLine("0", [], group_key="{}")
    draft = replace(
        ACME, lines=[nothing, replace(nothing, charge_code="too_large")], fault="too much of it"
    )
    drafts = [draft, Draft("acme", NOON + DAY), Draft("globex", NOON)]
    no_amount = pl.when(pl.col("charge_code") != "too_large").then(pl.col("amount"))
    no_total = pl.when(pl.col("fault").is_null()).then(pl.col("total_amount"))

    found = finalized(
        drafts,
        rows=draft_rows(drafts).with_columns(total_amount=no_total),
        lines=draft_line_rows(drafts).with_columns(amount=no_amount),
    )

    assert found.invoices["customer_id"].to_list() == ["globex"]
    assert found.held_back["customer_id"].to_list() == ["acme", "acme"]
    assert set(found.held_back["reason_code"]) == {"fault"}
    assert set(found.held_back["reason"]) == {"too much of it"}


def test_an_amount_that_lacks_without_a_fault_is_one() -> None:
    lines = draft_line_rows([ACME]).with_columns(amount=pl.lit(None, DRAFT_LINES["amount"]))

    found = finalized([ACME], lines=lines)

    assert found.invoices.is_empty()
    assert "expected 1.25, the sum of its parts, found no amount" in found.held_back["reason"][0]


def test_a_missing_line_is_noticed() -> None:
    two_lines = [
        DraftLine("0", [], group_key="{}"),
        DraftLine("1.25", ["1.25"], group_key='{"a":"b"}'),
    ]
    draft = replace(ACME, lines=two_lines)
    lines = draft_line_rows([draft]).filter(pl.col("line_number") == 2)

    found = finalized([draft], lines=lines)

    assert found.invoices.is_empty()
    assert "expected lines 1 to 2, found [2]" in found.held_back["reason"][0]


@pytest.mark.parametrize("group_key", ["{", '{"a":1}'])
def test_group_that_is_no_json_of_texts_holds_back_its_customer(group_key: str) -> None:
    draft = replace(ACME, lines=[DraftLine("1.25", ["1.25"], group_key=group_key)])

    found = closed_all(draft, Draft("globex", NOON))

    assert found.invoices["customer_id"].to_list() == ["globex"]
    assert "expected JSON of texts and nulls" in found.held_back["reason"][0]


def test_lines_of_other_drafts_are_left_alone() -> None:
    lines = draft_line_rows([ACME, Draft("globex", NOON)])

    found = finalized([ACME], lines=lines)

    assert found.invoice_lines["invoice_id"].to_list() == [ACME.invoice_id]
    assert set(DRAFT_LINES) < set(found.invoice_lines.columns)


def test_an_invoice_is_finalized_once() -> None:
    first = closed(ACME)

    found = finalized([ACME], first, closing_facts(4))

    assert found.invoices.is_empty()
    (reason,) = found.held_back["reason"]
    assert reason.startswith(f"{ACME.invoice_id}: expected one invoice per subscription")


def test_id_that_is_drafted_twice_holds_back_its_customer() -> None:
    found = closed_all(ACME, ACME, Draft("globex", NOON))

    assert found.invoices["customer_id"].to_list() == ["globex"]
    assert found.held_back["invoice_id"].to_list() == [ACME.invoice_id] * 2


def test_time_never_goes_back() -> None:
    first = closed(ACME)

    assert finalized([], first, closing_facts(4, NOON)).invoices.is_empty()
    with pytest.raises(InvariantError, match="time never goes back"):
        finalized([], first, closing_facts(4, NOON - TICK))


def test_a_gap_in_the_books_stops_the_closing() -> None:
    books = closed(ACME, Draft("globex", NOON))

    with pytest.raises(InvariantError, match="numbered 1 to 1"):
        finalized([], replace(books, invoices=books.invoices.tail(1)), closing_facts(4))


THREE = (ACME, Draft("globex", NOON), Draft("initech", NOON))


def test_rows_that_say_something_else_than_the_document_are_named() -> None:
    books = closed(*THREE)
    assert verify_documents(books.invoices, books.lines) is None

    dearer = books.lines.with_columns(
        pl.when(pl.col("invoice_id") == THREE[1].invoice_id)
        .then(pl.lit(Decimal("9")))
        .otherwise("amount")
        .cast(pl.Decimal(38, 15))
        .alias("amount")
    )
    broken = verify_documents(books.invoices, dearer)
    assert broken is not None
    assert broken.sentence() == (
        "INV-000002: its rows say what its document says at lines/0/amount: "
        'expected "1.25", found "9"'
    )

    renamed = books.invoices.with_columns(pl.lit("nobody").alias("customer_id"))
    broken = verify_documents(renamed, books.lines)
    assert broken is not None
    assert (broken.invoice, broken.found) == ("INV-000001", '"nobody"')

    broken = verify_documents(books.invoices, books.lines.head(2))
    assert broken is not None
    assert broken.invoice == "INV-000003"

    broken = verify_documents(books.invoices.head(2), books.lines)
    assert broken is not None
    assert broken.invoice == THREE[2].invoice_id


def test_canonical_json_follows_the_rules_of_rfc_8785() -> None:
    # Source: RFC 8785, 3.2.2.2 (strings). Only characters that must be escaped are escaped.
    text = canonical_json({"b": None, "a": ['\u20ac$\u000f\nA\'B"\\\\"/', 1], "\u00f6": {}})

    assert text == '{"a":["€$\\u000f\\nA\'B\\"\\\\\\\\\\"/",1],"b":null,"ö":{}}'


@pytest.mark.parametrize("text", ['{"a":1}', "[0.5]", "[NaN]", '{"a":"1","a":"2"}', "", "{"])
def test_json_with_numbers_or_repeated_keys_is_refused(text: str) -> None:
    with pytest.raises(InvariantError, match="line-7"):
        read_json(text, "line-7")


def test_an_invoice_of_fees_in_advance_alone_closes_no_period() -> None:
    other = Draft("globex", NOON, kind="advance")

    found = closed_all(ACME, other)

    assert found.invoices.select("customer_id", "kind").rows() == [
        ("acme", "arrears"),
        ("globex", "advance"),
    ]
    assert found.closings["invoice_id"].to_list() == [ACME.invoice_id]
    assert found.closed_drafts["invoice_id"].to_list() == [ACME.invoice_id, other.invoice_id]
    assert found.unnumbered == 0
    assert set(found.terms_digests) == set(found.invoices["terms_digest"])
    assert closed_all(other).closings.is_empty()
