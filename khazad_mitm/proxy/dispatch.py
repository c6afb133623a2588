"""Hooks called by a list made once, not by asking every addon for every hook.

mitmproxy's own dispatch walks all addons and their children at each of the five hooks of a
request. The addons of a lean proxy do not change while it runs, so the handlers of a hook are
looked up at its first use.

Stands on privates of mitmproxy (`privates.DISPATCH`); without them its own dispatch is left.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from mitmproxy import addonmanager, exceptions, flow, hooks
from mitmproxy.addonmanager import AddonManager

from khazad_mitm.proxy.privates import DISPATCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.master import Master

_UPDATE = hooks.UpdateHook([])


class _Handlers:
    """The handlers of one hook."""

    __slots__ = ("are_plain", "groups", "waits")

    def __init__(
        self, groups: list[list[Callable[..., Any]]], waits: list[Callable[..., bool]]
    ) -> None:
        self.groups = groups
        """One group per addon: a handler that raises ends its group, not the hook."""
        self.are_plain = not any(
            inspect.iscoroutinefunction(handler) for group in groups for handler in group
        )
        self.waits = waits
        """Of plain handlers that now and then give something to await: will they, this time?"""


class LeanAddonManager(AddonManager):
    """Calls what mitmproxy would call, in its order, with the same handling of errors."""

    def __init__(self, master: Master) -> None:
        super().__init__(master)
        self._handlers: dict[str, _Handlers] = {}

    def register(self, addon: Any) -> Any:
        self._handlers.clear()
        return super().register(addon)

    def remove(self, addon: Any) -> None:
        self._handlers.clear()
        super().remove(addon)

    def clear(self) -> None:
        self._handlers.clear()
        super().clear()

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        arguments = event.args()
        await self._call(event, arguments)
        if isinstance(arguments[0], flow.Flow):
            update = hooks.UpdateHook([arguments[0]])
            await self._call(update, [update.flows])

    async def trigger_event(self, event: hooks.Hook) -> None:
        await self._call(event, event.args())

    def call_at_once(self, event: hooks.Hook) -> bool:
        """Call the handlers now; False, and none called, where one has to be awaited."""
        handlers = self._handlers_of(event)
        if not handlers.are_plain or self._handlers_of(_UPDATE).groups:
            return False
        if any(waits(*event.args()) for waits in handlers.waits):
            return False
        for group in handlers.groups:
            try:
                with addonmanager.safecall():
                    for handler in group:
                        handler(*event.args())
            except exceptions.AddonHalt:
                break
        return True

    async def _call(self, event: hooks.Hook, arguments: list[Any]) -> None:
        for group in self._handlers_of(event).groups:
            try:
                with addonmanager.safecall():
                    for handler in group:
                        result = handler(*arguments)
                        if result is not None and inspect.isawaitable(result):
                            await result
            except exceptions.AddonHalt:
                return

    def _handlers_of(self, event: hooks.Hook) -> _Handlers:
        found = self._handlers.get(event.name)
        if found is None:
            groups = [
                [handler for _, handler in self._iter_hooks(addon, event)] for addon in self.chain
            ]
            waits = [
                waits
                for addon in self.chain
                if (waits := getattr(addon, f"{event.name}_waits", None)) is not None
            ]
            found = _Handlers([group for group in groups if group], waits)
            self._handlers[event.name] = found
        return found


def manager_for(master: Master) -> AddonManager:
    """A lean manager for a master that has no addons yet, or mitmproxy's own."""
    return LeanAddonManager(master) if DISPATCH.is_there() else master.addons
