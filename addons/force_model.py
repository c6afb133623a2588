"""Ask for `force_model` whatever model a request names; load it before the cache."""

import json

from mitmproxy import ctx, http
from mitmproxy.addonmanager import Loader

from khazad_mitm.wire import hosts


class ForceModel:
    def load(self, loader: Loader) -> None:
        loader.add_option("force_model", str, "", "the model to ask for")

    def request(self, flow: http.HTTPFlow) -> None:
        if not (ctx.options.force_model and hosts.is_known(flow.request.host)):
            return
        try:
            body = json.loads(flow.request.content or b"")
        except ValueError:
            return
        # Gemini, Azure and Bedrock name it in the path: those are left alone.
        if isinstance(body, dict) and isinstance(body.get("model"), str):
            body["model"] = ctx.options.force_model
            flow.request.content = json.dumps(body).encode()


addons = [ForceModel()]
