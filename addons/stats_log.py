"""Log what the cache has done, every `stats_log_s` seconds (60)."""

import asyncio
import logging

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader


class StatsLog:
    def load(self, loader: Loader) -> None:
        loader.add_option("stats_log_s", int, 60, "seconds between two lines of statistics")

    def running(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._repeat())

    def done(self) -> None:
        self._task.cancel()

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(max(1, ctx.options.stats_log_s))
            stats = ctx.master.commands.call("khazad.stats")
            logging.getLogger("khazad").info("[Khazad] %s", stats)


addons = [StatsLog()]
