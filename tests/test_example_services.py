"""The compose file and the systemd unit of `examples/`: their command lines, run as they stand but
for ports and folders. Their own tools judge their form, where they are installed."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from khazad_mitm import settings
from khazad_mitm.wire.base_urls import BASE_URLS
from tests.end_to_end import certificates
from tests.end_to_end.services import PLAIN, ask, free_port, serving
from tests.end_to_end.upstream import Upstream, chat_body, question
from tests.servers import running_redis

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
COMPOSE = EXAMPLES / "compose.yaml"
UNIT = EXAMPLES / "khazad-mitm.service"
STATE = "${STATE_DIRECTORY}"


@pytest.fixture
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text())["services"])


@pytest.fixture
def unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation has it
    parser.read(UNIT)
    return parser["Service"]


@pytest.fixture
def upstream(tmp_path: Path) -> Any:
    made = Upstream(certificates.make(tmp_path))
    yield made
    made.close()


def arguments_of(command: str) -> list[str]:
    """Of `khazad-mitm serve`, which a shell or systemd would start."""
    program, name, *arguments = shlex.split(command)
    assert ("khazad-mitm", "serve") == (Path(program).name, name)
    return arguments


def of_compose(services: dict[str, Any]) -> list[str]:
    _, installed, started = services["khazad"]["command"][-1].partition("&& exec ")
    assert installed
    return arguments_of(started)


def grace_s(arguments: list[str]) -> int:
    return int(arguments[arguments.index("--grace") + 1])


def seconds(span: str) -> int:
    return int(span.removesuffix("s"))


def replaced(arguments: list[str], **others: str) -> list[str]:
    """Each of them must be there."""
    changed = {name.replace("_", "-"): other for name, other in others.items()}
    for name, other in changed.items():
        arguments[arguments.index(f"--{name}") + 1] = other
    return arguments


# -- compose


def test_the_proxy_of_the_compose_file_serves_both_ways_and_is_healthy_when_it_does(
    services: dict[str, Any], upstream: Upstream, tmp_path: Path
) -> None:
    arguments = of_compose(services)
    assert ["regular", "reverse@8081"] == [
        value for name, value in itertools.pairwise(arguments) if name == "--mode"
    ]
    arguments = replaced(arguments, listen="127.0.0.1:0", confdir=str(tmp_path / "authority"))
    arguments[arguments.index("reverse@8081")] = "reverse@localhost:0"
    base_url = urlsplit(services["app"]["environment"]["OPENAI_BASE_URL"])

    with serving(tmp_path, upstream, *arguments, *PLAIN) as service:
        said = ask(
            service.ports["reverse"], "POST", f"{base_url.path}/chat/completions", question("Hi")
        )
        is_healthy = [healthy(services, service.ports["regular"])]
    is_healthy.append(healthy(services, service.ports["regular"]))

    assert chat_body("Hello.") == said.body
    assert [True, False] == is_healthy


def healthy(services: dict[str, Any], port: int) -> bool:
    """What the container's own check says of a proxy at this port."""
    kind, python, flag, code = services["khazad"]["healthcheck"]["test"]
    assert ("CMD", "python", "-c") == (kind, python, flag)
    assert "8080" in code
    code = code.replace("8080", str(port))
    return not subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    ).returncode


def test_ports_that_the_compose_file_names_are_those_that_it_listens_on(
    services: dict[str, Any],
) -> None:
    arguments = of_compose(services)
    listens = {urlsplit(f"//{arguments[arguments.index('--listen') + 1]}").port, 8081}
    base_url = urlsplit(services["app"]["environment"]["OPENAI_BASE_URL"])
    through = urlsplit(services["app"]["command"].split()[2])

    assert listens == {int(port) for port in services["khazad"]["expose"]}
    assert {("khazad", 8081), ("khazad", 8080)} == {
        (url.hostname, url.port) for url in (base_url, through)
    }
    assert base_url.path.split("/")[1] in {base.name for base in BASE_URLS}


def test_variables_of_the_compose_file_are_settings_and_lead_to_its_redis(
    services: dict[str, Any],
) -> None:
    environ = services["khazad"]["environment"]
    read = settings.from_mapping({}, environ=environ)

    assert {"KHAZAD_REDIS_URL"} == set(environ)
    assert urlsplit(read.redis_url).hostname in services


