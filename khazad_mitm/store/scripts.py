"""The Lua programs: what has to happen in one piece inside Redis.

`put` is one piece so that a kill at any moment leaves no vector without a body. `nearest` saves a
round trip but holds the server while it runs, so it declines large sets. Those about
entries have the expiry index as KEYS[1], whose name less its last letter is the prefix of every key
(see `keys`).

The clock is the server's: a client whose clock is fast must not sweep what is still alive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1


@dataclass(frozen=True, slots=True)
class Script:
    source: str
    digest: str = field(init=False)
    """What EVALSHA calls it by."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha1(self.source.encode()).hexdigest())  # noqa: S324


# An alias may have been taken over by another entry since; then it is that one's to remove.
#
# The facts of an entry begin with its bytes, and the field `total` beside them is their sum. Where
# the last facts go it goes too, so that nothing is carried on.
_REMOVE = """
local prefix = string.sub(KEYS[1], 1, -2)
local facts = prefix .. 'd'
local function number(value) return string.format('%.0f', value) end
local function total() return tonumber(redis.call('HGET', facts, 'total') or 0) end
local function grow(id, bytes)
  local line = redis.call('HGET', facts, id)
  if not line then return end
  local size, rest = string.match(line, '^(%d+)(.*)$')
  redis.call('HSET', facts, id, number(size + bytes) .. rest)
  redis.call('HINCRBY', facts, 'total', number(bytes))
end
local function unlink(id, link)
  if string.sub(link, 1, 2) == 'v:' then
    redis.pcall('VREM', prefix .. link, id)
  else
    local target = redis.pcall('GET', prefix .. link)
    if type(target) == 'string' and string.sub(target, 1, #id) == id then
      redis.call('DEL', prefix .. link)
    end
  end
end
local function remove(id)
  for _, link in ipairs(redis.call('SMEMBERS', prefix .. 'l:' .. id)) do unlink(id, link) end
  redis.call('DEL', prefix .. 'e:' .. id, prefix .. 'l:' .. id, prefix .. 'h:' .. id)
  redis.call('ZREM', prefix .. 'x', id)
  redis.call('ZREM', prefix .. 'u', id)
  local line = redis.call('HGET', facts, id)
  if line then
    redis.call('HINCRBY', facts, 'total', '-' .. string.match(line, '^%d+'))
    redis.call('HDEL', facts, id)
    if redis.call('HLEN', facts) == 1 then redis.call('DEL', facts) end
  end
end
"""

# Remove what has expired, then the least recently used beyond the caps; of these more at once
# where one large entry needs the room of many. Says whether the bytes are below theirs. %.0f,
# because Lua writes a number of 13 digits as 1.7e+12.
_SWEEP = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function sweep(most_entries, most_bytes, most_removals, most_evictions)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'x', '-inf', number(now),
      'LIMIT', 0, most_removals)) do
    remove(old)
  end
  for evicted = 1, tonumber(most_evictions) do
    local is_large = total() > most_bytes
    if not is_large then
      local is_many = redis.call('ZCARD', prefix .. 'u') > most_entries
      if not is_many or evicted > tonumber(most_removals) then break end
    end
    local old = redis.call('ZRANGE', prefix .. 'u', 0, 0)[1]
    if not old then break end
    remove(old)
  end
  return total() <= most_bytes
end
"""

# ARGV: the four bounds (`vectorset.Space.bounds`). For a full server, which denies PUT.
SWEEP = Script(
    _REMOVE
    + _SWEEP
    + """
sweep(tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4])
return 1
"""
)

# ARGV: the four bounds, id, body, milliseconds to live or '', scope or '', vector, facts, bytes of
# a vector set that is not there yet. Gives 0 where the entry is too large.
# The first write is one that a full server denies: after any other it would let all the rest
# pass. The vector comes before the body: if its set is none, nothing is kept.
PUT = Script(
    _REMOVE
    + _SWEEP
    + """
local id, body, ttl, scope, line = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[10]
local most = tonumber(ARGV[2])
redis.call('ZADD', prefix .. 'u', number(now), id)
remove(id)
local size = tonumber(string.match(line, '^%d+'))
if scope ~= '' and redis.call('EXISTS', prefix .. 'v:' .. scope) == 0 then
  size = size + ARGV[11]
