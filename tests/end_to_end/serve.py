"""A child process for tests: the lean engine, its port on the first line of stdout.

python -m tests.end_to_end.serve REDIRECT_PORT OPTIONS_AS_JSON ENGINE_ARGUMENTS_AS_JSON
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from mitmproxy import ctx

from khazad_mitm import settings
from khazad_mitm.cli import flags
from khazad_mitm.proxy.engine import Engine
from khazad_mitm.proxy.master import LeanMaster
from tests.end_to_end.redirect import Redirect


async def main() -> None:
    redirect_port, options, arguments = (json.loads(argument) for argument in sys.argv[1:])
    flags.log_to_stderr()
    engine = Engine(settings.from_mapping(options), **arguments)

    def ready(host: str, port: int) -> None:
        assert isinstance(ctx.master, LeanMaster)
        ctx.master.addons.add(Redirect())
        ctx.options.update(redirect_to=redirect_port)
        print(f"HTTP(S) proxy listening at {host}:{port}.", flush=True)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, engine.shutdown)
    await engine.run(ready)


asyncio.run(main())
