import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

RUN_SECONDS = 180
"""How long a run with nothing new may take, its process's start included."""

GROUPS = [
    "0_bucket",
    "1_catalog",
    "2_landing",
    "3_events",
    "4_calendar",
    "5_metrics",
    "6_rating",
    "7_invoices",
    "8_marts",
    "9_published",
]
"""Groups of the lineage graph, in the order of the flow."""

LANDING_TO_INVOICE = [
    "bucket",
    "landed_files",
    "parsed_events",
    "accepted_events",
    "billing_periods",
    "metric_requests",
    "int_tiers_rated",
    "invoices",
]
"""Assets on the way, by the name their node bears."""


def test_groups_of_the_lineage_read_in_the_order_of_the_flow(page: Page) -> None:
    page.goto("/asset-groups")
    for group in GROUPS:
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    lefts = []
    for group in GROUPS:
        node = page.locator("svg").get_by_text(group, exact=True).first
        box = node.bounding_box()
        assert box is not None
        lefts.append(box["x"])
    assert lefts == sorted(lefts)


def test_lineage_of_an_invoice_goes_back_to_the_landing(page: Page) -> None:
    page.goto("/assets/lake/invoices?view=lineage&lineageScope=upstream&lineageDepth=30")
    for asset in LANDING_TO_INVOICE:
        expect(page.get_by_text(asset, exact=True).first).to_be_attached()


def test_columns_of_a_mart_say_where_they_come_from(page: Page) -> None:
    page.goto("/assets/marts/fct_invoice_lines?view=overview")
    expect(page.get_by_text("where_columns_come_from").first).to_be_visible()


def test_launchpad_offers_the_instant_and_describes_the_options(page: Page) -> None:
    page.goto("/locations/meterline/jobs/meterline/playground")
    expect(page.get_by_text("as_of").first).to_be_visible()
    page.get_by_text("republish").first.hover()
    expect(page.get_by_text("Build and publish the marts again").first).to_be_visible()


def test_run_of_the_command_line_is_green(page: Page) -> None:
    page.goto("/runs")
    expect(page.get_by_role("link", name="View", exact=True).first).to_be_visible()
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(page.get_by_text("Failure", exact=True)).to_have_count(0)


def test_checks_of_the_lake_have_passed(page: Page) -> None:
    page.goto("/assets/lake/file_decisions?view=checks")
    expect(page.get_by_text("Succeeded").first).to_be_visible()
    expect(page.get_by_text("Failed", exact=True)).to_have_count(0)


def test_verdicts_are_shown_with_the_events(page: Page) -> None:
    page.goto("/assets/lake/accepted_events?view=overview")
    for verdict in ("lines_accepted", "lines_duplicate", "lines_conflict", "lines_rejected"):
        expect(page.get_by_text(verdict, exact=True).first).to_be_visible()


def test_run_launched_from_the_ui_ends_green(page: Page) -> None:
    page.goto("/runs")
    green = page.get_by_text("Success", exact=True)
    expect(green.first).to_be_visible()
    before = green.count()
    page.goto("/locations/meterline/jobs/meterline")
    page.get_by_role("button", name="Materialize all").click()
    expect(
        page.get_by_text("Starting run").or_(page.get_by_text("Launched run")).first
    ).to_be_visible()
    page.goto("/runs")
    expect(green).to_have_count(before + 1, timeout=RUN_SECONDS * 1000)
    expect(page.get_by_text("Failure", exact=True)).to_have_count(0)
