"""Alarms fire beyond their bounds, reach a real receiver, and cost a run little without one."""

import base64
import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from pipelines.defs.assets.alarms import tell_failure
from pipelines.defs.resources import build_writer
from pipelines.lake.writer_lock import writer_lock
from pipelines.operations import alarms
from pipelines.operations.alarms import (
    RunSigns,
    bounds_payload,
    failure_payload,
    passed_bounds,
    send,
)
from pipelines.settings import Settings
from pipelines.vocabulary.errors import MeterlineError

QUIET = RunSigns(
    batch_id=7,
    lines=1000,
    refused=50,
    conflicts=10,
    waiting_files=0,
    undecided_seconds=24 * 3600,
    undecided_path="cdn/a.ndjson",
    unfinished_seconds=24 * 3600,
    unfinished_path="cdn/_a.ndjson",
)
"""Every sign exactly at its bound."""


@dataclass
class Receiver:
    """A local HTTP server that answers as told and remembers what it was sent."""

    statuses: list[int] = field(default_factory=list)
    wait_seconds: float = 0.0
    rest: bytes = b""
    """What follows the status line and the headers' first, as it is sent."""
    drips: bool = False
    received: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    port: int = 0

    def url(self, rest: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{rest}"


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((self.path, dict(self.headers), json.loads(body)))
            time.sleep(receiver.wait_seconds)
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            self.send_response(status)
            if status == 307:
                self.send_header("Location", receiver.url("/elsewhere"))
            self.flush_headers()
            self.wfile.write(receiver.rest or b"\r\n")
            while receiver.drips:
                self.wfile.write(b".")
                time.sleep(0.05)

        def log_message(self, *_arguments: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.drips = False
            server.shutdown()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(alarms, "TIMEOUT_SECONDS", 0.5)


def settings_of(home: Path, url: str | None = None, **others: Any) -> Settings:
    return Settings(home=home, alarm_url=url, **others)


def test_nothing_fires_at_the_bounds(tmp_path: Path) -> None:
    assert passed_bounds(QUIET, settings_of(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "change", "value", "bound"),
    [
        ("refused_percent", {"refused": 51}, "5.10", "5"),
        ("refused_percent", {"lines": 999}, "5.00", "5"),
        ("conflicts", {"conflicts": 11}, "11", "10"),
        ("waiting_files", {"waiting_files": 1}, "1", "0"),
        ("undecided_hours", {"undecided_seconds": 24 * 3600 + 1}, "24.0003", "24"),
        ("unclaimed_files", {"unclaimed_files": 1}, "1", "0"),
        ("unfinished_hours", {"unfinished_seconds": 24 * 3600 + 1}, "24.0003", "24"),
    ],
)
def test_each_sign_fires_beyond_its_bound(
    name: str, change: dict[str, int], value: str, bound: str, tmp_path: Path
) -> None:
    changed = RunSigns(**(vars(QUIET) | change))
    (alarm,) = passed_bounds(changed, settings_of(tmp_path))

    assert (alarm.name, alarm.value, alarm.bound) == (name, value, bound)
    assert alarm.sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"refused": 1, "lines": 1}, "this run refused 1 of 1 line (100.00 %)"),
        ({"refused": 51}, "this run refused 51 of 1,000 lines (5.10 %)"),
        ({"conflicts": 1}, "1 line of this run contradicts an accepted event"),
        ({"conflicts": 11}, "11 lines of this run contradict an accepted event"),
        ({"waiting_files": 1}, "1 file is held or unreadable and holds back invoices"),
        ({"waiting_files": 2}, "2 files are held or unreadable and hold back invoices"),
        (
            {"unclaimed_files": 1},
            "1 landed file cannot be taken in and holds back invoices: `meterline status` says why",
        ),
        (
            {"unfinished_seconds": 7200},
            "cdn/_a.ndjson has the name of an unfinished upload since 2 hours: rename it, or "
            "delete it",
        ),
        ({"undecided_seconds": 3600}, "cdn/a.ndjson has waited for 1 hour"),
        ({"undecided_seconds": 1000 * 3600}, "cdn/a.ndjson has waited for 1,000 hours"),
        (
            {"undecided_seconds": 90000, "undecided_path": "a\x1b[2J\u202e"},
            "a\\x1b[2J\\u202e has waited for 25 hours",
        ),
    ],
)
def test_sentence_agrees_with_its_number(
    change: dict[str, int], sentence: str, tmp_path: Path
) -> None:
    quiet = {"refused": 0, "conflicts": 0, "undecided_seconds": 0, "unfinished_seconds": 0}
    settings = settings_of(tmp_path, alarm_conflicts=0, alarm_undecided_hours=0)
    (alarm,) = passed_bounds(RunSigns(**(vars(QUIET) | quiet | change)), settings)

    assert alarm.sentence == sentence


