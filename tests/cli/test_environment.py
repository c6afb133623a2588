from __future__ import annotations

from pathlib import Path

from khazad_mitm.cli.environment import PROXY_VARIABLES, Files, variables
from khazad_mitm.cli.trust import BUNDLE_VARIABLES

PROXY = "http://127.0.0.1:1234"
FILES = Files(Path("/f/b.pem"), Path("/f/khazad-truststore.jks"), Path("/f/preload.cjs"))


def test_every_client_is_told_of_the_proxy_and_the_bundle() -> None:
    told = variables({}, PROXY, FILES)
    names = [*PROXY_VARIABLES, *map(str.lower, PROXY_VARIABLES)]

    assert {PROXY} == {told[name] for name in names}
    assert {"/f/b.pem"} == {told[name] for name in BUNDLE_VARIABLES}
    assert "1" == told["NODE_USE_ENV_PROXY"]


def test_what_else_is_in_the_environment_stays() -> None:
    assert "kept" == variables({"OTHER": "kept"}, PROXY, FILES)["OTHER"]


def test_no_proxy_is_extended_and_not_replaced() -> None:
    told = variables({"no_proxy": "db.internal, localhost"}, PROXY, FILES)

    assert "db.internal,localhost,127.0.0.1,::1" == told["NO_PROXY"] == told["no_proxy"]


def test_options_of_node_are_extended_and_not_replaced() -> None:
    told = variables({"NODE_OPTIONS": "--max-old-space-size=99"}, PROXY, FILES)

    assert "--max-old-space-size=99 --require /f/preload.cjs" == told["NODE_OPTIONS"]


def test_a_path_with_a_space_is_quoted() -> None:
    told = variables({}, PROXY, Files(Path("/b"), Path("/a b/s.jks"), Path("/a b/p.cjs")))

    assert '--require "/a b/p.cjs"' == told["NODE_OPTIONS"]
    assert '"-Djavax.net.ssl.trustStore=/a b/s.jks"' in told["JAVA_TOOL_OPTIONS"]


def test_java_is_told_of_the_proxy_of_what_goes_direct_and_of_the_store() -> None:
    told = variables({"NO_PROXY": ".corp,::1"}, PROXY, FILES)["JAVA_TOOL_OPTIONS"].split()

    assert "-Dhttps.proxyHost=127.0.0.1" in told
    assert "-Dhttps.proxyPort=1234" in told
    assert "-Dhttp.proxyHost=127.0.0.1" in told
    assert "-Dhttp.nonProxyHosts=*.corp|[::1]|localhost|127.0.0.1" in told
    assert "-Djavax.net.ssl.trustStore=/f/khazad-truststore.jks" in told


def test_options_of_java_are_extended_and_their_trust_store_stays() -> None:
    theirs = "-Xmx1g -Djavax.net.ssl.trustStore=/theirs.jks"
    told = variables({"JAVA_TOOL_OPTIONS": theirs}, PROXY, FILES)["JAVA_TOOL_OPTIONS"]

    assert told.startswith(f"{theirs} -Dhttp.proxyHost=127.0.0.1 ")
    assert 1 == told.count("trustStore")


def test_inside_another_one_the_inner_proxy_and_store_win() -> None:
    outer = variables({}, "http://127.0.0.1:1", Files(Path("/o"), Path("/o/khazad-truststore.jks")))
    told = variables(outer, PROXY, FILES)

    assert PROXY == told["HTTPS_PROXY"] == told["KHAZAD_PROXY"]
    assert told["JAVA_TOOL_OPTIONS"].endswith("trustStoreType=JKS")
    assert "/f/khazad-truststore.jks" in told["JAVA_TOOL_OPTIONS"].rpartition("trustStore=")[2]
