"""What-if on the sample's home agrees with what its run metered, and with what came too late."""

from decimal import Decimal

from pipelines.operations.what_if import what_if
from pipelines.settings import DBT_PROJECT
from tests.worlds.sample_runs import sample_run

METRICS = DBT_PROJECT / "models" / "metrics"


def test_every_metered_period_of_the_sample_is_counted_again() -> None:
    home = sample_run().home
    metered = home.rows(
        """
        SELECT customer_id, metric_code, period_start_date || '..' || period_end_date,
            sum(quantity), sum(event_count)
        FROM fct_metered_usage GROUP BY ALL
        """
    )
    late = {
        (customer, metric, f"{start}..{end}"): (quantity, count)
        for customer, metric, start, end, quantity, count in home.rows(
            """
            SELECT unbilled.customer_id, metric_code, period_start_date, period_end_date,
                sum(quantity), sum(unbilled.event_count)
            FROM rpt_unbilled_usage AS unbilled
            JOIN dim_billing_periods USING (subscription_id, period_index)
            WHERE unbilled_reason = 'late' GROUP BY ALL
            """
        )
    }
    assert len(metered) > 30
    assert late

    for customer, metric, period, quantity, count in metered:
        found = what_if(home.settings, METRICS / f"metric_{metric}.sql", customer, period)
        groups = found.result["groups"]
        late_quantity, late_count = late.get((customer, metric, period), (Decimal(0), 0))
        total = sum(Decimal(group["quantity"]) for group in groups)
        events = sum(group["event_count"] for group in groups)
        assert (total, events) == (quantity + late_quantity, count + late_count), (customer, period)


def test_the_command_answers_as_it_is_installed() -> None:
    answer = sample_run().home.report(
        "what-if", "--metric", str(METRICS / "metric_requests.sql"), "--customer", "blog",
        "--period", "2015-05-11..2015-05-18",
    )  # fmt: skip

    assert answer["ok"] is True
    assert sum(int(group["quantity"]) for group in answer["result"]["groups"]) == 371
