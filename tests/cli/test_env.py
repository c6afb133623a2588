from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from tests.cli.programs import WAIT_S, command, environ, khazad, serving

ASK = (
    "import http.client, os, ssl, urllib.parse as u;"
    "p = u.urlsplit(os.environ['HTTPS_PROXY']);"
    "c = http.client.HTTPSConnection(p.hostname, p.port, context=ssl.create_default_context());"
    "c.set_tunnel('api.openai.com'); c.connect();"
    "print(c.sock.getpeercert()['issuer'][0][0][1])"
)


def test_a_shell_that_evaluates_it_reaches_and_trusts_the_proxy(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        env = shlex.join(command("env", "--shell", "bash", "--proxy", address))
        ask = shlex.join([sys.executable, "-c", ASK])
        clean = {k: v for k, v in environ(tmp_path).items() if k != "SSL_CERT_DIR"}
        done = subprocess.run(
            ["/bin/sh", "-c", f'eval "$({env})"; {ask}'],
            env=clean,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    assert "mitmproxy\n" == done.stdout, done.stderr


def test_docker_is_told_of_this_machine_and_of_the_folder_it_mounts(tmp_path: Path) -> None:
    done = khazad(tmp_path, "env", "--docker", more={"HTTP_PROXY": "http://other"})
    flags = done.stdout.splitlines()

    assert "--add-host host.docker.internal:host-gateway" in flags
    assert f"-v {tmp_path}/.mitmproxy/khazad:/khazad:ro" in flags
    assert "-e HTTPS_PROXY=http://host.docker.internal:8080" in flags
    assert "-e SSL_CERT_FILE=/khazad/ca-bundle.pem" in flags
    assert "-e NODE_OPTIONS='--require /khazad/preload.cjs'" in flags
    assert "trustStore=/khazad/khazad-truststore.jks" in done.stdout
    assert (tmp_path / ".mitmproxy/khazad/preload.cjs").is_file()
    assert "note: a container reaches" in done.stderr


def test_a_workflow_is_given_lines_and_told_of_what_it_cannot_take(tmp_path: Path) -> None:
    done = khazad(tmp_path, "env", "--github-actions", "--proxy", "http://127.0.0.1:9")

    assert "HTTPS_PROXY=http://127.0.0.1:9" in done.stdout.splitlines()
    assert "NODE_OPTIONS" not in done.stdout
    assert "NODE_OPTIONS" in done.stderr


def test_output_that_nobody_reads_to_the_end_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(command('env'))} | head -c 1"],
        env=environ(tmp_path),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )

    assert "" == done.stderr


def test_base_urls_are_told_in_the_words_asked_for(tmp_path: Path) -> None:
    proxy = ("--reverse", "--proxy", "10.0.0.1:8081")
    shell = khazad(tmp_path, "env", *proxy, "--shell", "bash").stdout.splitlines()
    docker = khazad(tmp_path, "env", *proxy, "--docker").stdout.splitlines()

    assert "export OPENAI_BASE_URL=http://10.0.0.1:8081/openai/v1" in shell
    assert "export ANTHROPIC_BASE_URL=http://10.0.0.1:8081/anthropic" in shell
    assert "-e OLLAMA_HOST=http://10.0.0.1:8081/ollama" in docker
    assert not (tmp_path / ".mitmproxy").exists()