end
if size > most or not sweep(ARGV[1] - 1, most - size, ARGV[3], ARGV[4]) then return 0 end
if scope ~= '' then
  redis.call('VADD', prefix .. 'v:' .. scope, 'FP32', ARGV[9], id)
  redis.call('SADD', prefix .. 'l:' .. id, 'v:' .. scope)
end
local expires = '+inf'
if ttl == '' then
  redis.call('SET', prefix .. 'e:' .. id, body)
else
  redis.call('SET', prefix .. 'e:' .. id, body, 'PX', ttl)
  expires = number(now + ttl)
end
redis.call('ZADD', prefix .. 'x', expires, id)
redis.call('ZADD', prefix .. 'u', number(now), id)
redis.call('HSET', facts, id, line)
redis.call('HINCRBY', facts, 'total', string.match(line, '^%d+'))
grow(id, size - string.match(line, '^%d+'))
return 1
"""
)

# ARGV: id, most tags, tags. They follow the last line break of the facts, with commas between them.
LABEL = Script(
    _REMOVE
    + """
local line = redis.call('HGET', facts, ARGV[1])
if not line then return 0 end
local known, count, before = {}, 0, #line
for tag in string.gmatch(string.match(line, '[^\\n]*$'), '[^,]+') do
  known[tag], count = true, count + 1
end
for i = 3, #ARGV do
  if not known[ARGV[i]] and count < tonumber(ARGV[2]) then
    line = line .. (count > 0 and ',' or '') .. ARGV[i]
    known[ARGV[i]], count = true, count + 1
  end
end
redis.call('HSET', facts, ARGV[1], line)
grow(ARGV[1], #line - before)
return 1
"""
)

# ARGV: the four bounds, id, alias, conversation or '', the conversation it stands for, milliseconds
# now, similarity, most links of an entry, bytes of one. Beyond these links one takes another's
# place: a question that is asked in ever new words is used too often to be evicted with them.
ALIAS = Script(
    _REMOVE
    + _SWEEP
    + """
local id = ARGV[5]
local links = prefix .. 'l:' .. id
local ttl = redis.call('PTTL', prefix .. 'e:' .. id)
if ttl == -2 then return 0 end
local function alias(link, target)
  redis.call('SET', prefix .. link, target)
  if ttl > 0 then redis.call('PEXPIRE', prefix .. link, ttl) end
  if redis.call('SISMEMBER', links, link) == 1 then return end
  if redis.call('SCARD', links) >= tonumber(ARGV[11]) then
    local other = redis.call('SRANDMEMBER', links)
    if string.sub(other, 1, 2) == 'v:' then redis.call('DEL', prefix .. link) return end
    unlink(id, other)
    redis.call('SREM', links, other)
  else
    grow(id, ARGV[12])
  end
  redis.call('SADD', links, link)
end
alias('a:' .. ARGV[6], id .. ':' .. ARGV[10])
if ARGV[7] ~= '' then alias('p:' .. ARGV[7], id .. ':' .. ARGV[8]) end
redis.call('ZADD', prefix .. 'u', 'XX', ARGV[9], id)
sweep(tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4])
return 1
"""
)

# KEYS: expiry index, vector set, blocked ids. ARGV: vector, count, lowest score with a body,
# largest set.
# Gives id, score, body or '' in turn; nil where the set is too large. Asks again when all it
# found had expired, so that they cannot hide a live one; each round removes what it found.
NEAREST = Script(
    """
