"""The demo's provider: speaks enough of OpenAI's chat API over TLS, on loopback.

It takes its time, as a model does, and counts its answers, so that one can see which of them was
served again.
"""

from __future__ import annotations

import datetime
import json
import ssl
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "api.openai.com"
FIRST_TOKEN_S = 0.6
TOKEN_S = 0.03


class Provider:
    """A server in a thread; a context manager."""

    def __init__(
        self, handler: type[BaseHTTPRequestHandler] | None = None, hosts: tuple[str, ...] = (HOST,)
    ) -> None:
        """`handler`: who answers, else the demo's own. `hosts`: whom its certificate is for."""
        self.certificate, key = _certificate(hosts)
        self._server = _Server(("127.0.0.1", 0), handler or _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory(prefix="khazad-demo-") as folder:
            chain = Path(folder) / "chain.pem"
            chain.touch(mode=0o600)
            chain.write_bytes(key + self.certificate)
            context.load_cert_chain(chain)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Provider:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answers = 0
    lock = threading.Lock()

    def next_answer(self) -> int:
        with self.lock:
            self.answers += 1
            return self.answers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
        warming = asked["model"] == "warm-up"
        number = 0 if warming else self.server.next_answer()
        text = f"Answer {number} of a provider that is none, to: {asked['messages'][-1]['content']}"
        time.sleep(0 if warming else FIRST_TOKEN_S)
        if asked.get("stream"):
            self._stream(asked["model"], number, text.split(" "))
        else:
            self._whole(asked["model"], number, text)

    def _whole(self, model: str, number: int, text: str) -> None:
        time.sleep(TOKEN_S * len(text.split()))
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        tokens = {"prompt_tokens": 12, "completion_tokens": 20, "total_tokens": 32}
        answer = _envelope("chat.completion", model, number, [choice]) | {"usage": tokens}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, model: str, number: int, words: list[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
        deltas += [{"content": word if i == 0 else f" {word}"} for i, word in enumerate(words)]
        for delta in deltas:
            self._event(model, number, delta, None)
            time.sleep(TOKEN_S)
        self._event(model, number, {}, "stop")
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, model: str, number: int, delta: dict[str, Any], finish: str | None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        event = _envelope("chat.completion.chunk", model, number, [choice])
        self._chunk(f"data: {json.dumps(event)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *_: object) -> None:
        """The table that the client prints is the only output."""


def _envelope(kind: str, model: str, number: int, choices: list[Any]) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-demo{number}",
        "object": kind,
        "created": 1_700_000_000,
        "model": model,
        "choices": choices,
    }


def _certificate(hosts: tuple[str, ...]) -> tuple[bytes, bytes]:
    """A certificate for `hosts` that vouches for itself, and its key; PEM. Good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