def test_bounds_are_settings(tmp_path: Path) -> None:
    tight = settings_of(
        tmp_path,
        alarm_refused_percent=4,
        alarm_conflicts=9,
        alarm_undecided_hours=23,
    )
    loose = settings_of(tmp_path, alarm_waiting_files=3)

    assert [alarm.name for alarm in passed_bounds(QUIET, tight)] == [
        "refused_percent",
        "conflicts",
        "undecided_hours",
        "unfinished_hours",
    ]
    assert passed_bounds(replace(QUIET, waiting_files=3), loose) == []


def test_run_that_took_in_nothing_refused_nothing(tmp_path: Path) -> None:
    idle = replace(QUIET, lines=0, refused=0, conflicts=0)

    assert passed_bounds(idle, settings_of(tmp_path, alarm_refused_percent=0)) == []


def test_payload_is_as_documented(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    signs = replace(QUIET, waiting_files=2)
    as_of = datetime(2026, 3, 10, 12, tzinfo=UTC)

    payload = bounds_payload(settings, "run-1", as_of, signs, passed_bounds(signs, settings))

    sent_at = payload.pop("sent_at")
    assert datetime.fromisoformat(sent_at).tzinfo == UTC
    assert json.loads(json.dumps(payload)) == {
        "version": 1,
        "kind": "bounds_passed",
        "home": str(tmp_path),
        "run_id": "run-1",
        "as_of": "2026-03-10T12:00:00Z",
        "alarms": [
            {
                "name": "waiting_files",
                "value": "2",
                "bound": "0",
                "sentence": "2 files are held or unreadable and hold back invoices",
            }
        ],
        "signs": {
            "batch_id": 7,
            "lines": 1000,
            "refused": 50,
            "conflicts": 10,
            "waiting_files": 2,
            "undecided_seconds": 86400,
            "undecided_path": "cdn/a.ndjson",
            "unclaimed_files": 0,
            "unfinished_seconds": 86400,
            "unfinished_path": "cdn/_a.ndjson",
        },
    }
    failed = failure_payload(settings, "run-1", "decided_events", "x" * 5000)
    assert failed.keys() == {"version", "kind", "home", "run_id", "sent_at", "error"}
    assert failed["kind"] == "run_failed"
    assert failed["error"] == {"step": "decided_events", "message": "x" * 2000}


def test_every_field_of_the_payload_is_documented(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "alarms.md").read_text()
    settings = settings_of(tmp_path)
    payload = bounds_payload(settings, "r", datetime.now(UTC), QUIET, [])
    names = {*payload, *payload["signs"], *failure_payload(settings, "r", None, "x")}
    variables = {f"METERLINE_{name.upper()}" for name in Settings.model_fields if "alarm" in name}

    assert {name for name in names | variables if f"`{name}`" not in text} == set()


def test_documented_defaults_are_those_of_the_settings() -> None:
    text = (Path(__file__).parents[3] / "docs" / "alarms.md").read_text()
    documented = dict(re.findall(r"^\| `METERLINE_(ALARM_\w+)` \| .* \| (\d+) \|$", text, re.M))
    fields = Settings.model_fields.items()

    assert documented == {
        name.upper(): str(field.default)
        for name, field in fields
        if "alarm" in name and field.default is not None
    }


def test_receiver_gets_the_payload(tmp_path: Path) -> None:
    with receiving(Receiver()) as receiver:
        said = send(settings_of(tmp_path, receiver.url("/hook?x=1")), {"kind": "straße"})

    assert said == f"the alarm was delivered to http://127.0.0.1:{receiver.port}"
    ((path, headers, payload),) = receiver.received
    assert (path, payload) == ("/hook?x=1", {"kind": "straße"})
    assert headers["Content-Type"] == "application/json"


def test_receiver_that_recovers_gets_it_in_a_later_try(tmp_path: Path) -> None:
    with receiving(Receiver(statuses=[500, 503])) as receiver:
        said = send(settings_of(tmp_path, receiver.url()), {})

    assert "was delivered" in said
    assert len(receiver.received) == 3


@pytest.mark.parametrize("status", [400, 500, 307])
def test_receiver_that_refuses_is_given_up(status: int, tmp_path: Path) -> None:
    with receiving(Receiver(statuses=[status] * 9)) as receiver:
        said = send(settings_of(tmp_path, receiver.url()), {})

    assert said.endswith(f"in 3 tries: it answered {status}")
    assert [path for path, _, _ in receiver.received] == ["/hook"] * 3


def test_receiver_that_is_slow_is_given_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "TIMEOUT_SECONDS", 0.1)
    with receiving(Receiver(wait_seconds=1.5)) as receiver:
        started = time.monotonic()
        said = send(settings_of(tmp_path, receiver.url()), {})
        seconds = time.monotonic() - started

    assert "was not delivered" in said
    assert seconds < 1.5


