"""A line that loses packets: between an aiortc sender and its encryption, so that SRTP notices nothing."""

import random
import time
from collections.abc import Callable
from typing import Any

from aiortc import RTCPeerConnection
from aiortc.rtp import is_rtcp

Loses = Callable[[], bool]


def at_random(share: float, seed: int) -> Loses:
    """Loses each packet with this probability."""
    chance = random.Random(seed)
    return lambda: chance.random() < share


def in_bursts(length: int, every: int, seed: int) -> Loses:
    """Loses `length` packets in a row, on average once in `every`."""
    chance = random.Random(seed)
    left = 0

    def loses() -> bool:
        nonlocal left
        if left == 0 and chance.random() < 1 / every:
            left = length
        burst = left > 0
        left -= left > 0
        return burst

    return loses


class LossyLine:
    """Makes a sending peer's media packets (retransmissions too) get lost; counts them."""

    def __init__(self, peer: RTCPeerConnection, loses: Loses) -> None:
        self.lost = self.sent = 0
        self.times: list[float] = []
        """When each packet was sent, lost or not; unix time."""
        transport: Any = peer.getSenders()[0].transport
        send = transport._send_rtp

        async def send_or_lose(data: bytes) -> None:
            if not is_rtcp(data):
                self.times.append(time.time())
                self.sent += 1
                if loses():
                    self.lost += 1
                    return
            await send(data)

        transport._send_rtp = send_or_lose
