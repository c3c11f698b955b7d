"""A home with one run, the UI in front of it, and a real browser."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from pipelines.settings import REPOSITORY

AFTER_THE_SAMPLE = "2015-05-20T22:00:00Z"
"""An instant just after the last file of the sample."""

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
"""Debian's; Playwright's own browsers are not downloaded."""

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""A container gives Chromium no sandbox, and it must not call home."""

UI_START_SECONDS = 90.0


def meterline(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("meterline")), *arguments]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    return {**os.environ, "METERLINE_HOME": str(home)}


@pytest.fixture(scope="session")
def home_with_a_run(environment: dict[str, str]) -> dict[str, str]:
    arguments = meterline("run", "--as-of", AFTER_THE_SAMPLE)
    subprocess.run(arguments, env=environment, cwd=REPOSITORY, check=True)
    return environment


@pytest.fixture(scope="session")
def ui_address(home_with_a_run: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    arguments = meterline("ui", "--port", str(port))
    server = subprocess.Popen(arguments, env=home_with_a_run, cwd=REPOSITORY)
    try:
        _wait_until_served(server, address)
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
    assert not _is_served(address), "the UI outlived the command that opened it"


@pytest.fixture
def page(ui_address: str, tmp_path: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=CHROMIUM_ARGUMENTS
        )
        opened = browser.new_page(base_url=ui_address, viewport={"width": 1700, "height": 1000})
        opened.set_default_timeout(30_000)
        yield opened
        opened.screenshot(path=tmp_path / "last_seen.png")
        browser.close()


def _wait_until_served(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + UI_START_SECONDS
    while not _is_served(address):
        assert server.poll() is None, "the UI ended while it was starting"
        assert time.monotonic() < deadline, f"the UI was not up after {UI_START_SECONDS} s"
        time.sleep(0.5)


def _is_served(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5) as answer:  # noqa: S310 -- our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
