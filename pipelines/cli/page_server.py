"""Page server: one HTML file on 127.0.0.1, and nothing else of the disk."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipelines.vocabulary.errors import MeterlineError


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a browser that goes away in the middle is no error."""


def page_server(page: Path, port: int) -> ThreadingHTTPServer:
    """A server that answers `/` with the file, and any other path with 404.

    Args:
        page: the HTML file.
        port: on 127.0.0.1; 0 takes a free one.

    Raises:
        MeterlineError: the port is taken or is none.
    """
    content = page.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_page = self.path.partition("?")[0] == "/"
            self.send_response(HTTPStatus.OK if is_page else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content) if is_page else 0))
            self.end_headers()
            if is_page:
                self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing: the terminal shows the address."""

    try:
        return _Server(("127.0.0.1", port), Handler)
    except (OSError, OverflowError) as error:
        raise MeterlineError(
            f"port {port} of 127.0.0.1 cannot be used: {error}; name another one with --port"
        ) from error
