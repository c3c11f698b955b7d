"""`meterline docs`: the dictionary is served on 127.0.0.1 alone, and nothing beside it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from typer.testing import Result

from pipelines.cli.page_server import page_server
from pipelines.operations import dbt_by_hand
from pipelines.vocabulary.errors import MeterlineError

Call = Callable[..., Result]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "dictionary.html"
    path.write_text("<p>Straße</p>")
    (tmp_path / "secret.txt").write_text("secret")
    return path


@contextmanager
def served(page: Path) -> Iterator[HTTPConnection]:
    with page_server(page, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with closing(HTTPConnection("127.0.0.1", server.server_port, timeout=10)) as connection:
            yield connection
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        pytest.param("/", 200, "<p>Straße</p>", id="page"),
        pytest.param("/?g_v=1", 200, "<p>Straße</p>", id="with a query"),
        pytest.param("/secret.txt", 404, "", id="beside it"),
        pytest.param("/../secret.txt", 404, "", id="above"),
    ],
)
def test_the_page_is_served_and_nothing_else(page: Path, path: str, status: int, body: str) -> None:
    with served(page) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()

        assert (answer.status, answer.read().decode()) == (status, body)


def test_only_this_host_reaches_it(page: Path) -> None:
    with page_server(page, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_named(page: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MeterlineError, match=f"port {port} .* another one with --port"):
            page_server(page, port)


def test_a_port_that_is_none_is_named(page: Path) -> None:
    with pytest.raises(MeterlineError, match=r"port 65536 of 127\.0\.0\.1 cannot be used"):
        page_server(page, 65_536)


def test_the_file_is_named_where_nothing_is_served(
    call: Call, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_by_hand, "dictionary", lambda _: page)

    called = call("docs", "--no-serve")

    assert called.exit_code == 0
    assert called.stdout == f"The dictionary: {page}\n"


def test_the_address_is_printed_and_ctrl_c_ends_it(
    call: Call, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dbt_by_hand, "dictionary", lambda _: page)
    monkeypatch.setattr("pipelines.cli.page_server.ThreadingHTTPServer.serve_forever", interrupted)

    called = call("docs", "--port", "0")

    assert called.exit_code == 130
    assert called.stdout.startswith("The dictionary: http://127.0.0.1:")
