"""Notices reach a receiver, take bounded time, and tell no log an address."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.operations import notices
from pipelines.operations.alarms import send
from pipelines.operations.notices import addresses_of, notice_of, notify, unknown_addresses
from pipelines.settings import Settings, setting_problems

FAILED: dict[str, Any] = {
    "kind": "run_failed",
    "home": "/srv/meterline",
    "run_id": "8a2f",
    "error": {"step": "catalog", "message": "the catalog has 1 problem"},
}
WAITING: dict[str, Any] = {
    "kind": "bounds_passed",
    "home": "/srv/meterline",
    "run_id": "8a2f",
    "alarms": [
        {"sentence": "1 file is held or unreadable and holds back invoices"},
        {"sentence": "<!channel> @everyone `x` [a](b).json has waited for 25 hours"},
    ],
}


class Server:
    """A local receiver of JSON; it answers as told, or never."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()
        self.address = ""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            made.answers.wait(10)
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        made.address = f"json://user:secret@127.0.0.1:{listening.server_address[1]}/token"
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            made.answers.set()
            listening.shutdown()


def test_text_of_a_failed_run_names_step_home_and_run() -> None:
    assert notice_of(FAILED) == (
        "Meterline: a run failed at catalog",
        "the catalog has 1 problem\n\n"
        "Home /srv/meterline, run 8a2f. 'meterline status' says what to do.",
    )
    before_any_step = {**FAILED, "error": {"step": None, "message": "x"}}
    assert notice_of(before_any_step)[0] == "Meterline: a run failed"


def test_text_of_senders_calls_nobody_and_makes_no_link() -> None:
    title, text = notice_of(WAITING)
    assert title == "Meterline: 2 alarms"
    assert text.splitlines()[:2] == [
        "1 file is held or unreadable and holds back invoices",
        "‹!channel› ＠everyone 'x' (a)(b).json has waited for 25 hours",
    ]


def test_notice_reaches_the_receiver(server: Server) -> None:
    assert notify((server.address,), WAITING) == ["the notice was delivered by json"]
    (received,) = server.received
    assert (received["title"], received["message"]) == notice_of(WAITING)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_refused_notice_is_said_without_the_address(server: Server, status: int) -> None:
    server.status = status
    assert notify((server.address,), FAILED) == [
        "the notice was not delivered by json: the service did not take it"
    ]


def test_receiver_that_hangs_is_left_behind_and_the_others_are_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "TIMEOUT_SECONDS", 1.0)
    server.answers.clear()
    assert notify((server.address, "nosuch://secret"), FAILED) == [
        "the notice was not delivered by json: no answer within 1 s",
        "the notice was not delivered by nosuch: apprise does not understand the address",
    ]


def test_alarm_goes_to_both_receivers(server: Server, tmp_path: Any) -> None:
    posted = server.address.replace("json://", "http://")
    settings = Settings(home=tmp_path, alarm_url=posted, alarm_notify=server.address)
    said = send(settings, FAILED)
    port = server.address.rpartition(":")[2].partition("/")[0]
    assert said == (
        f"the alarm was delivered to http://127.0.0.1:{port}; the notice was delivered by json"
    )
    assert [each.get("kind") for each in server.received] == ["run_failed", None]


def test_nothing_is_sent_without_an_address(tmp_path: Any) -> None:
    assert send(Settings(home=tmp_path), FAILED) == "off"


def test_address_that_no_service_has_is_a_problem_that_tells_no_secret() -> None:
    assert unknown_addresses(("nosuch://secret", "slack://AAAAAAAAA/BBBBBBBBB/" + "c" * 24)) == [
        "METERLINE_ALARM_NOTIFY: nosuch://… is no address that apprise understands"
    ]


@pytest.mark.parametrize("value", ["secret", "slack://a secret", "://secret", "slack://"])
def test_setting_takes_addresses_alone_and_repeats_none(value: str, tmp_path: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"home": tmp_path, "alarm_notify": value})
    (sentence,) = setting_problems(refused.value)
    assert sentence.startswith("METERLINE_ALARM_NOTIFY: expected addresses such as slack://")
    assert "secret" not in sentence


def test_setting_takes_several_addresses(tmp_path: Any) -> None:
    settings = Settings.model_validate({"home": tmp_path, "alarm_notify": " slack://a  mailto://b"})
    assert addresses_of(settings) == ("slack://a", "mailto://b")
    assert addresses_of(Settings(home=tmp_path)) == ()
    assert "slack" not in repr(settings)
