"""Show LLM calls only, in mitmproxy, mitmweb and mitmdump; what else passes goes on unseen."""

from mitmproxy import ctx

from khazad_mitm.wire import hosts


class OnlyLlmHosts:
    def running(self) -> None:
        known = "|".join(hosts.expression(host.pattern) for host in hosts.KNOWN)
        quoted = f"^({known})$".replace("\\", "\\\\")
        for name in ("view_filter", "dumper_filter"):
            if name in ctx.options:
                ctx.options.update(**{name: f'~d "{quoted}"'})


addons = [OnlyLlmHosts()]
