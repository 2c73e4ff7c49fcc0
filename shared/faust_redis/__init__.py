"""Redis Streams as a broker for Faust: `faust.App("app", broker="redis://localhost:6379/0")`.

Registered under the entry point group `faust.transports` as `redis` and `rediss`. Of the rest of this project
it imports `shared.connection` alone. What it promises, and what it does not, stands in docs/transport.md.
"""

from .backlog import Backlog, backlog
from .consumer import Consumer, Counts
from .entries import DELIVERIES, deliveries
from .message import give_back
from .options import Options, broker_url
from .producer import Producer
from .transport import Transport

__all__ = [
    "DELIVERIES",
    "Backlog",
    "Consumer",
    "Counts",
    "Options",
    "Producer",
    "Transport",
    "backlog",
    "broker_url",
    "deliveries",
    "give_back",
]
