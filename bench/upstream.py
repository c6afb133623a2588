"""The fake provider: TLS on loopback, answers at once. A process of its own.

python -m bench.upstream CERTIFICATE
The port is the first line of its output.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

from bench import conversation

_ANSWER = b"\r\n".join(
    [
        b"HTTP/1.1 200 OK",
        *(f"{name}: {value}".encode() for name, value in conversation.ANSWER_HEADERS),
        b"content-length: %d" % len(conversation.ANSWER),
        b"",
        conversation.ANSWER,
    ]
)
_CHUNKS = [b"%x\r\n%s\r\n" % (len(frame), frame) for frame in conversation.frames()]
_FIRST = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_REST = b"".join(_CHUNKS[1:]) + b"0\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(size)
            if b'"stream": true' in body:
                writer.write(_FIRST + _CHUNKS[0])
                await writer.drain()
                # The first byte has gone before anybody sees the second.
                await asyncio.sleep(0.005)
                writer.write(_REST)
            else:
                writer.write(_ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def main(certificate: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["http/1.1"])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
