"""The decoder against PyAV's own reading of the same files, and against bytes nobody should send."""

import dataclasses
import hashlib
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from shared.framelog import Frame
from shared.sessions import Session
from tests.workers.keypoints.clips import Clip, generate, read_clip, video
from workers.keypoints.decoder import Decoder, Picture, UnknownCodecError
from workers.keypoints.pace import Pace


def decode_all(decoder: Decoder, frames: list[Frame]) -> list[Picture]:
    return [picture for frame in frames for picture in decoder.decode(frame)] + decoder.flush()


def digest(pixels: object) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def vp8() -> Clip:
    return generate(30, encoder="libvpx", gop=10)


@pytest.fixture(scope="module")
def h264() -> Clip:
    return generate(30, b_frames=2)


RECORDINGS = [
    "asl_hello_x2",
    "slovo_f17a6060",
    "msl150_ambulancia",
    "msl150_doctor",
    "msl150_dolor",
    "msl150_hoy",
    "msl150_yo",
]


@pytest.mark.data
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_decodes_to_the_bits_pyav_reads_from_the_file(data_path: Path, name: str) -> None:
    path = data_path / "videos" / f"{name}.mp4"
    clip = read_clip(path)
    pictures = decode_all(Decoder(clip.session()), clip.frames)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert [p.time for p in pictures] == pytest.approx([float(f.time) for f in frames], abs=1e-9)
    for picture, frame in list(zip(pictures, frames, strict=True))[::7]:
        turns = round(-frame.rotation / 90) % 4
        assert digest(picture.rgb()) == digest(np.rot90(frame.to_ndarray(format="rgb24"), -turns))


