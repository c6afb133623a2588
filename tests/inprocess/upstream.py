"""A fake OpenAI on loopback: counts its calls, drips its frames when told to."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"

# For whatever is waited for. Loading openai and making a client of it alone is 1.6 s of processor
# time, which a machine with other things to do does not give at once.
PATIENCE_S = 60.0


def answer(text: str) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


def frames(text: str) -> list[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": word}, None) for word in text.split(" ")]
    deltas += [({}, "stop")]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in deltas
    ]
    return [*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), DONE]


def vectors(texts: list[str]) -> bytes:
    """One for each text: how long it is, and its first character."""
    rows = [
        {"object": "embedding", "index": index, "embedding": [len(text), ord(text[0])]}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return json.dumps({"object": "list", "data": rows, "model": "m", "usage": usage}).encode()


DONE = b"data: [DONE]\n\n"


def question(text: str = "What is the capital of Italy?", **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


class Upstream(ThreadingHTTPServer):
    """Answers `Rome #1`, `Rome #2` ...: an answer tells which call it was given to."""

    daemon_threads = True
    request_queue_size = 128  # as many may come at the same moment

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[dict[str, str]] = []
        """Headers of each call, names in lower case."""
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.status = 200
        self.gzips = False
        self.embeds = True
        """Else there are no vectors in its answers."""
        self.says: str | None = None
        """In place of its count."""
        self.holds_back = 0
        """Of a stream: the last so many pieces wait for `go_on`. The end of the body is one."""
        self.breaks_off = False
        """Of a stream: what is held back never comes, the connection is cut."""
        self.holds_calls = False
        """An answer waits for `go_on`."""
        self.go_on = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            self.calls.append(headers)
            self.bodies.append(body)
            return len(self.calls)


@contextmanager
def running(server: Upstream | None = None) -> Iterator[Upstream]:
    server = server or Upstream()
    # A short poll: shutdown() waits for it.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.server.count({}, b"")
        self.whole(b'{"object": "list", "data": []}')

    def do_POST(self) -> None:
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.paths.append(self.path)
        text = f"Rome #{self.server.count(headers, body)}"
        if self.server.says is not None:
            text = self.server.says
        if self.server.holds_calls:
            self.server.go_on.wait(PATIENCE_S)
        if self.path == EMBEDDINGS:
            self.whole(vectors(json.loads(body)["input"]) if self.server.embeds else vectors([]))
        elif json.loads(body).get("stream") and self.server.status == 200:
            self.stream(frames(text))
        else:
            self.whole(answer(text))

    def body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers["content-length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def whole(self, body: bytes) -> None:
        self.send_response(self.server.status)
        if self.server.gzips:
            body = gzip.compress(body, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "req-1")
        self.end_headers()
        self.wfile.write(body)

    def stream(self, parts: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""]]
        first_held = len(pieces) - self.server.holds_back
        for index, piece in enumerate(pieces):
            if index == first_held and self.server.breaks_off:
                self.close_connection = True
                return
            if index == first_held:
                self.server.go_on.wait(PATIENCE_S)
            try:
                self.wfile.write(piece)
            except OSError:  # the client has hung up, which is what some tests are about
                self.close_connection = True
                return
