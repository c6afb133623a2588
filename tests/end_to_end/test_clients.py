"""Every client of the matrix that is on this machine: `make test-clients` brings most of them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.end_to_end import matrix
from tests.end_to_end.conftest import Standing
from tests.end_to_end.matrix import CLIENTS, Client
from tests.end_to_end.proxies import Proxy

pytestmark = pytest.mark.clients

# Where `make test-clients` wants them, to print docs/clients.md.
RESULTS = os.environ.get("KHAZAD_CLIENTS_RESULTS")


@pytest.fixture
def proxy(standing: Standing) -> Proxy:
    return standing("engine")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda c: f"{c.language}-{c.name}")
def test_a_client_is_reached_trusts_us_and_is_served_the_second_time(
    client: Client, proxy: Proxy, tmp_path: Path
) -> None:
    command = client.command()
    if isinstance(command, str):
        pytest.skip(command)
    result = matrix.try_out(command, matrix.variables(proxy, tmp_path), proxy)
    if RESULTS:
        told = {"language": client.language, "name": client.name, **asdict(result)}
        with Path(RESULTS).open("a") as file:
            print(json.dumps(told), file=file)

    assert result.is_right, result


def test_a_client_that_does_not_go_through_the_proxy_is_found_out(
    proxy: Proxy, tmp_path: Path
) -> None:
    command = Client("HTTP/1.1", "curl").command()
    if isinstance(command, str):
        pytest.skip(command)
    told = {
        name: value
        for name, value in matrix.variables(proxy, tmp_path).items()
        if not name.lower().endswith("_proxy")
    }
    # Nobody listens there: the call must not leave this machine.
    result = matrix.try_out(command, told | {"https_proxy": "http://127.0.0.1:1"}, proxy)

    assert (False, False, False) == (result.is_right, result.tls, result.plain)
    assert "curl" in result.complaint