if redis.call('VCARD', KEYS[2]) > tonumber(ARGV[4]) then return nil end
local prefix = string.sub(KEYS[1], 1, -2)
local is_blocked = redis.call('EXISTS', KEYS[3]) == 1
local live = {}
for _ = 1, 5 do
  local found = redis.call('VSIM', KEYS[2], 'FP32', ARGV[1], 'WITHSCORES', 'COUNT', ARGV[2])
  local dead = 0
  for i = 1, #found, 2 do
    local key = prefix .. 'e:' .. found[i]
    local body = ''
    if tonumber(found[i + 1]) >= tonumber(ARGV[3]) then
      body = redis.call('GET', key)
    elseif redis.call('EXISTS', key) == 0 then
      body = false
    end
    if body then
      if not is_blocked or redis.call('SISMEMBER', KEYS[3], found[i]) == 0 then
        live[#live + 1] = found[i]
        live[#live + 1] = found[i + 1]
        live[#live + 1] = body
      end
    else
      redis.call('VREM', KEYS[2], found[i])
      dead = dead + 1
    end
  end
  if dead == 0 or #live > 0 then break end
end
return live
"""
)

# KEYS: expiry index, vector set. ARGV: ids seen without a body; one may have come back since.
PRUNE = Script(
    """
local prefix = string.sub(KEYS[1], 1, -2)
for _, id in ipairs(ARGV) do
  if redis.call('EXISTS', prefix .. 'e:' .. id) == 0 then redis.call('VREM', KEYS[2], id) end
end
return 1
"""
)

# KEYS: expiry index, history. ARGV: the four bounds, id, what was asked, most of them, bytes of a
# list.
REMEMBER = Script(
    _REMOVE
    + _SWEEP
    + """
local ttl = redis.call('PTTL', prefix .. 'e:' .. ARGV[5])
if ttl == -2 then return 0 end
local function length()
  local asked, sum = redis.call('LRANGE', KEYS[2], 0, -1), 0
  for _, one in ipairs(asked) do sum = sum + #one end
  return sum + (#asked > 0 and ARGV[8] or 0)
end
local before = length()
redis.call('LPUSH', KEYS[2], ARGV[6])
redis.call('LTRIM', KEYS[2], 0, ARGV[7] - 1)
if ttl > 0 then redis.call('PEXPIRE', KEYS[2], ttl) end
grow(ARGV[5], length() - before)
sweep(tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4])
return 1
"""
)

# KEYS: a string. ARGV: what is expected there, what shall be. Gives what is there then.
SWAP = Script(
    """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
"""
)

# ARGV: id.
FORGET = Script(
    _REMOVE
    + """
local found = redis.call('EXISTS', prefix .. 'e:' .. ARGV[1])
remove(ARGV[1])
return found
"""
)

# KEYS: expiry index, pool. ARGV: band, candidates, checked, wrong, factor of the doubt or 0, checks
# in a window, most doubt, seconds to live. Gives all fields and values. In one piece, so that
# workers who count at once lose nothing.
WEIGH = Script(
    """
local pool = KEYS[2]
local function count(field, by)
  if tonumber(by) > 0 then redis.call('HINCRBY', pool, field, by) end
end
count('new:c:' .. ARGV[1], ARGV[2])
count('new:n:' .. ARGV[1], ARGV[3])
count('new:k:' .. ARGV[1], ARGV[4])
count('size', ARGV[3])
if tonumber(ARGV[5]) > 0 then
  local doubt = (tonumber(redis.call('HGET', pool, 'doubt') or '0') + 1) * ARGV[5]
  redis.call('HSET', pool, 'doubt', string.format('%.6g', doubt))
  if doubt >= tonumber(ARGV[7]) then
    redis.call('DEL', pool)
    return {}
  end
end
if tonumber(redis.call('HGET', pool, 'size') or '0') >= tonumber(ARGV[6]) then
  local fields = redis.call('HGETALL', pool)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 4) == 'old:' then redis.call('HDEL', pool, fields[i]) end
  end
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 4) == 'new:' then
      redis.call('HDEL', pool, fields[i])
      redis.call('HSET', pool, 'old:' .. string.sub(fields[i], 5), fields[i + 1])
    end
  end
  redis.call('HDEL', pool, 'size')
end
redis.call('EXPIRE', pool, ARGV[8])
return redis.call('HGETALL', pool)
"""
)

# KEYS: pool. ARGV: seconds to live, fields and values.
SETTLE = Script(
    """
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return redis.call('EXPIRE', KEYS[1], ARGV[1])
"""
)

# KEYS: blocked ids of a request. ARGV: one more, seconds to live, most of them.
BLOCK = Script(
    """
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
local over = redis.call('SCARD', KEYS[1]) - ARGV[3]
if over > 0 then redis.call('SPOP', KEYS[1], over) end
return 1
"""
)

# KEYS: credential. ARGV: what an accepted one is, seconds to live, millisecond it was asked.
ACCEPT = Script(
    """
local said = redis.call('GET', KEYS[1])
if said and said ~= ARGV[1] and tonumber(said) > tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
)
