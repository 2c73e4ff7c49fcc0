"""MediaPipe's networks on OpenVINO."""

import dataclasses

import numpy as np
import pytest

from workers.keypoints.networks import HAND, Network, NetworkError, best_precision, load_networks
from workers.keypoints.regions import Region


def test_all_sessions_share_one_set_of_networks() -> None:
    assert load_networks(best_precision()) is load_networks(best_precision())


@pytest.mark.parametrize(
    "wrong", [{"path": "hand_landmark/absent"}, {"outputs": ("Identity", "no such output")}]
)
def test_a_network_that_is_not_there_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(NetworkError, match=r"network (absent|hand_landmark_full)\.tflite cannot be read"):
        Network(dataclasses.replace(HAND, **wrong), "f32")  # type: ignore[arg-type]


def test_the_region_is_what_the_network_sees() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, 100:] = (10, 20, 30)
    hand = load_networks(best_precision()).hand
    hand.crop(picture, Region(0.75, 0.25, 0.2))
    assert np.array_equal(hand._input[0, 0, 0], (10, 20, 30))
    hand.crop(picture, Region(1.5, 0.25, 0.2))
    assert hand._input.min() == 10, "beyond the picture its edge goes on"
    hand.crop(picture, Region(1.5, 0.25, 0.2), pad=True)
    assert hand._input.max() == 0


def test_an_empty_wall_has_no_hand() -> None:
    picture = np.full((240, 320, 3), 90, np.uint8)
    landmarks, presence = load_networks(best_precision()).hand.run(picture, Region(0.5, 0.4, 0.5))
    assert landmarks.shape == (63,)
    assert presence[0] < 0.5
