"""Calls `khazad.init()`, though its calls may go through a proxy that is ours already.

    python init_behind_proxy.py LIBRARY URL WAY

LIBRARY is httpx, httpx2, requests or botocore; WAY is `proxied` or `direct`. Asks the same twice,
and prints what was said of each call and what the cache of this process has counted, as JSON.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import ssl
import sys
from typing import Any
from urllib.parse import urlsplit

import khazad
from khazad_mitm.inprocess import singleton

BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "What is love?"}]})
HEADERS = {
    "Authorization": "Bearer k",
    "Content-Type": "application/json",
    "X-Khazad-Tag": "songs",  # not for the upstream, whoever takes it out
}

library, url, way = sys.argv[1:]
# Named: NO_PROXY in the environment excepts loopback.
PROXY = os.environ["HTTPS_PROXY"] if way == "proxied" else None
BUNDLE = os.environ["SSL_CERT_FILE"]


def ask() -> str:
    """What Cache-Status says."""
    match library:
        case "botocore":
            from botocore.awsrequest import AWSRequest
            from botocore.httpsession import URLLib3Session

            proxies = {"http": PROXY, "https": PROXY} if PROXY else {}
            sender = URLLib3Session(verify=BUNDLE, proxies=proxies)
            response: Any = sender.send(AWSRequest("POST", url, HEADERS, BODY).prepare())
        case "requests":
            import requests

            with requests.Session() as session:
                session.trust_env = False
                proxies = {"http": PROXY, "https": PROXY}
                response = session.post(url, BODY, headers=HEADERS, verify=BUNDLE, proxies=proxies)
        case _:
            module: Any = importlib.import_module(library)
            trusted = ssl.create_default_context(cafile=BUNDLE)
            with module.Client(proxy=PROXY, trust_env=False, verify=trusted) as client:
                response = client.post(url, content=BODY, headers=HEADERS)
    assert 200 == response.status_code, response.content
    return str(response.headers["cache-status"])


def settle() -> None:
    """Wait until the answer is kept, by whoever keeps it."""
    assert singleton._instance is not None
    assert singleton._instance._source.here().drain(10)
    while PROXY and not khazad.get_stats()["stored"]:
        proxy = urlsplit(PROXY)
        connection = http.client.HTTPConnection(str(proxy.hostname), proxy.port, timeout=10)
        connection.request("GET", "http://khazad.internal/stats")
        stats = json.loads(connection.getresponse().read())
        connection.close()
        if stats["stored"]:
            return


khazad.init(redis_url="memory", mode="exact", log_level="WARNING")
said = []
for _ in range(2):
    said.append(ask())
    settle()
print(json.dumps({"said": said, "here": khazad.get_stats()}))
khazad.stop()
