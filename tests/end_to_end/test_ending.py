"""A service that is told to end lets what goes on come to its end."""

from __future__ import annotations

import http.client
import socket
import threading
from pathlib import Path

import pytest

from tests.end_to_end.raw import listening
from tests.end_to_end.services import PLAIN, Service, serving
from tests.end_to_end.upstream import (
    WAIT_S,
    Answer,
    Call,
    Upstream,
    chat_answer,
    chat_body,
    question,
    stream_answer,
    stream_frames,
)

STREAMED = question("What is the capital of France?", stream=True)
PATH = "/openai/v1/chat/completions"
WORDS = ("Par", "is", ".")


def opened(service: Service) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """A stream of which the first frame has come."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=WAIT_S)
    connection.request("POST", PATH, STREAMED, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.read1(1)
    return connection, response


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # was to be accepted when it ended
        return False
    return False


def test_a_stream_that_goes_on_is_ended_and_no_other_is_begun(
    tmp_path: Path, upstream: Upstream
) -> None:
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)
    with serving(tmp_path, upstream, *PLAIN) as service:
        connection, response = opened(service)
        at_rest = http.client.HTTPConnection("127.0.0.1", service.port, timeout=WAIT_S)
        at_rest.connect()
        service.tell()
        while not refuses(service.port):
            pass
        assert b"" == at_rest.sock.recv(1)
        drip.release(10)
        rest = response.read()
        status = service.ended()
        connection.close()
        at_rest.close()

    assert b"".join(stream_frames(WORDS))[1:] == rest
    assert 0 == status
    assert not [line for line in service.log if "Traceback" in line]


def test_a_connection_with_an_exchange_hears_that_it_is_ending(
    tmp_path: Path, upstream: Upstream
) -> None:
    go_on, has_asked = threading.Event(), threading.Event()

    def answer(call: Call) -> Answer:
        has_asked.set()
        assert go_on.wait(WAIT_S)
        return chat_answer("Paris.")

    upstream.answer = answer
    with serving(tmp_path, upstream, *PLAIN) as service:
        assert {"status": "live"} == service.page("/live")
        assert ("ready", "ready") == tuple(service.page("/ready")[n] for n in ("status", "store"))
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=WAIT_S)
        connection.request("POST", PATH, question("?"), {"Content-Type": "application/json"})
        assert has_asked.wait(WAIT_S)
        service.tell()
        while not refuses(service.port):
            pass
        go_on.set()
        response = connection.getresponse()
        assert ("close", chat_body("Paris.")) == (response.getheader("connection"), response.read())
        assert 0 == service.ended()
        connection.close()


@pytest.mark.parametrize("how", ["told again", "no grace"])
def test_who_is_in_a_hurry_waits_for_nobody(how: str, tmp_path: Path, upstream: Upstream) -> None:
    upstream.answer = lambda call: stream_answer(WORDS, drip=threading.Semaphore(0))
    grace = ("--grace", "0") if how == "no grace" else ()
    with serving(tmp_path, upstream, *PLAIN, *grace) as service:
        connection, response = opened(service)
        service.tell()
        if how == "told again":
            while not refuses(service.port):
                pass
            service.tell()
        assert 0 == service.ended()
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        connection.close()


def test_a_tunnel_is_not_cut(tmp_path: Path, upstream: Upstream) -> None:
    go_on = threading.Event()

    def slow(connection: socket.socket) -> None:
        # Not of its own accord: http.client reads ahead, and drops what came with the 200.
        assert b"hello" == connection.recv(5)
        connection.sendall(b"first")
        assert go_on.wait(WAIT_S)
        connection.sendall(b"second")

    with serving(tmp_path, upstream, *PLAIN) as service, listening(slow) as port:
        tunnel = http.client.HTTPConnection("127.0.0.1", service.port, timeout=WAIT_S)
        tunnel.set_tunnel("localhost", port)
        tunnel.connect()
        tunnel.sock.sendall(b"hello")
        assert b"first" == tunnel.sock.recv(5)
        service.tell()
        while not refuses(service.port):
            pass
        go_on.set()
        assert b"second" == tunnel.sock.recv(6)
        tunnel.close()
        assert 0 == service.ended()
