"""What a person asks for, checked against the home: what is refused, and with which words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from pipelines.catalog.catalog import Catalog
from pipelines.invoicing.chain import Link
from pipelines.operations.acts import asked_acts, head_after, reissued_invoices
from pipelines.operations.closing import Moment
from pipelines.vocabulary.acts import ActKind, Asked
from pipelines.vocabulary.errors import MeterlineError
from pipelines.vocabulary.tables import (
    ACTS,
    BATCHES,
    CATALOGS,
    CLOSED_PERIODS,
    FILE_DECISIONS,
    INVOICES,
    LANDING_FILES,
)
from tests.worlds.catalogs import RIGHT, read
from tests.worlds.deliveries import NOON
from tests.worlds.lakes import LakeInMemory, lake_rows

MOMENT = Moment(NOON, NOON, 3)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return read(tmp_path_factory.mktemp("catalog"))


@pytest.fixture
def lake() -> Iterator[LakeInMemory]:
    """A home with two invoices, of which one is void, and three files."""
    invoices = [
        {
            "invoice_id": f"s/{number}",
            "invoice_number": f"INV-{number:06d}",
            "series_number": number,
            "subscription_id": "s",
            "document_sha256": f"{number}" * 64,
            "chain_position": number,
            "chain_sha256": f"{number}" * 64,
        }
        for number in (1, 2)
    ]
    files = [(1, "held"), (2, "quarantined"), (3, "decided")]
    with LakeInMemory(
        {
            INVOICES: lake_rows(INVOICES, *invoices),
            ACTS: lake_rows(
                ACTS,
                {"act_number": 1, "kind": "void", "invoice_id": "s/2", "chain_position": 3,
                 "chain_sha256": "3" * 64},
            ),
            LANDING_FILES: lake_rows(
                LANDING_FILES,
                *({"file_id": number, "path": f"cdn/{number}", "source": "cdn",
                   "received_at": NOON} for number, _ in files),
            ),
            FILE_DECISIONS: lake_rows(
                FILE_DECISIONS,
                *({"file_id": number, "revision": 0, "status": status} for number, status in files),
            ),
        }
    ) as made:  # fmt: skip
        yield made


def acts(lake: LakeInMemory, catalog: Catalog, **asked: Any) -> list[tuple[Any, ...]]:
    found = asked_acts(lake, catalog, Asked("Ada", **asked), MOMENT)
    assert {act.asked_by for act in found} <= {"Ada"}
    return [(act.kind, act.invoice_id or act.file_id or act.subscription_id) for act in found]


def test_finalized_invoice_becomes_void(lake: LakeInMemory, catalog: Catalog) -> None:
    (act,) = asked_acts(lake, catalog, Asked("Ada", "twice", void=("INV-000001",)), MOMENT)

    assert (act.kind, act.invoice_id, act.reason) == (ActKind.VOID, "s/1", "twice")
    assert act.void is not None
    assert (act.void.chain_position, act.void.previous_chain_sha256) == (4, "3" * 64)
    for names in (("s/1", "s/1"), ("INV-000001", "s/1"), ("s/1", "INV-000001")):
        assert acts(lake, catalog, reason="r", void=names) == [(ActKind.VOID, "s/1")]


def test_several_voids_are_chained_in_their_order(lake: LakeInMemory, catalog: Catalog) -> None:
    row = {"invoice_id": "s/3", "invoice_number": "INV-000003", "series_number": 3,
           "subscription_id": "s", "document_sha256": "f" * 64, "chain_position": 4,
           "chain_sha256": "4" * 64}  # fmt: skip
    lake.append(INVOICES, lake_rows(INVOICES, row))
    asked = Asked("Ada", "twice", void=("INV-000003", "INV-000001"))

    voids = [act.void for act in asked_acts(lake, catalog, asked, MOMENT)]

    assert [void.chain_position for void in voids if void] == [5, 6]
    assert voids[0]
    assert voids[1]
    assert voids[0].previous_chain_sha256 == "4" * 64
    assert voids[1].previous_chain_sha256 == voids[0].chain_sha256


def reissuable(lake: LakeInMemory) -> None:
    """The periods of both invoices are closed by them."""
    rows = (
        {
            "subscription_id": "s",
            "period_start_label": datetime.fromisoformat(f"2026-0{number}-01"),
            "revision": 0,
            "state": "closed",
            "invoice_id": f"s/{number}",
        }
        for number in (1, 2)
    )
    lake.append(CLOSED_PERIODS, lake_rows(CLOSED_PERIODS, *rows))


def test_a_reissue_voids_the_invoice_first(lake: LakeInMemory, catalog: Catalog) -> None:
    reissuable(lake)
    asked = Asked("Ada", "wrong", reissue=("INV-000001", "s/1"))

    void, reissue = asked_acts(lake, catalog, asked, MOMENT)

    assert (void.kind, void.invoice_id, void.reason) == (ActKind.VOID, "s/1", "wrong")
    assert void.void is not None
    assert void.void.chain_position == 4
    assert (reissue.kind, reissue.invoice_id, reissue.reason) == (ActKind.REISSUE, "s/1", "wrong")
    assert reissue.void is None
    assert reissued_invoices([void, reissue]) == ["s/1"]
    head = Link(3, "3" * 64, 2)
    assert head_after(head, [void, reissue]) == Link(4, void.void.chain_sha256, 2)
    assert head_after(head, [reissue]) == head


def test_a_void_invoice_is_reissued_without_a_second_void(
    lake: LakeInMemory, catalog: Catalog
) -> None:
    reissuable(lake)

    assert acts(lake, catalog, reason="r", reissue=("INV-000002",)) == [(ActKind.REISSUE, "s/2")]
    assert acts(lake, catalog, reason="r", reissue=("INV-000002", "INV-000001")) == [
        (ActKind.VOID, "s/1"),
        (ActKind.REISSUE, "s/2"),
        (ActKind.REISSUE, "s/1"),
    ]


def test_an_invoice_is_reissued_once(lake: LakeInMemory, catalog: Catalog) -> None:
    row = {"invoice_id": "s/1/r2", "invoice_number": "INV-000003", "series_number": 3,
           "subscription_id": "s", "corrects_invoice_id": "s/1"}  # fmt: skip
    lake.append(INVOICES, lake_rows(INVOICES, row))

    with pytest.raises(MeterlineError, match="INV-000001 was reissued as INV-000003; reissue that"):
        acts(lake, catalog, reason="r", reissue=("INV-000001",))


def test_waiver_is_for_a_held_or_unreadable_file(lake: LakeInMemory, catalog: Catalog) -> None:
    assert acts(lake, catalog, waive=("cdn/1", "cdn/2", "cdn/1")) == [
        (ActKind.WAIVE, 1),
        (ActKind.WAIVE, 2),
    ]


def closed_by(lake: LakeInMemory, **edits: str) -> None:
    """The newest closing was of today's catalog, with other text in a file."""
    files = {name: text for name, text in RIGHT.items() if isinstance(text, str)}
    files["subscriptions.csv"] = files["subscriptions.csv"].replace(*edits.popitem())
    row = {"batch_id": 9, "kind": "close", "as_of": NOON, "catalog_digest": "before"}
    lake.append(BATCHES, lake_rows(BATCHES, row))
    rows = (
        {"catalog_digest": "before", "file_name": name, "content": text}
        for name, text in files.items()
    )
    lake.append(CATALOGS, lake_rows(CATALOGS, *rows))


