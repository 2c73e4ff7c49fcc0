"""Redis: reachable, new enough, keeps what it is given, has room, and agrees with us on the time."""

import time
from typing import Any

import redis.asyncio
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from deploy.doctor.finding import Finding, failed, ok, warning
from deploy.redis_server import NoRedisError, binary
from shared.settings import PREFIX

OLDEST = (6, 2)
"""Redis that has every command the stages use."""

FULL = 0.8
"""Of `maxmemory`: beyond, a burst of sessions may find no room."""

APART_SECONDS = 1.0
"""Latencies are differences between the clocks of two machines."""

ANSWER_SECONDS = 3.0

SLOW_SECONDS = 0.02
"""A round trip; a picture makes several on its way."""


async def look(url: str) -> list[Finding]:
    """All there is to say of it."""
    if not url:
        return [_own()]
    store = redis.asyncio.Redis.from_url(
        url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS
    )
    try:
        began = time.monotonic()
        await store.ping()
        seconds = time.monotonic() - began
        info: dict[str, Any] = await store.info()
        told: Any = await store.time()
    except (AuthenticationError, NoPermissionError) as error:
        return [failed("redis", f"it refuses us: {error}", f"give {PREFIX}REDIS_URL its user and password")]
    except (RedisError, OSError) as error:
        return [
            failed(
                "redis",
                f"it does not answer at {_shown(url)}: {error}",
                f"start it, or correct {PREFIX}REDIS_URL",
            )
        ]
    finally:
        await store.aclose()
    return [
        _version(info, url, seconds),
        _kept(info),
        _policy(info),
        _memory(info),
        _clock(told[0] + told[1] / 1e6, time.time()),
    ]


def _own() -> Finding:
    try:
        return ok("redis", f"{PREFIX}REDIS_URL is not set: `signstream up` starts its own, {binary()}")
    except NoRedisError as error:
        return failed("redis", "there is none to start", str(error))


def _version(info: dict[str, Any], url: str, seconds: float) -> Finding:
    version = str(info.get("redis_version", "0"))
    if tuple(int(number) for number in version.split(".")[:2]) < OLDEST:
        return failed("redis", f"it is version {version}", "6.2 or later is needed: upgrade it")
    said = f"{version} at {_shown(url)} answers in {seconds * 1000:.1f} ms"
    if seconds > SLOW_SECONDS:
        return warning("redis", said, "put Redis nearer to the stages: every picture asks it several times")
    return ok("redis", said)


def _kept(info: dict[str, Any]) -> Finding:
    if not info.get("aof_enabled"):
        return warning(
            "redis kept", "appendonly is off: a restart of Redis ends every session", "set `appendonly yes`"
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        return failed(
            "redis kept", "its last write to the append-only file failed", "see its log; is its disk full?"
        )
    return ok("redis kept", "appendonly is on")


def _policy(info: dict[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "unknown"))
    if policy != "noeviction" and info.get("maxmemory"):
        return failed(
            "redis eviction",
            f"maxmemory-policy is {policy}: sessions vanish when memory is short",
            "set `maxmemory-policy noeviction`",
        )
    return ok("redis eviction", f"nothing is evicted (maxmemory-policy {policy})")


def _memory(info: dict[str, Any]) -> Finding:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not most:
        return ok("redis memory", f"{used / 2**20:.0f} MiB used, no limit")
    said = f"{used / 2**20:.0f} of {most / 2**20:.0f} MiB used"
    if used > FULL * most:
        return warning("redis memory", said, "raise `maxmemory`, or run fewer sessions")
    return ok("redis memory", said)


def _clock(theirs: float, ours: float) -> Finding:
    apart = abs(theirs - ours)
    if apart > APART_SECONDS:
        return warning(
            "clock",
            f"Redis' machine and this one are {apart:.1f} s apart: latencies will be wrong",
            "run NTP (chrony or systemd-timesyncd) on both",
        )
    return ok("clock", f"{apart * 1000:.0f} ms from Redis' machine")


def _shown(url: str) -> str:
    """Without the password."""
    return url.rsplit("@", 1)[-1].removeprefix("redis://")
