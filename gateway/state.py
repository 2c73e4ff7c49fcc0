"""What the gateway's request handlers share, made once at start."""

import dataclasses
from collections.abc import Mapping

import redis.asyncio
from starlette.requests import HTTPConnection

from shared.bundles.bundle import Bundle
from shared.settings import Settings


@dataclasses.dataclass(frozen=True)
class Gateway:
    """One gateway process."""

    settings: Settings
    store: redis.asyncio.Redis
    models: Mapping[str, Bundle]
    """The models that run, by name; the first is the default."""


def gateway_of(connection: HTTPConnection) -> Gateway:
    """The gateway a request came to."""
    gateway: Gateway = connection.app.state.gateway
    return gateway
