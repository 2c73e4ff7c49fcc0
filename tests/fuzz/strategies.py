"""Input that is nearly right: valid examples, taken apart and put together wrongly."""

import functools
import tempfile
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgpack
from hypothesis import strategies as st

from shared.messages import Last, Length, Note, Result, Window
from tests.gateway.ingest.pictures import picture, write_video

OFFER = (
    """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:1
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 {print}
a=setup:actpass
a=recvonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 96 97 102
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=ice-options:trickle
a=fingerprint:sha-256 {print}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:stream track
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=ssrc-group:FID 1 2
a=ssrc:1 cname:x
""".replace("\n", "\r\n")
    .replace("{print}", ":".join(["0A"] * 32))
    .encode()
)

FRAGMENT = b"a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n" + (
    b"a=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\na=end-of-candidates\r\n"
)

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n'
    b"Content-Type: video/mp4\r\n\r\n\x00\x00\x00\x18ftyp\r\n--b--\r\n"
)

JUNK = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"\0", b"\r\n", b"\xff\xfe", b"-1", b"9" * 30, b"%00", b"../..", "é🤟".encode()]),
)


@st.composite
def lines_mutated(draw: st.DrawFn, text: bytes) -> bytes:
    """Lines dropped, doubled, moved, cut, and their words replaced."""
    lines = text.split(b"\r\n")
    for _ in range(draw(st.integers(0, 4))):
        if not lines:
            break
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        kind = draw(st.sampled_from(["drop", "double", "move", "cut", "word", "value", "char", "insert"]))
        if kind == "drop":
            del lines[at]
        elif kind == "double":
            lines[at:at] = [line] * draw(st.sampled_from([1, 9]))
        elif kind == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
        elif kind == "cut":
            lines[at] = line[: draw(st.integers(0, len(line)))]
        elif kind == "word":
            words = line.split(b" ")
            words[draw(st.integers(0, len(words) - 1))] = draw(JUNK)
            lines[at] = b" ".join(words)
        elif kind == "value":
            lines[at] = line.partition(b":")[0] + b":" + draw(JUNK)
        elif kind == "char" and line:
            place = draw(st.integers(0, len(line) - 1))
            lines[at] = line[:place] + draw(st.binary(min_size=1, max_size=1)) + line[place + 1 :]
        elif kind == "insert":
            lines.insert(at, draw(JUNK))
    return draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"])).join(lines)


def sections_doubled(offer: bytes, times: int) -> bytes:
    """More of the last section, all alike."""
    return offer + offer[offer.index(b"m=video") :] * times


@st.composite
def bytes_mutated(draw: st.DrawFn, examples: Sequence[bytes]) -> bytes:
    """A whole example, cut, with stretches replaced, removed or doubled."""
    data = bytearray(draw(st.sampled_from(examples)))
    for _ in range(draw(st.integers(0, 5))):
        # Containers keep what they are about at their ends.
        at = draw(st.integers(0, min(len(data), 600))) * draw(st.sampled_from([1, -1])) % (len(data) or 1)
        kind = draw(st.sampled_from(["cut", "replace", "remove", "double", "zero"]))
        if kind == "cut":
            del data[at:]
        elif kind == "replace":
            piece = draw(st.binary(min_size=1, max_size=8))
            data[at : at + len(piece)] = piece
        elif kind == "remove":
            del data[at : at + draw(st.integers(1, 64))]
        elif kind == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 64))]
        else:
            data[at : at + 8] = bytes(8)
    return bytes(data)


@functools.cache
def videos() -> tuple[bytes, ...]:
    """Small real files of several containers and codecs, and things that are no videos."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for name, codec in (
            ("a.mp4", "libx264"),
            ("b.webm", "libvpx"),
            ("c.avi", "mpeg4"),
            ("d.mov", "mjpeg"),
            ("e.mkv", "mpeg4"),
            ("f.ts", "libx264"),
            ("g.h264", "libx264"),
        ):
            path = write_video(Path(folder) / name, codec, frames=5, width=64, height=48)
            made.append(path.read_bytes())
        sound = Path(folder) / "h.wav"
        with wave.open(str(sound), "wb") as tone:
            tone.setnchannels(1)
            tone.setsampwidth(2)
            tone.setframerate(8000)
            tone.writeframes(bytes(800))
        made.append(sound.read_bytes())
    return (*made, b"this is a text\n" * 20, b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", b"")


def video_claiming(width: int) -> bytes:
    """An AVI whose header claims pictures as wide and as high as that."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(Path(folder) / "a.avi", "rawvideo", frames=2, width=64, height=48)
        avi = path.read_bytes()
    at = avi.index(b"strf") + 8 + 4
    return avi[:at] + width.to_bytes(4, "little") * 2 + avi[at + 8 :]


