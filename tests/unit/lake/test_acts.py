"""Acts as the lake has them: numbers, the chain with voids, how long acceptances last."""

from collections.abc import Iterator

import pytest

from pipelines.invoicing.acts import void_of
from pipelines.invoicing.chain import BEFORE_THE_FIRST, CHAIN_COLUMNS, Link, last_link
from pipelines.lake.acts import (
    accepted_subscriptions,
    act_count,
    act_rows,
    drafts_on_hold,
    last_numbers,
    links_from,
    newest_links,
    waived_files,
)
from pipelines.operations.acts import chain_end
from pipelines.vocabulary.acts import Act, ActKind
from pipelines.vocabulary.tables import ACTS, CLOSED_PERIODS, INVOICES
from tests.worlds.deliveries import NOON
from tests.worlds.lakes import LakeInMemory, lake_rows


@pytest.fixture
def lake() -> Iterator[LakeInMemory]:
    with LakeInMemory() as made:
        yield made


def write(lake: LakeInMemory, batch_id: int, *acts: Act) -> None:
    lake.append(ACTS, act_rows(lake, acts, batch_id, NOON))


def close(lake: LakeInMemory, batch_id: int, subscription_id: str) -> None:
    row = {"batch_id": batch_id, "subscription_id": subscription_id}
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, row))


def invoice(lake: LakeInMemory, number: int, chain_position: int | None) -> None:
    row = {
        "batch_id": 1,
        "invoice_id": f"s/{number}",
        "invoice_number": f"INV-{number:06d}",
        "series": "INV",
        "series_number": number,
        "chain_position": chain_position,
        "chain_sha256": f"{number}" * 64,
    }
    lake.append(INVOICES, lake_rows(INVOICES, row))


def test_acts_are_numbered_one_after_another(lake: LakeInMemory) -> None:
    write(lake, 3, Act(ActKind.ACCEPT, "s"), Act(ActKind.WAIVE, file_id=7))
    write(lake, 4)
    write(lake, 5, Act(ActKind.ACCEPT, "t", asked_by="Ada", reason="late contract"))

    rows = lake.table(ACTS).select("batch_id", "act_number", "kind", "asked_by").rows()
    assert rows == [(3, 1, "accept", None), (3, 2, "waive", None), (5, 3, "accept", "Ada")]
    assert act_count(lake) == 3
    assert waived_files(lake) == [7]


def test_acceptance_lasts_until_its_subscription_is_closed_again(lake: LakeInMemory) -> None:
    close(lake, 2, "s")
    assert accepted_subscriptions(lake) == []
    write(lake, 3, Act(ActKind.ACCEPT, "s"), Act(ActKind.ACCEPT, "t"))
    close(lake, 4, "another")
    assert accepted_subscriptions(lake) == ["s", "t"]

    close(lake, 5, "s")

    assert accepted_subscriptions(lake) == ["t"]
    write(lake, 6, Act(ActKind.ACCEPT, "s"))
    assert accepted_subscriptions(lake) == ["s", "t"]


def test_draft_is_on_hold_once(lake: LakeInMemory) -> None:
    write(lake, 3, Act(ActKind.HOLD, "s", "s/1"))
    write(lake, 4, Act(ActKind.HOLD, "s", "s/1"), Act(ActKind.WAIVER_USED, "s", "s/2", 7))

    assert drafts_on_hold(lake).rows() == [("s/1", "s")]
    invoice(lake, 1, 1)
    assert drafts_on_hold(lake).rows() == []


def test_chain_is_invoices_and_voids_in_order(lake: LakeInMemory) -> None:
    assert last_link(newest_links(lake)) == BEFORE_THE_FIRST
    # Invoices of an earlier version have no position: it is their number.
    invoice(lake, 1, None)
    invoice(lake, 2, None)
    void = void_of("INV-000001", "d" * 64, "Ada", "twice", NOON, last_link(newest_links(lake)))
    write(lake, 3, Act(ActKind.VOID, "s", "s/1", void=void))

    head = last_link(newest_links(lake))
    assert (head.position, head.chain_sha256) == (3, void.chain_sha256)
    assert chain_end(lake) == Link(3, void.chain_sha256, 2)
    assert last_numbers(lake) == {"INV": 2}
    assert last_numbers(lake, 1) == {"INV": 1}
    assert last_numbers(lake, 0) == {}
    invoice(lake, 3, 4)

    links = links_from(lake, 0).sort("chain_position")
    assert links.columns == list(CHAIN_COLUMNS)
    assert links.select("chain_position", "series_number", "invoice_number").rows() == [
        (1, 1, "INV-000001"),
        (2, 2, "INV-000002"),
        (3, None, "INV-000001"),
        (4, 3, "INV-000003"),
    ]
    assert links_from(lake, 4).height == 1
    assert last_link(newest_links(lake)).position == 4
