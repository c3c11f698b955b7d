"""Whole runs that keep the books: voids, waivers, and what an edit adds to the past."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

from tests.worlds.homes import SAMPLE_AS_OF, Home, copied_catalog, prepared_home
from tests.worlds.lakes import OLD_LAKES, copy_old_lake
from tests.worlds.sample_runs import sample_run

HELD = "cdn_logs/2015/05/19/12/edge-20150519T11.ndjson"


def test_home_that_billed_twice_goes_on_after_a_void(tmp_path: Path) -> None:
    home = prepared_home(
        copy_old_lake("billed_twice", tmp_path),
        {"METERLINE_LANDING": str(OLD_LAKES / "landing")},
    )

    refused = home.call("run", "--as-of", SAMPLE_AS_OF)

    assert refused.returncode == 1
    assert "INV-000001 and INV-000006 both bill" in refused.stderr
    assert "INV-000004 and INV-000007 both bill" in refused.stderr
    assert [sentence[:25] for sentence in home.status()["contradictions"][:2]] == [
        "INV-000001 and INV-000006",
        "INV-000004 and INV-000007",
    ]

    home.report("void", "INV-000006", "INV-000007", "--reason", "billed twice", "--by", "Ada")

    assert home.status()["contradictions"] == []
    assert home.rows(
        "SELECT status, count(*), sum(total_amount)::DECIMAL(9, 2) FROM fct_invoices "
        "WHERE customer_id = 'labs' AND invoice_number IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ) == [("finalized", 2, Decimal("0.39")), ("void", 2, Decimal("0.39"))]
    # The usage of the void invoices is billed by the others.
    assert home.rows("SELECT 1 FROM rpt_unbilled_usage WHERE unbilled_reason LIKE '%void%'") == []
    assert home.rows("SELECT kind, invoice_number, asked_by, reason FROM fct_acts ORDER BY 2") == [
        ("void", "INV-000006", "Ada", "billed twice"),
        ("void", "INV-000007", "Ada", "billed twice"),
    ]
    again = home.call("void", "INV-000006", "--reason", "once more")
    assert again.returncode == 1
    assert "INV-000006 is void already" in again.stderr

    report = home.report("close", "--as-of", SAMPLE_AS_OF, "--waive", HELD, "--by", "Ada")

    assert report["run"]["invoices"] == 6
    assert report["due_drafts"] == []
    assert {(used["path"], used["waived_by"]) for used in report["waivers"]} == {(HELD, "Ada")}
    assert [used["invoice_number"] for used in report["waivers"]] == [
        f"INV-{number:06d}" for number in range(8, 14)
    ]
    head = json.loads((home.folder / "published" / "chain_head.json").read_text())
    assert (head["invoices"], head["links"]) == (13, 15)


def test_what_an_edit_adds_to_the_past_waits_until_it_is_accepted(tmp_path: Path) -> None:
    catalog = copied_catalog(tmp_path / "catalog")
    subscriptions = catalog / "subscriptions.csv"
    text = subscriptions.read_text()
    before = "sub-presentations,presentations,edge-standard,day,1,calendar,2015-05-17"
    assert before in text
    subscriptions.write_text(text.replace(before, before.replace("05-17", "05-14")))
    original = sample_run().home
    shutil.copytree(original.folder, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home", {"METERLINE_CATALOG": str(catalog)})
    digest = home.digest()

    trial = home.report("close", "--as-of", SAMPLE_AS_OF, "--dry-run")

    waiting = ["sub-presentations/2015-05-14", "sub-presentations/2015-05-15"]
    assert [(draft["invoice_id"], draft["reason_code"]) for draft in trial["held_back"]] == [
        (name, "added_to_the_past") for name in waiting
    ]
    # The grace of the 16th ended later than three days before the last closing.
    assert [invoice["invoice_id"] for invoice in trial["invoices"]] == [
        "sub-presentations/2015-05-16"
    ]
    assert home.digest() == digest

    report = home.report("close", "--as-of", SAMPLE_AS_OF)

    assert report["run"]["invoices"] == 1
    assert [draft["invoice_id"] for draft in report["due_drafts"]] == waiting
    assert home.rows("SELECT kind, invoice_id FROM fct_acts ORDER BY invoice_id") == [
        ("hold", name) for name in waiting
    ]
    wrong = home.call("close", "--as-of", SAMPLE_AS_OF, "--accept", "sub-www")
    assert wrong.returncode == 1
    assert "found 'sub-www'" in wrong.stderr

    accepted = home.report("close", "--as-of", SAMPLE_AS_OF, "--accept", "sub-presentations")

    assert accepted["run"]["invoices"] == 2
    assert accepted["due_drafts"] == []


def test_invoices_are_reissued_by_an_edited_catalog(tmp_path: Path) -> None:
    catalog = copied_catalog(tmp_path / "catalog")
    edits = {
        # A price was wrong; a subscription began a day later; one has another rhythm.
        "charges.csv": ("edge-standard,requests,requests,standard,0.005,",
                        "edge-standard,requests,requests,standard,0.006,"),
        "subscriptions.csv": ("sub-labs,labs,edge-labs,day,1,calendar,2015-05-17",
                              "sub-labs,labs,edge-labs,day,1,calendar,2015-05-18"),
    }  # fmt: skip
    for name, (before, after) in edits.items():
        text = (catalog / name).read_text()
        assert before in text
        (catalog / name).write_text(text.replace(before, after))
    original = sample_run().home
    shutil.copytree(original.folder, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home", {"METERLINE_CATALOG": str(catalog)})
    numbers = dict(
        home.rows(
            "SELECT invoice_id, invoice_number FROM fct_invoices WHERE invoice_id IN "
            "('sub-labs/2015-05-17', 'sub-presentations/2015-05-17')"
        )
    )
    labs, presentations = (numbers[f"sub-{name}/2015-05-17"] for name in ("labs", "presentations"))
    asked = (labs, presentations, "--reason", "wrong", "--by", "Ada", "--as-of", SAMPLE_AS_OF)
    digest = home.digest()
    refused = home.call("run", "--as-of", SAMPLE_AS_OF)
    assert refused.returncode == 1
    assert "start_date: expected 2015-05-17 or earlier" in refused.stderr

    trial = home.report("reissue", *asked, "--dry-run")

    assert home.digest() == digest
    assert trial["held_back"] == []
    told = [
        (each["invoice_number"], each["billed"], each["would_be"], each["difference"])
        for each in trial["invoices"]
    ]
    assert told == [(labs, "0.13", "0.00", "-0.13"), (presentations, "11.06", "11.43", "0.37")]

    done = home.report("reissue", *asked)

    assert [
        (each["invoice_number"], each["billed"], each["would_be"], each["difference"])
        for each in done["invoices"]
    ] == told
    assert home.rows(
        "SELECT invoice_id, status, total_amount, corrects_invoice_id FROM fct_invoices "
        "WHERE invoice_id LIKE 'sub-labs/2015-05-17%' "
        "OR invoice_id LIKE 'sub-presentations/2015-05-17%' ORDER BY series_number"
    ) == [
        ("sub-labs/2015-05-17", "void", Decimal("0.13"), None),
        ("sub-presentations/2015-05-17", "void", Decimal("11.06"), None),
        ("sub-presentations/2015-05-17/r2", "finalized", Decimal("11.43"),
         "sub-presentations/2015-05-17"),
    ]  # fmt: skip
    assert home.rows("SELECT kind, invoice_number FROM fct_acts ORDER BY act_number") == [
        ("void", labs), ("void", presentations), ("reissue", labs), ("reissue", presentations),
    ]  # fmt: skip
    again = home.report("run", "--as-of", SAMPLE_AS_OF)
    assert again["run"]["invoices"] == 0
    twice = home.call("reissue", presentations, "--reason", "again")
    assert twice.returncode == 1
    assert f"{presentations} was reissued as" in twice.stderr
