"""Which worker leads a flight, as programs over Redis (see `trips`): a key with owner and end.

Nobody but its owner prolongs or removes it, except with the answer itself (`vectorset`), after
which nobody has anything to wait for.
"""

from __future__ import annotations

from collections.abc import Callable

from khazad_mitm.cache.commands import Lease, Renew
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.scripts import Script
from khazad_mitm.store.trips import Program, call_each, checked

# KEYS: lease. ARGV: its owner, milliseconds from now to its end; 0 ends it.
RENEW = Script(
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)


def lease(command: Lease, keys: Keys) -> Program[bool]:
    """Says so in one command: whose it was before, and it is ours only if it was nobody's."""
    ttl = int(command.seconds * 1000)
    (before,) = yield [("SET", keys.lease(command.flight), command.holder, "NX", "PX", ttl, "GET")]
    return checked(before) in (None, command.holder.encode())


def renew(command: Renew, at: Callable[[str], Keys]) -> Program[tuple[bool, ...]]:
    arguments = (command.holder, int(command.seconds * 1000))
    calls = [((at(flight).lease(flight),), arguments) for flight in command.flights]
    return tuple(reply == 1 for reply in (yield from call_each(RENEW, calls)))
