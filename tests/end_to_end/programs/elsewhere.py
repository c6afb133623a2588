"""A proxy that others reach, and one of the others: run in a network namespace of its own.

python elsewhere.py ADDRESS CONFDIR SERVE_FLAG ...

Starts `khazad-mitm serve` on ADDRESS, asks it some things, and prints what came of them as JSON.
"""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import re
import subprocess
import sys
import threading
from typing import Any

WAIT_S = 15.0
ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
    ],
}
ASKED = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]})
SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/r/bedrock/aws4_request, Signature=forged"
USER = "Basic " + base64.b64encode(b"me:secret").decode()


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    calls: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.calls.append(str(self.headers.get("proxy-authorization")))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def main() -> None:
    address, confdir, *flags = sys.argv[1:]
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    command = [sys.executable, "-m", "khazad_mitm.cli", "serve", "--listen", f"{address}:0"]
    command += ["--confdir", confdir, "--redis-url", "memory", "--mode", "exact", *flags]
    proxy = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert proxy.stderr is not None
    lines, found = [], None
    for line in proxy.stderr:
        lines.append(line)
        found = re.search(r"listens on [^ ]*:(\d+)", line)
        if found:
            break
    if found is None:
        print(json.dumps({"exit": proxy.wait(WAIT_S), "said": "".join(lines)}))
        return
    drain = threading.Thread(target=proxy.stderr.read, daemon=True)
    drain.start()
    try:
        print(json.dumps(told_by(address, int(found[1]), upstream.server_address[1])))
    finally:
        proxy.terminate()
        proxy.wait(WAIT_S)


def told_by(address: str, port: int, upstream_port: int) -> dict[str, Any]:
    """What the proxy says to one of the others."""

    def ask(url: str, method: str = "POST", body: str | None = ASKED, **more: str) -> Any:
        connection = http.client.HTTPConnection(address, port, timeout=WAIT_S)
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        connection.request(method, url, body, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        if method != "CONNECT":  # what follows is a tunnel
            response.read()
        connection.close()
        return [response.status, response.headers.get("cache-status", "")]

    inside = f"http://127.0.0.1:{upstream_port}/v1/chat/completions"
    told: dict[str, Any] = {
        "inside": ask(inside),
        "by name": ask(inside.replace("127.0.0.1", "localhost")),
        "connect": ask(f"127.0.0.1:{upstream_port}", "CONNECT", None)[0],
        "metadata": ask("http://169.254.169.254/latest/meta-data", "GET", None)[0],
        "authenticated": ask(inside, Proxy_Authorization=USER, Authorization="Bearer k"),
        "signed": ask(inside, Authorization=SIGNED),
        "signed, known": ask(inside, Authorization=SIGNED, Proxy_Authorization=USER),
        "signed, known, again": ask(inside, Authorization=SIGNED, Proxy_Authorization=USER),
        "flush": ask("http://khazad.internal/flush", "POST", "")[0],
        "flush, known": ask("http://khazad.internal/flush", "POST", "", Proxy_Authorization=USER)[
            0
        ],
    }
    return {**told, "calls": Upstream.calls}


main()
