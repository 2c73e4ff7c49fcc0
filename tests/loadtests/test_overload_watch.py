"""Cores that the processes of an overload used."""

from loadtests.overload_watch import Look, cores


def test_cores_are_counted_from_the_first_look_to_the_last() -> None:
    looks = [
        Look(10.0, {"cameras": 1.0, "gateway": 5.0}, {}),
        Look(12.0, {"cameras": 2.0, "gateway": 5.0, "keypoints 2": 9.0}, {}),
        Look(14.0, {"cameras": 2.0, "gateway": 7.0, "keypoints 2": 10.0}, {}),
    ]
    assert cores(looks) == {"cameras": 0.25, "gateway": 0.5}, "of one that came later nothing is known"
    assert cores(looks[:1]) == {}
