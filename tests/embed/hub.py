"""A Hugging Face hub on loopback that holds one model; counts what is asked of it.

Speaks as much as huggingface_hub 2.4 asks for: `api/models/NAME`, and files by
`NAME/resolve/REVISION/FILE` with the headers `ETag` and `X-Repo-Commit`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODEL = "khazad-tests/minilm"
COMMIT = "c0ffee" * 6 + "c0ff"


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.serve()

    def do_GET(self) -> None:
        self.serve()

    def serve(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        path = self.path.partition("?")[0].lstrip("/")
        if path in (f"api/models/{MODEL}", f"api/models/{MODEL}/revision/{COMMIT}"):
            files = (file for file in self.server.folder.rglob("*") if file.is_file())
            names = [file.relative_to(self.server.folder).as_posix() for file in files]
            siblings = [{"rfilename": name} for name in names]
            known = {"id": MODEL, "sha": COMMIT, "siblings": siblings}
            self.answer(json.dumps(known).encode(), "api")
            return
        _, found, rest = path.partition(f"{MODEL}/resolve/")
        file = self.server.folder / rest.partition("/")[2]
        if found and file.is_file():
            body = file.read_bytes()
            self.answer(body, hashlib.sha256(body).hexdigest())
        else:
            self.answer(b"", "", status=404)

    def answer(self, body: bytes, etag: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        if status == 404:
            is_known = self.path.startswith((f"/{MODEL}/", f"/api/models/{MODEL}"))
            self.send_header("X-Error-Code", "EntryNotFound" if is_known else "RepoNotFound")
        else:
            self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def running(folder: Path) -> Iterator[Hub]:
    server = Hub(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
