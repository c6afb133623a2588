"""Break answers of LLM hosts as providers do, to test clients: set `fault` to 429, cut or stall.

`fault_every=3` breaks every third call. Load it behind the cache, which serves what it knows
unbroken and keeps nothing that was broken.
"""

import asyncio
import itertools
import json

from mitmproxy import ctx, exceptions, http
from mitmproxy.addonmanager import Loader

from khazad_mitm.wire import hosts

FAULTS = ("", "429", "cut", "stall")


class FaultInjection:
    def __init__(self) -> None:
        self._calls = itertools.count(1)

    def load(self, loader: Loader) -> None:
        loader.add_option("fault", str, "", "429 (too many requests), cut (mid-stream) or stall")
        loader.add_option("fault_every", int, 1, "break every so many-th call")
        loader.add_option("fault_stall_s", int, 60, "seconds for which an answer stalls")

    def configure(self, updated: set[str]) -> None:
        if ctx.options.fault not in FAULTS:
            known = ", ".join(filter(None, FAULTS))
            raise exceptions.OptionsError(f"fault: {ctx.options.fault!r} is not one of {known}")

    async def request(self, flow: http.HTTPFlow) -> None:
        if flow.response or not ctx.options.fault or not hosts.is_known(flow.request.host):
            return
        if next(self._calls) % max(1, ctx.options.fault_every):
            return
        match ctx.options.fault:
            case "429":
                body = json.dumps({"error": {"message": "slow down", "type": "rate_limit"}})
                headers = {"content-type": "application/json", "retry-after": "1"}
                flow.response = http.Response.make(429, body, headers)
            case "cut":
                flow.metadata["fault"] = "cut"
            case "stall":
                await asyncio.sleep(ctx.options.fault_stall_s)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response is None or flow.metadata.get("fault") != "cut":
            return
        chunks = itertools.count()

        def cut(chunk: bytes) -> list[bytes]:
            """Half of what comes first, and nothing more: an empty piece would be an end."""
            return [] if next(chunks) else [chunk[: len(chunk) // 2]]

        flow.response.stream = cut

    def response(self, flow: http.HTTPFlow) -> None:
        if flow.metadata.get("fault") == "cut" and flow.killable:
            flow.kill()  # in place of the end of the message


addons = [FaultInjection()]
