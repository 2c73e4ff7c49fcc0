"""Keyframes: which frames are, and when to ask a camera for one (pure)."""

from collections.abc import Callable

PERIOD_SECONDS = 2.5
"""Half of what a live stream keeps (`keys.LIVE_FRAMES_SECONDS`), so that it always holds a keyframe."""

REPEAT_SECONDS = 0.5
"""Chromium answers a PLI in 42-98 ms; a PLI may be lost, so ask again."""

FIRST_REPEAT_SECONDS = 0.2
"""Nothing can be decoded before the first keyframe. Also after an answer: another may be needed."""

H264_IDR = 5
H264_SPS = 7
H264_PICTURES = range(1, 6)


def is_vp8_keyframe(data: bytes) -> bool:
    """Whether a VP8 frame (without RTP's payload descriptor) can be decoded alone: RFC 6386 §9.1."""
    return len(data) >= 10 and not data[0] & 1 and data[3:6] == b"\x9d\x01\x2a"


def is_h264_keyframe(data: bytes) -> bool:
    """Whether an H.264 access unit in Annex B form holds an IDR picture (NAL unit type 5, H.264 §7.3.1)."""
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        if data[at + 3] & 0x1F == H264_IDR:
            return True
        at = data.find(b"\x00\x00\x01", at + 3)
    return False


def begins_h264(data: bytes) -> bool:
    """Whether packets of H.264, joined, are an IDR picture with its parameter sets (NAL unit type 7: SPS).

    Without the SPS the packets before the first one may be missing, and nothing can be decoded from here on.
    """
    return data.startswith(b"\x00\x00\x00\x01") and _holds_sps(data) and is_h264_keyframe(data)


def _holds_sps(data: bytes) -> bool:
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        kind = data[at + 3] & 0x1F
        if kind == H264_SPS:
            return True
        if kind in H264_PICTURES:
            return False
        at = data.find(b"\x00\x00\x01", at + 3)
    return False


IS_KEYFRAME: dict[str, Callable[[bytes], bool]] = {"vp8": is_vp8_keyframe, "h264": is_h264_keyframe}
"""By PyAV's name of the decoder: the codecs a camera may send."""


BEGINS_KEYFRAME: dict[str, Callable[[bytes], bool]] = {"vp8": is_vp8_keyframe, "h264": begins_h264}
"""Whether a run of packets, joined, is a keyframe from its first byte on: what a stream may begin with."""


class KeyframeSchedule:
    """When to send the next PLI. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._seen: float | None = None
        self._asked: float | None = None
        self._wanted = True

    def want(self) -> None:
        """Somebody cannot go on without a keyframe."""
        self._wanted = True

    def want_now(self) -> None:
        """The picture stands still; the watchdog says so four times a second at most."""
        self._wanted = True
        self._asked = None

    def saw_keyframe(self, now: float) -> None:
        self._seen = now
        self._wanted = False

    def asked(self, now: float) -> None:
        self._asked = now

    def wait(self, now: float) -> float:
        """Seconds until a PLI is due; 0 when it is."""
        answered = self._seen is None or self._asked is None or self._seen > self._asked
        repeat = FIRST_REPEAT_SECONDS if answered else REPEAT_SECONDS
        not_before = now if self._asked is None else self._asked + repeat
        due = now if self._wanted or self._seen is None else self._seen + PERIOD_SECONDS
        return max(0.0, max(due, not_before) - now)