def test_answer_is_not_read_beyond_its_status(tmp_path: Path) -> None:
    with receiving(Receiver(drips=True)) as receiver:
        said = send(settings_of(tmp_path, receiver.url()), {})

    assert "was delivered" in said
    assert len(receiver.received) == 1


def test_receiver_that_is_down_is_given_up(tmp_path: Path) -> None:
    with receiving(Receiver()) as receiver:
        pass

    said = send(settings_of(tmp_path, receiver.url()), {})

    assert said.endswith("in 3 tries: ConnectionRefusedError")


def test_without_url_nothing_is_sent(tmp_path: Path) -> None:
    assert send(settings_of(tmp_path), {}) == "off"


def test_secrets_reach_the_receiver_and_no_text(tmp_path: Path) -> None:
    with receiving(Receiver(statuses=[200, 500, 500, 500])) as receiver:
        url = f"http://me:p%40ss@127.0.0.1:{receiver.port}/token-123?key=s3cret"
        settings = settings_of(tmp_path, url)
        told = [send(settings, {}), send(settings, {}), repr(settings), str(settings)]

    expected = base64.b64encode(b"me:p@ss").decode()
    assert receiver.received[0][1]["Authorization"] == f"Basic {expected}"
    for secret in ("p%40ss", "p@ss", "token-123", "s3cret"):
        assert all(secret not in text for text in told)


def test_secrets_reach_no_log_whatever_the_receiver_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    # Headers that cannot be parsed are a warning of the library's, with the whole URL.
    with receiving(Receiver(rest=b"no header\r\n\r\n")) as receiver:
        url = f"http://me:p%40ss@127.0.0.1:{receiver.port}/token-123?key=s3cret"
        said = send(settings_of(tmp_path, url), {})

    assert "was delivered" in said
    assert all(secret not in caplog.text for secret in ("p%40ss", "p@ss", "token-123", "s3cret"))


def test_credentials_are_those_of_the_url_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with receiving(Receiver()) as receiver:
        send(settings_of(tmp_path, receiver.url()), {})
        with_name = f"http://m%C3%BCller:%E2%82%AC@127.0.0.1:{receiver.port}/"
        send(settings_of(tmp_path, with_name), {})

    (_, without, _), (_, named, _) = receiver.received
    assert "Authorization" not in without
    assert named["Authorization"] == f"Basic {base64.b64encode('müller:€'.encode()).decode()}"


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///etc/passwd", "host:80", "http://", "x"])
def test_only_http_is_a_receiver(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="expected http://… or https://… with a host") as told:
        settings_of(tmp_path, url)
    assert "etc/passwd" not in str(told.value)


def failing_job(settings: Settings) -> dg.JobDefinition:
    @dg.op(required_resource_keys={"writer"})
    def decided_events() -> None:
        raise MeterlineError("the sums differ")

    @dg.job(resource_defs={"writer": build_writer(settings)}, hooks={tell_failure})
    def meterline() -> None:
        decided_events()

    return meterline


def test_failing_step_is_told(tmp_path: Path) -> None:
    with receiving(Receiver()) as receiver:
        settings = settings_of(tmp_path, receiver.url())
        result = failing_job(settings).execute_in_process(raise_on_error=False)

    assert not result.success
    ((_, _, payload),) = receiver.received
    assert payload["kind"] == "run_failed"
    assert payload["run_id"] == result.run_id
    assert payload["error"] == {"step": "decided_events", "message": "the sums differ"}


def test_run_that_finds_the_home_locked_is_told(tmp_path: Path) -> None:
    with receiving(Receiver()) as receiver:
        settings = settings_of(tmp_path, receiver.url())
        with writer_lock(settings.writer_lock, "other", 0):
            result = failing_job(settings).execute_in_process(raise_on_error=False)

    assert not result.success
    ((_, _, payload),) = receiver.received
    assert payload["error"]["step"] is None
    assert "running" in payload["error"]["message"]


def test_receiver_that_is_down_changes_nothing_about_the_run(tmp_path: Path) -> None:
    with receiving(Receiver()) as receiver:
        pass

    result = failing_job(settings_of(tmp_path, receiver.url())).execute_in_process(
        raise_on_error=False
    )

    errors = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert len(errors) == 1
    assert not [event for event in result.all_events if "HOOK_ERRORED" in event.event_type_value]
