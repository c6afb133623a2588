"""Streams every answer through a callable that keeps the chunks, and does nothing with them."""

from mitmproxy import http


class Tee:
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        chunks: list[bytes] = []

        def keep(chunk: bytes) -> bytes:
            chunks.append(chunk)
            return chunk

        flow.response.stream = keep


addons = [Tee()]
