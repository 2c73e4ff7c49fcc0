"""How large the picture is, read off a keyframe without decoding it (pure)."""

import re
from collections.abc import Callable

from gateway.ingest.keyframes import H264_SPS, is_vp8_keyframe

MORE_CHROMA = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
"""H.264 profiles whose SPS says how colours are sampled (H.264 §7.3.2.1.1)."""

CHROMA_420 = 1

LONGEST_SPS = 256
"""Bytes; one with every scaling list is half of it."""


class Bits:
    """A reader of single bits and Exp-Golomb numbers. Raises ValueError beyond the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next `count` bits."""
        if count > self._left:
            raise ValueError("the parameter set ends too soon")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def number(self) -> int:
        """ue(v), H.264 §9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v), H.264 §9.1.1."""
        code = self.number()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def vp8_size(keyframe: bytes) -> tuple[int, int] | None:
    """Width and height (RFC 6386 §9.1), without the scaling a player may apply."""
    if not is_vp8_keyframe(keyframe):
        return None
    width, height = (int.from_bytes(keyframe[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width, height


def h264_size(keyframe: bytes) -> tuple[int, int] | None:
    """Width and height of the first sequence parameter set of an access unit in Annex B form."""
    at = keyframe.find(b"\x00\x00\x01")
    while 0 <= at < len(keyframe) - 3:
        end = keyframe.find(b"\x00\x00\x01", at + 3)
        if keyframe[at + 3] & 0x1F == H264_SPS:
            unit = keyframe[at + 4 : end if end > 0 else None][:LONGEST_SPS]
            try:
                return _sps_size(Bits(re.sub(rb"\x00\x00\x03", b"\x00\x00", unit)))
            except ValueError:
                return None
        at = end
    return None


def _sps_size(bits: Bits) -> tuple[int, int]:
    """H.264 §7.3.2.1.1, as far as the cropping."""
    profile = bits.take(8)
    bits.take(16)
    bits.number()
    chroma = _chroma(bits) if profile in MORE_CHROMA else CHROMA_420
    bits.number()
    _skip_order(bits)
    bits.number()
    bits.take(1)
    columns, rows = bits.number() + 1, bits.number() + 1
    fields = 2 - bits.take(1)
    if fields == 2:
        bits.take(1)
    bits.take(1)
    left, right, top, bottom = [bits.number() for _ in range(4)] if bits.take(1) else [0] * 4
    across = 2 if chroma in (1, 2) else 1
    down = (2 if chroma == CHROMA_420 else 1) * fields
    return 16 * columns - across * (left + right), 16 * rows * fields - down * (top + bottom)


def _chroma(bits: Bits) -> int:
    chroma = bits.number()
    if chroma == 3:
        bits.take(1)
    bits.number()
    bits.number()
    bits.take(1)
    if bits.take(1):
        for size in [16] * 6 + [64] * (2 if chroma != 3 else 6):
            if bits.take(1):
                _skip_scaling(bits, size)
    return chroma


def _skip_scaling(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order(bits: Bits) -> None:
    kind = bits.number()
    if kind == 0:
        bits.number()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.number()):
            bits.signed()


SIZE: dict[str, Callable[[bytes], tuple[int, int] | None]] = {"vp8": vp8_size, "h264": h264_size}
"""By PyAV's name of the decoder: the codecs a camera may send."""
