"""What comes from a camera, as its gateway sees it (pure): told in `GET /sessions/{id}`."""

import json

from gateway.ingest.picture_size import SIZE
from shared.framelog import Frame


class Incoming:
    """Counts frames between two looks. Times are monotonic seconds."""

    def __init__(self, codec: str, now: float) -> None:
        self._codec = codec
        self._size: tuple[int, int] | None = None
        self._frames = self._bytes = 0
        self._counted_frames = self._counted_bytes = 0
        self._looked = now

    def add(self, frame: Frame) -> None:
        """A whole frame has come."""
        self._frames += 1
        self._bytes += len(frame.data)
        if frame.keyframe and self._codec in SIZE:
            self._size = SIZE[self._codec](frame.data) or self._size

    def look(self, now: float, dropped: int, stalls: int) -> str:
        """As JSON; rates are means since the last look."""
        seconds = max(now - self._looked, 1e-3)
        frames, size = self._frames - self._counted_frames, self._bytes - self._counted_bytes
        self._looked, self._counted_frames, self._counted_bytes = now, self._frames, self._bytes
        width, height = self._size or (0, 0)
        return json.dumps(
            {
                "codec": self._codec,
                "width": width,
                "height": height,
                "frames": self._frames,
                "frames_per_second": round(frames / seconds, 1),
                "bits_per_second": round(8 * size / seconds),
                "dropped": dropped,
                "stalls": stalls,
            }
        )
