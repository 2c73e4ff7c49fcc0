"""Whole signs: from the hands' rise to their rest."""

from itertools import pairwise

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.landmarks import RIGHT_HAND, empty_frame
from tests.workers.keypoints.signers import LAP, signer, signing
from workers.keypoints.segmenter import REST_SECONDS, Segmenter
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch

SPEC = WindowSpec(12.5, 40, 0, (RIGHT_HAND[0], 0), windows="segments", shortest=5, padding=0.2)


def resting(_: float) -> NDArray[np.float32]:
    return signer(right=LAP)


def session(*parts: tuple[float, bool], fps: float = 15.0) -> list[tuple[float, NDArray[np.float32]]]:
    """Pictures of someone who signs, or not, for so many seconds each."""
    frames: list[tuple[float, NDArray[np.float32]]] = []
    end = 0.0
    for seconds, signs in parts:
        end += seconds
        while len(frames) / fps < end - 1e-9:
            time = len(frames) / fps
            frames.append((time, signing(time) if signs else resting(time)))
    return frames


def segments(frames: list[tuple[float, NDArray[np.float32]]], spec: WindowSpec = SPEC) -> list[Stretch]:
    segmenter = Segmenter(spec)
    found = [stretch for time, frame in frames for stretch in segmenter.add(time, frame)]
    return found + segmenter.flush()


def test_a_sign_is_one_window_from_rise_to_rest_with_its_padding() -> None:
    (sign,) = segments(session((1.0, False), (1.2, True), (1.0, False)))
    assert sign.whole
    assert sign.start == pytest.approx(1.0 - 0.2, abs=1 / 12.5)
    assert sign.end == pytest.approx(2.2 + 0.2, abs=1 / 15 + 1 / 12.5)
    assert len(sign.array) == round((sign.end - sign.start) * 12.5) + 1
    assert sign.array.shape[1:] == (2, 3)
    assert np.isfinite(sign.array[:, 0]).all()


def test_it_comes_as_soon_as_the_hands_have_rested() -> None:
    segmenter = Segmenter(SPEC)
    for time, frame in session((1.0, False), (1.0, True), (1.0, False)):
        if segmenter.add(time, frame):
            assert time == pytest.approx(2.0 + REST_SECONDS, abs=2 / 15)
            return
    raise AssertionError("no segment")


def test_two_signs_with_rest_between_are_two_and_seq_has_no_holes() -> None:
    found = segments(session((0.5, False), (1.0, True), (0.8, False), (1.5, True), (0.8, False)))
    assert [sign.seq for sign in found] == [0, 1]
    assert len(found[1].array) > len(found[0].array)
    assert found[0].end < found[1].start


def test_samples_are_the_pictures_on_the_models_clock() -> None:
    (sign,) = segments(session((1.0, False), (1.2, True), (1.0, False), fps=30.0))
    for k, time in enumerate(np.arange(len(sign.array)) / 12.5 + sign.start):
        expected = signing(time) if 1.02 < time < 2.18 else None
        if expected is not None:
            assert sign.array[k, 0, 0] == pytest.approx(expected[RIGHT_HAND[0], 0], abs=0.01)


def test_a_hand_lost_for_a_moment_does_not_end_the_sign() -> None:
    frames = session((0.5, False), (1.5, True), (1.0, False))
    for k in (14, 15, 16):
        frames[k] = (frames[k][0], empty_frame())
    (sign,) = segments(frames)
    assert sign.end - sign.start == pytest.approx(1.5 + 2 * 0.2, abs=0.25)


def test_hands_that_flash_up_once_are_no_sign() -> None:
    frames = session((2.0, False))
    frames[10] = (frames[10][0], signing(frames[10][0]))
    assert segments(frames) == []


def test_what_is_shorter_than_the_shortest_is_no_sign() -> None:
    frames = session((1.0, False), (0.3, True), (1.0, False))
    assert len(segments(frames)) == 1
    longer = WindowSpec(12.5, 40, 0, SPEC.rows, windows="segments", shortest=12, padding=0.2)
    assert segments(frames, longer) == []


def test_hands_that_never_rest_are_cut_where_the_model_ends_and_go_on() -> None:
    found = segments(session((0.5, False), (8.0, True), (1.0, False)))
    assert [len(sign.array) for sign in found[:-1]] == [40] * (len(found) - 1)
    assert len(found) == 3
    for one, other in pairwise(found):
        assert other.start - one.end == pytest.approx(1 / 12.5), "no sample is missing and none comes twice"


