"""Drafts judged by what a home knows: added past, acceptances, holds and waivers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from pipelines.operations.closing import (
    ON_HOLD,
    Known,
    Moment,
    holds,
    judged,
    waivers_used,
)
from pipelines.vocabulary.acts import Act, ActKind
from pipelines.vocabulary.frames import BILLING_PERIODS
from tests.worlds.books import Draft, draft_rows, feed_rows, file_rows, owner_rows
from tests.worlds.deliveries import NOON

DAY = timedelta(days=1)
MOMENT = Moment(NOON + 9 * DAY, NOON + 9 * DAY, 3)
ACME = Draft("acme", NOON)
LATER = Draft("acme", NOON + DAY)
KNOWN = Known(pl.DataFrame({"received_at_from": ["last_modified"]}))


def past(*drafts: Draft) -> pl.DataFrame:
    """The periods of these drafts, as if an edit had added them to the past."""
    rows = [
        {"subscription_id": draft.subscription_id, "period_start_at": draft.cut_at - DAY}
        for draft in drafts
    ]
    return pl.DataFrame(rows, schema=BILLING_PERIODS)


def on_hold(*drafts: Draft) -> pl.DataFrame:
    rows = [(draft.invoice_id, draft.subscription_id) for draft in drafts]
    return pl.DataFrame(rows, schema=ON_HOLD, orient="row")


def reasons(known: Known, *files: Any) -> dict[str, str | None]:
    """The reason code of each draft of acme and globex, None where it can be closed."""
    drafts = [ACME, LATER, Draft("globex", NOON)]
    feeds = feed_rows(("cdn", "acme", NOON - DAY), ("app", "globex", NOON - DAY))
    found = judged(draft_rows(drafts), file_rows(*files), feeds, known, MOMENT)
    held = dict(found.closing.held_back.select("invoice_id", "reason_code").iter_rows())
    return {
        name: held.get(draft.invoice_id)
        for name, draft in zip(("acme", "later", "globex"), drafts, strict=True)
    }


@pytest.mark.parametrize(
    ("known", "held"),
    [
        pytest.param(KNOWN, [], id="nothing added"),
        pytest.param(replace(KNOWN, past=past(ACME)), ["acme"], id="added now"),
        pytest.param(replace(KNOWN, on_hold=on_hold(ACME)), ["acme"], id="added earlier"),
        pytest.param(
            replace(KNOWN, past=past(ACME, LATER), on_hold=on_hold(ACME)),
            ["acme", "later"],
            id="added twice",
        ),
        pytest.param(
            replace(KNOWN, past=past(ACME), on_hold=on_hold(LATER), accepted=["sub-acme"]),
            [],
            id="accepted",
        ),
        pytest.param(
            replace(KNOWN, past=past(ACME), accepted=["sub-globex"]), ["acme"], id="another's"
        ),
    ],
)
def test_added_past_waits_until_it_is_accepted(known: Known, held: list[str]) -> None:
    assert reasons(known) == {
        name: "added_to_the_past" if name in held else None for name in ("acme", "later", "globex")
    }


HELD = (7, "cdn", "cdn/a.json", NOON - DAY, "held")
BROKEN = (8, "cdn", "cdn/b.json", NOON - DAY, "quarantined")


def test_waived_file_holds_back_nobody_and_the_invoices_are_named() -> None:
    known = replace(KNOWN, owners=owner_rows((7, "customer", "acme")))
    assert reasons(known, HELD)["acme"] == "file_held"
    assert reasons(known, BROKEN)["acme"] == "file_quarantined"

    waived = replace(known, waived=[7])
    assert reasons(waived, HELD) == {"acme": None, "later": None, "globex": None}
    assert reasons(waived, HELD, BROKEN)["acme"] == "file_quarantined"

    drafts = draft_rows([ACME, Draft("globex", NOON)])
    feeds = feed_rows(("app", "globex", NOON - 2 * DAY))
    judgement = judged(drafts, file_rows(HELD), feeds, waived, MOMENT)
    assert judgement.waivers.rows() == [
        (ACME.invoice_id, "sub-acme", 7, "it names this customer"),
    ]
    assert waivers_used(judgement, drafts) == [
        Act(
            ActKind.WAIVER_USED,
            "sub-acme",
            ACME.invoice_id,
            7,
            reason="it names this customer",
        )
    ]
    assert waivers_used(judgement, drafts.clear()) == []


def test_closing_writes_down_what_it_holds_back_once() -> None:
    known = replace(KNOWN, past=past(ACME, LATER))
    judgement = judged(draft_rows([ACME, LATER]), file_rows(), feed_rows(), known, MOMENT)

    acts = holds(known, judgement.closing)
    assert [act.invoice_id for act in acts] == [ACME.invoice_id, LATER.invoice_id]
    assert {act.kind for act in acts} == {ActKind.HOLD}

    later = holds(replace(known, on_hold=on_hold(LATER)), judgement.closing)
    assert [act.invoice_id for act in later] == [ACME.invoice_id]
