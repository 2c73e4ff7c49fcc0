"""Whether a new session is taken: the decision (pure), and what it is decided on."""

import dataclasses
from typing import Any, Literal

import redis.asyncio
from redis.exceptions import ResponseError
from starlette.exceptions import HTTPException

from gateway.state import Gateway
from shared import keys
from shared.stages import announced

STOPPING_SECONDS = 2
"""Another replica, or this one started again, is there by then."""

FULL_SECONDS = 10
"""Sessions end by the minute: sooner would be noise, much later would leave places empty."""

Kind = Literal["camera", "file", "publisher"]


@dataclasses.dataclass(frozen=True)
class Load:
    """How full this process and the keypoint workers are."""

    stopping: bool
    held: int
    """Sessions of this kind that this process writes."""
    room: int | None
    """Sessions the keypoint workers could still take, those that wait counted; below zero when more wait.

    None where no worker has said that it is there: a fault, not a full house. `/readyz` tells it, and who
    comes then waits for the worker's return.
    """
    waiting: int


@dataclasses.dataclass(frozen=True)
class Limits:
    """How many are taken."""

    held: int
    waiting: int
    may_wait: bool
    """With no room at a worker: wait, or be refused."""


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Why a session is not taken, and when to ask again."""

    reason: str
    retry_after: int
    """Seconds."""


STOPPING = Refusal("this server is stopping; try another", STOPPING_SECONDS)


def decide(kind: Kind, load: Load, limits: Limits) -> Refusal | None:
    """None: the session is taken, and waits as `queued` where there is no room yet."""
    if load.stopping:
        return STOPPING
    if load.held >= limits.held:
        return Refusal(f"this server holds {load.held} {kind}s, as many as it takes", FULL_SECONDS)
    if load.waiting >= limits.waiting:
        return Refusal(f"{load.waiting} sessions already wait for a keypoint worker", FULL_SECONDS)
    if load.room is not None and load.room <= 0 and not limits.may_wait:
        return Refusal("no keypoint worker has room for another session", FULL_SECONDS)
    return None


async def admit(gateway: Gateway) -> None:
    """Lets a new camera in, or raises HTTPException 503 with `Retry-After` and the reason. RedisError."""
    config = gateway.settings
    limits = Limits(config.cameras_per_gateway, config.queue_length, config.when_full == "queue")
    _refuse(decide("camera", await _load(gateway, len(gateway.cameras)), limits))


async def admit_publisher(gateway: Gateway) -> None:
    """The same for a publisher of landmarks."""
    config = gateway.settings
    limits = Limits(config.publishers_per_gateway, config.queue_length, config.when_full == "queue")
    _refuse(decide("publisher", await _load(gateway, len(gateway.publishers)), limits))


def admit_back(gateway: Gateway) -> None:
    """Lets a camera or publisher back to its session, full house or not, unless we are stopping: 503."""
    if gateway.draining.is_set():
        _refuse(STOPPING)


async def admit_file(gateway: Gateway) -> None:
    """The same for a file; it is in no hurry, so it may always wait."""
    limits = Limits(gateway.settings.uploads_per_gateway, gateway.settings.queue_length, may_wait=True)
    _refuse(decide("file", await _load(gateway, len(gateway.uploads)), limits))


async def place_in_line(store: redis.asyncio.Redis, session: str, most: int) -> int | None:
    """1 for the session that the next free keypoint worker takes; None for one that is not waiting.

    Looks at no more than `most` places. Raises RedisError.
    """
    line = await waiting_line(store, most)
    return line.index(session) + 1 if session in line else None


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise HTTPException(503, refusal.reason, {"Retry-After": str(refusal.retry_after)})


async def _load(gateway: Gateway, held: int) -> Load:
    if gateway.draining.is_set():
        return Load(stopping=True, held=held, room=None, waiting=0)
    waiting = len(await waiting_line(gateway.store, gateway.settings.queue_length))
    workers = await announced(gateway.store, "keypoints")
    room = None
    if workers:
        capacity = sum(worker.get("capacity", 0) for worker in workers)
        room = capacity - await owned(gateway.store) - waiting
    return Load(stopping=False, held=held, room=room, waiting=waiting)


async def owned(store: redis.asyncio.Redis) -> int:
    """Sessions that keypoint workers own, to the moment: what they announce is up to 1.5 s old."""
    try:
        pending: Any = await store.xpending(keys.SESSIONS, keys.KEYPOINTS_GROUP)
    except ResponseError:
        return 0
    return int(pending["pending"])


async def waiting_line(store: redis.asyncio.Redis, most: int) -> list[str]:
    """Sessions that no keypoint worker was given yet, in their order."""
    try:
        groups: Any = await store.xinfo_groups(keys.SESSIONS)
    except ResponseError:
        return []
    given = {group["name"]: group["last-delivered-id"] for group in groups}
    after = given.get(keys.KEYPOINTS_GROUP.encode(), b"0-0").decode()
    entries: Any = await store.xrange(keys.SESSIONS, min=f"({after}", count=most)
    return [fields[b"session"].decode() for _, fields in entries]
