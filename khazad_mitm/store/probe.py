"""Is there a Redis at this URL that we can use? Asked once, at start-up, where errors help.

Also the one place that reads a store's URL for people: a URL may hold a password.
"""

from __future__ import annotations

from typing import Any

import redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from khazad_mitm.errors import ConfigError
from khazad_mitm.store.cluster_url import ClusterURL

OLDEST = "Vector Sets came with Redis 8.0"


def probe_cluster(url: ClusterURL, timeout_s: float = 2.0) -> None:
    """Return if one of the named nodes answers, is one of a cluster and has Vector Sets."""
    for number, node in enumerate(url.seeds, 1):
        try:
            probe(url.of(node), timeout_s, is_node=True)
        except ConfigError:
            if number == len(url.seeds):
                raise
        else:
            return


def probe(url: str, timeout_s: float = 2.0, *, is_node: bool = False) -> None:
    """Return if the Redis at `url` answers and has Vector Sets; `is_node`: and is one of a cluster.

    Raises ConfigError, which says what is wrong and what to do, and never shows a password.
    """
    shown = without_secrets(url)
    try:
        pool = redis.ConnectionPool.from_url(
            url, protocol=2, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        connection: Any = pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, RedisError):
        # Their messages quote what they stumbled over, which may be half a password.
        raise ConfigError(
            f"khazad_redis_url: {shown} is no Redis URL",
            "redis://USER:PASSWORD@HOST:PORT/DB, rediss://... or unix:///PATH;"
            " percent-encode special characters of the password",
        ) from None
    try:
        info = _answer(connection, "INFO", "server")
        commands = _answer(connection, "COMMAND", "INFO", "VADD")
    except (AuthenticationError, ResponseError) as error:
        raise ConfigError(
            f"khazad_redis_url: {shown} refuses us: {error}",
            "redis://USER:PASSWORD@HOST:PORT; docs/redis.md says what the user must be allowed",
        ) from error
    except (RedisError, OSError) as error:
        hint = "start one, or use khazad_redis_url=embedded or =memory"
        if "certificate verify failed" in str(error).lower():
            hint = "name who vouches for it: ?ssl_ca_certs=/path/ca.pem (docs/redis.md)"
        raise ConfigError(
            f"khazad_redis_url: no Redis answers at {shown} ({error})", hint
        ) from error
    finally:
        connection.disconnect()
    facts = dict(line.split(":", 1) for line in _text(info).splitlines() if ":" in line)
    if not commands or commands[0] is None:
        version = facts.get("redis_version", "of unknown version")
        raise ConfigError(
            f"khazad_redis_url: {shown} is Redis {version}, without Vector Sets",
            f"{OLDEST}; or use khazad_redis_url=embedded or =memory",
        )
    if (facts.get("redis_mode") == "cluster") is not is_node:
        place = shown.partition("://")[2]
        raise ConfigError(
            f"khazad_redis_url: {shown} is {'no' if is_node else 'a'} node of a cluster",
            f"{'redis://' if is_node else 'redis+cluster://'}{place}",
        )


def without_secrets(url: str) -> str:
    """The URL as it may be shown: without user, password and query."""
    scheme, _, rest = url.partition("://")
    # The last @ first: an unescaped password may hold any other sign.
    place = rest.rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{place}"


def _answer(connection: Any, *command: str) -> Any:
    connection.send_command(*command)
    return connection.read_response()


def _text(info: Any) -> str:
    return info.decode("utf-8", "replace") if isinstance(info, bytes) else str(info)
