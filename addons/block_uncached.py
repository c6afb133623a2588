"""Offline: answer 504 to every LLM call that is not in the cache; nothing of theirs goes upstream.

Load it behind the cache: `-s khazad_mitm/addon.py -s addons/block_uncached.py`.
"""

import json

from mitmproxy import http

from khazad_mitm.wire import hosts


class BlockUncached:
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        # What is streamed has gone by the time its request could be refused.
        if hosts.is_known(flow.request.host) and flow.request.stream:
            flow.request.stream = False

    def request(self, flow: http.HTTPFlow) -> None:
        if flow.response is None and hosts.is_known(flow.request.host):
            message = "not in the cache, and block_uncached is loaded"
            body = json.dumps({"error": {"message": message, "type": "khazad"}})
            flow.response = http.Response.make(504, body, {"content-type": "application/json"})


addons = [BlockUncached()]
