"""Names in held files mean whom the catalog of today means by them."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from pipelines.invoicing.held_owners import held_owners
from pipelines.vocabulary.frames import CUSTOMER_NAMES, NAMES_IN_LINES
from tests.worlds.deliveries import NOON, TICK

DAY = timedelta(days=1)


def owners(
    kind: str, name: str, first: datetime | None = NOON, last: datetime | None = NOON
) -> list[str | None]:
    """Who owns the name in a file; `a.example` meant acme until noon, and globex from then on."""
    customers = [
        ("acme", "acme", None, None),
        ("globex", "globex", None, None),
        ("a.example", "acme", NOON - DAY, NOON),
        ("a.example", "globex", NOON, None),
    ]
    found = held_owners(
        pl.DataFrame([(7, kind, name, 3, first, last)], NAMES_IN_LINES, orient="row"),
        pl.DataFrame(customers, CUSTOMER_NAMES, orient="row"),
        pl.DataFrame({"subscription_id": ["sub-1", "acme"]}),
    )
    assert found.select("file_id", "kind", "name", "lines").unique().rows() == [(7, kind, name, 3)]
    return found["owner_id"].to_list()


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        pytest.param("customer", "acme", ["acme"], id="customer"),
        pytest.param("subscription", "sub-1", ["sub-1"], id="subscription"),
        pytest.param("customer", "sub-1", [None], id="a subscription's name for a customer"),
        pytest.param("subscription", "globex", [None], id="a customer's name for a subscription"),
        pytest.param("customer", "Acme", [None], id="unknown"),
    ],
)
def test_name_means_an_owner_of_its_kind(kind: str, name: str, expected: list[str | None]) -> None:
    assert owners(kind, name) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param(NOON - DAY, NOON - TICK, ["acme"], id="before it changed hands"),
        pytest.param(NOON - DAY, NOON, ["acme", "globex"], id="until it changed hands"),
        pytest.param(NOON, NOON + DAY, ["globex"], id="since it changed hands"),
        pytest.param(NOON - 2 * DAY, NOON - DAY - TICK, [None], id="before it was anybody's"),
        pytest.param(NOON - 2 * DAY, NOON - DAY, ["acme"], id="until it became somebody's"),
        pytest.param(None, None, ["acme", "globex"], id="no instant is known"),
    ],
)
def test_alias_means_everybody_it_meant_while_the_lines_occurred(
    first: datetime | None, last: datetime | None, expected: list[str | None]
) -> None:
    assert owners("customer", "a.example", first, last) == expected


def test_no_names_have_no_owners() -> None:
    found = held_owners(
        pl.DataFrame(schema=NAMES_IN_LINES),
        pl.DataFrame(schema=CUSTOMER_NAMES),
        pl.DataFrame(schema={"subscription_id": pl.String()}),
    )

    assert found.is_empty()
