"""A camera's packets as whole encoded frames: our own thin path beside aiortc's, neither decoded nor queued.

aiortc negotiates, decrypts and sends the reports; packets go from its socket straight into `FrameAssembly`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from gateway.ingest import aiortc_private, keyframes, rtp
from gateway.ingest.assembly import FrameAssembly, WholeFrame
from gateway.ingest.nacks import Nacks
from gateway.ingest.reception import Reception
from gateway.ingest.remb import FixedRemb
from gateway.ingest.timestamps import RtpClock
from gateway.ingest.watchdog import Watchdog
from shared.framelog import Frame

log = logging.getLogger(__name__)

SSRC_SILENT_SECONDS = 1.0
"""A camera sends one picture. Another SSRC takes its place when the first has been silent this long."""


class VideoReceiver:
    """One camera's picture. `on_frame` gets each frame from the first keyframe on; `on_end` the end.

    `on_stall` is called when packets come and nothing can be made of them: a keyframe is needed.
    Install it between the peer's setRemoteDescription and setLocalDescription. `codecs` are the ones agreed
    on (aiortc's own objects): the picture's, then its retransmissions'.
    """

    takes_encoded_frames = True

    def __init__(
        self,
        receiver: Any,
        codecs: Sequence[Any],
        bits_per_second: int,
        on_frame: Callable[[Frame], None],
        on_stall: Callable[[], None],
        on_end: Callable[[], None],
        clock: RtpClock | None = None,
    ) -> None:
        self.last_packet: float | None = None
        """When the last packet of the picture came (monotonic seconds); None before the first."""
        self.stalls = 0
        """How often the picture stood still while packets came."""
        name = codecs[0].name.lower()
        self._receiver = receiver
        self._payload_type = int(codecs[0].payloadType)
        self._depayload = aiortc_private.depayload_of(codecs[0])
        self._is_keyframe = keyframes.IS_KEYFRAME[name]
        self._on_frame = on_frame
        self._on_stall = on_stall
        self._on_end = on_end
        self._clock = clock or RtpClock()
        self._remb = FixedRemb(bits_per_second)
        self._assembly = FrameAssembly(keyframes.BEGINS_KEYFRAME[name])
        self._watchdog = Watchdog()
        self._nacks = Nacks()
        self._reception = Reception()
        self._ssrc: int | None = None
        self._sending: set[asyncio.Task[None]] = set()
        types = frozenset(int(codec.payloadType) for codec in codecs)
        aiortc_private.take_packets(receiver, self, types)

    @property
    def dropped(self) -> int:
        """Frames that came in part, or could not be decoded because one before them was lost."""
        return self._assembly.dropped

    async def request_keyframe(self) -> bool:
        """Sends a PLI; False while the camera's SSRC is not known, for nothing has come from it."""
        if self._ssrc is None:
            return False
        await aiortc_private.send_pli(self._receiver, self._ssrc)
        return True

    def put(self, item: object) -> None:
        """What aiortc would queue for its decoder: only the end comes this way."""
        if item is None:
            self._on_end()

    def datagram(self, data: bytes) -> None:
        """A decrypted RTP packet with one of our payload types, from the socket."""
        packet = rtp.read(data)
        if packet is not None:
            self.take(packet)

    def take(self, packet: Any) -> None:
        """The same, parsed (`rtp.Packet` or aiortc's own)."""
        now = time.monotonic()
        if packet.payload_type != self._payload_type:
            unwrapped = self._retransmitted(packet)
            if unwrapped is None:
                return
            packet = unwrapped
        elif packet.ssrc == self._ssrc or self._is_ours(packet.ssrc, now):
            self._reception.saw(packet.sequence_number, packet.timestamp, now)
        else:
            return
        self.last_packet = now
        if missing := self._nacks.saw(packet.sequence_number, now):
            self._send(aiortc_private.send_nack(self._receiver, packet.ssrc, missing))
        if self._remb.due(now):
            self._send(aiortc_private.send_remb(self._receiver, self._remb.bits_per_second, packet.ssrc))
        try:
            data = self._depayload(packet.payload) if packet.payload else b""
        except ValueError:
            data = b""  # Its number is taken all the same; the decoder will miss the rest.
        frames = self._assembly.add(packet.sequence_number, packet.timestamp, packet.marker, data, now)
        if frames:
            self._watchdog.saw_frame()
            self._deliver(frames)
        elif self._watchdog.saw_packet(now):
            self._skip()

    def _retransmitted(self, packet: Any) -> rtp.Packet | None:
        if self._ssrc is None:
            return None
        read = rtp.Packet(
            packet.payload_type,
            packet.marker,
            packet.sequence_number,
            packet.timestamp,
            packet.ssrc,
            packet.payload,
        )
        return rtp.unwrap_retransmission(read, self._payload_type, self._ssrc)

    def _is_ours(self, ssrc: int, now: float) -> bool:
        """A new SSRC: taken when it is the first, or the one before has fallen silent."""
        if self.last_packet is not None and now - self.last_packet < SSRC_SILENT_SECONDS:
            return False
        self._ssrc = ssrc
        self._assembly.restart()
        self._nacks.forget()
        self._reception = Reception()
        aiortc_private.report(self._receiver, ssrc, self._reception)
        return True

    def _skip(self) -> None:
        """The hole was waited for in vain: the next keyframe ends it."""
        self.stalls += 1
        frames = self._assembly.may_skip()
        if frames:
            self._watchdog.saw_frame()
            self._deliver(frames)
        else:
            self._on_stall()

    def _deliver(self, frames: Sequence[WholeFrame]) -> None:
        # Several come at once after a hole: each tells when it was here, by the clock on the wall.
        wall = time.time() - time.monotonic()
        for frame in frames:
            pts = self._clock.pts(frame.timestamp, frame.arrived)
            keyframe = self._is_keyframe(frame.data)
            self._on_frame(
                Frame(data=frame.data, pts=pts, dts=pts, keyframe=keyframe, captured=frame.arrived + wall)
            )

    def _send(self, feedback: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(feedback, name="camera feedback")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
