"""All windows of a session, whatever kinds its models want."""

from typing import Any

import msgpack
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.landmarks import RIGHT_HAND, SEGMENT_ROWS
from shared.pictures import PictureSize
from tests.workers.keypoints.signers import LAP, signer, signing
from workers.keypoints.chains import Chains, Windows
from workers.keypoints.shot import Shot
from workers.keypoints.spec import WindowSpec

ROWS = tuple(RIGHT_HAND)
SPECS = {
    "sliding": WindowSpec(12.5, 21, 2, ROWS),
    "segments": WindowSpec(12.5, 40, 0, ROWS, windows="segments", shortest=5, padding=0.2),
    "both": WindowSpec(12.5, 21, 4, (RIGHT_HAND[0],), windows="both", shortest=5, padding=0.2),
    "clips": WindowSpec(7.5, 8, 4, (), picture=PictureSize(16, 16)),
    "sign clips": WindowSpec(
        10.0, 30, 0, (), windows="segments", shortest=5, padding=0.2, picture=PictureSize(16, 16)
    ),
}


class Moving:
    """A picture that changes with its time."""

    def __init__(self, time: float) -> None:
        self.time = time

    def rgb(self) -> NDArray[np.uint8]:
        return np.full((12, 16, 3), round(self.time * 60) % 256, np.uint8)


def show(chains: Chains, number: int) -> Windows:
    """The next of six seconds at 15 pictures a second: rest, a sign, rest, a sign, rest."""
    time = number / 15
    frame = signing(time) if 1 < time < 2.2 or 3.5 < time < 4.5 else signer(right=LAP)
    return chains.add_picture(Shot(Moving(time))) + chains.add_landmarks(time, frame, 1.0)


def packed(windows: Windows) -> list[tuple[Any, ...]]:
    return [(m, w.seq, w.start, w.end, w.whole, w.array.tobytes(), w.pictures) for m, w in windows]


def all_windows(chains: Chains) -> Windows:
    return [window for number in range(90) for window in show(chains, number)] + chains.flush()


def test_each_model_has_its_own_windows_numbered_without_holes() -> None:
    windows = all_windows(Chains(SPECS))
    for model, spec in SPECS.items():
        own = [window for name, window in windows if name == model]
        assert [window.seq for window in own] == list(range(len(own)))
        assert own
        assert all(bool(window.pictures) == (spec.picture is not None) for window in own)
    assert [w.whole for name, w in windows if name == "segments"] == [True, True]
    assert [w.whole for name, w in windows if name == "sign clips"] == [True, True]
    assert not any(w.whole for name, w in windows if name in ("sliding", "clips"))


def test_a_model_may_have_sliding_windows_and_whole_signs_in_one_chain() -> None:
    own = [window for name, window in all_windows(Chains(SPECS)) if name == "both"]
    assert sum(window.whole for window in own) == 2
    assert {len(window.array) for window in own if not window.whole} == {21}
    first = next(window for window in own if window.whole)
    assert first.end < own[first.seq + 1].end, "a whole sign comes in its turn"


def test_whole_signs_of_landmarks_and_of_pictures_are_the_same_signs() -> None:
    windows = all_windows(Chains(SPECS))
    signs = [(w.start, w.end) for name, w in windows if name == "segments"]
    clips = [(w.start, w.end, len(w.pictures)) for name, w in windows if name == "sign clips"]
    assert [(start, end) for start, end, _ in clips] == [pytest.approx(sign, abs=0.1) for sign in signs]
    assert [count for *_, count in clips] == [round((end - start) * 10) + 1 for start, end, _ in clips]


def test_a_sign_of_pictures_that_never_ends_is_cut_where_the_model_ends() -> None:
    chains, found = Chains({"sign clips": SPECS["sign clips"]}), []
    for number in range(150):
        time = number / 15
        found += chains.add_picture(Shot(Moving(time))) + chains.add_landmarks(time, signing(time), 1.0)
    found += chains.flush()
    assert [len(window.pictures) for _, window in found] == [30, 30, 30, 10]
    assert [window.seq for _, window in found] == [0, 1, 2, 3]


def test_the_same_pictures_give_the_same_bytes() -> None:
    assert packed(all_windows(Chains(SPECS))) == packed(all_windows(Chains(SPECS)))


@pytest.mark.parametrize("cut", [1, 20, 33, 50, 75, 89])
def test_a_successor_goes_on_to_the_bit(cut: int) -> None:
    expected = packed(all_windows(Chains(SPECS)))
    first = Chains(SPECS)
    found = [window for number in range(cut) for window in show(first, number)]
    states = msgpack.unpackb(msgpack.packb(first.checkpoint(), use_bin_type=True), raw=False)
    since = first.since()
    assert since is not None
    successor = Chains(SPECS, states)
    for number in range(max(int(since * 15) - 5, 0), cut):
        successor.replay(Shot(Moving(number / 15)))
    found += [window for number in range(cut, 90) for window in show(successor, number)]
    found += successor.flush()
    assert packed(found) == expected


def test_what_is_to_be_landmarked_is_the_union_of_what_models_look_at() -> None:
    assert Chains(SPECS).rows == {*ROWS, *SEGMENT_ROWS}
    assert Chains({"clips": SPECS["clips"]}).rows == frozenset()
    assert Chains(SPECS).landmark_fps == [12.5] * 3
    assert Chains(SPECS).picture_fps == [15.0, 20.0]


def test_only_clips_need_pictures_again() -> None:
    chains = Chains({"sliding": SPECS["sliding"]})
    show(chains, 0)
    assert chains.since() is None


def test_a_broken_or_missing_state_names_its_model() -> None:
    states = Chains(SPECS).checkpoint()
    for model in SPECS:
        with pytest.raises(ValueError, match=f"windower of {model}: not a checkpoint"):
            Chains(SPECS, states | {model: {"seq": 1}})
    with pytest.raises(ValueError, match="no windower of clips"):
        Chains(SPECS, {model: state for model, state in states.items() if model != "clips"})
