"""What models need landmarked."""

from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND
from workers.keypoints.profiles import HANDS, HANDS_AND_POSE, HOLISTIC, profile_of


def test_a_profile_is_the_least_that_gives_all_rows() -> None:
    assert profile_of([*LEFT_HAND, *RIGHT_HAND]) is HANDS
    assert profile_of([*LEFT_HAND, POSE[11]]) is HANDS_AND_POSE
    assert profile_of([FACE[13]]) is HOLISTIC
    assert profile_of(range(543)) is HOLISTIC
