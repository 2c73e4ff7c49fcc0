"""What waits between a camera and Redis: bounded, and the newest survives."""

import asyncio
import collections

from shared.framelog import Frame

LARGEST_FRAMES = 60
"""Two seconds at 30 frames a second: Redis stalls shorter than that lose nothing."""

LARGEST_BYTES = 2 * 2**20
"""Two seconds at 8 Mbit/s."""


class FrameQueue:
    """Frames of one camera on their way to Redis, in order, always decodable from where they begin.

    When it is full the oldest go; what then could not be decoded without them goes as well, up to the next
    keyframe. `needs_keyframe` says that everything is dropped until one comes.
    """

    def __init__(self, frames: int = LARGEST_FRAMES, size: int = LARGEST_BYTES) -> None:
        self.dropped = 0
        self.needs_keyframe = True
        self._largest_frames = frames
        self._largest_bytes = size
        self._bytes = 0
        self._frames: collections.deque[Frame] = collections.deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def put(self, frame: Frame) -> bool:
        """Never waits. False when this frame was dropped."""
        if self.needs_keyframe and not frame.keyframe:
            self.dropped += 1
            return False
        self.needs_keyframe = False
        self._frames.append(frame)
        self._bytes += len(frame.data)
        if len(self._frames) > self._largest_frames or self._bytes > self._largest_bytes:
            self._drop_oldest()
        if self._frames:
            self._filled.set()
        return bool(self._frames)

    async def get(self) -> Frame:
        """The oldest frame, waiting for one."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        return self.get_nowait()

    def get_nowait(self) -> Frame:
        """The oldest frame. IndexError when there is none."""
        frame = self._frames.popleft()
        self._bytes -= len(frame.data)
        return frame

    def drop_to_keyframe(self) -> None:
        """A frame before the queued ones was lost: drops up to the next keyframe, or all."""
        while self._frames and not self._frames[0].keyframe:
            self.get_nowait()
            self.dropped += 1
        self.needs_keyframe = not self._frames

    def _drop_oldest(self) -> None:
        """Everything before the first keyframe that is not at the front, or all."""
        self.get_nowait()
        self.dropped += 1
        self.drop_to_keyframe()
