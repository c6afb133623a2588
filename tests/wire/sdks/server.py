"""A provider on loopback that answers with the bytes it was given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Canned:
    """Answers every request with `body`, as `content_type`."""

    def __init__(self) -> None:
        self.body = b""
        self.content_type = ""
        self.calls = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(canned: Canned) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one segment: two small writes cost 40 ms (Nagle)

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            if "content-length" in self.headers:
                self.rfile.read(int(self.headers["content-length"]))
            elif "chunked" in self.headers.get("transfer-encoding", ""):
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            canned.calls += 1
            self.send_response(200)
            self.send_header("content-type", canned.content_type)
            self.send_header("content-length", str(len(canned.body)))
            self.end_headers()
            self.wfile.write(canned.body)

    return Handler


@contextmanager
def canned() -> Iterator[Canned]:
    server = Canned()
    try:
        yield server
    finally:
        server.close()
