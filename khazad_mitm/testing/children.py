"""A proxy for the children of a test, which asks the cassette of the test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from khazad_mitm.cli import certs, environment, proxying
from khazad_mitm.settings import Settings

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front


@contextmanager
def environment_of(front: Front, folder: Path) -> Iterator[Mapping[str, str]]:
    """The environment of a program whose calls `front` answers. `folder` is for its certificates.

    Raises MissingExtra without mitmproxy.
    """
    with proxying.proxy_extra("the fixture khazad_environ"):
        from khazad_mitm.proxy.engine import Engine, EngineThread

    confdir = Path("~/.mitmproxy").expanduser()
    engine = Engine(Settings(), listen_port=0, confdir=confdir, front=front)
    thread = EngineThread(engine)
    thread.start()
    try:
        files = certs.write_for_one(engine.ca_path, folder, os.environ)
        url = f"http://127.0.0.1:{thread.port}"
        yield environment.variables(os.environ, url, files)
    finally:
        thread.stop()
