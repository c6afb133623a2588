"""Is there a Redis at this URL that we can use? Asked once, at start-up, where errors help.

Also the one place that reads a store's URL for people: a URL may hold a password.
"""

from __future__ import annotations

from typing import Any

import redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from khazad_mitm.errors import ConfigError
from khazad_mitm.store.cluster_url import ClusterURL
from khazad_mitm.store.sentinels import FORM, SentinelURL

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


def probe_sentinels(url: SentinelURL, timeout_s: float = 2.0) -> None:
    """Return if one of the sentinels knows a master that can be used."""
    for number, node in enumerate(url.seeds, 1):
        shown = without_secrets(url.of(node))
        connection = _connection(url.of(node), timeout_s)
        try:
            told = _answer(connection, *url.question)
        except (AuthenticationError, ResponseError) as error:
            raise ConfigError(
                f"khazad_redis_url: {shown} is no sentinel that answers us: {error}",
                f"{FORM}; ?sentinel_username=...&sentinel_password=... where they want to see one",
            ) from error
        except (RedisError, OSError) as error:
            if number < len(url.seeds):
                continue
            raise ConfigError(
                f"khazad_redis_url: no sentinel answers at {shown} ({error})", FORM
            ) from error
        finally:
            connection.disconnect()
        if told is None:
            raise ConfigError(
                f"khazad_redis_url: the sentinel at {shown} knows no master {url.service!r}",
                "it is what stands behind `sentinel monitor` in its configuration",
            )
        probe(url.of((_text(told[0]), int(told[1]))), timeout_s)
        return


def probe(url: str, timeout_s: float = 2.0, *, is_node: bool = False) -> None:
    """Return if the Redis at `url` answers and has Vector Sets; `is_node`: and is one of a cluster.

    Raises ConfigError, which says what is wrong and what to do, and never shows a password.
    """
    shown = without_secrets(url)
    connection = _connection(url, timeout_s)
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


def _connection(url: str, timeout_s: float) -> Any:
    try:
        pool = redis.ConnectionPool.from_url(
            url, protocol=2, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        return pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, RedisError):
        # Their messages quote what they stumbled over, which may be half a password.
        raise ConfigError(
            f"khazad_redis_url: {without_secrets(url)} is no Redis URL",
            "redis://USER:PASSWORD@HOST:PORT/DB, rediss://... or unix:///PATH;"
            " percent-encode special characters of the password",
        ) from None


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
