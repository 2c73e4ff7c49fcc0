"""Which frames are keyframes, and when a camera is asked for one."""

import av
import pytest

from gateway.ingest.keyframes import (
    FIRST_REPEAT_SECONDS,
    IS_KEYFRAME,
    PERIOD_SECONDS,
    REPEAT_SECONDS,
    KeyframeSchedule,
    begins_h264,
)
from shared import keys
from tests.gateway.ingest.pictures import HEIGHT, RATE, WIDTH, picture


@pytest.mark.parametrize(("codec", "encoder"), [("vp8", "libvpx"), ("h264", "libx264")])
def test_keyframes_are_told_as_the_encoder_made_them(codec: str, encoder: str) -> None:
    context = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.framerate, context.time_base = RATE, picture(0).time_base
    context.gop_size = 7
    if codec == "h264":
        context.options = {"tune": "zerolatency", "x264-params": "repeat-headers=1:annexb=1"}
    packets = [p for n in range(20) for p in context.encode(picture(n))] + list(context.encode(None))
    told = [IS_KEYFRAME[codec](bytes(packet)) for packet in packets]
    assert told == [packet.is_keyframe for packet in packets]
    assert 2 <= sum(told) < len(told)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x00\x00\x01", b"\x00\x00\x00\x01", bytes(20), b"\xff" * 20]
)
def test_what_is_no_frame_is_no_keyframe(codec: str, data: bytes) -> None:
    assert not IS_KEYFRAME[codec](data)


def test_a_live_stream_always_holds_a_keyframe() -> None:
    assert PERIOD_SECONDS + 2 * REPEAT_SECONDS < keys.LIVE_FRAMES_SECONDS


def test_until_the_first_keyframe_it_is_asked_for_again_and_again() -> None:
    schedule = KeyframeSchedule()
    assert schedule.wait(100.0) == 0
    schedule.asked(100.0)
    assert schedule.wait(100.0) == pytest.approx(FIRST_REPEAT_SECONDS)
    assert schedule.wait(100.0 + FIRST_REPEAT_SECONDS) == 0


def test_then_one_is_asked_for_every_period_since_the_last() -> None:
    schedule = KeyframeSchedule()
    schedule.saw_keyframe(100.0)
    assert schedule.wait(101.0) == pytest.approx(PERIOD_SECONDS - 1)
    schedule.saw_keyframe(102.0)  # the camera sent one of its own accord
    assert schedule.wait(102.0) == pytest.approx(PERIOD_SECONDS)
    assert schedule.wait(102.0 + PERIOD_SECONDS) == 0


def test_one_that_is_wanted_is_asked_for_at_once_but_not_in_a_flood() -> None:
    schedule = KeyframeSchedule()
    schedule.saw_keyframe(100.0)
    schedule.want()
    assert schedule.wait(100.1) == 0
    schedule.asked(100.1)
    for _ in range(1000):
        schedule.want()
    assert schedule.wait(100.2) == pytest.approx(REPEAT_SECONDS - 0.1)
    schedule.saw_keyframe(100.3)
    assert schedule.wait(100.3) == pytest.approx(PERIOD_SECONDS)


def test_a_stream_of_h264_begins_with_parameter_sets() -> None:
    sps, pps, idr, slice_, aud = (
        b"\x00\x00\x00\x01" + bytes([kind]) + b"\x11\x22" for kind in (7, 8, 5, 1, 9)
    )
    assert begins_h264(sps + pps + idr)
    assert begins_h264(aud + sps + pps + idr)
    assert not begins_h264(idr)
    assert not begins_h264(pps + idr)
    assert not begins_h264(sps + pps + slice_)
    assert not begins_h264(b"\x22" + sps + pps + idr), "its first packets are missing"
    assert not begins_h264(b"")


def test_one_wanted_after_an_answer_need_not_wait_as_long() -> None:
    schedule = KeyframeSchedule()
    schedule.asked(100.0)
    schedule.saw_keyframe(100.05)
    schedule.want()
    assert schedule.wait(100.1) == pytest.approx(FIRST_REPEAT_SECONDS - 0.1)


def test_a_picture_that_stands_still_waits_for_nothing() -> None:
    schedule = KeyframeSchedule()
    schedule.asked(100.0)
    schedule.want_now()
    assert schedule.wait(100.01) == 0
