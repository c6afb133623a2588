"""An addon of mitmproxy's chain that has nothing to say to a hook is not asked.

`mitmdump` goes through some 35 addons for each of the ten hooks of a request, and sets up a
coroutine, a generator and the logging of errors for every one, most of which do not know the hook
(11.0.2 and 12.2.3): a quarter of the time that a hit takes there. Here an addon is passed over
where it has neither a handler of that name nor children, which is looked at anew each time, so
that scripts may be loaded, reloaded and changed as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from mitmproxy import exceptions
from mitmproxy.addonmanager import AddonManager, safecall
from mitmproxy.hooks import Hook

from khazad_mitm.proxy.privates import UNASKED, Patches

Trigger: TypeAlias = Callable[[AddonManager, Hook], Coroutine[Any, Any, None]]


class Unasked:
    """Installed while `KhazadAddon` runs; the lean engine has a dispatch of its own."""

    def __init__(self) -> None:
        self._patches = Patches()

    def install(self) -> None:
        if UNASKED.is_there():
            self._patches.put(AddonManager, "trigger_event", _passing_over)

    def uninstall(self) -> None:
        self._patches.undo()


def _passing_over(original: Trigger) -> Trigger:
    async def trigger_event(manager: AddonManager, event: Hook) -> None:
        for addon in manager.chain:
            if not _may_answer(addon, event.name):
                continue
            try:
                with safecall():
                    await manager.invoke_addon(addon, event)
            except exceptions.AddonHalt:
                return

    return trigger_event


def _may_answer(addon: Any, name: str) -> bool:
    try:
        return bool(getattr(addon, name, None)) or hasattr(addon, "addons")
    except Exception:  # an attribute that raises is mitmproxy's to report
        return True
