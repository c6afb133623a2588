"""One proxy for the children of all tests of a session, which asks the cassette of each test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from khazad_mitm.cli import certs, environment, proxying
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.recorder import Recorder, RecordMode
from khazad_mitm.record.rules import CassetteRules
from khazad_mitm.settings import Settings

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front


class Stage:
    """A `fronts.Front`: whichever is on it. Between tests everything is refused.

    What is decided says itself how it goes on, so an answer still reaches the recorder it was
    asked of when another is on already.
    """

    def __init__(self, folder: Path) -> None:
        self._nobody = Recorder(Cassette(folder, CassetteRules(), []), RecordMode.NONE)
        self._front: Front = self._nobody

    def __getattr__(self, name: str) -> Any:
        return getattr(self._front, name)

    @contextmanager
    def held_by(self, front: Front) -> Iterator[None]:
        self._front = front
        try:
            yield
        finally:
            self._front = self._nobody

    def close(self) -> None:
        """Fronts are closed by the tests whose they are."""
        self._nobody.close()


class Children:
    """The environment of programs, and who answers their calls."""

    def __init__(self, stage: Stage, environ: Mapping[str, str]) -> None:
        self._stage = stage
        self.environ = environ

    @contextmanager
    def of(self, front: Front) -> Iterator[Mapping[str, str]]:
        """The environment, while `front` answers."""
        with self._stage.held_by(front):
            yield dict(self.environ)


@contextmanager
def children(folder: Path) -> Iterator[Children]:
    """A proxy in a thread of its own. `folder` is for its certificates.

    Raises MissingExtra without mitmproxy.
    """
    with proxying.proxy_extra("the fixture khazad_environ"):
        from khazad_mitm.proxy.engine import Engine, EngineThread

    stage = Stage(folder)
    confdir = Path("~/.mitmproxy").expanduser()
    engine = Engine(Settings(), listen_port=0, confdir=confdir, front=cast("Front", stage))
    thread = EngineThread(engine)
    thread.start()
    try:
        files = certs.write_for_one(engine.ca_path, folder, os.environ)
        url = f"http://127.0.0.1:{thread.port}"
        yield Children(stage, environment.variables(os.environ, url, files))
    finally:
        thread.stop()
