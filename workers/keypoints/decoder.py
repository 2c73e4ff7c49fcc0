"""Encoded frames in, pictures out: one PyAV decoder for one session. Blocking."""

import dataclasses
import logging
import time
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from shared.framelog import START, Frame
from shared.sessions import Session
from workers.keypoints.pace import Spare
from workers.keypoints.times import PictureTimes

log = logging.getLogger(__name__)

MAX_PIXELS = 8192 * 4320
"""8K. A stream whose header claims more is refused by the decoder before it allocates."""

_REFUSED = (av.FFmpegError, ValueError, OverflowError)
"""What PyAV raises for bytes, timestamps and pixel formats it cannot take."""


SOFTWARE = {"av1": "libdav1d"}
"""Decoders that run on a CPU, where FFmpeg's of the codec's own name only drive a card."""

DROPPABLE = frozenset({"h264", "mpeg4"})
"""Codecs that mark pictures to which no other refers, and whose decoder leaves them out when told so. VP8,
VP9 and AV1 have hardly any; in HEVC those of a higher layer may refer to them (H.265 7.4.2.2)."""

IN_ORDER = frozenset({"vp8", "vp9", "av1", "libdav1d"})
"""Codecs whose packets come in the order in which pictures are shown; some show none."""


class UnknownCodecError(ValueError):
    """The session's codec is none that PyAV decodes to pictures."""


@dataclasses.dataclass
class _Origin:
    """What a packet knows and its picture keeps."""

    entry: bytes = START
    captured: float = 0.0
    read: float = 0.0


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """One decoded picture, still in the decoder's colours: converting is dear and most are not landmarked."""

    time: float
    """Media time, seconds."""
    captured: float
    """Unix time at which the gateway had it, seconds; 0 in files."""
    read: float
    """Unix time at which this worker had read it, seconds."""
    entry: bytes
    """The entry of `frames:{id}` it came in."""
    _frame: Any
    _turns: int
    _mirrored: bool
    _reformatter: VideoReformatter

    @property
    def aspect(self) -> float:
        """Width / height, upright."""
        aspect: float = self._frame.width / self._frame.height
        return 1 / aspect if self._turns % 2 else aspect

    def rgb(self) -> NDArray[np.uint8]:
        """uint8 [height, width, 3], upright, not mirrored. ValueError for colours none can convert."""
        try:
            converted = self._reformatter.reformat(self._frame, format="rgb24", threads=1)
            pixels = np.asarray(converted.to_ndarray(), np.uint8)
        except av.FFmpegError as error:
            raise ValueError(f"picture in {self._frame.format.name}: {error}") from error
        upright = np.rot90(pixels, -self._turns) if self._turns else pixels
        return np.ascontiguousarray(np.fliplr(upright) if self._mirrored else upright)


class Decoder:
    """Pictures of one session in the order they are shown. Bad bytes are counted and never raise.

    A live decoder skips what comes before a keyframe, at the start and after an error, and asks for one
    (`wants_keyframe`): pictures built on a missing one show hands that never were. A file has no second
    chance, so its decoder takes whatever the codec makes of it.
    """

    def __init__(self, session: Session, fps: float | None = None) -> None:
        """With `fps`, of each slot of that pace only the first picture need come. UnknownCodecError."""
        try:
            codec = av.CodecContext.create(SOFTWARE.get(session.codec, session.codec), "r")
        except ValueError as error:
            raise UnknownCodecError(f"codec is {session.codec!r}, which PyAV does not decode") from error
        if codec.type != "video":
            raise UnknownCodecError(f"codec is {session.codec!r}, which is {codec.type}, not video")
        codec.thread_count = 1
        codec.copy_opaque = True
        codec.options = {"max_pixels": str(MAX_PIXELS)}
        if session.extradata:
            codec.extradata = session.extradata
        self.pictures = 0
        self.errors = 0
        self.last_error = ""
        self.skipped = 0
        """Frames not decoded because they came before a keyframe."""
        self.wants_keyframe = False
        self._codec = codec
        self._session = session
        self._turns = round(session.rotation / 90) % 4
        self._reformatter = VideoReformatter()
        in_order = session.mode == "live" or session.codec in IN_ORDER
        self._times = None if in_order else PictureTimes()
        self._spare = Spare(fps) if fps is not None and session.codec in DROPPABLE else None
        self._waits = session.mode == "live"

    def decode(self, frame: Frame, read: float | None = None) -> list[Picture]:
        """The pictures that are whole with this frame; none, several, or earlier ones (B-frames)."""
        if self._waits and not frame.keyframe:
            self.skipped += 1
            self.wants_keyframe = True
            return []
        self._waits = self.wants_keyframe = False
        if not frame.data:  # to FFmpeg an empty packet says that the stream has ended
            self._refused("empty packet")
            return []
        try:
            packet = _packet(frame.data)
            packet.pts, packet.dts, packet.time_base = frame.pts, frame.dts, self._session.time_base
            packet.opaque = _Origin(frame.entry, frame.captured, time.time() if read is None else read)
            self._announce(frame.pts)
            return self._pictures(self._codec.decode(packet))
        except _REFUSED as error:
            if self._times is not None:
                self._times.refused()
            self._refused(str(error))
            return []

    def await_keyframe(self) -> None:
        """Skips frames until one comes: there are more than can be decoded in time."""
        self._waits = self.wants_keyframe = True

    def flush(self) -> list[Picture]:
        """The pictures the decoder still held; nothing may follow."""
        if not self._codec.is_open:
            return []
        try:
            return self._pictures(self._codec.decode(None))
        except _REFUSED as error:
            self._refused(str(error))
            return []

    def _announce(self, pts: int) -> None:
        """Before a packet: keeps its time, and says whether its picture may be left out."""
        if self._times is not None:
            self._times.sent(pts)
        if self._spare is not None:
            spare = self._spare.is_spare(self._session.media_time(pts))
            sure = self._times is None or self._times.told
            self._codec.skip_frame = "NONREF" if spare and sure else "DEFAULT"

    def _pictures(self, frames: list[Any]) -> list[Picture]:
        pictures = []
        for frame in frames:
            if frame.pts is None:
                self._refused("picture without a timestamp")
                continue
            origin = frame.opaque if isinstance(frame.opaque, _Origin) else _Origin(read=time.time())
            pts = frame.pts if self._times is None else self._times.shown(frame.pts)
            media_time = self._session.media_time(pts)
            pictures.append(
                Picture(
                    time=media_time,
                    captured=origin.captured,
                    read=origin.read,
                    entry=origin.entry,
                    _frame=frame,
                    _turns=self._turns,
                    _mirrored=self._session.mirrored,
                    _reformatter=self._reformatter,
                )
            )
        self.pictures += len(pictures)
        return pictures

    def _refused(self, why: str) -> None:
        self.errors += 1
        self.last_error = why
        if self._session.mode == "live":
            self._waits = self.wants_keyframe = True
        if self.errors == 1:
            log.warning("session %s: %s refused a frame: %s", self._session.id, self._session.codec, why)


def _packet(data: bytes) -> Any:
    """A packet with zeros behind its end, which FFmpeg's decoders read (AV_INPUT_BUFFER_PADDING_SIZE).

    Given bytes, PyAV hands FFmpeg Python's own, and whatever lies behind them: MPEG-4's last macroblocks then
    differed from process to process.
    """
    packet = av.Packet(len(data))
    packet.update(data)
    return packet