def test_added_past_of_a_subscription_is_accepted(lake: LakeInMemory, catalog: Catalog) -> None:
    # Until today s1 began in February: its January was added.
    closed_by(lake, **{"calendar,2026-01-01,2026-03-01": "calendar,2026-02-01,2026-03-01"})

    assert acts(lake, catalog, accept=("s1",)) == [(ActKind.ACCEPT, "s1")]
    with pytest.raises(MeterlineError, match=r"--accept: expected a subscription .* found 's2'"):
        acts(lake, catalog, accept=("s1", "s2"))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        pytest.param({"void": ("INV-000009",), "reason": "r"}, "found 'INV-000009'", id="unknown"),
        pytest.param({"void": ("t/1",), "reason": "r"}, "a draft cannot be void", id="draft"),
        pytest.param({"void": ("INV-000002",), "reason": "r"}, "is void already", id="twice"),
        pytest.param({"void": ("INV-000001",)}, "--reason: expected why", id="no reason"),
        pytest.param(
            {"void": ("INV-000001",), "reason": "a\nb"}, "--reason: expected one", id="line"
        ),
        pytest.param(
            {"reissue": ("INV-000009",), "reason": "r"},
            "found 'INV-000009'",
            id="reissue of an unknown one",
        ),
        pytest.param(
            {"reissue": ("INV-000001",), "reason": "r"},
            "is of no closed period",
            id="reissue of what closed no period",
        ),
        pytest.param(
            {"reissue": ("INV-000001",)},
            "--reason: expected why the invoice is reissued",
            id="reissue without a reason",
        ),
        pytest.param({"accept": ("s1",)}, "found 's1'", id="nothing was added"),
        pytest.param({"accept": ("nobody",)}, "found 'nobody'", id="no subscription"),
        pytest.param({"waive": ("cdn/3",)}, "no such file waits", id="file that is fine"),
        pytest.param({"waive": ("cdn/*",)}, "no such file waits", id="no file"),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_sentence(
    lake: LakeInMemory, catalog: Catalog, asked: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(MeterlineError, match=sentence):
        acts(lake, catalog, **asked)
    assert lake.table(ACTS).height == 1


@pytest.mark.parametrize(
    ("draft", "is_waiting"), [("s1/2026-02-01", True), ("s1/2025-12-01", False)]
)
def test_hold_counts_while_the_catalog_has_its_period(
    lake: LakeInMemory, catalog: Catalog, draft: str, is_waiting: bool
) -> None:
    row = {"act_number": 2, "kind": "hold", "subscription_id": "s1", "invoice_id": draft}
    lake.append(ACTS, lake_rows(ACTS, row))

    if is_waiting:
        assert acts(lake, catalog, accept=("s1",)) == [(ActKind.ACCEPT, "s1")]
    else:
        with pytest.raises(MeterlineError, match="found 's1'"):
            acts(lake, catalog, accept=("s1",))
