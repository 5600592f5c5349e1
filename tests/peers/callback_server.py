"""The place where a client takes its answers in: a tiny HTTP server that a browser can arrive at."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

#: What it says tells whether scripts run in the browser.
_PAGE = b"""<!doctype html><html lang="en"><title>The client</title><link rel="icon" href="data:,">
<h1>The client</h1><p>Without scripts.</p>
<script>document.querySelector("p").textContent = "With scripts."</script>"""


class CallbackServer:
    """Listens on a free loopback port until it is closed."""

    def __init__(self) -> None:
        #: the parameters of each answer.
        self.answers: list[dict[str, str]] = []
        answers = self.answers

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers.append(dict(parse_qsl(urlsplit(self.path).query)))
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(_PAGE)))
                self.end_headers()
                self.wfile.write(_PAGE)

            def log_message(self, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The redirect URI."""
        return f"http://127.0.0.1:{self._server.server_port}/callback"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
