"""A loopback port before a server on a unix socket, which can do to a connection what a network
and a server in trouble do: delay, drop, answer in the server's place, end TLS badly.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from pathlib import Path


class Relay:
    """One thread each way of every connection; what is set holds for open connections too."""

    def __init__(self, target: Path, context: ssl.SSLContext | None = None) -> None:
        """`context`: speak TLS to the outside."""
        self.target = target
        self.context = context
        self.delay_s = 0.0
        """Before each piece on its way to the client."""
        self.delayed = 0
        """So many have been held up."""
        self.says: bytes | None = None
        """The reply to each command, in place of the server's."""
        self.accepted = 0
        """So many connections."""
        self._cuts = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._is_closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, open or being opened, as a server does that dies."""
        with self._lock:
            self._cuts += 1
            doomed = list(self._open)
        for connection in doomed:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        # As servers do: a small reply is not held back for 40 ms.
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near, far = accepted, socket.socket(socket.AF_UNIX)
        with self._lock:
            cuts = self._cuts
        try:
            if self.context is not None:
                near = self.context.wrap_socket(accepted, server_side=True)
            far.connect(str(self.target))
            with self._lock:
                if cuts != self._cuts:
                    raise OSError("cut while it was being opened")
                self._open |= {near, far}
        except (OSError, ssl.SSLError):
            near.close()
            far.close()
            return
        back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
        back.start()
        self._copy(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        is_reply = sink.family == socket.AF_INET
        try:
            while data := source.recv(65536):
                if is_reply and self.delay_s:
                    time.sleep(self.delay_s)
                    self.delayed += 1
                elif self.says is not None:
                    # Commands are arrays, and a pipeline is sent in one piece.
                    source.sendall(self.says * max(1, data.count(b"\r\n*") + 1))
                    continue
                sink.sendall(data)
        except (OSError, ssl.SSLError):
            pass
        finally:
            for one in (source, sink):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
