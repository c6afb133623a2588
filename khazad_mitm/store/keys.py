"""The names of our keys in Redis.

    NS:key           the namespace's secret
    {NS:B}:e:ID      an entry, with its time to live
    {NS:B}:a:DIGEST  an alias: the id of an entry, a colon, the similarity
    {NS:B}:p:DIGEST  an alias of a conversation: id of an entry, a colon, the entry's own
    {NS:B}:v:SCOPE   vector set; its elements are ids
    {NS:B}:x         sorted set of ids by the millisecond they expire, +inf for never
    {NS:B}:u         sorted set of ids by the millisecond they were last used
    {NS:B}:l:ID      what goes with an entry: `a:DIGEST`, `p:DIGEST`, `v:SCOPE`
    {NS:B}:d         hash of what is known of each entry without its body (see `inventory`)
    {NS:B}:c:DIGEST  a credential: accepted by the upstream, or the millisecond of its refusal
    {NS:B}:w:POOL    what is known of a pool's wrong hits: counts by band, doubt, threshold
    {NS:B}:r:POOL    hash of pairs whose answers were different, by places they may take over
    {NS:B}:h:ID      list of what an entry has answered by meaning, newest first
    {NS:B}:f:DIGEST  the worker that asks the upstream for all, for a few seconds; a colon and the
                     name of the stream that others may read along
    {NS:B}:n:DIGEST  the name of the stream that another worker needs, for a few seconds
    {NS:B}:s:NAME    hash of the blocks of a stream by their numbers, for a few seconds more
    {NS:B}:b:ID      set of ids whose entries never answer the request of this fingerprint

Everything of one bucket B lies in one slot of a cluster. A single server has one bucket, a cluster
64; the first four digits of an id or a digest say which.
"""

from __future__ import annotations

from dataclasses import dataclass

from khazad_mitm.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names of one bucket of a namespace."""

    secret: str
    prefix: str
    """Of every key of the bucket, up to and including the colon."""

    @classmethod
    def of(cls, namespace: str, bucket: int = 0) -> Keys:
        """`namespace` may be any text, glob characters and braces included, but not empty."""
        if not namespace:
            raise ConfigError("khazad_namespace: is empty", "the default is khazad")
        # A brace would end the hash tag early, or make one namespace's key look like another's.
        escaped = namespace.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")
        return cls(f"{escaped}:key", f"{{{escaped}:{bucket}}}:")

    @property
    def expiry(self) -> str:
        return self.prefix + "x"

    @property
    def use(self) -> str:
        return self.prefix + "u"

    @property
    def facts(self) -> str:
        return self.prefix + "d"

    def entry(self, id_: str) -> str:
        return f"{self.prefix}e:{id_}"

    def alias(self, digest: str) -> str:
        return f"{self.prefix}a:{digest}"

    def conversation(self, digest: str) -> str:
        return f"{self.prefix}p:{digest}"

    def vectors(self, scope: str) -> str:
        return f"{self.prefix}v:{scope}"

    def credential(self, digest: str) -> str:
        return f"{self.prefix}c:{digest}"

    def pool(self, digest: str) -> str:
        return f"{self.prefix}w:{digest}"

    def refuted(self, pool: str) -> str:
        return f"{self.prefix}r:{pool}"

    def history(self, id_: str) -> str:
        return f"{self.prefix}h:{id_}"

    def lease(self, flight: str) -> str:
        return f"{self.prefix}f:{flight}"

    def need(self, flight: str) -> str:
        return f"{self.prefix}n:{flight}"

    def stream(self, name: str) -> str:
        return f"{self.prefix}s:{name}"

    def blocks(self, id_: str) -> str:
        return f"{self.prefix}b:{id_}"

    @property
    def pattern(self) -> str:
        """Matches every key but the secret, and no neighbour's, in the glob of SCAN."""
        return "".join("\\" + sign if sign in "*?[]\\" else sign for sign in self.prefix) + "*"
