"""Which worker leads a flight, as programs over Redis (see `trips`): a key with owner and end.

Nobody but its owner prolongs or removes it, except with the answer itself (`vectorset`), after
which nobody has anything to wait for. What follows the owner names the stream that others may read
along (`streams`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from khazad_mitm.cache.worker_commands import Lease, Renew
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.scripts import Script
from khazad_mitm.store.trips import Program, call, call_each

# Anything else is none of ours.
STREAM = re.compile(rb".*:([0-9a-f]{32})")

# KEYS: lease. ARGV: its owner, the same with what is led, milliseconds from now to its end, which
# asking again does not put off. Gives what it says where it is another's.
LEASE = Script(
    """
local held = redis.call('GET', KEYS[1])
if not held then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
elseif string.sub(held .. ':', 1, #ARGV[1] + 1) == ARGV[1] .. ':' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  return held
end
return false
"""
)

# KEYS: lease. ARGV: its owner, milliseconds from now to its end; 0 ends it.
RENEW = Script(
    """
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held .. ':', 1, #ARGV[1] + 1) ~= ARGV[1] .. ':' then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)


def lease(command: Lease, keys: Keys) -> Program[str | None]:
    led = f"{command.holder}:{command.stream}" if command.stream else command.holder
    arguments = (command.holder, led, int(command.seconds * 1000))
    held = yield from call(LEASE, (keys.lease(command.flight),), arguments)
    if held is None:
        return None
    found = STREAM.fullmatch(held) if isinstance(held, bytes) else None
    return "" if found is None else found[1].decode()


def renew(command: Renew, at: Callable[[str], Keys]) -> Program[tuple[bool, ...]]:
    arguments = (command.holder, int(command.seconds * 1000))
    calls = [((at(flight).lease(flight),), arguments) for flight in command.flights]
    return tuple(reply == 1 for reply in (yield from call_each(RENEW, calls)))
