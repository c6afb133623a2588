"""The Lua programs: what has to happen in one piece inside Redis.

`put` is one piece so that a kill at any moment leaves no vector without a body. `nearest` saves a
round trip but holds the server while it runs, so it declines large sets. Each has the expiry
index as KEYS[1], whose name less its last letter is the prefix of every key (see `keys`).

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
_REMOVE = """
local prefix = string.sub(KEYS[1], 1, -2)
local function remove(id)
  for _, link in ipairs(redis.call('SMEMBERS', prefix .. 'l:' .. id)) do
    if string.sub(link, 1, 2) == 'v:' then
      redis.pcall('VREM', prefix .. link, id)
    else
      local target = redis.pcall('GET', prefix .. link)
      if type(target) == 'string' and string.sub(target, 1, #id) == id then
        redis.call('DEL', prefix .. link)
      end
    end
  end
  redis.call('DEL', prefix .. 'e:' .. id, prefix .. 'l:' .. id, prefix .. 'h:' .. id)
  redis.call('ZREM', prefix .. 'x', id)
  redis.call('ZREM', prefix .. 'u', id)
  redis.call('HDEL', prefix .. 'd', id)
end
"""

# Remove what has expired, then the least recently used beyond the cap. %.0f, because Lua writes
# a number of 13 digits as 1.7e+12.
_SWEEP = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function sweep(most_entries, most_removals)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'x', '-inf',
      string.format('%.0f', now), 'LIMIT', 0, most_removals)) do
    remove(old)
  end
  local over = redis.call('ZCARD', prefix .. 'u') - most_entries
  if over > 0 then
    local last = math.min(over, most_removals) - 1
    for _, old in ipairs(redis.call('ZRANGE', prefix .. 'u', 0, last)) do
      remove(old)
    end
  end
end
"""

# ARGV: most entries, most removals. For a full server, which denies PUT.
SWEEP = Script(
    _REMOVE
    + _SWEEP
    + """
sweep(ARGV[1], ARGV[2])
return 1
"""
)

# ARGV: id, body, milliseconds to live or '', scope or '', vector, most entries, most removals,
# facts.
# The first write is one that a full server denies: after any other it would let all the rest
# pass. The vector comes before the body: if its set is none, nothing is kept.
PUT = Script(
    _REMOVE
    + _SWEEP
    + """
local id, body, ttl, scope = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call('ZADD', prefix .. 'u', string.format('%.0f', now), id)
remove(id)
sweep(ARGV[6] - 1, ARGV[7])
if scope ~= '' then
  redis.call('VADD', prefix .. 'v:' .. scope, 'FP32', ARGV[5], id)
  redis.call('SADD', prefix .. 'l:' .. id, 'v:' .. scope)
end
local expires = '+inf'
if ttl == '' then
  redis.call('SET', prefix .. 'e:' .. id, body)
else
  redis.call('SET', prefix .. 'e:' .. id, body, 'PX', ttl)
  expires = string.format('%.0f', now + ttl)
end
redis.call('ZADD', prefix .. 'x', expires, id)
redis.call('ZADD', prefix .. 'u', string.format('%.0f', now), id)
redis.call('HSET', prefix .. 'd', id, ARGV[8])
return 1
"""
)

# ARGV: id, most tags, tags. They follow the last line break of the facts, with commas between them.
LABEL = Script(
    """
local prefix = string.sub(KEYS[1], 1, -2)
local facts = redis.call('HGET', prefix .. 'd', ARGV[1])
if not facts then return 0 end
local known, count = {}, 0
for tag in string.gmatch(string.match(facts, '[^\\n]*$'), '[^,]+') do
  known[tag], count = true, count + 1
end
for i = 3, #ARGV do
  if not known[ARGV[i]] and count < tonumber(ARGV[2]) then
    facts = facts .. (count > 0 and ',' or '') .. ARGV[i]
    known[ARGV[i]], count = true, count + 1
  end
end
redis.call('HSET', prefix .. 'd', ARGV[1], facts)
return 1
"""
)

# ARGV: id, alias, conversation or '', the conversation it stands for, milliseconds now, similarity.
ALIAS = Script(
    _REMOVE
    + """
local id = ARGV[1]
local ttl = redis.call('PTTL', prefix .. 'e:' .. id)
if ttl == -2 then return 0 end
local function alias(link, target)
  redis.call('SET', prefix .. link, target)
  if ttl > 0 then redis.call('PEXPIRE', prefix .. link, ttl) end
  redis.call('SADD', prefix .. 'l:' .. id, link)
end
alias('a:' .. ARGV[2], id .. ':' .. ARGV[6])
if ARGV[3] ~= '' then alias('p:' .. ARGV[3], id .. ':' .. ARGV[4]) end
redis.call('ZADD', prefix .. 'u', 'XX', ARGV[5], id)
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

# KEYS: expiry index, history. ARGV: id, what was asked, most of them.
REMEMBER = Script(
    """
local ttl = redis.call('PTTL', string.sub(KEYS[1], 1, -2) .. 'e:' .. ARGV[1])
if ttl == -2 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[2])
redis.call('LTRIM', KEYS[2], 0, ARGV[3] - 1)
if ttl > 0 then redis.call('PEXPIRE', KEYS[2], ttl) end
return 1
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
