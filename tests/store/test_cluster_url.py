from __future__ import annotations

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.store.cluster_url import ClusterURL


@pytest.mark.parametrize(
    ("url", "seeds"),
    [
        ("redis+cluster://a:1", (("a", 1),)),
        ("redis+cluster://a:1,b:2,c", (("a", 1), ("b", 2), ("c", 6379))),
        ("redis+cluster://[::1]:7,[fe80::1]/", (("::1", 7), ("fe80::1", 6379))),
    ],
)
def test_any_nodes_may_be_named(url: str, seeds: object) -> None:
    assert seeds == ClusterURL.read(url).seeds


def test_credentials_and_options_are_those_of_every_node() -> None:
    url = ClusterURL.read("rediss+cluster://me:p@ss@a:1,b:2?ssl_ca_certs=/ca.pem")

    assert "rediss://me:p@ss@c:3?ssl_ca_certs=/ca.pem" == url.of(("c", 3))
    assert "rediss://me:p@ss@[::1]:3?ssl_ca_certs=/ca.pem" == url.of(("::1", 3))


@pytest.mark.parametrize("places", ["", ",", "a:x", "me:secret@", "me:secret@a:1,,b:2"])
def test_what_names_no_nodes_is_refused_without_showing_a_password(places: str) -> None:
    with pytest.raises(ConfigError, match="names no nodes of a cluster") as refused:
        ClusterURL.read(f"redis+cluster://{places}")

    assert "secret" not in str(refused.value)
