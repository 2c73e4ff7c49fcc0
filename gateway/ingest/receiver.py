"""Whole encoded frames out of aiortc, neither decoded nor on a thread of their own."""

import logging
import time
from collections.abc import Callable
from typing import Any

from aiortc.jitterbuffer import JitterBuffer

from gateway.ingest import aiortc_private, keyframes
from gateway.ingest.remb import FixedRemb
from gateway.ingest.timestamps import RtpClock
from shared.framelog import Frame

log = logging.getLogger(__name__)

JITTER_PACKETS = 512
"""A power of two; what aiortc takes for video: at 2 Mbit/s nearly three seconds."""


class FrameAssembly(JitterBuffer):
    """aiortc's jitter buffer, which also notes whose packets these are and when the last one came.

    aiortc hands it packets after unwrapping retransmissions, so their SSRC is the media's: a PLI to the SSRC
    of the retransmissions is ignored by Chromium.
    """

    def __init__(self) -> None:
        super().__init__(capacity=JITTER_PACKETS, is_video=True)
        self.media_ssrc: int | None = None
        self.last_packet: float | None = None

    def add(self, packet: Any) -> Any:
        self.media_ssrc = packet.ssrc
        self.last_packet = time.monotonic()
        return super().add(packet)


class VideoReceiver:
    """One camera's picture. `on_frame` gets each frame from the first keyframe on; `on_end` the end.

    Install it between the peer's setRemoteDescription and setLocalDescription.
    """

    takes_encoded_frames = True

    def __init__(
        self,
        receiver: Any,
        codec: str,
        bits_per_second: int,
        on_frame: Callable[[Frame], None],
        on_end: Callable[[], None],
    ) -> None:
        self.before_first_keyframe = 0
        """Frames that could not be decoded because none before them was a keyframe."""
        self._receiver = receiver
        self._is_keyframe = keyframes.IS_KEYFRAME[codec]
        self._on_frame = on_frame
        self._on_end = on_end
        self._clock = RtpClock()
        self._started = False
        self._assembly = FrameAssembly()
        aiortc_private.take_encoded_frames(receiver, self, self._assembly, FixedRemb(bits_per_second))

    @property
    def last_packet(self) -> float | None:
        """When the last packet of the picture came (monotonic seconds); None before the first."""
        return self._assembly.last_packet

    async def request_keyframe(self) -> bool:
        """Sends a PLI; False while the camera's SSRC is not known, for nothing has come from it."""
        if self._assembly.media_ssrc is None:
            return False
        await aiortc_private.send_pli(self._receiver, self._assembly.media_ssrc)
        return True

    def put(self, item: tuple[Any, Any] | None) -> None:
        """aiortc's side: (codec, JitterFrame), or None at the end."""
        if item is None:
            self._on_end()
            return
        data = bytes(item[1].data)
        keyframe = self._is_keyframe(data)
        if not keyframe and not self._started:
            self.before_first_keyframe += 1
            return
        self._started = True
        pts = self._clock.pts(item[1].timestamp, time.monotonic())
        self._on_frame(Frame(data=data, pts=pts, dts=pts, keyframe=keyframe, captured=time.time()))
