"""Replay streams as they came, for a demo: `khazad_replay_pace=recorded` unless you set another."""

from mitmproxy import ctx


class PaceReplay:
    def running(self) -> None:
        if ctx.options.khazad_replay_pace == "off":
            ctx.options.update(khazad_replay_pace="recorded")


addons = [PaceReplay()]