def test_padding_gives_way_where_the_model_ends() -> None:
    spec = WindowSpec(12.5, 17, 0, SPEC.rows, windows="segments", shortest=5, padding=0.3)
    (sign,) = segments(session((1.0, False), (1.0, True), (1.0, False)), spec)
    assert len(sign.array) == 17
    assert sign.start == pytest.approx(0.7, abs=0.08)


def test_media_that_begins_and_ends_with_raised_hands_is_one_sign() -> None:
    (sign,) = segments(session((2.0, True)))
    assert sign.start == 0.0
    assert sign.end == pytest.approx(29 / 15, abs=1 / 12.5)


def test_a_pause_of_the_camera_ends_a_sign() -> None:
    frames = session((0.5, False), (1.0, True))
    later = [(time + 10, frame) for time, frame in session((1.0, True), (1.0, False))]
    found = segments(frames + later)
    assert len(found) == 2
    assert found[0].end < 1.6
    assert found[1].start >= 10.0


def test_rest_gives_nothing() -> None:
    assert segments(session((5.0, False))) == []
    assert Segmenter(SPEC).flush() == []


def test_late_and_doubled_frames_are_ignored() -> None:
    frames = session((0.5, False), (1.0, True), (1.0, False))
    doubled = [pair for frame in frames for pair in (frame, frame, (max(frame[0] - 0.2, 0), empty_frame()))]
    assert [s.array.tobytes() for s in segments(doubled)] == [s.array.tobytes() for s in segments(frames)]


def test_it_keeps_no_more_than_a_segment() -> None:
    segmenter = Segmenter(SPEC)
    longest = 0
    for time, frame in session((20.0, False), (20.0, True), (20.0, False)):
        segmenter.add(time, frame)
        longest = max(longest, len(segmenter.checkpoint()["samples"]) // (2 * 12))
    assert longest <= SPEC.samples + 12.5 * REST_SECONDS + 2


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.tuples(st.floats(0.05, 2.5), st.booleans()), min_size=1, max_size=6),
    cut=st.integers(0, 120),
    lost=st.sets(st.integers(0, 120), max_size=30),
)
def test_restored_from_a_checkpoint_it_goes_on_to_the_bit(
    parts: list[tuple[float, bool]], cut: int, lost: set[int]
) -> None:
    frames = [(t, empty_frame() if k in lost else f) for k, (t, f) in enumerate(session(*parts))]
    broken, found = Segmenter(SPEC), []
    for k, (time, frame) in enumerate(frames):
        if k == cut:
            packed = msgpack.packb(broken.checkpoint(), use_bin_type=True)
            broken = Segmenter.restore(SPEC, msgpack.unpackb(packed, raw=False))
        found += broken.add(time, frame)
    found += broken.flush()
    expected = segments(frames)
    assert [(s.seq, s.start, s.end, s.array.tobytes()) for s in found] == [
        (s.seq, s.start, s.end, s.array.tobytes()) for s in expected
    ]
    assert [s.seq for s in found] == list(range(len(found)))
    assert all(SPEC.shortest <= len(s.array) <= SPEC.samples for s in found)


def test_a_checkpoint_of_another_model_is_refused() -> None:
    segmenter = Segmenter(SPEC)
    for time, frame in session((1.0, True)):
        segmenter.add(time, frame)
    other = WindowSpec(12.5, 40, 0, (1, 2, 3, 4, 5), windows="segments")
    for spec, state in ((other, segmenter.checkpoint()), (SPEC, {}), (SPEC, {"seq": "x"})):
        with pytest.raises(ValueError, match="not a checkpoint"):
            Segmenter.restore(spec, state)


def test_a_model_that_wants_none_has_no_segmenter() -> None:
    with pytest.raises(ValueError, match="must be 'segments' or 'both'"):
        Segmenter(WindowSpec(10.0, 5, 2, (1,)))


@pytest.mark.parametrize("time", [float("nan"), -0.1])
def test_a_time_that_is_none_is_refused(time: float) -> None:
    with pytest.raises(ValueError, match="time is"):
        Segmenter(SPEC).add(time, empty_frame())
