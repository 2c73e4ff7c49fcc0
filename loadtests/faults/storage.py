"""A Redis that stands still, dies, forgets, is full, or cannot write to its disk."""

import asyncio
import random
import signal
from typing import ClassVar

from loadtests.faults.camera import Camera
from loadtests.faults.fault import HELD_SECONDS, Blow, Fault, blow, held
from loadtests.faults.house import House
from loadtests.faults.member import now

AWAY = r"Redis (is away|does not answer|did not take)|while Redis is away|wait for Redis|: Redis: "
"""What the stages say while Redis does not answer, or refuses."""

REFUSED = rf"{AWAY}|command not allowed|NOREPLICAS"

LOST = r"storage lost"

FILL_AGAIN_SECONDS = 0.25


class RedisPaused(Fault):
    """Redis holds every command back for five seconds (CLIENT PAUSE) and then answers them all."""

    kind = "redis-paused"

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        await house.store.paused(5.0)
        await held()
        await house.store.answers()
        # Nothing is refused and nothing breaks: commands take five seconds, which nobody has to recover from
        # but those whose lease was meanwhile not renewed.
        return blow("redis", began, (AWAY,), held_down=True)


class RedisStopped(Fault):
    """Redis stands still for five seconds (SIGSTOP, SIGCONT): connections stay open, nothing is answered."""

    kind = "redis-stopped"

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        house.redis.signal(signal.SIGSTOP)
        try:
            await held()
        finally:
            house.redis.signal(signal.SIGCONT)
        await house.store.answers()
        return blow("redis", began, (AWAY,), held_down=True)


class RedisKilled(Fault):
    """Redis is killed (SIGKILL) and started again with its append-only file, which has all it answered."""

    kind = "redis-killed"

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        house.redis.signal(signal.SIGKILL)
        await house.redis.until_dead()
        await house.store.answers()
        return blow("redis", began, (AWAY,), held_down=True)


class RedisLost(Fault):
    """Redis is killed and comes back empty, as after the loss of its machine. Every session in it is lost,
    and says so to whoever asks; cameras, publishers and files begin new ones."""

    kind = "redis-lost"
    loses_data = True

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        house.redis.before_start = house.store.forget
        house.losses.append(began)
        house.redis.signal(signal.SIGKILL)
        await house.redis.until_dead()
        await house.store.answers()
        return blow("redis", began, (LOST,), held_down=True)


class Refusing(Fault):
    """For five seconds Redis answers and takes no writes, by one of its own settings."""

    setting: ClassVar[str]
    refuses: ClassVar[str]
    takes: ClassVar[str] = "0"

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        await house.store.configure(self.setting, self.refuses)
        try:
            await held()
        finally:
            await house.store.configure(self.setting, self.takes)
        await house.store.answers()
        return blow("redis", began, (REFUSED,), held_down=True)


class RedisFull(Refusing):
    """Redis has no room (`maxmemory` below what it holds, `noeviction`): for five seconds it refuses what
    takes memory and answers the rest."""

    kind = "redis-full"
    setting, refuses = "maxmemory", "1mb"


class RedisRefuses(Refusing):
    """Redis answers, but takes no writes for five seconds, as one whose disk or replicas are gone says
    (`min-replicas-to-write`)."""

    kind = "redis-refuses"
    setting, refuses = "min-replicas-to-write", "1"


class DiskFull(Fault):
    """Nothing more can be written to the disk of Redis, which is a tmpfs made as small as what is on it. With
    `appendfsync always` Redis ends at the first write it cannot keep; its supervisor starts it again and
    again, until after five seconds there is room."""

    kind = "disk-full"

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        try:
            while now() < began + HELD_SECONDS:  # what Redis gives back by rewriting its file is taken too
                await asyncio.to_thread(house.disk.fill)
                await asyncio.sleep(FILL_AGAIN_SECONDS)
        finally:
            await asyncio.to_thread(house.disk.free)
        await house.store.answers()
        return blow("redis", began, (AWAY,), held_down=True)

    def is_possible(self, house: House) -> str:
        return "" if house.disk.is_sized else "a tmpfs can be mounted by root only"


FAULTS: tuple[Fault, ...] = (
    RedisPaused(),
    RedisStopped(),
    RedisKilled(),
    RedisLost(),
    RedisFull(),
    RedisRefuses(),
    DiskFull(),
)
