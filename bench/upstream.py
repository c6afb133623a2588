"""The fake provider: TLS on loopback, answers at once. A process of its own.

python -m bench.upstream CERTIFICATE
The port is the first line of its output.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

from bench import conversation, drip

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LONG = conversation.LONG.encode()
_DRIP = conversation.DRIP.encode()


def _plain(body: bytes) -> bytes:
    head = [
        b"HTTP/1.1 200 OK",
        *(f"{name}: {value}".encode() for name, value in conversation.ANSWER_HEADERS),
        b"content-length: %d" % len(body),
    ]
    return b"\r\n".join([*head, b"", body])


def _streamed(frames: list[bytes]) -> tuple[bytes, bytes]:
    """The head with the first chunk, and the rest."""
    first, *others = (b"%x\r\n%s\r\n" % (len(frame), frame) for frame in frames)
    return _HEAD + first, b"".join(others) + b"0\r\n\r\n"


_ANSWER = _plain(conversation.ANSWER)
_STREAM = _streamed(conversation.frames())
_LONG_ANSWER = _plain(conversation.long_answer())
_LONG_STREAM = _streamed(conversation.long_frames())


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(size)
            is_long = _LONG in body
            if _DRIP in body:
                writer.write(_HEAD)
                await drip.drip(writer, body)
            elif b'"stream": true' in body:
                first, rest = _LONG_STREAM if is_long else _STREAM
                writer.write(first)
                await writer.drain()
                # The first byte has gone before anybody sees the second.
                await asyncio.sleep(0.005)
                writer.write(rest)
            else:
                writer.write(_LONG_ANSWER if is_long else _ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


def context(certificate: str, protocol: str) -> ssl.SSLContext:
    """Of a server that speaks this protocol and no other."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    made.set_alpn_protocols([protocol])
    return made


async def main(certificate: str) -> None:
    tls = context(certificate, "http/1.1")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
