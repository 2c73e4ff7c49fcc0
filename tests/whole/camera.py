"""A recording as a camera's film: Chromium plays bare MJPEG at 30 pictures a second, over and over."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FPS = 30


def film(video: Path, out: Path, width: int, height: int, *, still_seconds: float = 3.0) -> float:
    """Writes `video` once as MJPEG, resampled to 30 fps, its first and last picture held for `still_seconds`.

    It is bare where `out` ends in .mjpeg, else in that ending's container. Returns how many seconds it lasts.
    """
    pictures, times = _pictures(video, width, height)
    span = np.arange(0, times[-1], 1 / FPS)
    shown = np.searchsorted(times, span + 1e-6, "right") - 1
    still = int(still_seconds * FPS)
    order = [0] * still + [int(i) for i in shown.clip(0)] + [len(pictures) - 1] * still
    with av.open(str(out), "w") as container:
        stream = container.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        stream.codec_context.qmin = stream.codec_context.qmax = 3
        for number, index in enumerate(order):
            frame = av.VideoFrame.from_ndarray(pictures[index], format="rgb24").reformat(format="yuvj420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return len(order) / FPS


def _pictures(video: Path, width: int, height: int) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64]]:
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    first = frames[0].time
    pictures = [f.to_ndarray(format="rgb24", width=width, height=height) for f in frames]
    return pictures, np.array([f.time - first for f in frames])
