"""The query of `docs/metrics.md` over the view of a metric runs on the world written by hand."""

import re
from decimal import Decimal

from tests.worlds.dbt_world import built_world
from tests.worlds.pages import blocks, page


def test_usage_by_any_property_is_one_query() -> None:
    (query,) = [code for code in blocks(page("metrics"), "sql") if code.startswith("select")]

    found = built_world().query(re.sub(r"{{ ref\('(\w+)'\) }}", r"metrics.\1", query))

    assert found == [
        # 100, 100 and 1; amended, voided and late ones: 1000, 1000, 2000, 3000, 0, 70 and 40.
        ("acme", "200", 10, Decimal(7311)),
        # 7 under an alias, 9, and 30 that were moved here.
        ("bolt", "200", 3, Decimal(46)),
        ("idle", "200", 1, Decimal(6)),
        # Nobody's.
        (None, "200", 1, Decimal(5)),
    ]
