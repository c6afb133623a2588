"""The fake provider once more, in HTTP/2 only. A process of its own.

python -m bench.upstream_h2 CERTIFICATE
The port is the first line of its output.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict

import h2.config
import h2.connection
import h2.events

from bench import conversation
from bench.upstream import context

_STREAM = b"".join(conversation.frames())


class Speaker(asyncio.Protocol):
    """Both sides of its connection may have as many streams as they like, one after the other."""

    def __init__(self) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1")
        self._speaker = h2.connection.H2Connection(config)
        self._bodies: defaultdict[int, bytes] = defaultdict(bytes)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._speaker.initiate_connection()
        transport.write(self._speaker.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self._speaker.receive_data(data):
            match event:
                case h2.events.DataReceived(stream_id=int(stream), data=bytes(part)):
                    length = event.flow_controlled_length or 0
                    self._speaker.acknowledge_received_data(length, stream)
                    self._bodies[stream] += part
                case h2.events.StreamEnded(stream_id=int(stream)):
                    self._answer(stream, self._bodies.pop(stream, b""))
                case h2.events.StreamReset(stream_id=int(stream)):
                    self._bodies.pop(stream, None)
        self._transport.write(self._speaker.data_to_send())

    def _answer(self, stream: int, body: bytes) -> None:
        is_stream = b'"stream": true' in body
        said = _STREAM if is_stream else conversation.ANSWER
        headers = [
            (":status", "200"),
            *conversation.ANSWER_HEADERS,
            ("content-length", str(len(said))),
        ]
        if is_stream:
            headers[1] = ("content-type", "text/event-stream")
        self._speaker.send_headers(stream, headers)
        # A few kilobytes: smaller than any window that a client of ours gives.
        most = self._speaker.max_outbound_frame_size
        for begin in range(0, len(said), most):
            part = said[begin : begin + most]
            self._speaker.send_data(stream, part, end_stream=begin + most >= len(said))


async def main(certificate: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Speaker, "127.0.0.1", 0, ssl=context(certificate, "h2"))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