@pytest.mark.parametrize(
    ("encoder", "container"),
    [
        ("libx264", "mp4"),
        ("libx265", "mp4"),
        ("libsvtav1", "mp4"),
        ("libvpx", "webm"),
        ("libvpx-vp9", "webm"),
        ("mpeg4", "mp4"),
    ],
)
def test_what_an_encoder_here_makes_decodes_to_what_pyav_reads(
    encoder: str, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVT_LOG", "-1")
    file = video(12, encoder, gop=6, b_frames=2, container=container)
    clip = read_clip(file)
    pictures = decode_all(Decoder(clip.session()), clip.frames)
    file.seek(0)
    with av.open(file) as opened:
        frames = list(opened.decode(video=0))
    assert len(pictures) == len(frames) == 12
    assert [p.time for p in pictures] == pytest.approx([n / 30 for n in range(12)], abs=2e-3)
    for picture, frame in zip(pictures, frames, strict=True):
        assert digest(picture.rgb()) == digest(frame.to_ndarray(format="rgb24"))


def test_av1_by_its_own_name_is_decoded_without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVT_LOG", "-1")
    clip = generate(6, encoder="libsvtav1")
    assert len(decode_all(Decoder(clip.session(codec="av1")), clip.frames)) == 6


@pytest.mark.parametrize("container", ["avi", "h264"])
def test_pictures_of_a_container_that_counts_packets_come_in_order(container: str) -> None:
    """The gateway gives such packets timestamps in the order in which they lie in the file."""
    clip = generate(40, b_frames=2, container=container)
    counted = [dataclasses.replace(frame, pts=n, dts=n) for n, frame in enumerate(clip.frames)]
    told = generate(40, b_frames=2)
    session = clip.session(time_base=Fraction(1, 30), start_pts=0)
    pictures = decode_all(Decoder(session), counted)
    expected = decode_all(Decoder(told.session()), told.frames)
    assert [p.time for p in pictures] == pytest.approx([n / 30 for n in range(40)], abs=1e-6)
    for picture, same in zip(pictures, expected, strict=True):
        assert np.abs(picture.rgb().astype(int) - same.rgb()).mean() < 2
    assert np.abs(expected[0].rgb().astype(int) - expected[1].rgb()).mean() > 3, "a mix-up would show"


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
def test_pictures_beyond_the_pace_are_left_out_where_none_refers_to_them(encoder: str) -> None:
    clip = generate(40, encoder=encoder, b_frames=3)
    every = {p.time: digest(p.rgb()) for p in decode_all(Decoder(clip.session()), clip.frames)}
    paced = {p.time: digest(p.rgb()) for p in decode_all(Decoder(clip.session(), 15.0), clip.frames)}
    assert len(paced) < len(every) == 40
    assert paced.items() <= every.items(), "the others are the same to the bit"
    pace = Pace(15.0)
    assert {time for time in sorted(every) if pace.is_due(time)} <= paced.keys()


def test_what_lies_behind_a_packet_in_memory_changes_nothing() -> None:
    """FFmpeg reads past a packet's end; other processes have other bytes there."""
    clip = generate(12, encoder="mpeg4", gop=6, b_frames=2)
    padded = [dataclasses.replace(frame, data=frame.data + bytes(64)) for frame in clip.frames]
    plain, same = (
        decode_all(Decoder(clip.session()), clip.frames),
        decode_all(Decoder(clip.session()), padded),
    )
    assert [digest(p.rgb()) for p in plain] == [digest(p.rgb()) for p in same]


def test_frames_held_back_for_their_order_come_out_at_the_end_in_order(h264: Clip) -> None:
    decoder = Decoder(h264.session())
    pictures = decode_all(decoder, h264.frames)
    assert len(pictures) == 30 == decoder.pictures
    assert [p.time for p in pictures] == pytest.approx([n / 30 for n in range(30)], abs=1e-4)


def test_a_picture_knows_the_packet_it_came_in(h264: Clip) -> None:
    frames = [
        dataclasses.replace(frame, entry=b"%d-0" % (n + 1), captured=100.0 + n)
        for n, frame in enumerate(h264.frames)
    ]
    by_pts = {frame.pts: frame for frame in frames}
    for picture in decode_all(Decoder(h264.session()), frames):
        frame = by_pts[round(picture.time / h264.time_base) + h264.start_pts]
        assert (picture.entry, picture.captured) == (frame.entry, frame.captured)


@pytest.mark.parametrize(("rotation", "aspect"), [(0, 4 / 3), (90, 3 / 4), (180, 4 / 3), (270, 3 / 4)])
def test_rotation_turns_pictures_clockwise(vp8: Clip, rotation: int, aspect: float) -> None:
    upright = Decoder(vp8.session()).decode(vp8.frames[0])[0].rgb()
    turned = Decoder(vp8.session(rotation=rotation)).decode(vp8.frames[0])[0]
    assert turned.aspect == pytest.approx(aspect)
    assert np.array_equal(turned.rgb(), np.rot90(upright, -rotation // 90))
    assert turned.rgb().flags.c_contiguous


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_mirrored_picture_is_flipped_back_when_it_is_upright(vp8: Clip, rotation: int) -> None:
    upright = Decoder(vp8.session(rotation=rotation)).decode(vp8.frames[0])[0].rgb()
    mirrored = Decoder(vp8.session(rotation=rotation, mirrored=True)).decode(vp8.frames[0])[0].rgb()
    assert np.array_equal(mirrored, upright[:, ::-1])
    assert mirrored.flags.c_contiguous


def test_a_live_decoder_in_the_middle_of_a_group_waits_and_asks_for_a_keyframe(vp8: Clip) -> None:
    decoder = Decoder(vp8.session("live"))
    assert [decoder.decode(frame) for frame in vp8.frames[1:10]] == [[]] * 9
    assert decoder.wants_keyframe
    assert decoder.skipped == 9
    assert vp8.frames[10].keyframe
    assert len(decoder.decode(vp8.frames[10])) == 1
    assert not decoder.wants_keyframe


def test_a_corrupt_live_frame_is_counted_and_the_next_keyframe_goes_on(vp8: Clip) -> None:
    decoder = Decoder(vp8.session("live"))
    pictures = [decoder.decode(frame) for frame in vp8.frames[:3]]
    assert decoder.decode(dataclasses.replace(vp8.frames[3], data=b"\xff" * 40)) == []
    assert decoder.errors == 1
    assert decoder.wants_keyframe
    pictures += [decoder.decode(frame) for frame in vp8.frames[4:]]
    assert sum(map(len, pictures)) == 3 + 20


@pytest.mark.parametrize(
    "bad",
    [b"", b"\x00", b"\xff" * 1000, b"\x00\x00\x00\x02\xff\xff" * 50, b"\x00\x00\xff\xff"],
    ids=["empty", "zero", "ones", "units", "length beyond the end"],
)
def test_bad_packets_in_a_file_cost_only_themselves(h264: Clip, bad: bytes) -> None:
    frames = list(h264.frames)
    frames[20] = dataclasses.replace(frames[20], data=bad)
    decoder = Decoder(h264.session())
    pictures = decode_all(decoder, frames)
    assert 20 <= len(pictures) < 30
    assert decoder.errors >= 1
    assert decoder.last_error


def test_truncated_packets_never_raise(h264: Clip) -> None:
    decoder = Decoder(h264.session())
    frames = [dataclasses.replace(f, data=f.data[: len(f.data) * 2 // 3]) for f in h264.frames]
    assert len(decode_all(decoder, frames)) <= 30


def test_a_timestamp_no_decoder_can_hold_is_counted(vp8: Clip) -> None:
    decoder = Decoder(vp8.session())
    assert decoder.decode(dataclasses.replace(vp8.frames[0], pts=2**70)) == []
    assert decoder.errors == 1


def test_extradata_that_is_noise_is_counted_not_raised(h264: Clip) -> None:
    decoder = Decoder(h264.session(extradata=b"\x01noise"))
    assert decode_all(decoder, h264.frames) == []
    assert decoder.errors > 0


@pytest.mark.parametrize("codec", ["landmarks", "", "aac", "h264; rm", "subrip"])
def test_a_codec_that_shows_no_pictures_is_refused_by_name(codec: str) -> None:
    with pytest.raises(UnknownCodecError, match=repr(codec)):
        Decoder(Session(id="x" * 16, mode="file", models=("m",), codec=codec))


def png(width: int, height: int) -> bytes:
    """A black picture of one bit a pixel: small as a file, whatever it becomes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">II", width, height) + b"\x01\x00\x00\x00\x00")
    rows = zlib.compress(b"\x00" * (1 + (width + 7) // 8) * height)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_larger_than_8k_is_refused() -> None:
    session = Session(id="x" * 16, mode="file", models=("m",), codec="png", time_base=Fraction(1, 30))
    decoder = Decoder(session)
    assert len(decoder.decode(Frame(png(8192, 4320), 0, 0, True))) == 1
    assert decoder.decode(Frame(png(8192, 4321), 1, 1, True)) == []
    assert decoder.errors == 1


def test_flushing_a_decoder_that_saw_nothing_gives_nothing(h264: Clip) -> None:
    assert Decoder(h264.session()).flush() == []
