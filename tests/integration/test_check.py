"""The catalog, metrics and dbt project that come with the product pass their own check."""

from pathlib import Path

from pipelines.operations.check import check_home
from tests.worlds.homes import copied_catalog, prepared_home


def test_the_product_passes_and_an_unknown_group_is_found_before_any_run(tmp_path: Path) -> None:
    settings = prepared_home(tmp_path / "home").settings

    whole = check_home(settings)

    assert whole.problems == []
    assert whole.metrics == ["egress_bytes", "requests"]

    charges = copied_catalog(tmp_path / "catalog") / "charges.csv"
    charges.write_text(charges.read_text().replace("method", "verb", 1))
    (problem,) = check_home(settings.model_copy(update={"catalog": charges.parent})).problems

    assert "column group_by: 'verb' is no property by which 'requests' can be" in problem
    assert "there are: method, status; write one of them" in problem
