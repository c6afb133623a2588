"""TLS in front of a Redis, which the binary of the `embedded` extra is built without."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.certificates import Authority


@contextmanager
def tls_in_front(
    dial: Callable[[], socket.socket], authority: Authority, *, clients: Path | None = None
) -> Iterator[int]:
    """A terminator before what `dial` connects to; gives its port on 127.0.0.1.

    `clients`: the authority of those it lets in.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, dial), daemon=True).start()
        yield listener.getsockname()[1]
        # Closing alone does not wake who accepts.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(
    listener: socket.socket, context: ssl.SSLContext, dial: Callable[[], socket.socket]
) -> None:
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(raw, context, dial), daemon=True).start()


def _serve(raw: socket.socket, context: ssl.SSLContext, dial: Callable[[], socket.socket]) -> None:
    with (
        raw,
        contextlib.suppress(OSError),
        context.wrap_socket(raw, server_side=True) as client,
        dial() as server,
    ):
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
