"""A video file taken apart into its packets, and what its packets do not say. Everything here blocks."""

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from typing import IO, Any

import av
from av.stream import Disposition

from shared.framelog import Frame
from shared.sessions import Session

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,mxf,ivf,nut,wtv,gif,dv,"
    "h264,hevc,m4v,mpegvideo,mjpeg,av1,obu,yuv4mpegpipe"
)
"""FFmpeg's demuxers we let near a stranger's file: those that read nothing but the file itself.

Playlists (HLS, concat, DASH) would make the server fetch what they name.
"""

READABLE = "MP4, MOV, MKV, WebM, AVI, MPEG-TS, MPEG-PS, FLV, OGG and others"

# A missing pts is derived by the demuxer where it can look ahead; playlists could name other protocols.
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "none", "fflags": "+genpts"}

LARGEST_PICTURE = 8192 * 4320
"""Pixels: 8K. A file may claim more than there is memory for."""

PROBED_PACKETS = 300
"""Ten seconds in which at least one picture must decode."""

FALLBACK_RATE = Fraction(25)
"""Where neither container nor codec tells a frame rate: what FFmpeg assumes for bare streams."""


class UnreadableVideoError(ValueError):
    """Why a file is not taken: `status` is HTTP's, the text a sentence for whoever sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class DamagedVideoError(Exception):
    """The file cannot be read further."""


@dataclasses.dataclass(frozen=True)
class VideoFacts:
    """What a worker must know to decode the packets and show them upright; see `shared.sessions.Session`."""

    codec: str
    extradata: bytes
    time_base: Fraction
    start_pts: int
    width: int
    height: int
    rotation: int
    seconds: float | None
    """As the container claims; None where it does not say."""

    def session(self, session_id: str, models: tuple[str, ...], *, mirrored: bool = False) -> Session:
        """The session of such a file. `mirrored`: it shows its signer as a mirror does."""
        return Session(
            id=session_id,
            mode="file",
            models=models,
            codec=self.codec,
            extradata=self.extradata,
            time_base=self.time_base,
            start_pts=self.start_pts,
            width=self.width,
            height=self.height,
            rotation=self.rotation,
            mirrored=mirrored,
            seconds=self.seconds or 0.0,
        )


class PacketTimes:
    """Gives every packet a pts and a dts, deriving what the container does not say."""

    def __init__(self, time_base: Fraction, rate: Fraction | None) -> None:
        self._step = max(1, round(1 / ((rate or FALLBACK_RATE) * time_base)))
        self._next_dts: int | None = None

    def of(self, pts: int | None, dts: int | None, duration: int | None) -> tuple[int, int]:
        """(pts, dts) of the next packet in decoding order."""
        if dts is None:
            dts = self._next_dts if self._next_dts is not None else (pts if pts is not None else 0)
        self._next_dts = dts + (duration or self._step)
        return (pts if pts is not None else dts), dts


def probe(file: IO[bytes]) -> VideoFacts:
    """Opens the file and decodes its first picture. Raises UnreadableVideoError: 415 or 422."""
    head = file.read(4096)
    with _open(file, head) as container:
        stream = _picture_stream(container)
        _check_size(stream)
        frame = _first_picture(container, stream)
        return VideoFacts(
            codec=stream.codec_context.name,
            extradata=bytes(stream.codec_context.extradata or b""),
            time_base=stream.time_base,
            start_pts=frame.pts if frame.pts is not None else 0,
            width=frame.width,
            height=frame.height,
            # FFmpeg turns counter-clockwise, we clockwise; phones know quarter turns only.
            rotation=round(-frame.rotation / 90) * 90 % 360,
            seconds=container.duration / av.time_base if container.duration else None,
        )


class VideoPackets:
    """The packets of a file's picture, in decoding order. Close it; the file stays open."""

    def __init__(self, file: IO[bytes]) -> None:
        self.count = 0
        """Packets given out so far."""
        self._container = _open(file, b"")
        stream = _picture_stream(self._container)
        self._times = PacketTimes(stream.time_base, stream.average_rate)
        self._demuxed: Iterator[Any] = self._container.demux(stream)

    def read(self, size: int) -> list[Frame]:
        """The next packets, about `size` bytes of them; none at the end. Raises DamagedVideoError."""
        frames: list[Frame] = []
        taken = 0
        try:
            for packet in self._demuxed:
                if packet.size == 0:
                    continue
                if packet.is_corrupt:
                    raise DamagedVideoError(f"packet {self.count + len(frames)} is not whole")
                pts, dts = self._times.of(packet.pts, packet.dts, packet.duration)
                frames.append(Frame(data=bytes(packet), pts=pts, dts=dts, keyframe=packet.is_keyframe))
                taken += packet.size
                if taken >= size:
                    break
        except (av.FFmpegError, DamagedVideoError) as error:
            # What came before the damage is given out first; the next call meets it again.
            if not frames:
                raise DamagedVideoError(str(error)) from error
            self._demuxed = iter(_Raise(error))
        self.count += len(frames)
        return frames

    def close(self) -> None:
        self._container.close()


class _Raise:
    """An iterator that meets a damage seen before."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __iter__(self) -> "_Raise":
        return self

    def __next__(self) -> Any:
        raise self._error


def _open(file: IO[bytes], head: bytes) -> Any:
    file.seek(0)
    try:
        return av.open(file, "r", options=OPTIONS)
    except (av.FFmpegError, ValueError) as error:
        raise _unreadable(head, error) from error


def _unreadable(head: bytes, error: Exception) -> UnreadableVideoError:
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return UnreadableVideoError(
            422, "an MP4 or MOV file whose index (moov) is missing or damaged: is the file whole?"
        )
    if head and _is_text(head):
        return UnreadableVideoError(415, f"this is text, not a video; {READABLE} are read")
    return UnreadableVideoError(415, f"not a video format that can be read ({error}); {READABLE} are")


def _is_text(head: bytes) -> bool:
    try:
        head[:-3].decode()  # a character may be cut at the end
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _picture_stream(container: Any) -> Any:
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise UnreadableVideoError(422, f"the file holds no video; it holds {kinds}")
    if streams[0].codec_context is None:
        raise UnreadableVideoError(415, "the file's video codec cannot be decoded here")
    return streams[0]


def _check_size(stream: Any) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > LARGEST_PICTURE:
        raise UnreadableVideoError(422, f"a picture of {width}x{height} is larger than 8192x4320")


def _first_picture(container: Any, stream: Any) -> Any:
    stream.codec_context.thread_count = 1
    times = PacketTimes(stream.time_base, stream.average_rate)
    errors = 0
    try:
        for number, packet in enumerate(container.demux(stream)):
            if packet.size:
                packet.pts, packet.dts = times.of(packet.pts, packet.dts, packet.duration)
            try:
                for frame in packet.decode():
                    return frame
            except av.InvalidDataError:
                errors += 1
            if number >= PROBED_PACKETS:
                break
    except av.FFmpegError as error:
        raise UnreadableVideoError(422, f"no picture of the file can be decoded: {error}") from error
    raise UnreadableVideoError(
        422, f"no picture of the file can be decoded ({errors} packets tried): is the file whole?"
    )
