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


def generate(
    count: int,
    *,
    encoder: str = "libx264",
    fps: int = 30,
    gop: int = 15,
    b_frames: int = 0,
    size: tuple[int, int] = (320, 240),
) -> Clip:
    """A moving pattern, encoded for real."""
    spool = io.BytesIO()
    kind = "webm" if encoder == "libvpx" else "mp4"
    with av.open(spool, "w", format=kind) as container:
        stream: Any = container.add_stream(encoder, rate=fps)
        stream.width, stream.height = size
        stream.gop_size = gop
        stream.thread_count = 1
        if encoder == "libx264":
            stream.options = {"bf": str(b_frames), "sc_threshold": "0", "preset": "veryfast"}
        else:
            stream.options = {"deadline": "realtime", "cpu-used": "8"}
        for number in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_picture(number, size), format="rgb24")))
        container.mux(stream.encode(None))
    spool.seek(0)
    return read_clip(spool)


def _picture(number: int, size: tuple[int, int]) -> Any:
    width, height = size
    y, x = np.mgrid[:height, :width]
    return np.stack(((x + 3 * number) % 256, (y + 5 * number) % 256, (x + y) % 256), -1).astype(np.uint8)