def video_of_strange_sampling() -> bytes:
    """A MOV whose JPEGs claim a sampling of colours that no decoder knows: refused, but not as damaged."""
    mov = videos()[3]
    at = mov.index(b"\xff\xc0\x00\x11\x08")
    return mov[: at + 11] + b"\xc9" + mov[at + 12 :]


def video_of_unknown_codec() -> bytes:
    """An AVI whose pictures are of a codec that nobody has heard of."""
    return videos()[2].replace(b"FMP4", b"ZZZZ")


def video_of_hours() -> bytes:
    """Two pictures, six hours apart."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mkv"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("mpeg4", rate=1)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for at in (0, 6 * 3600):
                shown = picture(at, 64, 48)
                shown.time_base, shown.pts = Fraction(1), at
                output.mux(stream.encode(shown))
            output.mux(stream.encode(None))
        return path.read_bytes()


def video_without_pictures() -> bytes:
    """Packets that hold no pictures, more of them than are tried."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(Path(folder) / "a.avi", "mpeg4", frames=320, width=32, height=32)
        return path.read_bytes().replace(b"\0\0\1\xb6", b"\x7f\x7f\x7f\x7f")


def messages_with_wrong_parts() -> list[bytes]:
    """Windows of pictures and results of symbols, right and with one thing wrong."""
    window = {"session": "s" * 20, "model": "m", "seq": 1, "start": 0.0, "end": 1.0, "samples": 1}
    pictured = {**window, "rows": 0, "landmarks": b"", "pictures": [b"jpeg"]}
    symbol = {"symbol": "a", "probability": 0.9, "start": 0.0, "end": 1.0, "peak": 0.5}
    read = {"kind": "result", "model": "m", "seq": 1, "start": 0.0, "end": 1.0}
    fields: list[Any] = [
        pictured,
        {**pictured, "rows": 1},
        {**pictured, "pictures": [b"1", b"2"]},
        {**pictured, "pictures": ["1"]},
        {**pictured, "samples": 0},
        {**read, "symbols": [symbol]},
        {**read, "symbols": [{**symbol, "peak": 2.0}]},
        {**read, "symbols": [7]},
        [],
    ]
    return [msgpack.packb(message) for message in fields]


def window_too_small() -> bytes:
    """A window that says it has more samples than it brings."""
    fields = msgpack.unpackb(Window("s" * 20, "m", 1, 0.0, 1.0, 1, 1, bytes(12)).pack()) | {"samples": 9}
    packed: bytes = msgpack.packb(fields)
    return packed


def examples_of_messages() -> list[bytes]:
    """One of each kind that travels, packed."""
    window = Window("s" * 20, "m", 1, 0.0, 1.0, 1, 1, bytes(12))
    result = Result("m", 1, 0.0, 1.0, [("hello", 0.9), ("-", 0.1)])
    return [message.pack() for message in (window, result, Last("m", 1), Note("live"), Length(1.0))]


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=12),
)
LISTS = st.lists(LEAVES, max_size=3)
VALUES: st.SearchStrategy[Any] = st.one_of(
    LEAVES, LISTS, st.lists(LISTS, max_size=3), st.dictionaries(st.text(max_size=4), LEAVES, max_size=3)
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Records with fields of the wrong kind, missing or unknown; and bytes that are none."""
    packed = draw(st.sampled_from(examples_of_messages()))
    if draw(st.booleans()):
        return draw(bytes_mutated([packed]))
    fields = msgpack.unpackb(packed)
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*fields, "unknown", "kind"])) if fields else "kind"
        if draw(st.booleans()):
            fields[name] = draw(VALUES)
        else:
            fields.pop(name, None)
    made: bytes = msgpack.packb(fields)
    return made
