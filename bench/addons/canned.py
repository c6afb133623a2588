"""Answers every chat from memory: the least that any cache in mitmproxy can do."""

from mitmproxy import http

from bench.conversation import ANSWER, ANSWER_HEADERS, PATH


class Canned:
    def request(self, flow: http.HTTPFlow) -> None:
        if flow.request.path == PATH:
            flow.response = http.Response.make(200, ANSWER, dict(ANSWER_HEADERS))


addons = [Canned()]
