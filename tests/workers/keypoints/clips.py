"""Videos as a gateway would write them: generated ones, and the recordings."""

import dataclasses
import io
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from shared import keys
from shared.framelog import Frame
from shared.sessions import Mode, Session


@dataclasses.dataclass(frozen=True)
class Clip:
    """Packets of a video, and what its session's hash says of it."""

    codec: str
    extradata: bytes
    time_base: Fraction
    start_pts: int
    width: int
    height: int
    frames: list[Frame]
    rotation: int = 0

    def session(self, mode: Mode = "file", models: tuple[str, ...] = ("words",), **changes: Any) -> Session:
        """A session with a new id whose writer would send this clip."""
        fields: dict[str, Any] = {
            "id": keys.new_session_id(),
            "mode": mode,
            "models": models,
            "codec": self.codec,
            "extradata": self.extradata,
            "time_base": self.time_base,
            "start_pts": self.start_pts,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
        }
        return Session(**(fields | changes))


def read_clip(source: Path | BinaryIO) -> Clip:
    """Demuxes a video's packets, as they lie in the file."""
    with av.open(source if isinstance(source, io.BytesIO) else str(source)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        frames = [
            Frame(bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size
        ]
        start = stream.start_time or 0
        extradata = context.extradata or b""
        return Clip(context.name, extradata, stream.time_base, start, context.width, context.height, frames)


OPTIONS = {
    "libx264": {"sc_threshold": "0", "preset": "veryfast"},
    "libx265": {"preset": "ultrafast", "x265-params": "bframes=2:log-level=none"},
    "libsvtav1": {"preset": "12"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "mpeg4": {},
}
"""How each encoder is hurried up."""


def generate(
    count: int,
    *,
    encoder: str = "libx264",
    fps: int = 30,
    gop: int = 15,
    b_frames: int = 0,
    size: tuple[int, int] = (320, 240),
    container: str | None = None,
) -> Clip:
    """A moving pattern, encoded for real."""
    return read_clip(video(count, encoder, fps, gop, b_frames, size, container))


def video(
    count: int,
    encoder: str = "libx264",
    fps: int = 30,
    gop: int = 15,
    b_frames: int = 0,
    size: tuple[int, int] = (320, 240),
    container: str | None = None,
) -> io.BytesIO:
    """The same as a file; `container` is FFmpeg's name of its format."""
    spool = io.BytesIO()
    with av.open(spool, "w", format=container or ("webm" if "vpx" in encoder else "mp4")) as output:
        stream: Any = output.add_stream(encoder, rate=fps)
        stream.width, stream.height = size
        stream.gop_size = gop
        stream.thread_count = 1
        reorders = {"bf": str(b_frames)} if encoder in ("libx264", "mpeg4") else {}
        stream.options = OPTIONS[encoder] | reorders
        for number in range(count):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(_picture(number, size), format="rgb24")))
        output.mux(stream.encode(None))
    spool.seek(0)
    return spool


def _picture(number: int, size: tuple[int, int]) -> Any:
    width, height = size
    y, x = np.mgrid[:height, :width]
    return np.stack(((x + 3 * number) % 256, (y + 5 * number) % 256, (x + y) % 256), -1).astype(np.uint8)