def test_the_redis_of_the_compose_file_starts_with_its_options_and_its_check_knows(
    services: dict[str, Any],
) -> None:
    program, *options = services["redis"]["command"].split()
    assert "redis-server" == program
    with running_redis(*options) as server, server.client() as client:
        kept = client.config_get("appendonly"), client.config_get("maxmemory-policy")

    assert ({"appendonly": "yes"}, {"maxmemory-policy": "noeviction"}) == kept
    assert ["CMD", "redis-cli", "-e", "ping"] == services["redis"]["healthcheck"]["test"]


def test_what_the_compose_file_refers_to_is_in_it(services: dict[str, Any]) -> None:
    """Whoever waits until another is healthy waits for ever where that one has no check."""
    volumes = yaml.safe_load(COMPOSE.read_text())["volumes"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            assert {"condition": "service_healthy"} == how
            assert "healthcheck" in services[name]
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in volumes


def test_who_ends_a_container_waits_longer_than_the_proxy_does(services: dict[str, Any]) -> None:
    assert grace_s(of_compose(services)) < seconds(services["khazad"]["stop_grace_period"])


# -- systemd


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port on Linux")
def test_the_command_of_the_unit_serves_until_it_is_told_to_end(
    unit: configparser.SectionProxy, upstream: Upstream, tmp_path: Path
) -> None:
    arguments = [
        argument.replace(STATE, str(tmp_path)) for argument in arguments_of(unit["ExecStart"])
    ]
    with free_port() as port:
        arguments = replaced(arguments, listen=f"127.0.0.1:{port}")
        with serving(tmp_path, upstream, *arguments) as service:
            ready = service.page("/ready")
            service.tell()
            status = service.ended()

    assert ("ready", 2) == (ready["status"], len(ready["workers"]))
    assert 0 == status
    assert (tmp_path / "ca" / "mitmproxy-ca-cert.pem").exists()


def test_the_unit_keeps_its_data_where_it_may_write(unit: configparser.SectionProxy) -> None:
    """Everything else is read-only, and a home it has none."""
    assert ("strict", "yes") == (unit["ProtectSystem"], unit["ProtectHome"])
    variables = dict(word.split("=") for word in unit["Environment"].split())
    state, runtime = f"/var/lib/{unit['StateDirectory']}", f"/run/{unit['RuntimeDirectory']}"

    assert {
        "XDG_DATA_HOME": state,
        "XDG_STATE_HOME": state,
        "XDG_RUNTIME_DIR": runtime,
    } == variables
    assert f"{state}/ca/mitmproxy-ca-cert.pem" in UNIT.read_text()


def test_systemd_waits_longer_than_the_proxy_does(unit: configparser.SectionProxy) -> None:
    assert grace_s(arguments_of(unit["ExecStart"])) < int(unit["TimeoutStopSec"])


def test_the_settings_that_the_unit_speaks_of_are_settings() -> None:
    named = re.findall(r"KHAZAD_[A-Z_]+(?==)", UNIT.read_text())

    assert named
    assert {name.removeprefix("KHAZAD_").lower() for name in named} <= {
        option.name for option in settings.OPTIONS
    }


# -- their own tools


def test_the_compose_file_is_one_by_its_specification() -> None:
    judge = shutil.which("check-jsonschema")
    if judge is None:
        pytest.skip("there is no check-jsonschema here")
    subprocess.run([judge, "--builtin-schema", "vendor.compose-spec", COMPOSE], check=True)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    judge = shutil.which("systemd-analyze")
    if judge is None:
        pytest.skip("there is no systemd-analyze here")
    program = "/opt/khazad-mitm/bin/khazad-mitm"
    unit = UNIT.read_text()
    assert program in unit
    (tmp_path / UNIT.name).write_text(unit.replace(program, sys.executable))
    done = subprocess.run(
        [judge, "verify", "--man=no", tmp_path / UNIT.name],
        capture_output=True,
        text=True,
        check=False,
    )

    # It exits with 0 where it does not know a word.
    assert (0, []) == (done.returncode, [s for s in done.stderr.splitlines() if UNIT.name in s])
