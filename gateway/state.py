"""What the gateway's request handlers share, made once at start."""

import asyncio
import dataclasses
from collections.abc import Mapping, Sized

import redis.asyncio
from starlette.requests import HTTPConnection

from gateway.results.relay import Relays
from shared.bundles.bundle import Bundle
from shared.settings import Settings


@dataclasses.dataclass(frozen=True)
class Gateway:
    """One gateway process."""

    settings: Settings
    store: redis.asyncio.Redis
    models: Mapping[str, Bundle]
    """The models that run, by name; the first is the default."""
    cameras: Sized = ()
    """Those this process holds."""
    uploads: Sized = ()
    """Files this process reads into their sessions."""
    publishers: Sized = ()
    """Publishers of landmarks this process holds."""
    relays: Relays = dataclasses.field(default_factory=Relays)
    draining: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set when this process was told to stop: no new sessions, and whoever listens goes elsewhere."""
    handed_over: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set when this process owns no transcript and holds no camera any more."""


def gateway_of(connection: HTTPConnection) -> Gateway:
    """The gateway a request came to."""
    gateway: Gateway = connection.app.state.gateway
    return gateway
